//! `florin merchant`.

use clap::Subcommand;
use identity::KeyKind;
use kernel::{Actor, Mode};
use node::Config;
use serde_json::json;

use super::{operator, with_node};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum MerchantCommand {
    /// Makes a merchant with a test key, which is shown once
    Create {
        /// What people call it
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl MerchantCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        let Self::Create { name, json } = self;
        with_node(config, |node| async move {
            let actor = Actor::Operator(operator());
            let merchant = node.identity.create_merchant(&name, &actor, None).await?;
            let scope = merchant.scope(Mode::Test);
            node.open_sandbox(merchant.id).await?;
            let (key, text) = node.identity.create_key(scope, KeyKind::Secret, &actor, None).await?;
            if json {
                output::json(&json!({
                    "id": merchant.id, "name": merchant.name, "key_id": key.id, "key": text.expose(),
                }));
            } else {
                output::line(&format!("merchant  {}", merchant.id));
                output::line(&format!("key id    {}", key.id));
                output::line(&format!("key       {}", text.expose()));
                output::remark("The key is shown now and never again.");
            }
            Ok(())
        })
    }
}
