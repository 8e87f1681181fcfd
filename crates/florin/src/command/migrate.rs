//! `florin migrate`.

use clap::Args;
use node::Config;
use serde_json::json;

use super::on_runtime;
use crate::failure::Failure;
use crate::output;

/// Brings the database up to date.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(migrate: &Migrate, config: &Config) -> Result<(), Failure> {
    on_runtime(async {
        let ports = node::host::ports();
        let stores = node::open(config, &ports, ports.ids.uuid(), true).await?;
        stores.close().await;
        if migrate.json {
            output::json(&json!({"migrated": true}));
        } else {
            output::line("the database is up to date");
        }
        Ok(())
    })
}
