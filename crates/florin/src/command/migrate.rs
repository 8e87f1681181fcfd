//! `florin migrate`.

use node::Config;

use super::on_runtime;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    on_runtime(async {
        let ports = node::host::ports();
        let stores = node::open(config, &ports, ports.ids.uuid(), true).await?;
        stores.close().await;
        output::line("the database is up to date");
        Ok(())
    })
}
