//! From Stripe's errors to outcomes: a decline, a refusal, or nothing that is certain.

use provider_kit::{Outcome, RefusalCause, Verb, scrub};

use crate::decline;
use crate::mapping;
use crate::wire::{Failure, Kept, RAW_MAX};

/// An answer that says nothing.
pub(crate) fn unknown(raw: &str) -> Outcome {
    Outcome::Unknown { raw: scrub::excerpt(raw.as_bytes(), RAW_MAX) }
}

/// A refusal of our own, before anything is sent.
pub(crate) fn refused(code: &str, message: &str) -> Outcome {
    Outcome::Refused { cause: RefusalCause::Rule, code: code.to_owned(), message: message.to_owned() }
}

fn name(failure: &Failure) -> String {
    failure.code.clone().unwrap_or_else(|| failure.r#type.clone())
}

/// What came of a call that was not answered with its object.
pub(crate) fn of(verb: Verb, kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status, error } => failed(verb, *status, error),
        Kept::Unreadable { status, raw } => unknown(&format!("{status}: {raw}")),
        _ => unknown("the answer is about something else"),
    }
}

fn failed(verb: Verb, status: u16, failure: &Failure) -> Outcome {
    let word = name(failure);
    let is_certain = matches!(status, 400..=499)
        // Behind a conflict or a time-out the first request of the key may still be at work, and a key
        // that was used for something else says that there was another request.
        && !matches!(status, 408 | 409 | 424)
        && failure.r#type != "idempotency_error";
    if !is_certain {
        return unknown(&format!("{status}: {word}"));
    }
    // Not by the status: 402 is also how Stripe refuses card numbers that it does not let a server send.
    let is_decline = failure.r#type == "card_error";
    let ends_it = match verb {
        Verb::Refund | Verb::Capture => failure.code.as_deref().is_some_and(decline::knows),
        Verb::Tokenize | Verb::Charge | Verb::Void | Verb::Cancel | Verb::Increment | Verb::Lookup => false,
    };
    if is_decline || ends_it {
        return Outcome::Declined(decline::of(failure, mapping::reference_of(failure)));
    }
    refusal(status, failure)
}

fn refusal(status: u16, failure: &Failure) -> Outcome {
    let word = name(failure);
    // Stripe names the parameter that named nothing; that of a charge is its payment method.
    let is_method = failure.param.as_deref() == Some("payment_method");
    let cause = match word.as_str() {
        "resource_missing" if is_method => RefusalCause::UnknownToken,
        _ => RefusalCause::of_status(status),
    };
    let message = failure.message.clone().unwrap_or_default();
    let code = if word.is_empty() { format!("http_{status}") } else { word };
    Outcome::Refused { cause, code, message }
}

/// What came of a request that only reads, ahead of the one that does something: a refusal of it means
/// that nothing was done.
pub(crate) fn of_read(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status: status @ 400..=499, error } => refusal(*status, error),
        other => of(Verb::Lookup, other),
    }
}

/// What came of a look-up that was not answered with its object. Only "there is no such thing" says
/// something about the operation.
pub(crate) fn of_look_up(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status: 404, error } if error.code.as_deref() == Some("resource_missing") => {
            Outcome::NotFound
        }
        Kept::Failed { status, error } => unknown(&format!("{status}: {}", name(error))),
        other => of(Verb::Lookup, other),
    }
}
