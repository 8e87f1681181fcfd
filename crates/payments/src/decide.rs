//! What commands and successors reserve: rejections first, in order of precedence, then the operation.

use std::time::Duration;

use kernel::Id;
use provider_kit::{
    Account, Capture, CaptureMode, Charge, Context, Increment, Initiator, Instrument, ProviderAccount,
    Refund as RefundCall, ThreeDSecure, Upstream, Void,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::charge::{capture_mode, may_be_charged};
use crate::command::{CapturePayment, IncrementPayment, RefundPayment};
use crate::draft::{Draft, Touched};
use crate::operation::{
    Due, Operation, OperationId, OperationKind, OperationStatus, StoredCall, WaitingClaim,
};
use crate::payment::{Attempt, ChargeSummary, OpenOperation, PaymentStatus, SUMMARY_LENGTH};
use crate::refund::{Refund, RefundStatus};
use crate::rejection::Rejection;
use crate::{moves, order_guard, posting};

/// The most operations a payment can have: two digits of its references.
pub(crate) const OPERATIONS_MAX: u8 = 99;

/// The most of one amount, in minor units: far enough below the end of 64 bits that sums stay countable.
pub(crate) const AMOUNT_MAX: i64 = 999_999_999_999_999;

/// Where an operation is sent, pinned in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pin {
    pub(crate) account: Id<Account>,
    pub(crate) provider: String,
    pub(crate) identity: String,
}

impl From<&ProviderAccount> for Pin {
    fn from(account: &ProviderAccount) -> Self {
        Self { account: account.id, provider: account.provider.clone(), identity: account.identity.clone() }
    }
}

impl From<&ChargeSummary> for Pin {
    fn from(charge: &ChargeSummary) -> Self {
        Self { account: charge.account, provider: charge.provider.clone(), identity: charge.identity.clone() }
    }
}

/// What a new operation is, before it has an id.
pub(crate) struct New {
    pub(crate) minor: i64,
    pub(crate) held: i64,
    pub(crate) exclusive: bool,
    pub(crate) claim: Option<WaitingClaim>,
    pub(crate) charge: Option<OperationId>,
}

pub(crate) fn next_id(draft: &Draft, kind: OperationKind) -> Result<OperationId, Rejection> {
    if draft.payment.operations >= OPERATIONS_MAX {
        return Err(Rejection::TooManyOperations);
    }
    Ok(OperationId { payment: draft.payment.id, kind, ordinal: draft.payment.operations + 1 })
}

/// Adds an operation to the draft: reserved, open, and for this commit's task to send.
pub(crate) fn reserve(draft: &mut Draft, id: OperationId, pin: Pin, new: New, call: StoredCall) {
    let now = draft.now;
    if id.kind != OperationKind::Reversal {
        draft.payment.operations = id.ordinal;
    }
    draft.payment.open.push(OpenOperation {
        id,
        amount: new.held,
        status: OperationStatus::Reserved,
        exclusive: new.exclusive,
    });
    draft.operations.push(Touched::new(Operation {
        id,
        status: OperationStatus::Reserved,
        amount: draft.payment.money(new.minor),
        held: new.held,
        approved: None,
        account: pin.account,
        provider: pin.provider,
        identity: pin.identity,
        call,
        context: Context { now, nonce: [0; 16] },
        driver: 0,
        maybe_sent: false,
        replies: Vec::new(),
        macs: Vec::new(),
        scheduled: false,
        queued_at: None,
        reserved_at: None,
        sends_end_at: None,
        checks: 0,
        reference: None,
        network_transaction_id: None,
        token: None,
        action: None,
        decline: None,
        facts: serde_json::Map::new(),
        fee: None,
        claim: new.claim,
        surplus: false,
        undone: false,
        review_reason: None,
        in_review: false,
        volume: None,
        rule: None,
        postings: 0,
        refund: None,
        charge: new.charge,
        created_at: now,
        finished_at: None,
        due: Due::Never,
    }));
    draft.to_send.push(id);
    draft.changed = true;
}

/// What a charge needs beside the payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChargeOrder {
    pub(crate) pin: Pin,
    pub(crate) instrument: Instrument,
    pub(crate) return_url: String,
    pub(crate) expires_in: Duration,
    pub(crate) initiator: Initiator,
    pub(crate) stores_credential: bool,
    pub(crate) three_d_secure: ThreeDSecure,
    pub(crate) claim: Option<WaitingClaim>,
    /// The rule that chose the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
}

/// Reserves a charge of the whole amount.
pub(crate) fn charge(draft: &mut Draft, order: ChargeOrder) -> Result<OperationId, Rejection> {
    if let Some(open) = draft.payment.open_charge() {
        return Err(Rejection::OperationOpen(open.id));
    }
    let status = draft.payment.status();
    if !may_be_charged(status) || draft.payment.cancelled {
        return Err(Rejection::State { verb: "confirmed", status });
    }
    let kind = match draft.payment.capture_method {
        CaptureMode::Automatic
            if !draft.payment.amount.is_zero() && draft.payment.capture_delay_seconds.is_none() =>
        {
            OperationKind::Sale
        }
        CaptureMode::Automatic | CaptureMode::Manual => OperationKind::Authorize,
    };
    let id = next_id(draft, kind)?;
    let call = StoredCall::Charge(Charge {
        reference: id.reference(),
        amount: draft.payment.amount,
        capture: capture_mode(kind),
        instrument: order.instrument,
        return_url: order.return_url,
        description: draft.payment.description.clone(),
        expires_in_seconds: u32::try_from(order.expires_in.as_secs()).ok(),
        initiator: order.initiator,
        stores_credential: order.stores_credential,
        three_d_secure: order.three_d_secure,
        scenario: draft.scenario.clone(),
    });
    let minor = draft.payment.amount.minor;
    let new = New { minor, held: minor, exclusive: false, claim: order.claim, charge: None };
    draft.payment.expires_at = Some(draft.now.plus(order.expires_in));
    take_order(draft);
    reserve(draft, id, order.pin, new, call);
    if let Some(operation) = draft.operation_mut(id) {
        operation.rule = order.rule;
    }
    note_attempt(draft, id);
    draft.fact("payment.charge_started", json!({"operation": id, "amount": minor}));
    Ok(id)
}

/// Takes the order's guard for a charge, unless duplicates were allowed.
fn take_order(draft: &mut Draft) {
    if let (Some(order_id), false, false) =
        (&draft.payment.order_id, draft.payment.holds_order, draft.payment.allow_duplicate_order)
    {
        let guard = order_guard::take(draft.scope, order_id, draft.payment.id);
        draft.inserts.push(guard);
        draft.payment.holds_order = true;
    }
}

/// Puts a new charge into the payment's short forms.
pub(crate) fn note_attempt(draft: &mut Draft, id: OperationId) {
    let Some(operation) = draft.operation(id) else { return };
    let attempt = Attempt {
        operation: id,
        status: operation.status,
        amount: operation.amount.minor,
        provider: operation.provider.clone(),
        account: operation.account,
        error: None,
        surplus: false,
        created_at: operation.created_at,
    };
    let summary = charge_summary(operation);
    draft.payment.charge = Some(summary);
    draft.payment.attempts.push(attempt);
    let beyond = draft.payment.attempts.len().saturating_sub(SUMMARY_LENGTH);
    draft.payment.attempts.drain(..beyond);
}

/// A charge in short.
pub(crate) fn charge_summary(operation: &Operation) -> ChargeSummary {
    ChargeSummary {
        operation: operation.id,
        status: operation.status,
        provider: operation.provider.clone(),
        account: operation.account,
        identity: operation.identity.clone(),
        capture: capture_mode(operation.id.kind),
        reference: operation.reference.clone(),
        network_transaction_id: operation.network_transaction_id.clone(),
        action: operation.action.clone(),
        payment_url: None,
        facts: operation.facts.clone(),
        fee: operation.fee.map(|fee| fee.minor),
        capture_at: None,
        lapses_at: None,
    }
}

/// The successful charge that holds or took the payment's money.
fn standing(draft: &Draft, verb: &'static str) -> Result<ChargeSummary, Rejection> {
    let refused = || Rejection::State { verb, status: draft.payment.status() };
    let charge = draft.payment.charge.clone().ok_or_else(refused)?;
    if charge.status == OperationStatus::Succeeded { Ok(charge) } else { Err(refused()) }
}

pub(crate) fn upstream(charge: &ChargeSummary) -> Upstream {
    Upstream { reference: charge.operation.reference(), provider_reference: charge.reference.clone() }
}

/// Reserves a capture. It holds its amount; a final one holds all that is capturable.
pub(crate) fn capture(
    draft: &mut Draft,
    command: CapturePayment,
    claim: Option<WaitingClaim>,
) -> Result<OperationId, Rejection> {
    let charge = standing(draft, "captured")?;
    let status = draft.payment.status();
    let nothing_held = charge.operation.kind != OperationKind::Authorize || draft.payment.amount.is_zero();
    if nothing_held || draft.payment.cancelled || status == PaymentStatus::Disputed {
        return Err(Rejection::State { verb: "captured", status });
    }
    let exclusive = draft.payment.open.iter().find(|open| open.exclusive);
    let beside = [OperationKind::Capture, OperationKind::Increment];
    let capturing = draft.payment.open_of(&beside).filter(|_| command.is_final);
    if let Some(open) = exclusive.or(capturing) {
        return Err(Rejection::OperationOpen(open.id));
    }
    let available = draft.payment.amounts.capturable();
    if available == 0 {
        return Err(Rejection::State { verb: "captured", status });
    }
    let minor = command.amount.unwrap_or(available);
    if minor > available {
        return Err(Rejection::BeyondCapturable { available });
    }
    let id = next_id(draft, OperationKind::Capture)?;
    let held = if command.is_final { available } else { minor };
    let call = StoredCall::Capture(Capture {
        reference: id.reference(),
        amount: draft.payment.money(minor),
        charge: upstream(&charge),
        is_final: command.is_final,
        scenario: draft.scenario.clone(),
    });
    draft.payment.amounts.capture_held += held;
    let new = New { minor, held, exclusive: command.is_final, claim, charge: Some(charge.operation) };
    reserve(draft, id, Pin::from(&charge), new, call);
    draft.fact("payment.capture_started", json!({"operation": id, "amount": minor}));
    Ok(id)
}

/// Reserves an increment: it takes nothing of what is held, and adds to it once it succeeds.
pub(crate) fn increment(
    draft: &mut Draft,
    command: IncrementPayment,
    claim: Option<WaitingClaim>,
) -> Result<OperationId, Rejection> {
    let charge = standing(draft, "incremented")?;
    let (status, amounts) = (draft.payment.status(), draft.payment.amounts);
    let holds = charge.operation.kind == OperationKind::Authorize
        && amounts.authorized - amounts.released - amounts.captured > 0;
    if !holds || draft.payment.cancelled || status == PaymentStatus::Disputed {
        return Err(Rejection::State { verb: "incremented", status });
    }
    let exclusive = draft.payment.open.iter().find(|open| open.exclusive);
    if let Some(open) = exclusive.or(draft.payment.open_of(&[OperationKind::Increment])) {
        return Err(Rejection::OperationOpen(open.id));
    }
    let total = draft.payment.amount.minor.checked_add(command.amount);
    if command.amount <= 0 || total.is_none_or(|total| total > AMOUNT_MAX) {
        let message = format!("the payment's amount would exceed {AMOUNT_MAX}");
        return Err(Rejection::Invalid { param: "/amount", message });
    }
    let (id, minor) = (next_id(draft, OperationKind::Increment)?, command.amount);
    let call = StoredCall::Increment(Increment {
        reference: id.reference(),
        amount: draft.payment.money(minor),
        charge: upstream(&charge),
        scenario: draft.scenario.clone(),
    });
    let new = New { minor, held: 0, exclusive: false, claim, charge: Some(charge.operation) };
    reserve(draft, id, Pin::from(&charge), new, call);
    draft.fact("payment.increment_started", json!({"operation": id, "amount": minor}));
    Ok(id)
}

/// Reserves a void of all that is capturable.
pub(crate) fn void(draft: &mut Draft, claim: Option<WaitingClaim>) -> Result<OperationId, Rejection> {
    let charge = standing(draft, "cancelled")?;
    let status = draft.payment.status();
    if charge.operation.kind != OperationKind::Authorize || draft.payment.cancelled {
        return Err(Rejection::State { verb: "cancelled", status });
    }
    let beside = [OperationKind::Capture, OperationKind::Void, OperationKind::Increment];
    if let Some(open) = draft.payment.open_of(&beside) {
        return Err(Rejection::OperationOpen(open.id));
    }
    let held = draft.payment.amounts.capturable();
    // A verification held nothing: it is final.
    if held == 0 {
        return Err(Rejection::State { verb: "cancelled", status });
    }
    let id = next_id(draft, OperationKind::Void)?;
    let call = StoredCall::Void(Void {
        reference: id.reference(),
        amount: draft.payment.money(held),
        charge: upstream(&charge),
        scenario: draft.scenario.clone(),
    });
    draft.payment.amounts.capture_held += held;
    let new = New { minor: held, held, exclusive: true, claim, charge: Some(charge.operation) };
    reserve(draft, id, Pin::from(&charge), new, call);
    draft.fact("payment.void_started", json!({"operation": id, "amount": held}));
    Ok(id)
}

/// Reserves a refund: the refundable amount shrinks in the same commit.
pub(crate) fn refund(
    draft: &mut Draft,
    command: RefundPayment,
    claim: Option<WaitingClaim>,
) -> Result<OperationId, Rejection> {
    let status = draft.payment.status();
    if draft.payment.amounts.captured == 0 || status == PaymentStatus::Disputed {
        return Err(Rejection::State { verb: "refunded", status });
    }
    let charge = standing(draft, "refunded")?;
    let available = draft.payment.amounts.refundable().max(0);
    let minor = command.amount.unwrap_or(available);
    if minor > available || available == 0 {
        return Err(Rejection::BeyondRefundable { available });
    }
    let id = next_id(draft, OperationKind::Refund)?;
    let amount = draft.payment.money(minor);
    let hold = posting::refund_held(charge.account, amount)
        .map_err(|error| Rejection::Invalid { param: "/amount", message: error.to_string() })?;
    let call = StoredCall::Refund(RefundCall {
        reference: id.reference(),
        amount,
        charge: upstream(&charge),
        reason: command.reason.clone(),
        scenario: draft.scenario.clone(),
    });
    draft.payment.amounts.refund_held += minor;
    let new = New { minor, held: minor, exclusive: false, claim, charge: Some(charge.operation) };
    reserve(draft, id, Pin::from(&charge), new, call);
    draft.post(id, hold);
    add_refund(draft, id, command, minor);
    draft.fact("payment.refund_started", json!({"operation": id, "amount": minor}));
    Ok(id)
}

/// The refund's own record.
pub(crate) fn add_refund(draft: &mut Draft, id: OperationId, command: RefundPayment, minor: i64) {
    let refund = Refund {
        id: Id::from_uuid(draft.fresh),
        payment: draft.payment.id,
        operation: id,
        amount: draft.payment.money(minor),
        status: RefundStatus::Pending,
        reason: command.reason,
        metadata: command.metadata,
        provider_reference: None,
        error: None,
        external: false,
        form: draft.payment.form,
        created_at: draft.now,
        settled_at: None,
    };
    if let Some(operation) = draft.operation_mut(id) {
        operation.refund = Some(refund.id);
    }
    draft.refunds.push(Touched::new(refund));
    moves::summarise(draft, id);
}
