//! Idempotency keys: what a second request with a key is answered.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Answer, CLAIM, Claim, Id, Scope, Store, Timestamp};
use serde::Deserialize;

use crate::command::{Answered, Verdict};
use crate::operation::OperationId;
use crate::payment::{Payment, PaymentKind};
use crate::refund::Refund;
use crate::rejection::{PaymentsError, Rejection};

#[derive(Deserialize)]
struct Snapshot {
    payment: Payment,
    refund: Option<Refund>,
}

/// What stands behind a key that was used before.
pub(crate) enum Known {
    /// Its answer.
    Answered(Box<Answered>),
    /// Nothing yet, and its first caller no longer waits: 202 with the payment as it stands, and the
    /// refund if the operation carries one out.
    Running(Id<PaymentKind>, Option<OperationId>),
}

/// Looks a claim up. `None` if the key is new; a rejection if it stands for another request, or if its
/// first caller still waits.
pub(crate) async fn lookup(
    store: &Arc<dyn Store>,
    claim: &Claim,
    answer_within: Duration,
) -> Result<Option<Known>, PaymentsError> {
    let Some(Row { operation, answer, created_at }) = row(store, claim).await? else { return Ok(None) };
    if let Some(answer) = answer {
        return Ok(Some(Known::Answered(Box::new(read(&answer).ok_or_else(damaged)?))));
    }
    let age = store.now().await?.since(created_at);
    if age < answer_within {
        return Err(Rejection::KeyInUse.into());
    }
    let (payment, operation) = operation.as_deref().and_then(subject).ok_or_else(damaged)?;
    Ok(Some(Known::Running(payment, operation)))
}

/// The answer of a claim that is always made with its answer. `None` if the key is new; a rejection if it
/// stands for another request.
pub(crate) async fn answer(store: &Arc<dyn Store>, claim: &Claim) -> Result<Option<Answer>, PaymentsError> {
    Ok(row(store, claim).await?.and_then(|row| row.answer))
}

/// The stored answer of a key that an operation of ours held. `None` while there is none.
pub(crate) async fn told(
    store: &Arc<dyn Store>,
    scope: Scope,
    key: &str,
) -> Result<Option<Answered>, PaymentsError> {
    let Some(row) = store.get(&CLAIM, scope, vec![key.into()]).await? else { return Ok(None) };
    let Some(bytes) = row.columns.get(3).and_then(kernel::Cell::as_bytes) else { return Ok(None) };
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    let answered = read(&answer).ok_or_else(damaged)?;
    Ok(Some(Answered { replayed: false, ..answered }))
}

struct Row {
    operation: Option<String>,
    answer: Option<Answer>,
    created_at: Timestamp,
}

/// The row behind a key, which must stand for the same request.
async fn row(store: &Arc<dyn Store>, claim: &Claim) -> Result<Option<Row>, PaymentsError> {
    let Some(row) = store.get(&CLAIM, claim.scope, vec![claim.key.as_str().into()]).await? else {
        return Ok(None);
    };
    let [route, mac, operation, answer, created_at] = row.columns.as_slice() else { return Err(damaged()) };
    let known = route.as_text().zip(mac.as_bytes());
    if !known.is_some_and(|(route, mac)| claim.is_of(route, mac)) {
        return Err(Rejection::KeyReused.into());
    }
    let answer = answer.as_bytes().map(serde_json::from_slice).transpose().map_err(|_| damaged())?;
    let created_at = created_at.as_time().ok_or_else(damaged)?;
    Ok(Some(Row { operation: operation.as_text().map(str::to_owned), answer, created_at }))
}

fn damaged() -> PaymentsError {
    PaymentsError::Internal("a claim cannot be read".to_owned())
}

/// A claim's operation is an operation's id, or a bare payment's.
fn subject(text: &str) -> Option<(Id<PaymentKind>, Option<OperationId>)> {
    let operation = text.parse::<OperationId>().ok();
    let payment = operation.map(|operation| operation.payment).or_else(|| Id::parse(text).ok())?;
    Some((payment, operation))
}

fn read(answer: &Answer) -> Option<Answered> {
    let verdict: Verdict = serde_json::from_str(answer.outcome.get()).ok()?;
    let snapshot: Snapshot = serde_json::from_str(answer.snapshot.get()).ok()?;
    Some(Answered {
        verdict,
        payment: snapshot.payment.into(),
        refund: snapshot.refund.map(Box::new),
        replayed: true,
    })
}
