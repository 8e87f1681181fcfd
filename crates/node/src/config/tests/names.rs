//! Every name of the source documents, with the value that stands there: it sets something, or it is
//! answered in one line.

use kernel::Mode;

use super::read;
use crate::config::answer::ANSWERS;
use crate::config::keys::keys;
use crate::config::names::{DOCUMENTS, fate};
use crate::config::{Config, ConfigError, names_page};

/// The variables, as the documents write them.
const VARIABLES: &[(&str, &str)] = &[
    ("MONGO_URL", "mongodb://localhost:27017/payments_db"),
    ("HMAC_SECRET_KEY", "your-cryptographically-secure-secret-key-here"),
    ("GEMINI_API_KEY", "your-gemini-api-key-from-google-cloud"),
    ("MONITORING_API_KEY", "your-secure-monitoring-api-key"),
    ("MAX_WEBHOOK_AGE_SECONDS", "300"),
    ("DATABASE_URL", "postgresql://user:pass@localhost:5432/payments_db"),
    ("STRIPE_SECRET_KEY", "sk_live_..."),
    ("STRIPE_WEBHOOK_SECRET", "whsec_..."),
    ("PAYPAL_CLIENT_ID", "your_client_id"),
    ("PAYPAL_CLIENT_SECRET", "your_client_secret"),
    ("ENCRYPTION_KEY", "your_32_byte_key"),
    ("JWT_SECRET_KEY", "your_jwt_secret"),
    ("FRAUD_DETECTION_ENABLED", "true"),
    ("FRAUD_THRESHOLD", "0.7"),
    ("WEBHOOK_RETRY_ATTEMPTS", "3"),
    ("TRANSACTION_TIMEOUT_SECONDS", "30"),
    ("SERVER_HOST", "0.0.0.0"),
    ("SERVER_PORT", "8080"),
    ("SERVER_READ_TIMEOUT", "30s"),
    ("SERVER_WRITE_TIMEOUT", "30s"),
    ("DB_HOST", "localhost"),
    ("DB_PORT", "5432"),
    ("DB_USERNAME", "postgres"),
    ("DB_PASSWORD", "your_password"),
    ("DB_DATABASE", "payments"),
    ("DB_SSL_MODE", "disable"),
    ("DB_MAX_OPEN_CONNS", "25"),
    ("DB_MAX_IDLE_CONNS", "5"),
    ("REDIS_HOST", "localhost"),
    ("REDIS_PORT", "6379"),
    ("REDIS_PASSWORD", ""),
    ("REDIS_DB", "0"),
    ("KAFKA_BROKERS", "localhost:9092"),
    ("KAFKA_GROUP_ID", "payments-service"),
    ("KAFKA_TOPIC_PAYMENTS", "payments.events"),
    ("KAFKA_TOPIC_WEBHOOKS", "webhooks.delivery"),
    ("JWT_SECRET", "your-jwt-secret"),
    ("ENCRYPTION_KEY", "your-32-byte-encryption-key"),
    ("PCI_COMPLIANCE_MODE", "true"),
    ("UPI_CORE_ENDPOINT", "http://upi-core:50051"),
    ("CARD_GATEWAY_API_KEY", "your-card-gateway-key"),
    ("WALLET_API_ENDPOINTS", r#"{"paytm":"https://api.paytm.com","phonepe":"https://api.phonepe.com"}"#),
    ("FRAUD_ML_API_URL", "http://fraud-detection:8080"),
    ("FRAUD_RULES_CONFIG_PATH", "./config/fraud-rules.yaml"),
    ("MAX_FRAUD_SCORE", "100"),
    ("BLOCK_THRESHOLD", "80"),
    ("ENABLE_METRICS", "true"),
    ("METRICS_PORT", "9090"),
    ("JAEGER_ENDPOINT", "http://localhost:14268/api/traces"),
    ("STRIPE_TEST_SECRET_KEY", "sk_test_..."),
    ("STRIPE_TEST_WEBHOOK_SECRET", "whsec_..."),
    ("AIRWALLEX_TEST_CLIENT_ID", "id"),
    ("AIRWALLEX_TEST_API_KEY", "key"),
    ("AIRWALLEX_TEST_WEBHOOK_SECRET", "secret"),
    ("WECHATPAY_MCH_ID", "1234567890"),
    ("WECHATPAY_APP_ID", "wx1234567890abcdef"),
    ("WECHATPAY_SERIAL_NO", "your_certificate_serial"),
    ("WECHATPAY_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----"),
    ("WECHATPAY_API_KEY", "your_api_v3_key"),
];

/// The YAML of one document, as it stands there.
const YAML: &str = r"
# Payment providers
providers:
  stripe:
    enabled: true
    secret_key: sk_test_...
    webhook_secret: whsec_...

  paypal:
    enabled: true
    client_id: your_client_id
    client_secret: your_client_secret
    environment: sandbox

# Fraud detection
fraud_detection:
  enabled: true
  threshold: 0.7
  rules:
    - velocity_check
    - geolocation_check
    - device_fingerprint

# Currencies
currencies:
  default: USD
  supported:
    - USD
    - EUR
    - GBP
    - CAD
    - AUD
    - JPY

# Limits
limits:
  max_transaction_amount:
    USD: 100000
    EUR: 90000
  daily_volume_limit: 1000000
  monthly_volume_limit: 10000000
";

/// The TOML of another, with test credentials in place of live ones and without their providers' own
/// tables, which [`PROVIDERS`] has.
const TOML: &str = r#"
[payment]
# Default gateway for new payments
default_gateway = "mock"
tds_threshold = 3000  # $30.00
auto_capture = true
# Delay capture by N seconds (0 = capture immediately)
capture_delay_seconds = 0
supported_currencies = ["USD", "EUR", "GBP", "JPY", "CNY"]
enable_fraud_check = true
risk_threshold = 75  # Score > 75 blocks payment

[payment.stripe]
enabled = true
secret_key = "sk_test_xxx"
publishable_key = "pk_test_xxx"
webhook_secret = "whsec_xxx"
statement_descriptor = "RCOMMERCE"
statement_descriptor_suffix = "store"
connect_enabled = false
connect_client_id = "ca_xxx"

# Third-party fraud detection (optional integration)
[fraud_detection]
provider = "sift"  # Options: "sift", "signifyd", "kount"
api_key = "your_fraud_api_key"
"#;

/// The same document's tables of live providers.
const PROVIDERS: &[(&str, &str)] = &[
    (
        "airwallex",
        "enabled = true\nclient_id = \"your_client_id\"\napi_key = \"your_api_key\"\n\
         webhook_secret = \"your_webhook_secret\"\naccount_id = \"your_account_id\"\nrequest_currency = true",
    ),
    (
        "braintree",
        "enabled = true\nmerchant_id = \"your_merchant_id\"\npublic_key = \"your_public_key\"\n\
         private_key = \"your_private_key\"",
    ),
    (
        "wechatpay",
        "enabled = true\nmch_id = \"1234567890\"\napp_id = \"wx1234567890abcdef\"\n\
         api_key = \"your_api_v3_key\"\nserial_no = \"your_certificate_serial\"\n\
         private_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\n\"\"\"\nsandbox = false",
    ),
    (
        "alipay",
        "enabled = true\napp_id = \"2024XXXXXX\"\n\
         private_key = \"\"\"\n-----BEGIN RSA PRIVATE KEY-----\n\"\"\"\n\
         alipay_public_key = \"\"\"\n-----BEGIN PUBLIC KEY-----\n\"\"\"\nsandbox = false",
    ),
];

/// Answers of a start that goes on, of which none may quote a value.
fn answers(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    read(text, environment).unwrap().origins.answers
}

#[test]
fn every_variable_sets_something_or_is_answered() {
    for (name, value) in VARIABLES {
        let known = fate(name).unwrap_or_else(|| panic!("{name} is known to nobody"));
        let listed = DOCUMENTS.iter().flat_map(|document| document.names).any(|listed| listed == name);
        assert!(listed, "{name} is not on the page");
        let environment = [(*name, *value), ("DB_HOST", "localhost")];
        let environment = if name.starts_with("DB_") { &environment[..] } else { &environment[..1] };
        match read("", environment) {
            Ok(config) if known.starts_with("sets ") => {
                let source = config.effective().into_iter().any(|setting| {
                    let place = setting.origin.place();
                    place == *name || (name.starts_with("DB_") && place == "DB_HOST")
                });
                assert!(source, "{name} sets nothing");
            }
            Ok(config) => {
                let answers = config.origins.answers;
                let expected = usize::from(!value.is_empty());
                assert_eq!(answers.len(), expected, "{name}: {answers:?}");
                for line in answers {
                    assert!(line.starts_with(*name) && !line.contains('\n'), "{line}");
                    let is_word = value.len() < 5 || !value.contains(|c: char| !c.is_ascii_digit());
                    assert!(is_word || !line.contains(value), "{line} quotes its value");
                }
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.starts_with(name) && !error.contains(value), "{name}: {error}");
            }
        }
    }
}

/// A name that became a setting must not be answered any more.
#[test]
fn no_setting_is_answered() {
    for answer in ANSWERS {
        for path in answer.paths() {
            assert!(keys().all(|key| key.paths().all(|known| known != path)), "{path}");
        }
        for variable in answer.variables() {
            assert!(keys().all(|key| key.variables().all(|known| known != variable)), "{variable}");
        }
    }
}

#[test]
fn the_page_lists_what_the_documents_have() {
    for document in DOCUMENTS {
        for name in document.names {
            assert!(fate(name).is_some(), "{name} is known to nobody");
            let is_variable = name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
            if is_variable {
                assert!(VARIABLES.iter().any(|(known, _)| known == name), "{name} was not tried");
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/coming-from-the-source.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == names_page(), "docs/coming-from-the-source.md is stale: run `cargo xtask gen-docs`");
}

#[test]
fn the_yaml_of_the_documents_starts() {
    let config = Config::of("florin.yaml", YAML, &[]).unwrap();
    assert_eq!(config.payment.supported_currencies.len(), 6);
    assert_eq!(config.limits.max_transaction_amount.len(), 2);
    assert_eq!(config.limits.daily_volume, Some(1_000_000));
    let answers = config.origins.answers;
    assert_eq!(config.providers.stripe.own.mode(), Some(Mode::Test));
    let worlds: Vec<Mode> = config.providers.paypal.accounts().map(|(mode, _)| mode).collect();
    assert_eq!(worlds, [Mode::Test], "its environment is the sandbox");
    let risk = answers.iter().filter(|line| line.contains("fraud_detection.threshold"));
    assert_eq!(risk.count(), 1, "{answers:#?}");
    assert!(answers.iter().all(|line| line.starts_with("florin.yaml:")), "{answers:#?}");
}

#[test]
fn the_toml_of_the_documents_starts() {
    let config = read(TOML, &[]).unwrap();
    assert_eq!(config.payment.default_gateway.as_deref(), Some("sandbox"));
    assert_eq!(config.payment.tds_threshold, Some(3000));
    assert_eq!((config.payment.auto_capture, config.payment.capture_delay_seconds), (true, None));
    assert_eq!(config.payment.supported_currencies.len(), 5);
    assert_eq!(config.payment.descriptor().as_deref(), Some("RCOMMERCE* store"));
    let stripe = &config.providers.stripe;
    assert!(stripe.enabled && stripe.own.mode() == Some(Mode::Test));
    assert_eq!(stripe.own.publishable_key.as_deref(), Some("pk_test_xxx"));
    assert!(stripe.own.webhook_secret.is_some());
}

#[test]
fn live_credentials_that_nobody_would_use_stop_the_start() {
    for (provider, settings) in PROVIDERS {
        for section in ["payment", "providers"] {
            let text = format!("[{section}.{provider}]\n{settings}\n");
            let error = read(&text, &[]).unwrap_err();
            assert!(matches!(error, ConfigError::Credential { provider: found, .. } if found == *provider));
            let said = error.to_string();
            let begins = format!("florin.toml:3: {section}.{provider}.");
            let is_named = said.starts_with(&begins) || said.starts_with(&begins.replace(":3:", ":4:"));
            assert!(is_named && !said.contains("your_"), "{said}");
            // Switched off it is quiet; told to use the provider's own sandbox, a line.
            assert_eq!(answers(&text.replace("enabled = true", "enabled = false"), &[]), [""; 0]);
        }
    }
    let sandbox = format!(
        "[payment.alipay]\n{}",
        PROVIDERS.get(3).unwrap().1.replace("sandbox = false", "sandbox = true")
    );
    assert_eq!(answers(&sandbox, &[]).len(), 1);
    let worlds = |environment: &[(&str, &str)]| -> Vec<Mode> {
        let config = read("", environment).unwrap();
        config.providers.razorpay.accounts().into_iter().map(|(mode, _)| mode).collect()
    };
    assert_eq!(worlds(&[("CARD_GATEWAY_API_KEY", "rzp_live_x:y")]), [Mode::Live]);
    assert_eq!(worlds(&[("CARD_GATEWAY_API_KEY", "env:K"), ("K", "rzp_test_x:y")]), [Mode::Test]);
    let half = read("", &[("CARD_GATEWAY_API_KEY", "rzp_live_x")]).unwrap_err().to_string();
    assert!(half.contains("id and secret") && !half.contains("rzp_live_x"), "{half}");
}

#[test]
fn a_database_in_parts() {
    let url = |environment: &[(&str, &str)]| {
        read("", environment).map(|config| config.database.url.unwrap().expose().clone())
    };
    let document = [
        ("DB_HOST", "localhost"),
        ("DB_PORT", "5432"),
        ("DB_USERNAME", "postgres"),
        ("DB_PASSWORD", "p@ss/word?"),
        ("DB_DATABASE", "payments"),
        ("DB_SSL_MODE", "disable"),
    ];
    let whole = "postgres://postgres:p%40ss%2Fword%3F@localhost:5432/payments?sslmode=disable";
    assert_eq!(url(&document).unwrap(), whole);
    assert_eq!(url(&[("DB_HOST", "db")]).unwrap(), "postgres://postgres@db:5432/payments");
    assert_eq!(url(&[("DB_HOST", "::1")]).unwrap(), "postgres://postgres@[::1]:5432/payments");
    let secret = [("DB_HOST", "db"), ("DB_PASSWORD", "env:PW"), ("PW", "hidden")];
    assert_eq!(url(&secret).unwrap(), "postgres://postgres:hidden@db:5432/payments");
    for (environment, said) in [
        (vec![("DB_PASSWORD", "hidden")], "DB_PASSWORD says nothing without DB_HOST"),
        (vec![("DB_HOST", "a b")], "DB_HOST must be the name or address of one host"),
        (vec![("DB_HOST", "db"), ("DB_PORT", "x")], "DB_PORT must be a port"),
        (vec![("DB_HOST", "db"), ("DB_SSL_MODE", "yes")], "DB_SSL_MODE must be disable, prefer"),
        (vec![("DB_HOST", "db"), ("DB_PASSWORD", "env:NO")], "DB_PASSWORD must be \"env:\""),
        (
            vec![("DB_HOST", "db"), ("DATABASE_URL", "postgres://other/db")],
            "DATABASE_URL and DB_HOST are the same setting with different values",
        ),
    ] {
        let error = read("", &environment).unwrap_err().to_string();
        assert!(error.starts_with(said) && !error.contains("hidden"), "{environment:?}: {error}");
    }
    let beaten = read("database.url = \"postgres://file/db\"", &[("DB_HOST", "db")]).unwrap();
    assert_eq!(beaten.database.url.unwrap().expose(), "postgres://postgres@db:5432/payments");
}

#[test]
fn every_path_works_in_the_environment_too() {
    let environment = [
        ("FLORIN_PAYMENT__STRIPE__STATEMENT_DESCRIPTOR", "SHOP"),
        ("FLORIN_CURRENCIES__SUPPORTED", "USD, EUR"),
        ("FLORIN_FRAUD_DETECTION__THRESHOLD", "0.7"),
        ("FLORIN_PROVIDERS__STRIPE__SECRET_KEY", "sk_test_x"),
        ("FLORIN_PAYMENT__AUTO_CAPTURE", "false"),
    ];
    let config = read("", &environment).unwrap();
    assert_eq!(config.payment.statement_descriptor.as_deref(), Some("SHOP"));
    assert_eq!(config.payment.supported_currencies.len(), 2);
    assert!(!config.payment.auto_capture);
    assert_eq!(config.providers.stripe.own.mode(), Some(Mode::Test));
    assert_eq!(config.origins.answers.len(), 1, "{:?}", config.origins.answers);
}

#[test]
fn two_names_of_one_setting_in_a_file_must_agree() {
    let both = "[payment]\nsupported_currencies = [\"USD\"]\n[currencies]\nsupported = [\"EUR\"]\n";
    let error = read(both, &[]).unwrap_err().to_string();
    let said =
        "florin.toml:2: payment.supported_currencies and florin.toml:4: currencies.supported are the same";
    assert!(error.starts_with(said), "{error}");
    let alike = both.replace("\"EUR\"", "\"USD\"");
    assert_eq!(read(&alike, &[]).unwrap().payment.supported_currencies.len(), 1);
}
