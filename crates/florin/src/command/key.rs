//! `florin key`.

use clap::Subcommand;
use identity::{ApiKeyMark, KeyKind};
use kernel::{Actor, Id, Merchant, Mode, Scope};
use node::Config;
use serde_json::json;

use super::{merchant_of, operator, with_node};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key, which is shown once
    Create {
        /// Whose; may be left out while there is one merchant
        #[arg(long, value_name = "ID")]
        merchant: Option<Id<Merchant>>,
        /// For the live world instead of the test world
        #[arg(long)]
        live: bool,
        /// One that may be public instead of a secret one
        #[arg(long)]
        publishable: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Ends a key: it opens nothing any more, on any node within five seconds
    Revoke {
        /// The key's id, key_…
        id: Id<ApiKeyMark>,
        /// Whose; may be left out while there is one merchant
        #[arg(long, value_name = "ID")]
        merchant: Option<Id<Merchant>>,
    },
}

impl KeyCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        with_node(config, |node| async move {
            let actor = Actor::Operator(operator());
            match self {
                Self::Create { merchant, live, publishable, json } => {
                    let mode = if live { Mode::Live } else { Mode::Test };
                    let kind = if publishable { KeyKind::Publishable } else { KeyKind::Secret };
                    let scope = Scope { merchant: merchant_of(&node, merchant).await?, mode };
                    let (key, text) = node.identity.create_key(scope, kind, &actor, None).await?;
                    if json {
                        output::json(&json!({
                            "id": key.id, "merchant_id": scope.merchant, "mode": mode, "kind": key.kind,
                            "key": text.expose(),
                        }));
                    } else {
                        output::line(&format!("key id    {}", key.id));
                        output::line(&format!("key       {}", text.expose()));
                        output::remark("The key is shown now and never again.");
                    }
                }
                Self::Revoke { id, merchant } => {
                    let merchant = merchant_of(&node, merchant).await?;
                    node.identity.revoke_key(merchant, id, &actor, None).await?;
                    output::line(&format!("{id} is revoked"));
                }
            }
            Ok(())
        })
    }
}
