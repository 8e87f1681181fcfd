//! Captures, voids and refunds: what their outcomes do to the payment.

use std::time::Duration;

use kernel::Timestamp;
use provider_kit::Approved;
use serde_json::json;

use crate::apply::release_order;
use crate::draft::Draft;
use crate::operation::OperationId;
use crate::payment::LastError;
use crate::refund::RefundStatus;
use crate::rejection::ModelError;
use crate::{operation, posting};

fn add(sum: &mut i64, amount: i64) -> Result<(), ModelError> {
    *sum = sum.checked_add(amount).ok_or(kernel::MoneyError::Overflow)?;
    Ok(())
}

/// The codes of what says nothing about the money: it was proven never to have left or never to have arrived,
/// or the provider refused to hear us. What is due by time is tried again after these.
const NOT_HEARD: [&str; 3] = ["not_sent", "provider_credentials", "provider_rate_limited"];
/// After which a provider that was not reached in time is asked again.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// The longest such pause.
const ASK_AGAIN_MAX: Duration = Duration::from_hours(1);
/// How many of a payment's 99 operations time may use up.
const OPERATIONS_OF_TIME: u8 = 70;

fn was_not_heard(error: &LastError) -> bool {
    NOT_HEARD.contains(&error.code.as_str())
}

/// What an operation held until now.
fn held(draft: &Draft, id: OperationId) -> i64 {
    draft.operation(id).map_or(0, |operation| operation.held)
}

/// Held money was taken; a final capture releases the rest.
pub(crate) fn captured(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let (held, amount) = (held(draft, id), approved.amount.minor);
    let Some(operation) = draft.operation(id) else { return Ok(()) };
    let account = operation.account;
    let is_final = matches!(&operation.call, operation::StoredCall::Capture(call) if call.is_final);
    let amounts = &mut draft.payment.amounts;
    add(&mut amounts.capture_held, -held)?;
    add(&mut amounts.captured, amount)?;
    // More was taken than was held, as an operator found out: the sums say what was taken.
    let beyond = -amounts.capturable().min(0);
    add(&mut amounts.authorized, beyond)?;
    if is_final {
        let rest = amounts.capturable();
        add(&mut amounts.released, rest)?;
    }
    let is_final = is_final || draft.payment.amounts.capturable() == 0;
    let now = draft.now;
    draft.payment.completed_at.get_or_insert(now);
    draft.post(id, posting::capture(account, approved.amount, approved.fee)?);
    draft.fact("payment.captured", json!({"operation": id, "amount": amount, "final": is_final}));
    Ok(())
}

/// When what time does is tried again: after a pause that doubles to an hour with each operation that the
/// payment has had, and never with the last ones that it can have, which are for people.
fn again_at(draft: &mut Draft) -> Option<Timestamp> {
    let had = draft.payment.operations;
    if had >= OPERATIONS_OF_TIME {
        draft.alerts.push(format!("{} could not be captured or released in time", draft.payment.id));
        return None;
    }
    let pause = ASK_AGAIN.saturating_mul(1 << u32::from(had.min(6))).min(ASK_AGAIN_MAX);
    Some(draft.now.plus(pause))
}

/// A capture was not done: what it held can be captured again.
pub(crate) fn capture_failed(draft: &mut Draft, id: OperationId, error: &LastError) {
    let held = held(draft, id);
    draft.payment.amounts.capture_held -= held;
    draft.payment.last_error = Some(error.clone());
    draft.fact("payment.capture_failed", json!({"operation": id, "amount": held, "code": error.code}));
    // Proven never to have been done: what was promised for a time is tried again. What a person asked
    // for is theirs to repeat.
    let promised = draft.operation(id).is_some_and(|operation| operation.scheduled);
    if was_not_heard(error) && promised {
        let again = again_at(draft);
        if let Some(charge) = draft.payment.charge.as_mut() {
            charge.capture_at = charge.capture_at.or(again);
        }
    }
}

/// More is held, and the payment is for so much more.
pub(crate) fn incremented(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let amount = approved.amount.minor;
    add(&mut draft.payment.amounts.authorized, amount)?;
    add(&mut draft.payment.amount.minor, amount)?;
    let total = draft.payment.amount.minor;
    draft.fact("payment.incremented", json!({"operation": id, "amount": amount, "total": total}));
    Ok(())
}

/// No more is held than before.
pub(crate) fn increment_failed(draft: &mut Draft, id: OperationId, error: &LastError) {
    let amount = draft.operation(id).map_or(0, |operation| operation.amount.minor);
    draft.payment.last_error = Some(error.clone());
    crate::volume::release(draft, id);
    draft.fact("payment.increment_failed", json!({"operation": id, "amount": amount, "code": error.code}));
}

/// Held money was released.
pub(crate) fn voided(draft: &mut Draft, id: OperationId, _approved: &Approved) -> Result<(), ModelError> {
    // A void releases all that it held, whatever amount the provider repeats in its answer.
    let held = held(draft, id);
    let amounts = &mut draft.payment.amounts;
    add(&mut amounts.capture_held, -held)?;
    add(&mut amounts.released, held)?;
    if has_lapsed(draft) {
        draft.fact(LAPSED, json!({"operation": id, "amount": held}));
        give_up(draft, "authorization_lapsed");
    } else {
        draft.fact("payment.voided", json!({"operation": id, "amount": held}));
        give_up(draft, "voided");
    }
    Ok(())
}

/// The event of held money that was held for too long.
const LAPSED: &str = "payment.authorization_lapsed";

/// A payment of which nothing is held and nothing was taken is over.
fn give_up(draft: &mut Draft, code: &str) {
    if draft.payment.amounts.captured == 0 {
        draft.payment.cancelled = true;
        let now = draft.now;
        draft.payment.completed_at.get_or_insert(now);
        release_order(draft);
        draft.fact("payment.cancelled", json!({"code": code}));
    }
}

/// Whether the authorisation is older than it lasts.
pub(crate) fn has_lapsed(draft: &Draft) -> bool {
    let lapses_at = draft.payment.charge.as_ref().and_then(|charge| charge.lapses_at);
    lapses_at.is_some_and(|at| draft.now >= at)
}

/// Held money is held no longer: what was captured of it stays.
pub(crate) fn lapsed(draft: &mut Draft, amount: i64) -> Result<(), ModelError> {
    add(&mut draft.payment.amounts.released, amount)?;
    draft.fact(LAPSED, json!({"amount": amount}));
    give_up(draft, "authorization_lapsed");
    Ok(())
}

/// A void was not done: what it held can be captured again. A provider that refuses to release what was
/// held for too long has nothing left to release; one that did not hear us is asked again.
pub(crate) fn void_failed(draft: &mut Draft, id: OperationId, error: &LastError) -> Result<(), ModelError> {
    let held = held(draft, id);
    draft.payment.amounts.capture_held -= held;
    if has_lapsed(draft) {
        if !was_not_heard(error) {
            return lapsed(draft, held);
        }
        let again = again_at(draft);
        if let Some(charge) = draft.payment.charge.as_mut() {
            charge.lapses_at = again;
        }
    }
    draft.payment.last_error = Some(error.clone());
    draft.fact("payment.void_failed", json!({"operation": id, "amount": held, "code": error.code}));
    Ok(())
}

/// Money was given back.
pub(crate) fn refunded(draft: &mut Draft, id: OperationId, approved: &Approved) -> Result<(), ModelError> {
    let (held, amount, now) = (held(draft, id), approved.amount.minor, draft.now);
    let Some(account) = draft.operation(id).map(|operation| operation.account) else { return Ok(()) };
    let amounts = &mut draft.payment.amounts;
    add(&mut amounts.refund_held, -held)?;
    add(&mut amounts.refunded, amount)?;
    draft.post(id, posting::refund_done(account, draft.payment.money(held), approved.amount)?);
    if draft.payment.amounts.refunded >= draft.payment.amounts.captured {
        release_order(draft);
    }
    let reference = Some(approved.reference.clone()).filter(|reference| !reference.is_empty());
    if let Some(refund) = draft.refund_mut(id) {
        refund.status = RefundStatus::Succeeded;
        refund.amount = approved.amount;
        refund.settled_at = Some(now);
        refund.provider_reference = reference;
    }
    summarise(draft, id);
    draft.fact("payment.refunded", json!({"operation": id, "amount": amount}));
    Ok(())
}

/// A refund was not done: its amount is refundable again.
pub(crate) fn refund_failed(draft: &mut Draft, id: OperationId, error: LastError) -> Result<(), ModelError> {
    let (held, now) = (held(draft, id), draft.now);
    let Some(account) = draft.operation(id).map(|operation| operation.account) else { return Ok(()) };
    draft.payment.amounts.refund_held -= held;
    draft.post(id, posting::refund_released(account, draft.payment.money(held))?);
    draft.fact("payment.refund_failed", json!({"operation": id, "amount": held, "code": error.code}));
    if let Some(refund) = draft.refund_mut(id) {
        refund.status = RefundStatus::Failed;
        refund.settled_at = Some(now);
        refund.error = Some(error);
    }
    summarise(draft, id);
    Ok(())
}

/// Brings the payment's short form of an operation's refund up to date.
pub(crate) fn summarise(draft: &mut Draft, id: OperationId) {
    let refund = draft.refunds.iter().find(|refund| refund.record.operation == id);
    let Some(summary) = refund.map(|refund| refund.record.summary()) else { return };
    match draft.payment.refunds.iter_mut().find(|known| known.id == summary.id) {
        Some(known) => *known = summary,
        None => draft.payment.refunds.push(summary),
    }
    let surplus = draft.payment.refunds.len().saturating_sub(crate::payment::SUMMARY_LENGTH);
    draft.payment.refunds.drain(..surplus);
}
