//! `florin payment`.

use clap::Subcommand;
use kernel::{Id, Scope};
use node::{Config, Node};
use payments::{Payment, PaymentKind};
use serde_json::json;

use super::{with_node, worlds};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum PaymentCommand {
    /// Shows a payment and its operations, whosever it is
    Show {
        /// The payment's id, pay_…
        id: Id<PaymentKind>,
        /// Print one JSON object; it always does
        #[arg(long)]
        json: bool,
    },
}

impl PaymentCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        let Self::Show { id, json: _ } = self;
        with_node(config, |node| async move {
            let (scope, payment) = find(&node, id).await?;
            let operations = node.payments.operations(scope, id).await?;
            output::json(&json!({
                "merchant_id": scope.merchant, "mode": scope.mode,
                "payment": payment, "operations": operations,
            }));
            Ok(())
        })
    }
}

/// The payment and whose it is.
pub(super) async fn find(node: &Node, id: Id<PaymentKind>) -> Result<(Scope, Payment), Failure> {
    let found = node.payments.find_everywhere(&worlds(node).await?, id).await?;
    found.ok_or_else(|| Failure::Failed(format!("there is no payment {id}")))
}
