//! From the adapter's answers to outcomes.

use kernel::{Distilled, Money, Reply};
use provider_kit::{
    Action, ActionRequired, Approved, Call, Decline, DeclineCode, Outcome, RefusalCause, Verb, scrub,
};

use crate::wire::{ActionBody, ErrorAnswer, ErrorBody, Kept, Object};

/// How much is kept of an answer that cannot be read, in characters.
const RAW_MAX: usize = 200;

/// Keeps the fields that we know, or the beginning of what we do not.
pub(crate) fn distill(step: &str, reply: &Reply) -> Distilled {
    let status = reply.status;
    let unreadable = || Kept::Unreadable { status, raw: scrub::excerpt(&reply.body, RAW_MAX) };
    let kept = match status {
        200..=299 if step == "capabilities" => {
            serde_json::from_slice(&reply.body).map_or_else(|_| unreadable(), Kept::Capabilities)
        }
        200..=299 => serde_json::from_slice(&reply.body)
            .map_or_else(|_| unreadable(), |object| Kept::Answered { status, object }),
        400..=499 => serde_json::from_slice(&reply.body)
            .map_or_else(|_| unreadable(), |ErrorAnswer { error }| Kept::Refused { status, error }),
        _ => unreadable(),
    };
    Distilled::of(step, &kept)
}

/// What came of a call, from the answer that was kept.
pub(crate) fn outcome(call: &Call, reply: &Distilled) -> Outcome {
    match reply.read() {
        Ok(Kept::Answered { object, .. }) => of_object(call, *object),
        Ok(Kept::Refused { status, error }) => refused(call, status, error),
        Ok(Kept::Capabilities(_)) => unknown("the answer is about something else"),
        // Also a 4xx that is not the adapter's own: who knows what stands in between.
        Ok(Kept::Unreadable { status, raw }) => unknown(&format!("{status}: {raw}")),
        Err(_) => unknown("a reply of another form was kept"),
    }
}

fn refused(call: &Call, status: u16, error: ErrorBody) -> Outcome {
    match (call.verb(), status, error.code.as_str()) {
        (Verb::Lookup, 404, "no_such_operation") => Outcome::NotFound,
        // A look-up that is refused says nothing about the operation that it asks for, and behind a
        // time-out at the adapter's edge the work may have gone on.
        (Verb::Lookup, ..) | (_, 408, _) => unknown(&format!("{status}: {}", error.code)),
        _ => Outcome::Refused {
            cause: RefusalCause::of_status(status),
            code: error.code,
            message: error.message,
        },
    }
}

fn of_object(call: &Call, object: Object) -> Outcome {
    let (verb, expected) = match call {
        Call::Tokenize(_) if object.kind == "token" && !object.id.is_empty() => {
            return Outcome::Tokenized { token: object.id, card: object.card };
        }
        Call::Lookup(lookup) => (lookup.verb, call.reference()),
        _ => (call.verb(), call.reference()),
    };
    if object.kind != word(verb) || object.reference.as_deref() != Some(expected) {
        return unknown("the answer is about something else");
    }
    state(verb, object)
}

/// What an object of the adapter says of itself: an answer's, a look-up's or a notice's.
pub(crate) fn state(verb: Verb, object: Object) -> Outcome {
    match (verb, object.status.as_str()) {
        (Verb::Charge, "authorized" | "captured" | "voided") => approved(object.amount_approved, object),
        (Verb::Charge, "requires_action") => action_required(object),
        (Verb::Charge | Verb::Capture | Verb::Void | Verb::Refund | Verb::Increment, "declined") => {
            declined(object)
        }
        (Verb::Charge, "expired") => decline(DeclineCode::Expired, "expired", object),
        (Verb::Charge, "cancelled") => decline(DeclineCode::Cancelled, "cancelled", object),
        (Verb::Charge, "processing") | (Verb::Refund, "pending") => {
            Outcome::Pending { reference: Some(object.id) }
        }
        (Verb::Refund, "failed") => decline(DeclineCode::RefundNotAllowed, "refund_failed", object),
        (Verb::Capture | Verb::Void | Verb::Refund | Verb::Cancel | Verb::Increment, "succeeded") => {
            approved(object.amount, object)
        }
        (_, other) => unknown(&format!("{} with status {other}", object.kind)),
    }
}

/// The protocol's word for the object of a verb.
pub(crate) const fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Tokenize => "token",
        Verb::Charge => "charge",
        Verb::Capture => "capture",
        Verb::Void => "void",
        Verb::Refund => "refund",
        Verb::Cancel => "cancel",
        Verb::Increment => "increment",
        Verb::Lookup => "lookup",
    }
}

fn approved(minor: Option<i64>, object: Object) -> Outcome {
    let (Some(minor), Some(currency)) = (minor, object.currency) else {
        return unknown("an approval without an amount");
    };
    let facts = [("approval_code", object.approval_code), ("rrn", object.rrn)];
    let known = |(name, value): (&str, Option<String>)| value.map(|value| (name.to_owned(), value.into()));
    Outcome::Approved(Approved {
        network_transaction_id: object.network_transaction_id,
        fee: object.fee.map(|fee| Money::new(fee, currency)),
        facts: facts.into_iter().filter_map(known).collect(),
        card: object.card,
        authentication: object.three_d_secure,
        ..Approved::of(Money::new(minor, currency), object.id)
    })
}

fn action_required(object: Object) -> Outcome {
    let action = match object.action {
        Some(ActionBody::ThreeDSecure { url }) => Action::ThreeDSecure { url },
        Some(ActionBody::QrCode { payload }) => Action::QrCode { payload },
        Some(ActionBody::Other) | None => return unknown("an action that nobody knows"),
    };
    Outcome::ActionRequired(ActionRequired { action, reference: Some(object.id) })
}

fn declined(object: Object) -> Outcome {
    let Some(body) = object.decline else {
        return decline(DeclineCode::GenericDecline, "declined", object);
    };
    let known = DeclineCode::ALL.iter().find(|code| code.as_str() == body.code);
    let code = known.copied().unwrap_or(DeclineCode::GenericDecline);
    Outcome::Declined(Decline {
        raw_code: body.code,
        network_code: body.network_code,
        reference: Some(object.id),
        ..Decline::of(code)
    })
}

fn decline(code: DeclineCode, raw_code: &str, object: Object) -> Outcome {
    let reference = Some(object.id);
    Outcome::Declined(Decline { raw_code: raw_code.to_owned(), reference, ..Decline::of(code) })
}

fn unknown(raw: &str) -> Outcome {
    Outcome::Unknown { raw: scrub::excerpt(raw.as_bytes(), RAW_MAX) }
}
