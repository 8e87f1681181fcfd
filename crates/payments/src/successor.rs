//! A charge at another account that follows one which ended without money, in the same commit.
//!
//! It is offered by the task that sent the one before, and decided here, each time that the settle is
//! decided: what another commit changed meanwhile counts.

use std::sync::Arc;

use serde_json::json;

use crate::account::Opened;
use crate::decide::{self, ChargeOrder};
use crate::draft::Draft;
use crate::operation::{OperationId, OperationStatus};

/// What may follow, and where.
pub(crate) struct Successor {
    /// Which charge.
    pub(crate) after: OperationId,
    pub(crate) order: ChargeOrder,
    pub(crate) opened: Arc<Opened>,
}

/// Reserves the charge that was offered to follow `ended`, and gives it the claim. `false` if none was,
/// or if none may: only what is proven never to have taken money is followed, and only while nothing
/// else of the payment may still move.
pub(crate) fn follow(draft: &mut Draft, ended: OperationId, code: &str) -> bool {
    let Some(successor) = draft.successor.clone().filter(|offered| offered.after == ended) else {
        return false;
    };
    let is_over = |status| matches!(status, OperationStatus::Declined | OperationStatus::NotDone);
    let before = draft.operation(ended).filter(|known| is_over(known.status) && !known.maybe_sent);
    let Some(from) = before.map(|known| known.account) else { return false };
    let payment = &draft.payment;
    // A surplus charge of this payment is being given back, and is not back yet.
    let has_surplus = payment.attempts.iter().any(|attempt| attempt.surplus);
    if payment.cancel.is_some() || payment.cancelled || payment.next.is_some() || has_surplus {
        return false;
    }
    let claim = draft.operation_mut(ended).and_then(|operation| operation.claim.take());
    let order = ChargeOrder { claim: claim.clone(), ..successor.order.clone() };
    let to = order.pin.account;
    match decide::charge(draft, order) {
        Ok(id) => {
            draft.fact(
                "payment.rerouted",
                json!({
                    "operation": ended, "code": code, "from_account_id": from, "to_account_id": to,
                    "to": successor.opened.account.name(), "next_operation": id,
                }),
            );
            draft.payment.last_error = None;
            if let Some(claim) = claim {
                draft.move_claim(claim, id);
            }
            true
        }
        Err(rejection) => {
            if let Some(operation) = draft.operation_mut(ended) {
                operation.claim = claim;
            }
            draft.alerts.push(format!("no other account could follow {ended}: {rejection}"));
            false
        }
    }
}
