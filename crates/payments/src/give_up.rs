//! Giving up and giving back: cancels, what follows from them, and the reversal of a surplus.

use provider_kit::{Approved, Cancel, Refund as RefundCall, Upstream, Void};
use serde_json::json;

use crate::charge::may_be_charged;
use crate::command::{RefundPayment, Verdict};
use crate::decide::{New, Pin, next_id, refund, reserve, upstream, void};
use crate::draft::Draft;
use crate::next_charge;
use crate::operation::{OperationId, OperationKind, OperationStatus, StoredCall, WaitingClaim};
use crate::payment::CancelRequest;
use crate::rejection::Rejection;

/// Cancels: at once what was never charged, by a void what is held, upstream what waits for the
/// customer, and later what is under way.
pub(crate) fn cancel(
    draft: &mut Draft,
    claim: Option<WaitingClaim>,
    upstream_can: bool,
) -> Result<(), Rejection> {
    let status = draft.payment.status();
    if draft.payment.cancelled {
        return Err(Rejection::State { verb: "cancelled", status });
    }
    let Some(open) = draft.payment.open_charge().cloned() else {
        if may_be_charged(status) {
            draft.payment.cancelled = true;
            draft.payment.completed_at.get_or_insert(draft.now);
            draft.fact("payment.cancelled", json!({"code": "requested"}));
            if let Some(claim) = claim {
                draft.answer(claim, Verdict::Done, None);
            }
            return Ok(());
        }
        return void(draft, claim).map(|_| ());
    };
    if let Some(next) = draft.payment.next.take() {
        // The open charge is being given up already, for one that is not wanted any more.
        next_charge::not_made(draft, Some(next), "cancelled");
        draft.fact("payment.cancel_requested", json!({"operation": open.id}));
        draft.payment.cancel = Some(CancelRequest { claim, requested_at: draft.now });
        return Ok(());
    }
    if let Some(running) = draft.payment.open_of(&[OperationKind::Cancel]) {
        return Err(Rejection::OperationOpen(running.id));
    }
    if draft.payment.cancel.is_some() {
        return Err(Rejection::OperationOpen(open.id));
    }
    draft.fact("payment.cancel_requested", json!({"operation": open.id}));
    if open.status == OperationStatus::ActionRequired && upstream_can {
        cancel_upstream(draft, open.id, claim);
        // The wish stays, in case the charge is approved before the provider gives it up.
        draft.payment.cancel.get_or_insert(CancelRequest { claim: None, requested_at: draft.now });
    } else {
        draft.payment.cancel = Some(CancelRequest { claim, requested_at: draft.now });
    }
    Ok(())
}

/// Reserves giving up a charge that waits for the customer. The cancel's claim goes with it.
pub(crate) fn cancel_upstream(draft: &mut Draft, charge: OperationId, claim: Option<WaitingClaim>) {
    let Some(summary) = draft.payment.charge.clone().filter(|summary| summary.operation == charge) else {
        return;
    };
    let Ok(id) = next_id(draft, OperationKind::Cancel) else {
        draft.payment.cancel = Some(CancelRequest { claim, requested_at: draft.now });
        return;
    };
    let (reference, scenario) = (id.reference(), draft.scenario.clone());
    let call = StoredCall::Cancel(Cancel { reference, charge: upstream(&summary), scenario });
    if let Some(claim) = claim.clone().filter(|claim| draft.claim.as_ref().is_none_or(|c| c.key != claim.key))
    {
        draft.move_claim(claim, id);
    }
    let new = New { minor: 0, held: 0, exclusive: false, claim, charge: Some(charge) };
    reserve(draft, id, Pin::from(&summary), new, call);
    draft.fact("payment.cancel_started", json!({"operation": id}));
}

/// A cancel waited for a charge, and the charge was approved: what it holds is released, what it took
/// is given back. The cancel's claim goes with the successor.
pub(crate) fn undo_after_cancel(draft: &mut Draft, charge: OperationId, claim: Option<WaitingClaim>) {
    let moved = claim.clone();
    let undone = if charge.kind == OperationKind::Authorize {
        void(draft, claim)
    } else {
        let reason = Some("cancelled before it was paid".to_owned());
        refund(draft, RefundPayment { amount: None, reason, ..RefundPayment::default() }, claim)
    };
    match (undone, moved) {
        (Ok(id), Some(claim)) => draft.move_claim(claim, id),
        (Ok(_), None) => {}
        (Err(rejection), claim) => {
            draft.alerts.push(format!("charge {charge} could not be undone after a cancel: {rejection}"));
            if let Some(claim) = claim {
                draft.answer(claim, Verdict::Done, None);
            }
        }
    }
}

/// Reserves the reversal of a surplus charge. Its id derives from the charge's, so that only one can
/// exist.
pub(crate) fn reverse_surplus(draft: &mut Draft, surplus: OperationId, approved: &Approved) {
    let id = OperationId { kind: OperationKind::Reversal, ..surplus };
    let Some(operation) = draft.operation(surplus) else { return };
    let pin = Pin {
        account: operation.account,
        provider: operation.provider.clone(),
        identity: operation.identity.clone(),
    };
    let charge = Upstream { reference: surplus.reference(), provider_reference: operation.reference.clone() };
    let amount = approved.amount;
    let call = if surplus.kind == OperationKind::Sale {
        let reason = Some("surplus".to_owned());
        StoredCall::Refund(RefundCall { reference: id.reference(), amount, charge, reason, scenario: None })
    } else {
        StoredCall::Void(Void { reference: id.reference(), amount, charge, scenario: None })
    };
    let new = New { minor: amount.minor, held: 0, exclusive: false, claim: None, charge: Some(surplus) };
    reserve(draft, id, pin, new, call);
    draft.fact("payment.reversal_started", json!({"operation": id, "amount": amount.minor}));
}
