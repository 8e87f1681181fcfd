//! All configuration keys and environment variables of the documents that Florin was built from, and what
//! becomes of each here: a page for whoever comes from one of them.

use super::answer::ANSWERS;
use super::compose::DB_PARTS;
use super::key::{Key, is_variable};
use super::keys::keys;

/// A document, and its names in their order there.
pub(super) struct Document {
    pub(super) title: &'static str,
    pub(super) names: &'static [&'static str],
}

pub(super) const DOCUMENTS: &[Document] = &[
    Document {
        title: "Auto-Pay",
        names: &[
            "MONGO_URL",
            "HMAC_SECRET_KEY",
            "GEMINI_API_KEY",
            "MONITORING_API_KEY",
            "MAX_WEBHOOK_AGE_SECONDS",
        ],
    },
    Document {
        title: "Payment Gateway Example",
        names: &[
            "providers.stripe.enabled",
            "providers.stripe.secret_key",
            "providers.stripe.webhook_secret",
            "providers.paypal.enabled",
            "providers.paypal.client_id",
            "providers.paypal.client_secret",
            "providers.paypal.environment",
            "fraud_detection.enabled",
            "fraud_detection.threshold",
            "fraud_detection.rules",
            "currencies.default",
            "currencies.supported",
            "limits.max_transaction_amount.USD",
            "limits.max_transaction_amount.EUR",
            "limits.daily_volume_limit",
            "limits.monthly_volume_limit",
            "DATABASE_URL",
            "STRIPE_SECRET_KEY",
            "STRIPE_WEBHOOK_SECRET",
            "PAYPAL_CLIENT_ID",
            "PAYPAL_CLIENT_SECRET",
            "ENCRYPTION_KEY",
            "JWT_SECRET_KEY",
            "FRAUD_DETECTION_ENABLED",
            "FRAUD_THRESHOLD",
            "WEBHOOK_RETRY_ATTEMPTS",
            "TRANSACTION_TIMEOUT_SECONDS",
        ],
    },
    Document {
        title: "Payment Integration Architecture",
        names: &[
            "payment.default_gateway",
            "payment.tds_threshold",
            "payment.auto_capture",
            "payment.capture_delay_seconds",
            "payment.supported_currencies",
            "payment.enable_fraud_check",
            "payment.risk_threshold",
            "payment.stripe.enabled",
            "payment.stripe.secret_key",
            "payment.stripe.publishable_key",
            "payment.stripe.webhook_secret",
            "payment.stripe.statement_descriptor",
            "payment.stripe.statement_descriptor_suffix",
            "payment.stripe.connect_enabled",
            "payment.stripe.connect_client_id",
            "payment.airwallex.enabled",
            "payment.airwallex.client_id",
            "payment.airwallex.api_key",
            "payment.airwallex.webhook_secret",
            "payment.airwallex.account_id",
            "payment.airwallex.request_currency",
            "payment.braintree.enabled",
            "payment.braintree.merchant_id",
            "payment.braintree.public_key",
            "payment.braintree.private_key",
            "payment.paypal.enabled",
            "payment.paypal.client_id",
            "payment.paypal.client_secret",
            "payment.wechatpay.enabled",
            "payment.wechatpay.mch_id",
            "payment.wechatpay.app_id",
            "payment.wechatpay.api_key",
            "payment.wechatpay.serial_no",
            "payment.wechatpay.private_key",
            "payment.wechatpay.sandbox",
            "payment.alipay.enabled",
            "payment.alipay.app_id",
            "payment.alipay.private_key",
            "payment.alipay.alipay_public_key",
            "payment.alipay.sandbox",
            "fraud_detection.provider",
            "fraud_detection.api_key",
            "STRIPE_TEST_SECRET_KEY",
            "STRIPE_TEST_WEBHOOK_SECRET",
            "AIRWALLEX_TEST_CLIENT_ID",
            "AIRWALLEX_TEST_API_KEY",
            "AIRWALLEX_TEST_WEBHOOK_SECRET",
            "WECHATPAY_MCH_ID",
            "WECHATPAY_APP_ID",
            "WECHATPAY_SERIAL_NO",
            "WECHATPAY_PRIVATE_KEY",
            "WECHATPAY_API_KEY",
        ],
    },
    Document {
        title: "Payment Gateway Service",
        names: &[
            "SERVER_HOST",
            "SERVER_PORT",
            "SERVER_READ_TIMEOUT",
            "SERVER_WRITE_TIMEOUT",
            "DB_HOST",
            "DB_PORT",
            "DB_USERNAME",
            "DB_PASSWORD",
            "DB_DATABASE",
            "DB_SSL_MODE",
            "DB_MAX_OPEN_CONNS",
            "DB_MAX_IDLE_CONNS",
            "REDIS_HOST",
            "REDIS_PORT",
            "REDIS_PASSWORD",
            "REDIS_DB",
            "KAFKA_BROKERS",
            "KAFKA_GROUP_ID",
            "KAFKA_TOPIC_PAYMENTS",
            "KAFKA_TOPIC_WEBHOOKS",
            "JWT_SECRET",
            "ENCRYPTION_KEY",
            "PCI_COMPLIANCE_MODE",
            "UPI_CORE_ENDPOINT",
            "CARD_GATEWAY_API_KEY",
            "WALLET_API_ENDPOINTS",
            "FRAUD_ML_API_URL",
            "FRAUD_RULES_CONFIG_PATH",
            "MAX_FRAUD_SCORE",
            "BLOCK_THRESHOLD",
            "ENABLE_METRICS",
            "METRICS_PORT",
            "JAEGER_ENDPOINT",
        ],
    },
];

const INTRODUCTION: &str = "\
# Coming from the source documents

<!-- Written by `cargo xtask gen-docs` from the table of settings; do not edit. -->

Florin grew out of the documents of several payment systems. Every configuration key and environment variable
of theirs is known here under its own name: it works, or the start says in one line what to use instead.

- A name that **sets** something does so from a file (TOML or YAML, names with dots) or from the environment
  (names in capitals). `payment.stripe.…` and `providers.stripe.…` are the same; `postgres://` and
  `postgresql://` too. The environment beats the file; within one of them, two names of one setting with
  different values stop the start, naming both.
- A name whose area is **not in this build** brings one line in the log, and the start goes on. Switched off
  (`enabled = false`) it brings none.
- **Credentials** of a provider that is not in this build stop the start, naming the key, unless they are seen
  to be test credentials (by their own prefix, or `environment = \"sandbox\"`, `sandbox = true`): whoever sets
  live credentials expects payments there, and a start that ignored them would take money elsewhere or not at
  all.
";

/// The page.
pub fn names_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for document in DOCUMENTS {
        page.extend(["\n## ", document.title, "\n\n| name | here |\n|---|---|\n"]);
        for name in document.names {
            let fate = fate(name).unwrap_or_default();
            page.extend(["| `", name, "` | ", &fate, " |\n"]);
        }
    }
    page
}

/// What becomes of a name; `None` if nobody knows it.
pub(super) fn fate(name: &str) -> Option<String> {
    let is_of = |key: &&Key| {
        let of_table = key.is_table && name.rsplit_once('.').is_some_and(|(table, _)| table == key.name);
        of_table || key.name == name || key.also.contains(&name)
    };
    if let Some(key) = keys().find(is_of) {
        return Some(if key.name == name {
            format!("sets `{name}`: {}", key.help)
        } else {
            format!("sets `{}`", key.name)
        });
    }
    if DB_PARTS.iter().any(|(part, _)| *part == name) {
        return Some("sets `database.url`, together with the other `DB_…`; needs `DB_HOST`".to_owned());
    }
    let answer = ANSWERS.iter().find(|answer| {
        // A table of settings is answered as one.
        let is_within = |path: String| name.strip_prefix(path.as_str()).is_some_and(is_end_or_below);
        if is_variable(name) { answer.name == name } else { answer.paths().any(is_within) }
    })?;
    Some(answer.says())
}

fn is_end_or_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}
