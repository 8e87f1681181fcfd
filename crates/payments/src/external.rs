//! Refunds that were made at the provider's own dashboard, and their merging with ours.

use serde_json::json;

use crate::draft::Draft;
use crate::operation::{OperationId, OperationKind, OperationStatus};
use crate::refund::RefundStatus;
use crate::rejection::ModelError;
use crate::{moves, posting};

/// Marks an operation's reference as known to stand for another operation, so that the settle which
/// follows writes no second row for it; if that other is an external refund, it is taken back first:
/// the refund of ours that caused it then counts and posts in its place.
pub(crate) fn merge(
    draft: &mut Draft,
    id: OperationId,
    known: OperationId,
    reference: &str,
    succeeded: bool,
) -> Result<(), ModelError> {
    let now = draft.now;
    if let Some(operation) = draft.operation_mut(id) {
        operation.reference = Some(reference.to_owned());
    }
    let external = known.payment == id.payment && known.kind == OperationKind::External && known != id;
    let Some(operation) = draft.operation(known).filter(|_| external && succeeded) else {
        if known != id && !external {
            draft.alerts.push(format!("operations {id} and {known} have one reference at the provider"));
        }
        return Ok(());
    };
    if operation.status != OperationStatus::Succeeded {
        return Ok(());
    }
    let (account, amount) = (operation.account, operation.approved.unwrap_or(operation.amount));
    if let Some(operation) = draft.operation_mut(known) {
        operation.status = OperationStatus::Cancelled;
        operation.finished_at = Some(now);
    }
    draft.payment.amounts.refunded -= amount.minor;
    draft.post(known, posting::refund_undone(account, amount)?);
    if let Some(refund) = draft.refund_mut(known) {
        refund.status = RefundStatus::Failed;
        refund.settled_at = Some(now);
    }
    moves::summarise(draft, known);
    draft.fact("payment.external_merged", json!({"operation": known, "into": id, "amount": amount.minor}));
    Ok(())
}
