//! Refunds that were made at the provider's own dashboard, and their merging with ours.

use provider_kit::Approved;
use serde_json::json;

use crate::command::RefundPayment;
use crate::decide::{self, New, Pin};
use crate::draft::Draft;
use crate::operation::{OperationId, OperationKind, OperationStatus, StoredCall};
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

/// A refund that was made at the provider's own dashboard, as a notice tells it: done already.
pub(crate) fn external_refund(
    draft: &mut Draft,
    approved: &Approved,
) -> Result<Option<OperationId>, ModelError> {
    let Some(charge) = draft.payment.charge.clone() else { return Ok(None) };
    let left = draft.payment.amounts.captured - draft.payment.amounts.refunded;
    let credible = approved.amount.currency == draft.payment.amount.currency
        && (1..=left).contains(&approved.amount.minor)
        && !approved.reference.is_empty();
    if !credible {
        tracing::error!(payment = %draft.payment.id, alert = "a dashboard refund cannot be booked", "alert");
        return Ok(None);
    }
    let Ok(id) = decide::next_id(draft, OperationKind::External) else { return Ok(None) };
    let minor = approved.amount.minor;
    let new = New { minor, held: 0, exclusive: false, claim: None, charge: Some(charge.operation) };
    let account = charge.account;
    decide::reserve(draft, id, Pin::from(&charge), new, StoredCall::External);
    draft.to_send.retain(|sent| *sent != id);
    draft.payment.open.retain(|open| open.id != id);
    let now = draft.now;
    if let Some(operation) = draft.operation_mut(id) {
        operation.status = OperationStatus::Succeeded;
        operation.approved = Some(approved.amount);
        operation.finished_at = Some(now);
    }
    crate::apply::learn_reference(draft, id, approved.reference.clone());
    decide::add_refund(draft, id, RefundPayment::default(), minor);
    if let Some(refund) = draft.refund_mut(id) {
        refund.external = true;
        refund.status = RefundStatus::Succeeded;
        refund.settled_at = Some(now);
        refund.provider_reference = Some(approved.reference.clone());
    }
    moves::summarise(draft, id);
    draft.payment.amounts.refunded += minor;
    draft.post(id, posting::refund_made(account, approved.amount)?);
    if draft.payment.amounts.refunded >= draft.payment.amounts.captured {
        crate::apply::release_order(draft);
    }
    draft.fact("payment.refunded", json!({"operation": id, "amount": minor, "external": true}));
    Ok(Some(id))
}
