//! Charges: what their outcomes do to the payment, and what a waiting cancel then does.

use std::time::Duration;

use provider_kit::{Action, Approved, CaptureMode, Decline, DeclineCode};
use serde_json::json;

use crate::apply::{Policy, answer_claim, declined, release_order};
use crate::draft::Draft;
use crate::give_up;
use crate::operation::{Due, OperationId, OperationKind, OperationStatus};
use crate::payment::{CancelRequest, CardSummary, LastError, MethodSummary, PaymentStatus};
use crate::rejection::ModelError;
use crate::{next_charge, posting, successor, surplus, volume};

/// An approved charge: held or taken money, unless it is less than was asked.
pub(crate) fn succeeded(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    if approved.amount.minor < draft.payment.amount.minor {
        return surplus::partial_approval(draft, id, approved);
    }
    stand(draft, id, approved)?;
    next_charge::overtaken(draft);
    let Some(cancel) = draft.payment.cancel.take() else { return Ok(()) };
    give_up::undo_after_cancel(draft, id, cancel.claim);
    Ok(())
}

/// The charge stands: sums, books, summary.
pub(crate) fn stand(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let amount = approved.amount.minor;
    let taken = id.kind == OperationKind::Sale;
    let amounts = &mut draft.payment.amounts;
    amounts.authorized = amounts.authorized.checked_add(amount).ok_or(kernel::MoneyError::Overflow)?;
    if taken {
        amounts.captured = amounts.captured.checked_add(amount).ok_or(kernel::MoneyError::Overflow)?;
    }
    summarise(draft, id, OperationStatus::Succeeded, None);
    if let Some(MethodSummary::Card(card)) = draft.payment.method.as_mut() {
        learn_card(card, approved);
    }
    volume::count_again(draft, id);
    draft.payment.last_error = None;
    draft.payment.expires_at = None;
    let now = draft.now;
    let Some(operation) = draft.operation(id) else { return Ok(()) };
    let account = operation.account;
    if taken {
        draft.payment.completed_at.get_or_insert(now);
        draft.post(id, posting::capture(account, approved.amount, approved.fee)?);
        draft.fact("payment.captured", json!({"operation": id, "amount": amount, "final": true}));
    } else {
        draft.fact("payment.authorized", json!({"operation": id, "amount": amount}));
    }
    Ok(())
}

/// The charge waits: the customer must act, the provider decides, or its outcome must be found out.
pub(crate) fn waiting(draft: &mut Draft, id: OperationId, status: OperationStatus) {
    summarise(draft, id, status, None);
    if status == OperationStatus::ActionRequired
        && let Some(cancel) = draft.payment.cancel.take()
    {
        give_up::cancel_upstream(draft, id, cancel.claim);
        draft.payment.cancel = Some(CancelRequest { claim: None, requested_at: cancel.requested_at });
    }
}

/// The charge ended without money. A cancel that waited for it has what it wanted; so has one that
/// asked upstream, and the expiry.
pub(crate) fn failed(draft: &mut Draft, id: OperationId, error: &LastError) {
    let lapsed = draft.payment.expires_at.is_some_and(|end| draft.now >= end);
    // A payer who gives up may try again; what we asked the provider to give up is over.
    let asked = |operation: &&crate::operation::Operation| {
        operation.charge == Some(id)
            && operation.id.kind == OperationKind::Cancel
            && (operation.status.is_open() || operation.status == OperationStatus::Succeeded)
    };
    let given_up = draft.operations.iter().map(|touched| &touched.record).any(|o| asked(&o))
        || draft.operation(id).is_some_and(|operation| {
            operation.decline.as_ref().is_some_and(|decline| decline.code == DeclineCode::Expired)
        });
    draft.payment.last_error = Some(error.clone());
    summarise(draft, id, draft.operation(id).map_or(OperationStatus::Declined, |o| o.status), Some(error));
    volume::release(draft, id);
    let code = error.decline_code.as_deref().unwrap_or(&error.code).to_owned();
    draft.payment.expires_at = None;
    if draft.payment.next.is_some() && draft.payment.cancel.is_none() {
        draft.fact("payment.charge_superseded", json!({"operation": id, "code": code}));
        if next_charge::go_on(draft) {
            volume::hand_on(draft, id);
            close_cancels(draft);
            return;
        }
    } else if !given_up && !lapsed && successor::follow(draft, id, &code) {
        volume::hand_on(draft, id);
        close_cancels(draft);
        return;
    } else if draft.payment.cancel.is_some() || given_up || lapsed {
        draft.payment.cancelled = true;
        draft.payment.completed_at.get_or_insert(draft.now);
        draft.fact("payment.cancelled", json!({"operation": id, "code": code}));
    } else {
        draft.fact("payment.failed", json!({"operation": id, "code": code}));
    }
    release_order(draft);
    if let Some(claim) = draft.payment.cancel.take().and_then(|cancel| cancel.claim) {
        draft.answer(claim, crate::command::Verdict::Done, None);
    }
    close_cancels(draft);
}

/// The provider gave the waiting charge up: that ends the charge too.
pub(crate) fn cancelled_upstream(draft: &mut Draft, id: OperationId) {
    let Some(charge) = draft.operation(id).and_then(|operation| operation.charge) else { return };
    let now = draft.now;
    let decline = Decline::of(DeclineCode::Cancelled);
    let error = declined(draft, charge, &decline);
    let Some(operation) = draft.operation_mut(charge) else { return };
    if operation.status.is_open() {
        operation.status = OperationStatus::Cancelled;
        operation.decline = Some(decline);
        operation.finished_at = Some(now);
        operation.due = Due::Never;
        draft.payment.open.retain(|open| open.id != charge);
        failed(draft, charge, &error);
        answer_claim(draft, charge);
    }
}

/// The provider would not give the charge up: what became of the charge decides, so it is looked up at
/// once, and the claim of the cancel waits for that.
pub(crate) fn cancel_refused(draft: &mut Draft, id: OperationId) {
    let Some((charge, claim)) =
        draft.operation_mut(id).and_then(|operation| Some((operation.charge?, operation.claim.take())))
    else {
        return;
    };
    let now = draft.now;
    draft.fact("payment.cancel_refused", json!({"operation": id}));
    if let Some(operation) = draft.operation_mut(charge).filter(|operation| operation.status.is_open()) {
        operation.due = Due::After(std::time::Duration::ZERO);
        if draft.payment.next.is_some() && draft.payment.cancel.is_none() {
            // What becomes of the charge decides whether another may follow it.
            return;
        }
        let waiting = draft.payment.cancel.take().and_then(|cancel| cancel.claim);
        draft.payment.cancel = Some(CancelRequest { claim: claim.or(waiting), requested_at: now });
    } else if let Some(claim) = claim {
        draft.answer(claim, crate::command::Verdict::Done, None);
    }
}

/// A charge that ended leaves nothing for its open cancel to do; its own outcome will say so.
fn close_cancels(draft: &mut Draft) {
    let open: Vec<OperationId> = draft
        .operations
        .iter()
        .map(|touched| &touched.record)
        .filter(|operation| operation.id.kind == OperationKind::Cancel && operation.status.is_open())
        .map(|operation| operation.id)
        .collect();
    for id in open {
        // Whatever becomes of the cancel itself: the payment is over, as it asked.
        if let Some(claim) = draft.operation_mut(id).and_then(|operation| operation.claim.take()) {
            draft.answer(claim, crate::command::Verdict::Done, None);
        }
    }
}

/// What time will do to the payment: held money is taken by itself, or lapses; a failed payment expires.
pub(crate) fn note_time(draft: &mut Draft, id: OperationId, policy: &Policy<'_>) {
    let (now, payment) = (draft.now, &mut draft.payment);
    if !id.kind.is_charge() {
        return;
    }
    if payment.status() == PaymentStatus::Failed {
        payment.expires_at = Some(payment.created_at.plus(policy.settings.payment_expires_in));
    }
    let is_held = id.kind == OperationKind::Authorize && !payment.amount.is_zero();
    let delay = payment.capture_delay_seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let charge = payment.charge.as_mut().filter(|charge| is_held && charge.operation == id);
    if let Some(charge) = charge
        && charge.status == OperationStatus::Succeeded
        && charge.lapses_at.is_none()
    {
        charge.lapses_at = Some(now.plus(policy.authorization_valid_for));
        charge.capture_at = delay.map(|delay| now.plus(delay));
    }
}

/// Brings the payment's short forms of the charge up to date.
pub(crate) fn summarise(
    draft: &mut Draft,
    id: OperationId,
    status: OperationStatus,
    error: Option<&LastError>,
) {
    let Some(operation) = draft.operation(id).cloned() else { return };
    if let Some(charge) = draft.payment.charge.as_mut().filter(|charge| charge.operation == id) {
        charge.status = status;
        charge.reference.clone_from(&operation.reference);
        charge.network_transaction_id.clone_from(&operation.network_transaction_id);
        charge.action.clone_from(&operation.action);
        charge.facts.clone_from(&operation.facts);
        charge.fee = operation.fee.map(|fee| fee.minor);
        if let Some(Action::QrCode { payload }) = &operation.action {
            charge.payment_url = Some(payload.clone());
        }
    }
    for attempt in draft.payment.attempts.iter_mut().filter(|attempt| attempt.operation == id) {
        attempt.status = status;
        attempt.surplus = operation.surplus;
        attempt.error = error.cloned();
    }
}

/// What an approval tells of the card and of who paid.
fn learn_card(card: &mut CardSummary, approved: &Approved) {
    if let Some(told) = approved.card.as_deref() {
        card.learn(told);
    }
    card.three_d_secure.clone_from(&approved.authentication);
}

/// How a charge is captured, by its kind.
pub(crate) const fn capture_mode(kind: OperationKind) -> CaptureMode {
    if matches!(kind, OperationKind::Sale) { CaptureMode::Automatic } else { CaptureMode::Manual }
}

/// Whether a payment may be charged now.
pub(crate) const fn may_be_charged(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Pending | PaymentStatus::Failed)
}
