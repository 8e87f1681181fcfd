//! `florin config`.

use clap::Subcommand;
use node::Config;
use node::config::default_text;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints every setting as it holds, secrets masked, and where each comes from
    Show {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Prints the default configuration with what each setting means: a file to begin with
    Default,
}

impl ConfigCommand {
    pub(crate) fn run(self, load: impl FnOnce() -> Result<Config, Failure>) -> Result<(), Failure> {
        match self {
            Self::Default => output::line(default_text().trim_end()),
            Self::Show { json } => show(&load()?, json),
        }
        Ok(())
    }
}

fn show(config: &Config, as_json: bool) {
    let settings = config.effective();
    if as_json {
        let settings: serde_json::Map<String, Value> = settings
            .into_iter()
            .map(|setting| {
                let origin = setting.origin.place();
                (setting.key.to_owned(), json!({"value": setting.value, "from": origin}))
            })
            .collect();
        return output::json(&Value::Object(settings));
    }
    for setting in settings {
        let line = match setting.value {
            Some(value) => format!("{} = {value}", setting.key),
            None => format!("# {} is not set", setting.key),
        };
        output::line(&format!("{line:<56} # {}", setting.origin.place()));
    }
}
