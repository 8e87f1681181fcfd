//! A charge that waits for another to be given up: confirm while the customer is still asked.
//!
//! The open charge is cancelled upstream first, and only the provider's word that it can never take
//! money lets the new one be reserved, in the same commit. Until then the new charge stands in the
//! payment, with the claim of the confirm that asked for it; whatever decides it answers that claim.

use kernel::Id;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::Verdict;
use crate::decide::{self, ChargeOrder};
use crate::draft::Draft;
use crate::give_up;
use crate::method::PaymentMethodKind;
use crate::operation::{OperationId, OperationKind, OperationStatus};
use crate::payment::{LastError, MethodSummary};
use crate::rejection::Rejection;

/// A charge that is to follow the open one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextCharge {
    /// What it needs; with the claim that waits for it.
    pub(crate) order: ChargeOrder,
    /// How its method is shown.
    pub(crate) method: MethodSummary,
    /// It is a stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method_id: Option<Id<PaymentMethodKind>>,
    /// What a test bank is to play with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scenario: Option<String>,
}

/// Asks the provider to give the waiting charge up, so that `next` can follow it.
pub(crate) fn supersede(draft: &mut Draft, next: NextCharge) -> Result<OperationId, Rejection> {
    let Some(open) = draft.payment.open_charge().cloned() else {
        return Err(Rejection::State { verb: "confirmed", status: draft.payment.status() });
    };
    if let Some(running) = draft.payment.open_of(&[OperationKind::Cancel]) {
        return Err(Rejection::OperationOpen(running.id));
    }
    let waits = open.status == OperationStatus::ActionRequired && draft.payment.cancel.is_none();
    if !waits || draft.payment.next.is_some() {
        return Err(Rejection::OperationOpen(open.id));
    }
    let account = draft.payment.charge.as_ref().map(|charge| charge.account);
    if account != Some(next.order.pin.account) {
        let message = "a charge that replaces one which waits for the customer is made at the same provider";
        return Err(Rejection::Invalid { param: "/provider", message: message.to_owned() });
    }
    // One for giving up, one for the charge that follows.
    if draft.payment.operations >= decide::OPERATIONS_MAX - 1 {
        return Err(Rejection::TooManyOperations);
    }
    give_up::cancel_upstream(draft, open.id, None);
    draft.payment.next = Some(Box::new(next));
    let cancel = draft.payment.open_of(&[OperationKind::Cancel]).map(|cancel| cancel.id);
    cancel.ok_or(Rejection::OperationOpen(open.id))
}

/// The charge before it ended without money: the next one is reserved in the same commit. `false` if
/// there is none, or if the payment is being cancelled.
pub(crate) fn go_on(draft: &mut Draft) -> bool {
    if draft.payment.cancel.is_some() || draft.payment.cancelled {
        let ended = draft.payment.next.take();
        not_made(draft, ended, "cancelled");
        return false;
    }
    let Some(next) = draft.payment.next.take() else { return false };
    let claim = next.order.claim.clone();
    let before = (draft.payment.method.replace(next.method.clone()), draft.payment.method_id);
    draft.payment.method_id = next.method_id;
    draft.scenario.clone_from(&next.scenario);
    let reserved = decide::charge(draft, next.order.clone());
    draft.scenario = None;
    match reserved {
        Ok(id) => {
            draft.payment.last_error = None;
            if let Some(claim) = claim {
                draft.move_claim(claim, id);
            }
            true
        }
        Err(rejection) => {
            (draft.payment.method, draft.payment.method_id) = before;
            draft.alerts.push(format!("a charge could not follow the one before it: {rejection}"));
            not_made(draft, Some(next), "operation_failed");
            false
        }
    }
}

/// The charge before it took the money after all: nothing more is charged, and the payment says so.
pub(crate) fn overtaken(draft: &mut Draft) {
    if let Some(claim) = draft.payment.next.take().and_then(|next| next.order.claim) {
        draft.answer(claim, Verdict::Done, None);
    }
}

/// The provider would not give the charge up, and it still waits for the customer: there is no room for
/// another beside it.
pub(crate) fn still_waiting(draft: &mut Draft, id: OperationId) {
    let waits = id.kind.is_charge() && draft.payment.open_charge().is_some_and(|open| open.id == id);
    if waits && draft.payment.next.is_some() && draft.payment.open_of(&[OperationKind::Cancel]).is_none() {
        let ended = draft.payment.next.take();
        not_made(draft, ended, "operation_failed");
    }
}

/// A charge that was to follow is not made; its confirm is told so.
pub(crate) fn not_made(draft: &mut Draft, next: Option<Box<NextCharge>>, code: &str) {
    let Some(next) = next else { return };
    draft.fact("payment.charge_not_started", json!({"code": code}));
    if let Some(claim) = next.order.claim {
        let error = LastError { code: code.to_owned(), decline_code: None, network_code: None, advice: None };
        draft.answer(claim, Verdict::Declined(error), None);
    }
}
