//! Applying a dispute's notice: sums, books, the dispute's own record.

use std::sync::Arc;

use kernel::{Actor, Id, Lane, Money, Outcome, PostingKind};
use ledger::{LedgerError, Posting, rules};
use provider_kit::{DisputeNotice, DisputePhase};
use serde_json::json;
use uuid::Uuid;
use vault::Purpose;

use crate::account::Opened;
use crate::dispute::{Dispute, DisputeKind, next_phase};
use crate::draft::{Draft, Touched};
use crate::lock::Turn;
use crate::operation::OperationId;
use crate::payment::SUMMARY_LENGTH;
use crate::rejection::{ModelError, PaymentsError};
use crate::service::{Payments, refused};

/// Applies a notice to the charge's payment. `false`: the payment moved meanwhile, try again.
pub(crate) async fn apply(
    payments: &Payments,
    opened: &Arc<Opened>,
    charge: OperationId,
    notice: &DisputeNotice,
) -> Result<bool, PaymentsError> {
    let scope = opened.scope;
    let keys = payments.vault.keys(scope.mode).map_err(|error| PaymentsError::Internal(error.to_string()))?;
    let mac = keys.mac(
        Purpose::Request,
        &[b"dispute", opened.account.id.uuid().as_bytes(), notice.reference.as_bytes()],
    );
    let id: Id<DisputeKind> =
        Id::from_uuid(Uuid::from_slice(mac.get(..16).unwrap_or_default()).unwrap_or_default());
    let _held = payments.lock(charge.payment, Turn::Settle).await?;
    let actor = Actor::Provider(opened.account.id.to_string());
    let mut draft = payments.load(scope, charge.payment, actor).await?;
    let known = payments.store.of(scope).get::<Dispute>(vec![id.into()]).await?;
    let phase = known.as_ref().map(|known| known.record.phase);
    let Some(next) = next_phase(phase, notice.phase) else { return Ok(true) };
    let mut dispute = known.map_or_else(|| Touched::new(new(&draft, id, notice)), Touched::read);
    dispute.dirty = true;
    dispute.record.phase = next;
    dispute.record.updated_at = draft.now;
    move_money(&mut draft, &mut dispute.record, &opened.account.id.to_string(), phase, next, notice)?;
    draft.fact(
        kind(next),
        json!({"dispute": id, "operation": charge, "amount": notice.amount.minor, "reason": notice.reason}),
    );
    summarise(&mut draft, &dispute.record);
    draft.disputes.push(dispute);
    match payments.commit(&mut draft, Lane::Settle).await? {
        Outcome::Committed { .. } => Ok(true),
        Outcome::Conflict | Outcome::Duplicate(_) => Ok(false),
        other => Err(refused(other)),
    }
}

/// Keeps what the payment's answer shows of a dispute.
fn summarise(draft: &mut Draft, dispute: &Dispute) {
    let (known, summary) = (&mut draft.payment.disputes, dispute.summary());
    match known.iter_mut().find(|known| known.id == summary.id) {
        Some(known) => *known = summary,
        None => known.push(summary),
    }
    let surplus = known.len().saturating_sub(SUMMARY_LENGTH);
    known.drain(..surplus);
}

fn new(draft: &Draft, id: Id<DisputeKind>, notice: &DisputeNotice) -> Dispute {
    Dispute {
        id,
        payment: draft.payment.id,
        phase: notice.phase,
        amount: notice.amount,
        reference: notice.reference.clone(),
        reason: notice.reason.clone(),
        postings: 0,
        created_at: draft.now,
        updated_at: draft.now,
    }
}

const fn kind(phase: DisputePhase) -> &'static str {
    match phase {
        DisputePhase::Opened => "payment.dispute_opened",
        DisputePhase::Won => "payment.dispute_won",
        DisputePhase::Lost => "payment.dispute_lost",
        DisputePhase::Reopened => "payment.dispute_reopened",
    }
}

/// Sums and books of one move. A decision whose opening was never told opens first.
fn move_money(
    draft: &mut Draft,
    dispute: &mut Dispute,
    part: &str,
    from: Option<DisputePhase>,
    to: DisputePhase,
    notice: &DisputeNotice,
) -> Result<(), ModelError> {
    let amount = dispute.amount;
    let amounts = &mut draft.payment.amounts;
    let mut postings = Vec::new();
    if from.is_none() {
        amounts.disputed += amount.minor;
        postings.extend(rules::dispute_opened(part, amount)?);
        if let Some(fee) = notice.fee {
            postings.extend(rules::dispute_fee(part, fee)?);
        }
    }
    match (from, to) {
        (_, DisputePhase::Opened) | (None, DisputePhase::Reopened) => {}
        (_, DisputePhase::Won) => {
            amounts.disputed -= amount.minor;
            postings.extend(rules::dispute_won(part, amount)?);
        }
        (_, DisputePhase::Lost) => {
            amounts.disputed -= amount.minor;
            amounts.dispute_lost += amount.minor;
            postings.extend(rules::dispute_lost(part, amount)?);
        }
        (Some(DisputePhase::Lost), DisputePhase::Reopened) => {
            amounts.dispute_lost -= amount.minor;
            amounts.disputed += amount.minor;
            postings.extend(lost_undone(part, amount)?);
        }
        (Some(_), DisputePhase::Reopened) => {
            amounts.disputed += amount.minor;
            postings.extend(rules::dispute_reopened(part, amount)?);
        }
    }
    let first = dispute.postings;
    dispute.postings += i64::try_from(postings.len()).unwrap_or(0);
    draft.post_as(&dispute.id.to_string(), first, postings);
    Ok(())
}

/// A lost dispute that is open again: the merchant no longer bears it, the dispute holds it.
fn lost_undone(part: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    rules::correction(PostingKind::DisputeLost, part, amount)
}
