//! What a report does: the operation climbs, the payment's sums follow, the books are posted.
//!
//! API answers, notices, look-ups and operators all come through [`apply`]; an equal or lower report
//! changes nothing, whoever brings it and however often.

use std::time::Duration;

use kernel::Timestamp;
use provider_kit::{Advice, Approved, Decline, DeclineCode, Outcome, RefusalCause};
use serde_json::json;

use crate::climb::{Climb, Heard, Said, climb, proves};
use crate::command::Verdict;
use crate::draft::Draft;
use crate::operation::{Due, Operation, OperationId, OperationKind, OperationStatus, WaitingClaim};
use crate::payment::{LastError, OpenOperation};
use crate::rejection::ModelError;
use crate::settings::{LateSuccess, PaymentsSettings};
use crate::{charge, moves, next_charge, order_guard, surplus};

/// What a provider, or the lack of one, says of an operation.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// The provider's word, by any way.
    Told(Outcome),
    /// The live task's own knowledge: not one byte left.
    NotSent(String),
    /// The live task's own knowledge: it may have left, and no answer came.
    MaybeSent(String),
    /// An operator decided it.
    Decided(Outcome),
}

/// What judging a report needs beside the operation.
pub(crate) struct Policy<'a> {
    pub(crate) settings: &'a PaymentsSettings,
    pub(crate) late_success: LateSuccess,
    /// The provider's visibility.
    pub(crate) visibility: Duration,
    /// How long the provider holds money.
    pub(crate) authorization_valid_for: Duration,
    /// Database time of the question, where a look-up may have proven that nothing is there.
    pub(crate) asked_at: Option<Timestamp>,
    /// When the provider wants to be asked again, if it said so.
    pub(crate) pause: Option<Duration>,
}

/// Applies a report to an operation of the draft. Changes nothing if the report says nothing new.
pub(crate) fn apply(
    draft: &mut Draft,
    id: OperationId,
    report: &Report,
    policy: &Policy<'_>,
) -> Result<(), ModelError> {
    let Some(operation) = draft.operation(id) else { return Ok(()) };
    let (before, maybe_sent) = (operation.status, operation.maybe_sent);
    let visible = operation.sends_end_at.zip(policy.asked_at);
    let proven_absent = visible.is_some_and(|(end, asked)| asked >= end.plus(policy.visibility));
    if operation.undone && before == OperationStatus::NeedsReview && !matches!(report, Report::Decided(_)) {
        // The provider has said both: nothing that it says decides any more.
        return Ok(());
    }
    let said = weigh(report, maybe_sent, proven_absent);
    if let (Said::Approved, Some(approved)) = (said, report.approved())
        && operation.status.is_open()
        && id.kind != OperationKind::Cancel
        && !matches!(report, Report::Decided(_))
        && !credible(operation.amount, approved)
    {
        needs_review(draft, id, "the provider approved more than was asked, or another currency");
        return Ok(());
    }
    match climb(before, said) {
        Climb::Stay => {
            stay(draft, id, report);
            if said == Said::ActionRequired {
                next_charge::still_waiting(draft, id);
            }
        }
        Climb::To(status) => {
            raise(draft, id, status, report);
            match status {
                OperationStatus::Succeeded => succeeded(draft, id, report)?,
                OperationStatus::Declined | OperationStatus::NotDone | OperationStatus::Cancelled => {
                    failed(draft, id, report)?;
                }
                OperationStatus::Unknown | OperationStatus::ActionRequired | OperationStatus::Pending => {
                    waiting(draft, id, status);
                }
                OperationStatus::Reserved | OperationStatus::NeedsReview => {}
            }
            charge::note_time(draft, id, policy);
            answer(draft, id, before);
            due(draft, id, policy.settings);
        }
        Climb::LateSuccess => {
            let Some(approved) = report.approved().cloned() else { return Ok(()) };
            surplus::late_success(draft, id, &approved, policy.late_success)?;
            charge::note_time(draft, id, policy);
        }
        Climb::Reversed => surplus::reversed(draft, id)?,
    }
    Ok(())
}

impl Report {
    /// The provider's word, if it is one.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Told(outcome) | Self::Decided(outcome) => Some(outcome),
            Self::NotSent(_) | Self::MaybeSent(_) => None,
        }
    }

    /// The same report without the provider's free texts: what it decides is kept.
    pub(crate) fn without_texts(&self) -> Self {
        let mut plain = self.clone();
        match &mut plain {
            Self::NotSent(reason) | Self::MaybeSent(reason) => reason.clear(),
            Self::Told(outcome) | Self::Decided(outcome) => match outcome {
                Outcome::Approved(approved) => {
                    approved.facts.clear();
                    (approved.card, approved.authentication) = (None, None);
                    (approved.network_transaction_id, approved.token) = (None, None);
                }
                Outcome::Declined(decline) => {
                    decline.code.as_str().clone_into(&mut decline.raw_code);
                    decline.network_code = None;
                    decline.reference = None;
                }
                Outcome::Refused { code, message, .. } => {
                    code.clear();
                    message.clear();
                }
                Outcome::Unknown { raw } => raw.clear(),
                Outcome::ActionRequired(_)
                | Outcome::Consented { .. }
                | Outcome::Pending { .. }
                | Outcome::NotFound
                | Outcome::Tokenized { .. } => {}
            },
        }
        plain
    }

    /// The provider's reference, if the report brings one.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.outcome().and_then(reference_of)
    }

    pub(crate) fn approved(&self) -> Option<&Approved> {
        if let Some(Outcome::Approved(approved)) = self.outcome() { Some(approved) } else { None }
    }
}

/// Reduces a report to what the tables need. An operator's word needs no visibility.
fn weigh(report: &Report, maybe_sent: bool, proven_absent: bool) -> Said {
    let heard = match report {
        Report::NotSent(_) => Heard::NotSent,
        Report::MaybeSent(_) => Heard::MaybeSent,
        Report::Told(outcome) | Report::Decided(outcome) => match outcome {
            Outcome::Approved(_) => Heard::Approved,
            Outcome::ActionRequired(_) => Heard::ActionRequired,
            Outcome::Pending { .. } => Heard::Pending,
            Outcome::Declined(decline) if decline.code == DeclineCode::Cancelled => Heard::Cancelled,
            Outcome::Declined(_) => Heard::Declined,
            Outcome::Refused { .. } => Heard::Refused,
            Outcome::NotFound => Heard::NotFound,
            // It proves nothing but that the charge can go on.
            Outcome::Consented { .. } | Outcome::Tokenized { .. } | Outcome::Unknown { .. } => {
                Heard::Unreadable
            }
        },
    };
    proves(heard, maybe_sent, proven_absent || matches!(report, Report::Decided(_)))
}

/// Whether a report says otherwise than what made the operation final. It may be the older of the two: an
/// answer that took long, a notice that was overtaken.
pub(crate) fn contradicts(operation: &Operation, report: &Report) -> bool {
    let Report::Told(_) = report else { return false };
    let said = weigh(report, operation.maybe_sent, false);
    !operation.surplus && matches!(climb(operation.status, said), Climb::LateSuccess | Climb::Reversed)
}

/// An approval of more than was asked, or in another currency, is nobody's guess to book.
fn credible(asked: kernel::Money, approved: &Approved) -> bool {
    approved.amount.currency == asked.currency && (0..=asked.minor).contains(&approved.amount.minor)
}

/// A report that does not raise the status may still bring a reference that was missing.
fn stay(draft: &mut Draft, id: OperationId, report: &Report) {
    let Some(reference) = report.outcome().and_then(reference_of) else { return };
    let known = draft.operation(id).and_then(|operation| operation.reference.as_deref());
    if known.is_none() {
        learn_reference(draft, id, reference.to_owned());
        if let Some(charge) = draft.payment.charge.as_mut().filter(|charge| charge.operation == id) {
            charge.reference = Some(reference.to_owned());
        }
    }
}

fn reference_of(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Approved(approved) => Some(&approved.reference),
        Outcome::ActionRequired(required) => required.reference.as_deref(),
        Outcome::Consented { reference } => Some(reference),
        Outcome::Pending { reference } => reference.as_deref(),
        Outcome::Declined(decline) => decline.reference.as_deref(),
        Outcome::Refused { .. } | Outcome::NotFound | Outcome::Tokenized { .. } | Outcome::Unknown { .. } => {
            None
        }
    }
}

/// Keeps a provider's reference, and the row that finds the operation by it.
pub(crate) fn learn_reference(draft: &mut Draft, id: OperationId, reference: String) {
    let scope = draft.scope;
    let Some(operation) = draft.operation_mut(id) else { return };
    if operation.reference.is_some() || reference.is_empty() {
        return;
    }
    let insert = crate::provider_reference::insert(scope, operation.account, &reference, id);
    operation.reference = Some(reference);
    draft.inserts.push(insert);
}

/// Writes what the report says into the operation.
fn raise(draft: &mut Draft, id: OperationId, status: OperationStatus, report: &Report) {
    let now = draft.now;
    if let Some(reference) = report.outcome().and_then(reference_of).map(str::to_owned) {
        learn_reference(draft, id, reference);
    }
    draft.raised.push((id, status));
    let Some(operation) = draft.operation_mut(id) else { return };
    operation.status = status;
    operation.checks = 0;
    // An answer that says nothing (a 5xx) is a send like one without an answer: a refusal of a later
    // repeat must not undo it.
    if matches!(report, Report::MaybeSent(_)) || status == OperationStatus::Unknown {
        operation.maybe_sent = true;
    }
    if !status.is_open() {
        operation.finished_at = Some(now);
        operation.replies.clear();
    }
    match report.outcome() {
        Some(Outcome::Approved(approved)) => {
            operation.approved = Some(approved.amount);
            operation.network_transaction_id.clone_from(&approved.network_transaction_id);
            operation.token.clone_from(&approved.token);
            operation.fee = approved.fee;
            operation.facts.clone_from(&approved.facts);
        }
        Some(Outcome::ActionRequired(required)) => operation.action = Some(required.action.clone()),
        Some(Outcome::Declined(decline)) => operation.decline = Some(decline.clone()),
        _ => {}
    }
    let short = OpenOperation {
        id,
        amount: operation.held,
        status,
        exclusive: draft.payment.open.iter().any(|open| open.id == id && open.exclusive),
    };
    draft.payment.open.retain(|open| open.id != id);
    if status.is_open() {
        draft.payment.open.push(short);
    }
}

fn succeeded(draft: &mut Draft, id: OperationId, report: &Report) -> Result<(), ModelError> {
    let Some(approved) = report.approved().cloned() else { return Ok(()) };
    match id.kind {
        OperationKind::Authorize | OperationKind::Sale => charge::succeeded(draft, id, &approved),
        OperationKind::Capture => moves::captured(draft, id, &approved),
        OperationKind::Void => moves::voided(draft, id, &approved),
        OperationKind::Refund => moves::refunded(draft, id, &approved),
        OperationKind::Increment => moves::incremented(draft, id, &approved),
        OperationKind::Cancel => {
            charge::cancelled_upstream(draft, id);
            Ok(())
        }
        OperationKind::Reversal => surplus::reversal_succeeded(draft, id, &approved),
        OperationKind::External => Ok(()),
    }
}

fn failed(draft: &mut Draft, id: OperationId, report: &Report) -> Result<(), ModelError> {
    let error = last_error(draft, id, report);
    match id.kind {
        OperationKind::Authorize | OperationKind::Sale => charge::failed(draft, id, &error),
        OperationKind::Capture => moves::capture_failed(draft, id, &error),
        OperationKind::Void => moves::void_failed(draft, id, &error)?,
        OperationKind::Refund => moves::refund_failed(draft, id, error)?,
        OperationKind::Increment => moves::increment_failed(draft, id, &error),
        OperationKind::Cancel => charge::cancel_refused(draft, id),
        OperationKind::Reversal => surplus::reversal_failed(draft, id, &error),
        OperationKind::External => {}
    }
    Ok(())
}

/// In the words of answers and events.
fn last_error(draft: &Draft, id: OperationId, report: &Report) -> LastError {
    let plain = |code: &str, advice| LastError {
        code: code.to_owned(),
        decline_code: None,
        network_code: None,
        advice: Some(advice),
    };
    match report {
        Report::NotSent(_) => plain("not_sent", Advice::RetryNow),
        Report::MaybeSent(_) => plain("unknown", Advice::RetryLater),
        Report::Told(outcome) | Report::Decided(outcome) => match outcome {
            Outcome::Declined(decline) => declined(draft, id, decline),
            Outcome::NotFound => plain("not_sent", Advice::RetryNow),
            Outcome::Refused { cause, .. } => refused(*cause),
            Outcome::Approved(_)
            | Outcome::ActionRequired(_)
            | Outcome::Consented { .. }
            | Outcome::Pending { .. }
            | Outcome::Tokenized { .. }
            | Outcome::Unknown { .. } => plain("unknown", Advice::RetryLater),
        },
    }
}

/// A refusal in the words of answers. None of them is about the payer's money: another method helps against
/// an unknown token alone, and against wrong credentials nothing that payer or merchant could send.
pub(crate) fn refused(cause: RefusalCause) -> LastError {
    let (code, advice) = match cause {
        RefusalCause::Credentials => ("provider_credentials", None),
        RefusalCause::RateLimit => ("provider_rate_limited", Some(Advice::RetryLater)),
        RefusalCause::UnknownToken => ("unknown_token", Some(Advice::OtherMethod)),
        RefusalCause::Rule => ("provider_refused", None),
    };
    LastError { code: code.to_owned(), decline_code: None, network_code: None, advice }
}

/// A decline in the words of answers.
pub(crate) fn declined(draft: &Draft, id: OperationId, decline: &Decline) -> LastError {
    let by_card = matches!(draft.payment.method, Some(crate::payment::MethodSummary::Card(_)));
    let code = match (id.kind.is_charge(), by_card) {
        (true, true) => "card_declined",
        (true, false) => "payment_declined",
        (false, _) => "operation_declined",
    };
    LastError {
        code: code.to_owned(),
        decline_code: Some(decline.code.as_str().to_owned()),
        network_code: decline.network_code.clone(),
        advice: Some(decline.advice),
    }
}

/// The operation waits: for the customer, for the provider, or to be found out.
fn waiting(draft: &mut Draft, id: OperationId, status: OperationStatus) {
    if id.kind.is_charge() {
        charge::waiting(draft, id, status);
    }
    let kind = match status {
        OperationStatus::ActionRequired => "payment.action_required",
        OperationStatus::Pending => "payment.operation_pending",
        _ => "payment.operation_unknown",
    };
    draft.fact(kind, json!({"operation": id, "kind": id.kind.as_str()}));
}

/// Whoever takes an operation out of `reserved` or `unknown` answers its claim in the same commit.
fn answer(draft: &mut Draft, id: OperationId, before: OperationStatus) {
    let Some(operation) = draft.operation(id) else { return };
    if operation.status.is_told() && !before.is_told() {
        answer_claim(draft, id);
    }
}

/// Answers the claim that waits for an operation, if one does.
pub(crate) fn answer_claim(draft: &mut Draft, id: OperationId) {
    let claim = draft.operation_mut(id).and_then(|operation| operation.claim.take());
    if let Some(claim) = claim {
        let verdict = verdict(draft, id);
        let refund = draft.refunds.iter().find(|refund| refund.record.operation == id);
        let refund = refund.map(|touched| touched.record.clone());
        draft.answer(claim, verdict, refund);
    }
}

/// What the caller of an operation is told.
pub(crate) fn verdict(draft: &Draft, id: OperationId) -> Verdict {
    let Some(operation) = draft.operation(id) else { return Verdict::Accepted };
    match operation.status {
        OperationStatus::Reserved | OperationStatus::Unknown | OperationStatus::NeedsReview => {
            Verdict::Accepted
        }
        OperationStatus::ActionRequired | OperationStatus::Pending | OperationStatus::Succeeded => {
            if operation.surplus {
                failed_verdict(draft, id)
            } else {
                Verdict::Done
            }
        }
        // The provider would not give the charge up: what becomes of the charge decides.
        OperationStatus::Declined | OperationStatus::NotDone | OperationStatus::Cancelled
            if id.kind == OperationKind::Cancel =>
        {
            if draft.payment.open_charge().is_some() {
                Verdict::Accepted
            } else {
                Verdict::Done
            }
        }
        OperationStatus::Declined | OperationStatus::NotDone | OperationStatus::Cancelled => {
            failed_verdict(draft, id)
        }
    }
}

fn failed_verdict(draft: &Draft, id: OperationId) -> Verdict {
    let refund = draft.refunds.iter().find(|refund| refund.record.operation == id);
    let error = refund
        .and_then(|refund| refund.record.error.clone())
        .or_else(|| draft.payment.last_error.clone())
        .unwrap_or_else(|| LastError {
            code: "operation_failed".to_owned(),
            decline_code: draft.operation(id).and_then(Operation::decline_code).map(str::to_owned),
            network_code: None,
            advice: None,
        });
    Verdict::Declined(error)
}

/// When the resolver looks at the operation again.
pub(crate) fn due(draft: &mut Draft, id: OperationId, settings: &PaymentsSettings) {
    let (now, expires_at) = (draft.now, draft.payment.expires_at);
    let Some(operation) = draft.operation_mut(id) else { return };
    operation.due = match operation.status {
        OperationStatus::Reserved => {
            Due::After(settings.send_deadline + settings.reply_timeout + settings.margin)
        }
        OperationStatus::Unknown | OperationStatus::ActionRequired | OperationStatus::Pending => {
            let pause = backoff(settings, operation.checks);
            let waits = operation.status != OperationStatus::Unknown && id.kind.is_charge();
            let left = expires_at.filter(|end| waits && *end > now).map(|end| end.since(now));
            Due::After(left.map_or(pause, |left| left.min(pause)))
        }
        OperationStatus::Succeeded
        | OperationStatus::Declined
        | OperationStatus::NotDone
        | OperationStatus::Cancelled
        | OperationStatus::NeedsReview => Due::Never,
    };
}

/// The pause before the next look-up: doubles with each one.
pub(crate) fn backoff(settings: &PaymentsSettings, checks: u32) -> Duration {
    let doubled = settings.lookup_first.saturating_mul(1_u32.checked_shl(checks.min(20)).unwrap_or(1));
    doubled.min(settings.lookup_longest)
}

/// Gives an operation to people: it keeps holding its amount.
pub(crate) fn needs_review(draft: &mut Draft, id: OperationId, why: &str) {
    if draft.operation(id).is_none_or(|operation| operation.status == OperationStatus::NeedsReview) {
        return;
    }
    draft.raised.push((id, OperationStatus::NeedsReview));
    let Some(operation) = draft.operation_mut(id) else { return };
    operation.status = OperationStatus::NeedsReview;
    operation.due = Due::Never;
    operation.review_reason = Some(why.to_owned());
    let held = operation.held;
    // What had ended and must be decided by people after all is open again.
    if draft.payment.open.iter().all(|open| open.id != id) {
        let status = OperationStatus::NeedsReview;
        draft.payment.open.push(OpenOperation { id, amount: held, status, exclusive: false });
    }
    for open in draft.payment.open.iter_mut().filter(|open| open.id == id) {
        open.status = OperationStatus::NeedsReview;
    }
    if let Some(charge) = draft.payment.charge.as_mut().filter(|charge| charge.operation == id) {
        charge.status = OperationStatus::NeedsReview;
    }
    for attempt in draft.payment.attempts.iter_mut().filter(|attempt| attempt.operation == id) {
        attempt.status = OperationStatus::NeedsReview;
    }
    draft.fact("payment.needs_review", json!({"operation": id, "reason": why}));
    draft.alerts.push(format!("operation {id} needs review: {why}"));
}

/// Ends the order's guard, where this payment holds it.
pub(crate) fn release_order(draft: &mut Draft) {
    if draft.payment.holds_order
        && let Some(order_id) = &draft.payment.order_id
    {
        draft.removes.push(order_guard::release(draft.scope, order_id));
        draft.payment.holds_order = false;
    }
}

/// A claim that a command leaves with an operation.
pub(crate) fn waiting_claim(claim: &kernel::Claim) -> WaitingClaim {
    WaitingClaim { key: claim.key.clone(), route: claim.route.clone().into_owned() }
}
