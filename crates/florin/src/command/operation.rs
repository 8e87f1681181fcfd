//! `florin operation`.

use clap::{Args, Subcommand};
use node::{Config, Node};
use payments::{InReview, OperationId, Resolution};
use serde_json::{Value, json};

use super::payment::find;
use super::{operator, with_node};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// Lists the operations that need review, those that have waited longest first
    List(List),
    /// Closes an operation that needs review, by what a person found out at the provider
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// How many at most
    #[arg(
        long,
        default_value_t = 100,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=1000)
    )]
    limit: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The operation's id
    id: OperationId,
    #[command(flatten)]
    found: Found,
    /// How much was moved, in minor units, if it was other than what was asked
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
        match self {
            Self::List(list) => with_node(config, |node| async move { list.run(&node).await }),
            Self::Resolve(resolve) => resolve.run(config),
        }
    }
}

impl List {
    async fn run(self, node: &Node) -> Result<(), Failure> {
        let found = node.payments.in_review(self.limit).await?;
        if self.json {
            let shown: Vec<Value> = found.iter().map(shown).collect();
            output::json(&json!({ "operations": shown }));
            return Ok(());
        }
        for InReview { operation, since, .. } in &found {
            let reason = operation.review_reason.as_deref().unwrap_or("no reason was noted");
            let (kind, provider) = (operation.id.kind.as_str(), &operation.provider);
            output::line(&format!(
                "{}  {kind} of {} at {provider}, since {since}: {reason}",
                operation.id, operation.amount
            ));
        }
        if found.is_empty() {
            output::remark("no operation needs review");
        } else {
            output::remark("florin payment show tells what is known; florin operation resolve closes one");
        }
        Ok(())
    }
}

fn shown(waiting: &InReview) -> Value {
    let InReview { scope, operation, since } = waiting;
    json!({
        "operation_id": operation.id, "payment_id": operation.id.payment, "kind": operation.id.kind.as_str(),
        "merchant_id": scope.merchant, "mode": scope.mode,
        "amount": operation.amount.minor, "currency": operation.amount.currency,
        "provider": operation.provider, "provider_account_id": operation.account,
        "provider_reference": operation.reference, "reference": operation.id.reference(),
        "since": since.to_string(), "reason": operation.review_reason,
    })
}

impl Resolve {
    fn run(self, config: Config) -> Result<(), Failure> {
        let Self { id, found, amount, reason, json } = self;
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
