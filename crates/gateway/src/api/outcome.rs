//! What came of a command, as an answer.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use payments::{Answered, LastError, Verdict};
use serde::Serialize;

use crate::call::Call;
use crate::problem::{IDEMPOTENT_REPLAYED, Problem, catalogue as code};
use crate::reply::{Answer, json};
use crate::wire::{BrowserPaymentObject, PaymentObject, RefundObject};

/// The payment that a command changed; `done` is the status of success.
pub(crate) fn payment(call: &Call, answered: &Answered, done: StatusCode) -> Answer {
    let status = status_of(answered, done)?;
    if call.is_browser() {
        let object = BrowserPaymentObject::of(&answered.payment, call.scope().mode, call.keys()?);
        return finish(answered, status, &object, None);
    }
    let object = PaymentObject::of(&answered.payment, call.scope().mode, call.keys()?);
    let location =
        (status == StatusCode::CREATED).then(|| format!("/api/v1/payments/{}", answered.payment.id));
    finish(answered, status, &object, location)
}

/// The refund that a command made.
pub(crate) fn refund(call: &Call, answered: &Answered) -> Answer {
    let status = status_of(answered, StatusCode::CREATED)?;
    let Some(refund) = &answered.refund else {
        // It is not known yet which refund it will be: the payment as it stands shows what is open.
        let object = PaymentObject::of(&answered.payment, call.scope().mode, call.keys()?);
        return finish(answered, StatusCode::ACCEPTED, &object, None);
    };
    let object = RefundObject::of(refund, call.scope().mode);
    let location = (status == StatusCode::CREATED).then(|| format!("/api/v1/refunds/{}", refund.id));
    finish(answered, status, &object, location)
}

fn status_of(answered: &Answered, done: StatusCode) -> Result<StatusCode, Problem> {
    match &answered.verdict {
        Verdict::Done => Ok(done),
        Verdict::Accepted => Ok(StatusCode::ACCEPTED),
        Verdict::Declined(error) => Err(declined(error, answered)),
    }
}

fn finish(
    answered: &Answered,
    status: StatusCode,
    object: &impl Serialize,
    location: Option<String>,
) -> Answer {
    stored(status, object, location, answered.replayed)
}

/// A stored object that a verb made or changed.
pub(crate) fn stored(
    status: StatusCode,
    object: &impl Serialize,
    location: Option<String>,
    replayed: bool,
) -> Answer {
    let mut response = json(status, object)?;
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    if replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The problem of a decline. The objects exist: their ids stand in it.
fn declined(error: &LastError, answered: &Answered) -> Problem {
    let entry =
        code::find(&error.code).filter(|entry| entry.status == 402).unwrap_or(&code::OPERATION_FAILED);
    let detail = match &error.decline_code {
        Some(decline) => format!("{}: {}.", entry.title, decline.replace('_', " ")),
        None => format!("{}. {}", entry.title, entry.cause),
    };
    Problem::new(entry, detail)
        .declined(error.clone())
        .about(answered.payment.id.to_string(), answered.refund.as_ref().map(|refund| refund.id.to_string()))
        .replayed(answered.replayed)
}
