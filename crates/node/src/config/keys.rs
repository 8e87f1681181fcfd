//! The table of settings: each key's names, and where its value goes.

use kernel::Secret;
use payments::LateSuccess;

use super::value::{Allowed, Raw};
use super::{BankPlace, Config, LogFormat, LogLevel};

/// What a value is read with, beside itself.
pub(super) type Environment = [(String, String)];

/// One setting.
pub(super) struct Key {
    /// Its path in a file, and with double underscores in the environment.
    pub(super) name: &'static str,
    /// Its other names in the environment.
    pub(super) also: &'static [&'static str],
    /// Reads a value into its place.
    pub(super) set: fn(&mut Config, &Raw, &Environment) -> Result<(), Allowed>,
}

impl Key {
    /// `server.port` as the environment writes it: `FLORIN_SERVER__PORT`.
    pub(super) fn environment_name(&self) -> String {
        format!("FLORIN_{}", self.name.replace('.', "__").to_uppercase())
    }
}

const fn key(
    name: &'static str,
    also: &'static [&'static str],
    set: fn(&mut Config, &Raw, &Environment) -> Result<(), Allowed>,
) -> Key {
    Key { name, also, set }
}

/// Puts a value where it belongs, unless reading it failed.
fn put<T>(place: &mut T, value: Result<T, Allowed>) -> Result<(), Allowed> {
    *place = value?;
    Ok(())
}

/// All settings, in the order of the default configuration.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("encryption_key", &["ENCRYPTION_KEY"], |config, raw, environment| {
        put(&mut config.encryption_key, raw.secret(environment).map(|key| Some(Secret::new(key))))
    }),
    key("server.host", &["SERVER_HOST"], |config, raw, _| put(&mut config.server.host, raw.some_text())),
    key("server.port", &["SERVER_PORT"], |config, raw, _| put(&mut config.server.port, raw.port())),
    key("server.public_url", &[], |config, raw, _| {
        put(&mut config.server.public_url, raw.web_address().map(Some))
    }),
    key("server.answer_within", &["TRANSACTION_TIMEOUT_SECONDS"], |config, raw, _| {
        put(&mut config.server.answer_within, raw.duration())
    }),
    key("database.url", &["DATABASE_URL"], |config, raw, environment| {
        put(&mut config.database.url, database_url(raw, environment).map(Some))
    }),
    key("database.folder", &[], |config, raw, _| {
        put(&mut config.database.folder, raw.some_text().map(Into::into))
    }),
    key("payment.default_gateway", &[], |config, raw, _| {
        put(&mut config.payment.default_gateway, raw.some_text().map(Some))
    }),
    key("payment.return_url", &[], |config, raw, _| {
        put(&mut config.payment.return_url, raw.web_address().map(Some))
    }),
    key("payment.statement_descriptor", &[], |config, raw, _| {
        put(&mut config.payment.statement_descriptor, raw.some_text().map(Some))
    }),
    key("payment.late_success", &[], |config, raw, _| {
        put(&mut config.payment.late_success, late_success(raw))
    }),
    key("payment.expires_in", &[], |config, raw, _| put(&mut config.payment.expires_in, raw.duration())),
    key("payment.upi.payee_vpa", &[], |config, raw, _| put(&mut config.payment.upi.payee_vpa, vpa(raw))),
    key("payment.upi.payee_name", &[], |config, raw, _| {
        put(&mut config.payment.upi.payee_name, raw.some_text())
    }),
    key("payment.upi.expires_in", &[], |config, raw, _| {
        put(&mut config.payment.upi.expires_in, raw.duration())
    }),
    key("operation.send_deadline", &[], |config, raw, _| {
        put(&mut config.operation.send_deadline, raw.duration())
    }),
    key("operation.reply_timeout", &[], |config, raw, _| {
        put(&mut config.operation.reply_timeout, raw.duration())
    }),
    key("operation.margin", &[], |config, raw, _| put(&mut config.operation.margin, raw.duration())),
    key("operation.lookup_first", &[], |config, raw, _| {
        put(&mut config.operation.lookup_first, raw.duration())
    }),
    key("operation.lookup_longest", &[], |config, raw, _| {
        put(&mut config.operation.lookup_longest, raw.duration())
    }),
    key("operation.horizon", &[], |config, raw, _| put(&mut config.operation.horizon, raw.duration())),
    key("operation.repeat_charges_within", &[], |config, raw, _| {
        put(&mut config.operation.repeat_charges_within, raw.duration())
    }),
    key("sandbox.bank", &[], |config, raw, _| put(&mut config.sandbox.bank, bank_place(raw))),
    key("sandbox.upi_delay", &[], |config, raw, _| put(&mut config.sandbox.upi_delay, raw.duration())),
    key("sandbox.latency", &[], |config, raw, _| put(&mut config.sandbox.latency, raw.duration())),
    key("sandbox.fee_basis_points", &[], |config, raw, _| {
        put(&mut config.sandbox.fee_basis_points, raw.basis_points())
    }),
    key("sandbox.faults.timeout_before", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.timeout_before, raw.per_mille())
    }),
    key("sandbox.faults.timeout_after", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.timeout_after, raw.per_mille())
    }),
    key("sandbox.faults.server_error_before", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.server_error_before, raw.per_mille())
    }),
    key("sandbox.faults.server_error_after", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.server_error_after, raw.per_mille())
    }),
    key("sandbox.faults.garbage", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.garbage, raw.per_mille())
    }),
    key("sandbox.faults.slow", &[], |config, raw, _| put(&mut config.sandbox.faults.slow, raw.per_mille())),
    key("sandbox.faults.duplicate_notice", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.duplicate_notice, raw.per_mille())
    }),
    key("sandbox.faults.late_notice", &[], |config, raw, _| {
        put(&mut config.sandbox.faults.late_notice, raw.per_mille())
    }),
    key("log.level", &[], |config, raw, _| put(&mut config.log.level, log_level(raw))),
    key("log.format", &[], |config, raw, _| put(&mut config.log.format, log_format(raw))),
];

fn database_url(raw: &Raw, environment: &Environment) -> Result<Secret<String>, Allowed> {
    const ALLOWED: Allowed =
        "an address that begins with postgres:// or postgresql:// (or absent, for SQLite)";
    let url = raw.secret(environment)?;
    let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"));
    // One spelling, so that two names of one database are seen to be equal.
    rest.map(|rest| Secret::new(format!("postgres://{rest}"))).ok_or(ALLOWED)
}

fn late_success(raw: &Raw) -> Result<LateSuccess, Allowed> {
    match raw.text() {
        Ok("reverse") => Ok(LateSuccess::Reverse),
        Ok("keep") => Ok(LateSuccess::Keep),
        _ => Err("\"reverse\" or \"keep\""),
    }
}

fn vpa(raw: &Raw) -> Result<String, Allowed> {
    const ALLOWED: Allowed = "a UPI address, such as \"merchant@bank\"";
    let text = raw.some_text().map_err(|_| ALLOWED)?;
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let is_vpa = text.split_once('@').is_some_and(|(user, bank)| is_part(user) && is_part(bank));
    if is_vpa { Ok(text) } else { Err(ALLOWED) }
}

fn bank_place(raw: &Raw) -> Result<BankPlace, Allowed> {
    match raw.text() {
        Ok("store") => Ok(BankPlace::Store),
        Ok("memory") => Ok(BankPlace::Memory),
        _ => raw
            .web_address()
            .map(BankPlace::Address)
            .map_err(|_| "\"store\", \"memory\", or the address of a `florin sandbox serve`"),
    }
}

fn log_level(raw: &Raw) -> Result<LogLevel, Allowed> {
    match raw.text() {
        Ok("off") => Ok(LogLevel::Off),
        Ok("error") => Ok(LogLevel::Error),
        Ok("warn") => Ok(LogLevel::Warn),
        Ok("info") => Ok(LogLevel::Info),
        Ok("debug") => Ok(LogLevel::Debug),
        Ok("trace") => Ok(LogLevel::Trace),
        _ => Err("\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\""),
    }
}

fn log_format(raw: &Raw) -> Result<LogFormat, Allowed> {
    match raw.text() {
        Ok("auto") => Ok(LogFormat::Auto),
        Ok("human") => Ok(LogFormat::Human),
        Ok("json") => Ok(LogFormat::Json),
        _ => Err("\"auto\", \"human\" or \"json\""),
    }
}
