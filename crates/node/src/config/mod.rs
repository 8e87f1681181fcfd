//! The configuration: one annotated default compiled in, a file over it, the environment over both.

mod keys;
mod relation;
mod source;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::Secret;
use payments::LateSuccess;
use thiserror::Error;

use source::Assignment;

/// Every setting with its default and what it means.
pub const DEFAULT: &str = include_str!("default.toml");

/// The file that is read when nobody names one.
pub const FILE: &str = "florin.toml";

/// All settings. Make one with [`Config::load`]; fields may be changed before a start.
#[derive(Clone, Debug)]
pub struct Config {
    /// How it is reached.
    pub server: ServerConfig,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// The server secret, if the operator set one.
    pub encryption_key: Option<Secret<String>>,
    /// Every merchant's defaults.
    pub payment: PaymentConfig,
    /// How calls to providers are driven.
    pub operation: OperationConfig,
    /// The simulated bank.
    pub sandbox: SandboxConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// How it is reached.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address or name to listen on.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Where others reach it, without a slash at the end; `None`: where it listens.
    pub public_url: Option<String>,
    /// How long a caller waits before 202.
    pub answer_within: Duration,
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// PostgreSQL, by an address that begins with `postgres://`.
    pub url: Option<Secret<String>>,
    /// Without it, the folder of the embedded store.
    pub folder: PathBuf,
}

/// Every merchant's defaults.
#[derive(Clone, Debug)]
pub struct PaymentConfig {
    /// Which provider charges when a payment does not say.
    pub default_gateway: Option<String>,
    /// Where browsers return when a payment does not say.
    pub return_url: Option<String>,
    /// What the statement shows when a payment does not say.
    pub statement_descriptor: Option<String>,
    /// What becomes of late successes.
    pub late_success: LateSuccess,
    /// How long an unfinished payment waits.
    pub expires_in: Duration,
    /// UPI.
    pub upi: UpiConfig,
}

/// UPI requests.
#[derive(Clone, Debug)]
pub struct UpiConfig {
    /// Who is paid.
    pub payee_vpa: String,
    /// As whom the payer sees them.
    pub payee_name: String,
    /// How long a request waits for the payer.
    pub expires_in: Duration,
}

/// How calls to providers are driven; the meanings are those of `payments::PaymentsSettings`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is explained where it acts and in the default configuration")]
pub struct OperationConfig {
    pub send_deadline: Duration,
    pub reply_timeout: Duration,
    pub margin: Duration,
    pub lookup_first: Duration,
    pub lookup_longest: Duration,
    pub horizon: Duration,
    pub repeat_charges_within: Duration,
}

/// The simulated bank.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where it runs.
    pub bank: BankPlace,
    /// After which a UPI payer decides.
    pub upi_delay: Duration,
    /// Added to every answer.
    pub latency: Duration,
    /// What it keeps of each amount, in ten-thousandths.
    pub fee_basis_points: u32,
    /// Of a thousand requests, how many go wrong.
    pub faults: sandbox_bank::Faults,
}

/// Where the sandbox bank runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankPlace {
    /// In this process, in a store of its own that all nodes share.
    Store,
    /// In this process, in memory.
    Memory,
    /// In a `florin sandbox serve` at this address.
    Address(String),
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct LogConfig {
    /// From which severity on.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// From which severity on something is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The configuration cannot be used: correct it and start again. No variant quotes a value, which may
/// be a secret.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The named file cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// It is no TOML.
    #[error("{place}: {reason}")]
    Syntax {
        /// File and line.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such setting.
    #[error("{place}: `{key}` is no setting{nearest}")]
    UnknownKey {
        /// File and line, or the environment.
        place: String,
        /// As it was written.
        key: String,
        /// A hint, or nothing.
        nearest: String,
    },
    /// A section is given a value.
    #[error("{place}: `{section}` is a section of settings, not a setting")]
    NoSection {
        /// File and line.
        place: String,
        /// Which.
        section: String,
    },
    /// A setting has a value of the wrong kind.
    #[error("{said_by} must be {allowed}")]
    Value {
        /// Where it is written, and its name.
        said_by: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// Two names of one setting say different things.
    #[error("{one} and {other} are the same setting with different values")]
    Contradiction {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Relation(String),
}

impl Config {
    /// Reads the defaults, then `file` (or [`FILE`] in the working directory, if there is one), then
    /// the environment.
    pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let path = path.display().to_string();
                return Err(ConfigError::Unreadable { path, reason: error.to_string() });
            }
        };
        Self::of(&path.display().to_string(), &text, environment)
    }

    /// The defaults alone.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::of(FILE, "", &[])
    }

    fn of(file: &str, text: &str, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut config = Self::blank();
        let layers = [
            source::of_file("default.toml", DEFAULT)?,
            source::of_file(file, text)?,
            source::of_environment(environment)?,
        ];
        for layer in &layers {
            agree(layer, environment)?;
            for Assignment { key, raw, said_by } in layer {
                (key.set)(&mut config, raw, environment)
                    .map_err(|allowed| ConfigError::Value { said_by: said_by.clone(), allowed })?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Before the first layer, which sets everything that has a value (a test sees to it).
    fn blank() -> Self {
        let zero = Duration::ZERO;
        Self {
            server: ServerConfig { host: String::new(), port: 0, public_url: None, answer_within: zero },
            database: DatabaseConfig { url: None, folder: PathBuf::new() },
            encryption_key: None,
            payment: PaymentConfig {
                default_gateway: None,
                return_url: None,
                statement_descriptor: None,
                late_success: LateSuccess::Reverse,
                expires_in: zero,
                upi: UpiConfig { payee_vpa: String::new(), payee_name: String::new(), expires_in: zero },
            },
            operation: OperationConfig {
                send_deadline: zero,
                reply_timeout: zero,
                margin: zero,
                lookup_first: zero,
                lookup_longest: zero,
                horizon: zero,
                repeat_charges_within: zero,
            },
            sandbox: SandboxConfig {
                bank: BankPlace::Store,
                upi_delay: zero,
                latency: zero,
                fee_basis_points: 0,
                faults: sandbox_bank::Faults::default(),
            },
            log: LogConfig { level: LogLevel::Info, format: LogFormat::Auto },
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

/// Reads a duration as the configuration writes it: `500ms`, `30s`, `5m`, `24h`, or seconds.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    value::Raw::Environment(text.to_owned()).duration()
}

/// Within one layer, two names of one setting must mean the same.
fn agree(layer: &[Assignment], environment: &[(String, String)]) -> Result<(), ConfigError> {
    for (place, one) in layer.iter().enumerate() {
        let same = |other: &&Assignment| other.key.name == one.key.name;
        for other in layer.iter().skip(place + 1).filter(same) {
            // Read, not as written: `25` and `25s` agree.
            let meaning = |assignment: &Assignment| {
                let mut config = Config::blank();
                (assignment.key.set)(&mut config, &assignment.raw, environment).map(|()| config)
            };
            let (one_means, other_means) = (meaning(one), meaning(other));
            if one.raw != other.raw && !alike(&one_means, &other_means) {
                let (one, other) = (one.said_by.clone(), other.said_by.clone());
                return Err(ConfigError::Contradiction { one, other });
            }
        }
    }
    Ok(())
}

/// Whether both set the same to the same. `Debug` would do but for the secrets, which it hides.
fn alike(one: &Result<Config, &'static str>, other: &Result<Config, &'static str>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            one.encryption_key == other.encryption_key
                && one.database.url == other.database.url
                && format!("{one:?}") == format!("{other:?}")
        }
        // What cannot be read is told of by its own error.
        _ => true,
    }
}

#[cfg(test)]
mod tests;
