//! Names that other systems know and this build has no setting for: each is answered, none is silently
//! dropped. The names are those of the documents that Florin was built from; `names` lists all of them.

use std::collections::BTreeMap;

use super::ConfigError;
use super::key::{Environment, environment_name, is_variable};
use super::origin::Origin;
use super::value::Raw;

/// What is said of a name.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// Its area is not in this build; going on without it harms nobody.
    Absent(&'static str),
    /// Something else does that here.
    Instead(&'static str),
    /// It steers a provider that is not in this build.
    Setting(Provider),
    /// It opens an account at a provider that is not in this build.
    Credential(Provider),
}

/// A provider that is not in this build, by the id it will have.
pub(super) type Provider = &'static str;

/// One such name.
pub(super) struct Answer {
    /// A variable in capitals, or a path in a file.
    pub(super) name: &'static str,
    pub(super) fate: Fate,
}

/// That such a name was used.
pub(super) struct Used {
    pub(super) answer: &'static Answer,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

const fn absent(name: &'static str, area: &'static str) -> Answer {
    Answer { name, fate: Fate::Absent(area) }
}

const fn instead(name: &'static str, what: &'static str) -> Answer {
    Answer { name, fate: Fate::Instead(what) }
}

const fn setting(name: &'static str, provider: Provider) -> Answer {
    Answer { name, fate: Fate::Setting(provider) }
}

const fn credential(name: &'static str, provider: Provider) -> Answer {
    Answer { name, fate: Fate::Credential(provider) }
}

const RISK: &str = "risk checks";
const EVENTS: &str = "the event stream";
const SHARED: &str = "counters shared between nodes (each node counts for itself)";
const WEBHOOKS_OUT: &str = "webhooks to merchants";
const SESSIONS: &str = "people's sessions (API keys are made with `florin key create`)";
const CONNECT: &str = "payment.stripe.connected_account, in whose name everything is done";
const TESTS: &str = "the provider's own tests against its sandbox, which come with the provider";

pub(super) const ANSWERS: &[Answer] = &[
    instead("MONGO_URL", "PostgreSQL (DATABASE_URL) or SQLite (database.folder)"),
    absent("GEMINI_API_KEY", "reports in plain language"),
    absent("WEBHOOK_RETRY_ATTEMPTS", WEBHOOKS_OUT),
    absent("JWT_SECRET", SESSIONS),
    absent("JWT_SECRET_KEY", SESSIONS),
    absent("REDIS_URL", SHARED),
    absent("REDIS_HOST", SHARED),
    absent("REDIS_PORT", SHARED),
    absent("REDIS_PASSWORD", SHARED),
    absent("REDIS_DB", SHARED),
    absent("KAFKA_BROKERS", EVENTS),
    absent("KAFKA_TOPIC_PAYMENTS", EVENTS),
    absent("KAFKA_TOPIC_WEBHOOKS", EVENTS),
    instead("KAFKA_GROUP_ID", "nothing: Florin only produces, so there is no group of consumers"),
    instead("DB_MAX_IDLE_CONNS", "nothing: connections to the database stay open"),
    absent("FRAUD_ML_API_URL", RISK),
    absent("FRAUD_RULES_CONFIG_PATH", RISK),
    absent("FRAUD_DETECTION_ENABLED", RISK),
    absent("FRAUD_THRESHOLD", RISK),
    absent("MAX_FRAUD_SCORE", RISK),
    absent("BLOCK_THRESHOLD", RISK),
    absent("fraud_detection.enabled", RISK),
    absent("fraud_detection.threshold", RISK),
    absent("fraud_detection.rules", RISK),
    absent("fraud_detection.provider", RISK),
    absent("fraud_detection.api_key", RISK),
    absent("payment.enable_fraud_check", RISK),
    absent("payment.risk_threshold", RISK),
    instead("currencies.default", "nothing: volumes count in each currency for itself"),
    setting("UPI_CORE_ENDPOINT", "upi_core"),
    setting("WALLET_API_ENDPOINTS", "paytm and phonepe"),
    instead("STRIPE_TEST_SECRET_KEY", TESTS),
    instead("STRIPE_TEST_WEBHOOK_SECRET", TESTS),
    instead("AIRWALLEX_TEST_CLIENT_ID", TESTS),
    instead("AIRWALLEX_TEST_API_KEY", TESTS),
    instead("AIRWALLEX_TEST_WEBHOOK_SECRET", TESTS),
    instead("WECHATPAY_MCH_ID", TESTS),
    instead("WECHATPAY_APP_ID", TESTS),
    instead("WECHATPAY_SERIAL_NO", TESTS),
    instead("WECHATPAY_PRIVATE_KEY", TESTS),
    instead("WECHATPAY_API_KEY", TESTS),
    instead("payment.stripe.connect_enabled", CONNECT),
    instead("payment.stripe.connect_client_id", CONNECT),
    setting("payment.airwallex.enabled", "airwallex"),
    credential("payment.airwallex.client_id", "airwallex"),
    credential("payment.airwallex.api_key", "airwallex"),
    credential("payment.airwallex.webhook_secret", "airwallex"),
    setting("payment.airwallex.account_id", "airwallex"),
    setting("payment.airwallex.request_currency", "airwallex"),
    setting("payment.braintree.enabled", "braintree"),
    credential("payment.braintree.merchant_id", "braintree"),
    credential("payment.braintree.public_key", "braintree"),
    credential("payment.braintree.private_key", "braintree"),
    setting("payment.wechatpay.enabled", "wechatpay"),
    credential("payment.wechatpay.mch_id", "wechatpay"),
    setting("payment.wechatpay.app_id", "wechatpay"),
    credential("payment.wechatpay.api_key", "wechatpay"),
    setting("payment.wechatpay.serial_no", "wechatpay"),
    credential("payment.wechatpay.private_key", "wechatpay"),
    setting("payment.wechatpay.sandbox", "wechatpay"),
    setting("payment.alipay.enabled", "alipay"),
    setting("payment.alipay.app_id", "alipay"),
    credential("payment.alipay.private_key", "alipay"),
    setting("payment.alipay.alipay_public_key", "alipay"),
    setting("payment.alipay.sandbox", "alipay"),
];

impl Answer {
    /// Its names in a file: `payment.stripe.…` and `providers.stripe.…` are the same.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        let path = Some(self.name).filter(|name| !is_variable(name));
        let is_provider = matches!(self.fate, Fate::Setting(_) | Fate::Credential(_));
        let twin = path.and_then(|path| path.strip_prefix("payment.")).filter(|_| is_provider);
        let twin = twin.map(|rest| format!("providers.{rest}"));
        path.map(str::to_owned).into_iter().chain(twin)
    }

    /// Its names in the environment.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        let short = Some(self.name).filter(|name| is_variable(name)).map(str::to_owned);
        short.into_iter().chain(self.paths().map(|path| environment_name(&path)))
    }

    /// What is said of it, behind its name.
    pub(super) fn says(&self) -> String {
        match self.fate {
            Fate::Absent(area) => format!("known, but not in this build: {area}"),
            Fate::Instead(what) if what == TESTS => format!("not read by the server: it is for {what}"),
            Fate::Instead(what) => format!("not used; instead: {what}"),
            Fate::Setting(provider) | Fate::Credential(provider) => {
                format!("known, but there is no provider {provider} in this build")
            }
        }
    }
}

/// One line for each name that was used and has no effect. Refused are credentials that can move real
/// money: whoever configured them expects payments there, and none would come.
pub(super) fn answer(used: &[Used], environment: &Environment) -> Result<Vec<String>, ConfigError> {
    let mut lines = Vec::new();
    let mut providers: BTreeMap<Provider, Vec<&Used>> = BTreeMap::new();
    for name in used {
        match name.answer.fate {
            // Switched off there, absent here.
            Fate::Absent(_) | Fate::Instead(_) if is_off(&name.raw) => {}
            Fate::Absent(_) | Fate::Instead(_) => {
                lines.push(format!("{}: {}", name.origin, name.answer.says()));
            }
            Fate::Setting(provider) | Fate::Credential(provider) => {
                providers.entry(provider).or_default().push(name);
            }
        }
    }
    for (provider, names) in providers {
        lines.extend(of_provider(provider, &names, environment)?);
    }
    Ok(lines)
}

/// In so many words: a 0 may be a number.
fn is_off(raw: &Raw) -> bool {
    match raw {
        Raw::Environment(text) => text.trim().eq_ignore_ascii_case("false"),
        raw => *raw == Raw::Boolean(false),
    }
}

fn of_provider(
    provider: Provider,
    names: &[&Used],
    environment: &Environment,
) -> Result<Option<String>, ConfigError> {
    let ends_with = |used: &&&Used, end: &str| used.answer.name.to_lowercase().ends_with(end);
    let said = |end: &str| names.iter().find(|used| ends_with(used, end)).map(|used| &used.raw);
    if said(".enabled").is_some_and(|raw| raw.boolean() == Ok(false)) {
        return Ok(None);
    }
    let is_sandbox = said(".sandbox").is_some_and(|raw| raw.boolean() == Ok(true))
        || said(".environment").is_some_and(|raw| raw.text() == Ok("sandbox"));
    let credentials: Vec<&&Used> =
        names.iter().filter(|used| matches!(used.answer.fate, Fate::Credential(_))).collect();
    // A key of the provider's test world says so itself; what says nothing is taken for live.
    let is_test = |used: &&Used| {
        let value = used.raw.secret(environment).unwrap_or_default();
        ["sk_test_", "pk_test_", "rk_test_", "rzp_test_"].iter().any(|sign| value.starts_with(sign))
    };
    let Some(first) = credentials.first().or(names.iter().collect::<Vec<_>>().first()).copied() else {
        return Ok(None);
    };
    if credentials.is_empty() || is_sandbox || credentials.iter().any(|used| is_test(used)) {
        return Ok(Some(format!("{}: {}", first.origin, first.answer.says())));
    }
    Err(ConfigError::Credential { said_by: first.origin.to_string(), provider })
}
