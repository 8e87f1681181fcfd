//! Truths that contradict what was told: late successes, reversals, partial approvals.
//!
//! Nothing that was told is rewritten. A success that nobody expects any more is *surplus*: it posts to
//! the books, stays out of the payment's sums, raises an alert, and is reversed by an operation whose
//! id derives from its own, so that only one can exist. A success that turns out to be none is
//! corrected by compensating transfers.

use provider_kit::{Approved, DeclineCode};
use serde_json::json;

use crate::apply::{learn_reference, needs_review};
use crate::draft::Draft;
use crate::operation::{OperationId, OperationKind, OperationStatus};
use crate::payment::LastError;
use crate::refund::RefundStatus;
use crate::rejection::ModelError;
use crate::settings::LateSuccess;
use crate::{charge, decide, give_up, moves, next_charge, order_guard, posting};

/// An operation that had ended without effect succeeded after all.
pub(crate) fn late_success(
    draft: &mut Draft,
    id: OperationId,
    approved: &Approved,
    policy: LateSuccess,
) -> Result<(), ModelError> {
    if draft.operation(id).is_none_or(|operation| operation.surplus) {
        return Ok(());
    }
    if draft.operation(id).is_some_and(|operation| operation.undone) {
        needs_review(draft, id, "the provider undid it, and tells again that it was done");
        return Ok(());
    }
    learn_reference(draft, id, approved.reference.clone());
    match id.kind {
        OperationKind::Authorize | OperationKind::Sale => {
            if policy == LateSuccess::Keep && may_be_kept(draft) {
                keep(draft, id, approved)
            } else {
                become_surplus(draft, id, approved, "it succeeded after it was told to have failed")
            }
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Refund | OperationKind::Increment => {
            correct_upwards(draft, id, approved)
        }
        OperationKind::Cancel | OperationKind::Reversal | OperationKind::External => Ok(()),
    }
}

/// A charge of less than was asked: nobody allowed that, so it is given back.
pub(crate) fn partial_approval(
    draft: &mut Draft,
    id: OperationId,
    approved: &Approved,
) -> Result<(), ModelError> {
    draft.payment.last_error = Some(LastError {
        code: "partially_approved".to_owned(),
        decline_code: Some(DeclineCode::InsufficientFunds.as_str().to_owned()),
        network_code: None,
        advice: Some(DeclineCode::InsufficientFunds.advice()),
    });
    let error = draft.payment.last_error.clone();
    become_surplus(draft, id, approved, "the provider approved less than was asked")?;
    charge::summarise(draft, id, OperationStatus::Declined, error.as_ref());
    crate::volume::release(draft, id);
    draft.fact("payment.failed", json!({"operation": id, "code": "partially_approved"}));
    // The part is given back, and is not back yet: no other charge follows before that is proven.
    let next = draft.payment.next.take();
    next_charge::not_made(draft, next, "partially_approved");
    crate::apply::release_order(draft);
    if let Some(claim) = draft.payment.cancel.take().map(|cancel| cancel.claim) {
        draft.payment.cancelled = true;
        if let Some(claim) = claim {
            draft.answer(claim, crate::command::Verdict::Done, None);
        }
    }
    Ok(())
}

fn become_surplus(
    draft: &mut Draft,
    id: OperationId,
    approved: &Approved,
    why: &str,
) -> Result<(), ModelError> {
    let now = draft.now;
    let Some(operation) = draft.operation_mut(id) else { return Ok(()) };
    operation.surplus = true;
    operation.approved = Some(approved.amount);
    operation.finished_at = Some(now);
    let account = operation.account;
    for attempt in draft.payment.attempts.iter_mut().filter(|attempt| attempt.operation == id) {
        attempt.surplus = true;
    }
    if id.kind == OperationKind::Sale {
        draft.post(id, posting::capture(account, approved.amount, approved.fee)?);
    }
    draft.fact(
        "payment.surplus_found",
        json!({"operation": id, "amount": approved.amount.minor, "reason": why}),
    );
    draft.alerts.push(format!("charge {id} is surplus: {why}; it is being reversed"));
    give_up::reverse_surplus(draft, id, approved);
    Ok(())
}

/// Kept only if nothing else of the payment, or of its order, stands or may still stand.
fn may_be_kept(draft: &Draft) -> bool {
    draft.payment.amounts.authorized == 0 && draft.payment.open_charge().is_none()
}

fn keep(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let payment = &mut draft.payment;
    payment.cancelled = false;
    if let (Some(order_id), false, false) =
        (&payment.order_id, payment.holds_order, payment.allow_duplicate_order)
    {
        // If another charge of the order holds the guard, the commit answers `Duplicate`, and the
        // report is applied again without the wish to keep.
        let guard = order_guard::take(draft.scope, order_id, payment.id);
        draft.inserts.push(guard);
        draft.payment.holds_order = true;
    }
    let Some(operation) = draft.operation_mut(id) else { return Ok(()) };
    operation.status = OperationStatus::Succeeded;
    operation.approved = Some(approved.amount);
    operation.facts.clone_from(&approved.facts);
    operation.fee = approved.fee;
    let summary = decide::charge_summary(operation);
    draft.payment.charge = Some(summary);
    charge::stand(draft, id, approved)?;
    draft.fact(
        "payment.corrected",
        json!({"operation": id, "amount": approved.amount.minor, "to": "succeeded"}),
    );
    draft.alerts.push(format!("charge {id} succeeded after it was told to have failed, and is kept"));
    Ok(())
}

/// A capture, void or refund that was told to have failed was done: the sums follow the truth.
fn correct_upwards(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let now = draft.now;
    let Some(operation) = draft.operation_mut(id) else { return Ok(()) };
    operation.status = OperationStatus::Succeeded;
    operation.approved = Some(approved.amount);
    operation.finished_at = Some(now);
    let (account, amount) = (operation.account, approved.amount.minor);
    let amounts = &mut draft.payment.amounts;
    let sum = match id.kind {
        OperationKind::Capture => &mut amounts.captured,
        OperationKind::Void => &mut amounts.released,
        OperationKind::Increment => &mut amounts.authorized,
        _ => &mut amounts.refunded,
    };
    *sum = sum.checked_add(amount).ok_or(kernel::MoneyError::Overflow)?;
    if id.kind == OperationKind::Increment {
        draft.payment.amount = draft.payment.amount.plus(approved.amount)?;
        crate::volume::count_again(draft, id);
    }
    match id.kind {
        OperationKind::Capture => draft.post(id, posting::capture(account, approved.amount, approved.fee)?),
        OperationKind::Refund => draft.post(id, posting::refund_made(account, approved.amount)?),
        _ => {}
    }
    if let Some(refund) = draft.refund_mut(id) {
        refund.status = RefundStatus::Succeeded;
        refund.error = None;
        refund.settled_at = Some(now);
    }
    moves::summarise(draft, id);
    draft.fact("payment.corrected", json!({"operation": id, "amount": amount, "to": "succeeded"}));
    draft.alerts.push(format!("operation {id} succeeded after it was told to have failed"));
    if draft.payment.amounts_hold().is_err() {
        draft.alerts.push(format!("the sums of {} exceed what was authorized", draft.payment.id));
    }
    Ok(())
}

/// What had succeeded was undone by the provider: compensating transfers, never a rewrite.
pub(crate) fn reversed(draft: &mut Draft, id: OperationId) -> Result<(), ModelError> {
    let now = draft.now;
    let used = draft.payment.amounts.captured + draft.payment.amounts.released;
    if id.kind == OperationKind::Authorize && used > 0 {
        // What was captured or released by us is told as over, and that is no contradiction.
        return Ok(());
    }
    let rest = draft.payment.amounts.capturable();
    if id.kind == OperationKind::Authorize && moves::has_lapsed(draft) && rest > 0 {
        return moves::lapsed(draft, rest);
    }
    let Some(operation) = draft.operation_mut(id) else { return Ok(()) };
    let amount = operation.approved.unwrap_or(operation.amount);
    let (account, surplus) = (operation.account, operation.surplus);
    operation.status = OperationStatus::Declined;
    operation.undone = true;
    operation.finished_at = Some(now);
    let amounts = &mut draft.payment.amounts;
    match id.kind {
        OperationKind::Sale if surplus => draft.post(id, posting::capture_undone(account, amount)?),
        OperationKind::Authorize if surplus => {}
        OperationKind::Sale => {
            amounts.authorized -= amount.minor;
            amounts.captured -= amount.minor;
            draft.post(id, posting::capture_undone(account, amount)?);
            charge::summarise(draft, id, OperationStatus::Declined, None);
            crate::apply::release_order(draft);
        }
        OperationKind::Authorize => {
            // What it was increased by goes with it.
            amounts.authorized = 0;
            charge::summarise(draft, id, OperationStatus::Declined, None);
            crate::apply::release_order(draft);
        }
        OperationKind::Capture => {
            amounts.captured -= amount.minor;
            draft.post(id, posting::capture_undone(account, amount)?);
        }
        OperationKind::Refund | OperationKind::External => {
            amounts.refunded -= amount.minor;
            draft.post(id, posting::refund_failed_late(account, amount)?);
            if let Some(refund) = draft.refund_mut(id) {
                refund.status = RefundStatus::Failed;
                refund.settled_at = Some(now);
            }
            moves::summarise(draft, id);
        }
        OperationKind::Void => amounts.released -= amount.minor,
        OperationKind::Increment => {
            amounts.authorized -= amount.minor;
            draft.payment.amount.minor -= amount.minor;
        }
        OperationKind::Cancel => {}
        OperationKind::Reversal => draft.post(id, posting::refund_failed_late(account, amount)?),
    }
    draft.fact("payment.corrected", json!({"operation": id, "amount": amount.minor, "to": "failed"}));
    draft.alerts.push(format!("operation {id} was undone by the provider after it had succeeded"));
    if draft.payment.amounts_hold().is_err() {
        draft.alerts.push(format!("the sums of {} do not hold any more", draft.payment.id));
    }
    if draft.payment.order_id.is_some() && !draft.payment.holds_order && draft.payment.amounts.captured > 0 {
        // Its order was free since the refund: another payment may have charged it meanwhile.
        draft.alerts.push(format!("{} is paid again and no longer guards its order", draft.payment.id));
    }
    Ok(())
}

/// The surplus is given back.
pub(crate) fn reversal_succeeded(
    draft: &mut Draft,
    id: OperationId,
    approved: &Approved,
) -> Result<(), ModelError> {
    let Some(operation) = draft.operation(id) else { return Ok(()) };
    let account = operation.account;
    if operation.charge.is_some_and(|charge| charge.kind == OperationKind::Sale) {
        draft.post(id, posting::refund_made(account, approved.amount)?);
    }
    draft.fact("payment.surplus_reversed", json!({"operation": id, "amount": approved.amount.minor}));
    Ok(())
}

/// The surplus could not be given back by itself: people must.
pub(crate) fn reversal_failed(draft: &mut Draft, id: OperationId, error: &LastError) {
    draft.fact("payment.reversal_failed", json!({"operation": id, "code": error.code}));
    needs_review(draft, id, "the surplus charge could not be reversed");
}
