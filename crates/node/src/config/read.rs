//! The kinds of values that settings take, each with what it is called and what it allows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kernel::{Currency, Mode, Network, Secret};
use limits::Rate;
use payments::{LateSuccess, RecordExchanges};

use super::key::{Environment, Reader};
use super::value::{Allowed, Raw};
use super::{BankPlace, LogFormat, LogLevel, PaypalEnvironment, RefundSpeed};

pub(super) const TEXT: Reader<String> =
    Reader::new("text", "a text that is not empty", |raw, _| raw.some_text());
pub(super) const PORT: Reader<u16> = Reader::new("port", "a port, 0 to 65535", |raw, _| raw.port());
pub(super) const DURATION: Reader<Duration> = Reader::new(
    "duration",
    "a duration: \"500ms\", \"30s\", \"5m\", \"24h\", or a number of seconds",
    |raw, _| raw.duration(),
);
pub(super) const WEB_ADDRESS: Reader<String> =
    Reader::new("address", "an address that begins with http:// or https://", |raw, _| raw.web_address());
pub(super) const PER_MILLE: Reader<u16> =
    Reader::new("integer", "a number from 0 to 1000", |raw, _| raw.per_mille());
pub(super) const BASIS_POINTS: Reader<u32> =
    Reader::new("integer", "a number from 0 to 10000", |raw, _| raw.basis_points());
pub(super) const PERCENT: Reader<u32> =
    Reader::new("integer", "a number from 0 to 100", |raw, _| raw.percent());
pub(super) const BOOLEAN: Reader<bool> = Reader::new("boolean", "true or false", |raw, _| raw.boolean());
pub(super) const METRIC_PREFIX: Reader<String> =
    Reader::new("text", "letters, digits and underscores, not beginning with a digit", |raw, _| {
        metric_prefix(raw)
    });
pub(super) const OTLP_ADDRESS: Reader<String> =
    Reader::new("address", "an address that begins with http:// or https://", |raw, _| otlp_address(raw));

pub(super) const NETWORKS: Reader<Vec<Network>> = Reader::new(
    "list of address ranges",
    "a list of IP addresses or ranges, such as [\"10.0.0.0/8\", \"2001:db8::/32\"]",
    |raw, _| {
        let texts = raw.texts().map_err(|_| NETWORKS.allowed)?;
        texts.iter().map(|text| text.parse().map_err(|_| NETWORKS.allowed)).collect()
    },
);
pub(super) const ACCOUNT_NAMES: Reader<Vec<String>> = Reader::new(
    "list of names",
    "a list of different names, each of 2 to 40 small letters, digits, `_` and `-`, which begins with a \
     letter and is no provider's name",
    |raw, _| {
        let texts = raw.texts().map_err(|_| ACCOUNT_NAMES.allowed)?;
        let differ = texts.iter().enumerate().all(|(at, text)| !texts.iter().take(at).any(|one| one == text));
        if differ && texts.iter().all(|text| is_account_name(text)) {
            Ok(texts)
        } else {
            Err(ACCOUNT_NAMES.allowed)
        }
    },
);
pub(super) const ORIGINS: Reader<Vec<String>> = Reader::new(
    "list of origins",
    "a list of origins as browsers write them, such as [\"https://shop.example.com\"]",
    |raw, _| {
        let texts = raw.texts().map_err(|_| ORIGINS.allowed)?;
        if texts.iter().all(|text| is_origin(text)) { Ok(texts) } else { Err(ORIGINS.allowed) }
    },
);
pub(super) const RATE: Reader<Option<Rate>> =
    Reader::new("rate", "a rate such as \"100/s\", \"30/m\" or \"5/h\", or \"off\"", |raw, _| {
        match raw.text() {
            Ok("off") => Ok(None),
            Ok(text) => text.parse().map(Some).map_err(|_| RATE.allowed),
            Err(_) => Err(RATE.allowed),
        }
    });
/// Nothing for 0, which the source documents write for "at once".
pub(super) const CAPTURE_DELAY: Reader<Option<u32>> =
    Reader::new("seconds", "a number of seconds from 0 (at once) to 2592000", |raw, _| {
        let seconds = raw.integer(0, 2_592_000).and_then(|seconds| u32::try_from(seconds).ok());
        seconds.map(|seconds| Some(seconds).filter(|seconds| *seconds > 0)).ok_or(CAPTURE_DELAY.allowed)
    });
pub(super) const MINOR_UNITS: Reader<i64> =
    Reader::new("amount", "a whole number of minor units, from 1 to 999999999999999", |raw, _| {
        raw.integer(1, 999_999_999_999_999).ok_or(MINOR_UNITS.allowed)
    });
pub(super) const CONNECTIONS: Reader<usize> = Reader::new("integer", "a number from 2 to 1000", |raw, _| {
    raw.integer(2, 1000).and_then(|count| usize::try_from(count).ok()).ok_or(CONNECTIONS.allowed)
});
pub(super) const COUNT: Reader<usize> = Reader::new("integer", "a number from 1 to 1000000", |raw, _| {
    raw.integer(1, 1_000_000).and_then(|count| usize::try_from(count).ok()).ok_or(COUNT.allowed)
});
pub(super) const CURRENCIES: Reader<Vec<Currency>> =
    Reader::new("list of currencies", "a list of ISO 4217 codes, such as [\"USD\", \"EUR\"]", |raw, _| {
        let texts = raw.texts().ok().filter(|texts| !texts.is_empty()).ok_or(CURRENCIES.allowed)?;
        let read = texts.iter().map(|text| text.parse().map_err(|_| CURRENCIES.allowed));
        let mut currencies: Vec<Currency> = read.collect::<Result<_, _>>()?;
        currencies.sort_unstable();
        currencies.dedup();
        Ok(currencies)
    });

pub(super) const AMOUNT: Reader<i64> =
    Reader::new("integer", "a whole number of minor units, 1 or more", |raw, _| raw.amount());
pub(super) const AMOUNTS: Reader<BTreeMap<Currency, i64>> = Reader::new(
    "table of integers",
    "a table of ISO 4217 codes and whole numbers of minor units, such as { USD = 1000000 }",
    |raw, _| {
        let amounts = raw.amounts().ok_or(AMOUNTS.allowed)?;
        let read = |(code, amount): (String, i64)| Some((code.parse().ok()?, amount));
        amounts.into_iter().map(read).collect::<Option<_>>().ok_or(AMOUNTS.allowed)
    },
);

pub(super) const ENCRYPTION_KEY: Reader<Secret<String>> = Reader::new(
    "secret",
    "32 bytes: 64 hexadecimal digits, base64 of 32 bytes, or 32 ASCII characters \
     (`openssl rand -hex 32` makes one)",
    encryption_key,
)
.secret();
pub(super) const DATABASE_URL: Reader<Secret<String>> = Reader::new(
    "secret address",
    "an address that begins with postgres:// or postgresql:// (or absent, for SQLite)",
    database_url,
)
.secret();
pub(super) const SECRET: Reader<Secret<String>> = Reader::new(
    "secret",
    "a text that is not empty, or \"file:\" or \"env:\" and where it stands",
    |raw, env| raw.secret(env).map(Secret::new).map_err(|_| SECRET.allowed),
)
.secret();
pub(super) const PAYPAL_ENVIRONMENT: Reader<PaypalEnvironment> =
    Reader::new("word", "`live` or `sandbox`", |raw, _| match raw.text() {
        Ok("live") => Ok(PaypalEnvironment::Live),
        Ok("sandbox") => Ok(PaypalEnvironment::Sandbox),
        _ => Err(PAYPAL_ENVIRONMENT.allowed),
    });
pub(super) const REFUND_SPEED: Reader<RefundSpeed> =
    Reader::new("word", "`normal` or `optimum`", |raw, _| match raw.text() {
        Ok("normal") => Ok(RefundSpeed::Normal),
        Ok("optimum") => Ok(RefundSpeed::Optimum),
        _ => Err(REFUND_SPEED.allowed),
    });
pub(super) const RAZORPAY_KEY_ID: Reader<String> =
    Reader::new("text", "the id of a key of Razorpay's (rzp_test_… or rzp_live_…)", |raw, _| {
        match raw.text() {
            Ok(id) if is_razorpay_id(id) => Ok(id.to_owned()),
            _ => Err(RAZORPAY_KEY_ID.allowed),
        }
    });
pub(super) const RAZORPAY_KEY: Reader<Secret<String>> = Reader::new(
    "secret",
    "id and secret of a key of Razorpay's with a colon between (rzp_test_…:…), or \"file:\" or \"env:\" and \
     where they stand",
    |raw, environment| {
        let key = raw.secret(environment).map_err(|_| RAZORPAY_KEY.allowed)?;
        let parts = key.split_once(':');
        let is_key = parts.is_some_and(|(id, secret)| is_razorpay_id(id) && !secret.is_empty());
        if is_key { Ok(Secret::new(key)) } else { Err(RAZORPAY_KEY.allowed) }
    },
)
.secret();

fn is_razorpay_id(id: &str) -> bool {
    ["rzp_test_", "rzp_live_"].iter().any(|sign| id.len() > sign.len() && id.starts_with(sign))
}

pub(super) const STRIPE_KEY: Reader<Secret<String>> = Reader::new(
    "secret",
    "a secret or restricted key of Stripe's (sk_test_…, sk_live_…, rk_test_…, rk_live_…), or \"file:\" or \
     \"env:\" and where it stands",
    |raw, environment| {
        let key = raw.secret(environment).map_err(|_| STRIPE_KEY.allowed)?;
        let signs = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"];
        let is_key = signs.iter().any(|sign| key.len() > sign.len() && key.starts_with(sign));
        if is_key { Ok(Secret::new(key)) } else { Err(STRIPE_KEY.allowed) }
    },
)
.secret();
pub(super) const STRIPE_ACCOUNT: Reader<String> =
    Reader::new("account", "the id of an account at Stripe (acct_…)", |raw, _| {
        let text = raw.some_text().map_err(|_| STRIPE_ACCOUNT.allowed)?;
        let rest = text.strip_prefix("acct_").filter(|rest| !rest.is_empty());
        let is_id = rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if is_id { Ok(text) } else { Err(STRIPE_ACCOUNT.allowed) }
    });
pub(super) const FILE: Reader<PathBuf> =
    Reader::new("path", "the path of a file", |raw, _| raw.some_text().map(PathBuf::from));
pub(super) const PASSPHRASE: Reader<Secret<String>> =
    Reader::new("secret", "a text of 12 characters or more", passphrase).secret();
pub(super) const VPA: Reader<String> =
    Reader::new("UPI address", "a UPI address, such as \"merchant@bank\"", |raw, _| vpa(raw));
pub(super) const PROVIDER: Reader<String> =
    Reader::new("provider", "the name of a provider, such as \"sandbox\"", |raw, _| provider(raw));
pub(super) const MODE: Reader<Mode> =
    Reader::new("choice", "\"test\" or \"live\"", |raw, _| match raw.text() {
        Ok("test") => Ok(Mode::Test),
        Ok("live") => Ok(Mode::Live),
        _ => Err(MODE.allowed),
    });
pub(super) const LATE_SUCCESS: Reader<LateSuccess> =
    Reader::new("choice", "\"reverse\" or \"keep\"", |raw, _| match raw.text() {
        Ok("reverse") => Ok(LateSuccess::Reverse),
        Ok("keep") => Ok(LateSuccess::Keep),
        _ => Err(LATE_SUCCESS.allowed),
    });
pub(super) const RECORD_EXCHANGES: Reader<RecordExchanges> =
    Reader::new("choice", "\"all\", \"failures\" or \"none\"", |raw, _| match raw.text() {
        Ok("all") => Ok(RecordExchanges::All),
        Ok("failures") => Ok(RecordExchanges::Failures),
        Ok("none") => Ok(RecordExchanges::None),
        _ => Err(RECORD_EXCHANGES.allowed),
    });
pub(super) const BANK_PLACE: Reader<BankPlace> = Reader::new(
    "choice or address",
    "\"store\", \"memory\", or the address of a `florin sandbox serve`",
    |raw, _| match raw.text() {
        Ok("store") => Ok(BankPlace::Store),
        Ok("memory") => Ok(BankPlace::Memory),
        _ => raw.web_address().map(BankPlace::Address).map_err(|_| BANK_PLACE.allowed),
    },
);
pub(super) const LOG_LEVEL: Reader<LogLevel> =
    Reader::new("choice", "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"", |raw, _| {
        log_level(raw)
    });
pub(super) const LOG_FORMAT: Reader<LogFormat> =
    Reader::new("choice", "\"auto\", \"human\" or \"json\"", |raw, _| match raw.text() {
        Ok("auto") => Ok(LogFormat::Auto),
        Ok("human") => Ok(LogFormat::Human),
        Ok("json") => Ok(LogFormat::Json),
        _ => Err(LOG_FORMAT.allowed),
    });

/// Scheme, host in lower case, and a port if it is not the scheme's own (RFC 6454, section 6.1).
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    let is_usual = (text.starts_with("https://") && text.ends_with(":443"))
        || (text.starts_with("http://") && text.ends_with(":80"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(fits)) && !is_usual
}

fn metric_prefix(raw: &Raw) -> Result<String, Allowed> {
    let text = raw.some_text().map_err(|_| METRIC_PREFIX.allowed)?;
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if fits { Ok(text) } else { Err(METRIC_PREFIX.allowed) }
}

/// Jaeger takes its own old protocol at port 14268 and OTLP at 4318: an address of the former means the
/// latter.
fn otlp_address(raw: &Raw) -> Result<String, Allowed> {
    let address = raw.web_address()?;
    let jaeger = address.strip_suffix("/api/traces").and_then(|rest| rest.strip_suffix(":14268"));
    Ok(jaeger.map_or_else(|| address.clone(), |host| format!("{host}:4318")))
}

fn encryption_key(raw: &Raw, environment: &Environment) -> Result<Secret<String>, Allowed> {
    let text = raw.secret(environment)?;
    vault::ServerSecret::parse(&text).map_err(|_| ENCRYPTION_KEY.allowed)?;
    Ok(Secret::new(text))
}

fn passphrase(raw: &Raw, environment: &Environment) -> Result<Secret<String>, Allowed> {
    let text = raw.secret(environment)?;
    let is_long = text.chars().count() >= vault::cards::PASSPHRASE_SHORTEST;
    if is_long { Ok(Secret::new(text)) } else { Err(PASSPHRASE.allowed) }
}

fn database_url(raw: &Raw, environment: &Environment) -> Result<Secret<String>, Allowed> {
    let url = raw.secret(environment)?;
    let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"));
    // One spelling, so that two names of one database are seen to be equal.
    rest.map(|rest| Secret::new(format!("postgres://{rest}"))).ok_or(DATABASE_URL.allowed)
}

fn vpa(raw: &Raw) -> Result<String, Allowed> {
    let text = raw.some_text().map_err(|_| VPA.allowed)?;
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let is_vpa = text.split_once('@').is_some_and(|(user, bank)| is_part(user) && is_part(bank));
    if is_vpa { Ok(text) } else { Err(VPA.allowed) }
}

fn provider(raw: &Raw) -> Result<String, Allowed> {
    let name = raw.some_text().map_err(|_| PROVIDER.allowed)?;
    // The source documents call their simulated gateway so.
    Ok(if name == "mock" { "sandbox".to_owned() } else { name })
}

/// Case does not count: other systems write INFO.
fn log_level(raw: &Raw) -> Result<LogLevel, Allowed> {
    match raw.text().map(str::to_ascii_lowercase).as_deref() {
        Ok("off") => Ok(LogLevel::Off),
        Ok("error") => Ok(LogLevel::Error),
        Ok("warn" | "warning") => Ok(LogLevel::Warn),
        Ok("info") => Ok(LogLevel::Info),
        Ok("debug") => Ok(LogLevel::Debug),
        Ok("trace") => Ok(LogLevel::Trace),
        _ => Err(LOG_LEVEL.allowed),
    }
}

fn is_account_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (2..=40).contains(&text.len())
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(fits)
        && provider_registry::all().get(text).is_none()
}
