//! `florin operation`.

use clap::{Args, Subcommand};
use node::Config;
use payments::{OperationId, Resolution};
use serde_json::json;

use super::payment::find;
use super::{operator, with_node};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// Closes an operation that needs review, by what a person found out at the provider
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The operation's id
    id: OperationId,
    #[command(flatten)]
    found: Found,
    /// How much was moved, in minor units, if it was less than was asked
    #[arg(long, value_name = "MINOR_UNITS", requires = "succeeded")]
    amount: Option<i64>,
    /// Why, for the audit trail
    #[arg(long)]
    reason: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Found {
    /// It was done; this is the provider's reference of it
    #[arg(long, value_name = "REFERENCE")]
    succeeded: Option<String>,
    /// It was not done, and never will be
    #[arg(long)]
    not_done: bool,
}

impl OperationCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        let Self::Resolve(Resolve { id, found, amount, reason, json }) = self;
        let resolution = match found.succeeded {
            Some(reference) => Resolution::Succeeded { reference, amount },
            None => Resolution::NotDone,
        };
        with_node(config, |node| async move {
            let (scope, _) = find(&node, id.payment).await?;
            let payment =
                node.payments.resolve_operation(&operator(), scope, id, resolution, &reason).await?;
            let status = payment.status().as_str();
            if json {
                output::json(&json!({"operation_id": id, "payment_id": payment.id, "status": status}));
            } else {
                output::line(&format!("payment {} is {status}", payment.id));
            }
            Ok(())
        })
    }
}
