//! The configuration: one annotated default compiled in, a file over it, the environment over both.
//!
//! `keys` is the table of settings, and everything that knows a setting knows it from there: `source`
//! finds settings in a file (`tree`, in TOML or YAML) and in the environment, `answer` knows the names
//! of other systems that have no effect here, `read` and `value` say
//! what a value may be, `relation` what goes together, `reference` and `manual` write the default
//! configuration and its documentation.

mod answer;
mod compose;
mod error;
mod key;
mod keys;
mod manual;
mod names;
mod origin;
mod paypal;
mod providers;
mod razorpay;
mod read;
mod reference;
mod relation;
mod settings;
mod source;
mod toml_file;
mod tree;
mod value;
mod yaml;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use source::Assignment;

pub use error::ConfigError;
pub use manual::configuration_page;
pub use names::names_page;
pub use origin::Origin;
pub use paypal::{PaypalApp, PaypalConfig, PaypalEnvironment};
pub use providers::{HttpConfig, ProvidersConfig, StripeConfig, StripeKeys};
pub use razorpay::{RazorpayConfig, RazorpayKey, RefundSpeed};
pub use reference::{Effective, default_text};
pub use settings::{
    BankPlace, Config, DatabaseConfig, LogConfig, LogFormat, LogLevel, MetricsConfig, MonitoringConfig,
    OperationConfig, OtlpConfig, PaymentConfig, RoutingConfig, SandboxConfig, ServerConfig, TlsConfig,
    UpiConfig, VaultConfig, WebhooksConfig,
};

/// The files that are looked for when nobody names one; only one of them may exist.
pub const FILES: [&str; 3] = ["florin.toml", "florin.yaml", "florin.yml"];

impl Config {
    /// Reads the defaults, then `file` (or one of [`FILES`] in the working directory, if there is one),
    /// then the environment.
    pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        Self::load_in(Path::new(""), file, environment)
    }

    /// The same, with another working directory.
    fn load_in(
        folder: &Path,
        file: Option<&Path>,
        environment: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let path = match file {
            Some(path) => Some(path.to_path_buf()),
            None => found(folder)?,
        };
        let Some(path) = path else { return Self::of("", "", environment)?.with_routes() };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let reason = match error.kind() {
                ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
                _ => error.to_string(),
            };
            ConfigError::Unreadable { path: name.clone(), reason }
        })?;
        Self::of(&name, &text, environment)?.with_routes()
    }

    fn with_routes(mut self) -> Result<Self, ConfigError> {
        self.read_routes()?;
        Ok(self)
    }

    /// The defaults alone.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::of("", "", &[])
    }

    fn of(file: &str, text: &str, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let layers = [
            source::of_file("default.toml", &default_text())?,
            source::of_file(file, text)?,
            source::of_environment(environment)?,
        ];
        let (mut answered, mut strange) = (Vec::new(), Vec::new());
        for (number, layer) in layers.into_iter().enumerate() {
            agree(&layer.settings, environment)?;
            answered.extend(layer.answered);
            strange.extend(layer.strange);
            for Assignment { key, raw, origin } in layer.settings {
                (key.set)(&mut config, &raw, environment)
                    .map_err(|allowed| ConfigError::Value { said_by: origin.to_string(), allowed })?;
                let origin = if number == 0 { Origin::Default } else { origin };
                config.origins.settings.insert(key.name, (reference::shown(key, &raw), origin));
            }
        }
        config.origins.answers = answer::answer(&answered, environment)?;
        config.origins.answers.extend(strange);
        config.check()?;
        Ok(config)
    }
}

/// The one configuration file of a folder.
fn found(folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    let there: Vec<_> = FILES.into_iter().filter(|name| folder.join(name).exists()).collect();
    match there.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(folder.join(only))),
        _ => Err(ConfigError::Ambiguous(there)),
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
                let mut config = Config::default();
                (assignment.key.set)(&mut config, &assignment.raw, environment).map(|()| config)
            };
            let (one_means, other_means) = (meaning(one), meaning(other));
            // Two variables of one table each set an entry of their own.
            let is_whole = !one.key.is_table;
            if is_whole && one.raw != other.raw && !alike(&one_means, &other_means) {
                let (one, other) = (one.origin.to_string(), other.origin.to_string());
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
                && one.providers.http.signing_secret == other.providers.http.signing_secret
                && one.providers.http.webhook_secret == other.providers.http.webhook_secret
                && one.webhooks.hmac_secret == other.webhooks.hmac_secret
                && one.monitoring.api_key == other.monitoring.api_key
                && format!("{one:?}") == format!("{other:?}")
        }
        // What cannot be read is told of by its own error.
        _ => true,
    }
}

#[cfg(test)]
mod tests;
