//! `florin merchant`.

use clap::Subcommand;
use identity::KeyKind;
use kernel::{Actor, Mode};
use node::{Config, Node};
use serde_json::json;

use super::merchant_settings::SettingsCommand;
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
    /// What holds for one merchant
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Lists the merchants, oldest first
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl MerchantCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        with_node(config, |node| async move {
            match self {
                Self::Create { name, json } => create(&node, &name, json).await,
                Self::List { json } => list(&node, json).await,
                Self::Settings(command) => command.run(&node).await,
            }
        })
    }
}

async fn create(node: &Node, name: &str, json: bool) -> Result<(), Failure> {
    let actor = Actor::Operator(operator());
    let merchant = node.identity.create_merchant(name, &actor, None).await?;
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
}

async fn list(node: &Node, json: bool) -> Result<(), Failure> {
    let merchants = node.identity.merchants().await?;
    if json {
        let data: Vec<_> = merchants
            .iter()
            .map(|merchant| {
                let created_at = merchant.created_at.to_string();
                json!({ "id": merchant.id, "name": merchant.name, "created_at": created_at })
            })
            .collect();
        output::json(&json!({ "data": data }));
        return Ok(());
    }
    for merchant in merchants {
        output::line(&format!("{}  {}  {}", merchant.id, merchant.created_at, merchant.name));
    }
    Ok(())
}
