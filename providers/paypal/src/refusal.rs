//! From PayPal's errors to outcomes: a decline, a refusal, or nothing that is certain.

use provider_kit::{Outcome, RefusalCause, Verb, scrub};

use crate::decline;
use crate::wire::{Failure, Kept, RAW_MAX};

/// An answer that says nothing.
pub(crate) fn unknown(raw: &str) -> Outcome {
    Outcome::Unknown { raw: scrub::excerpt(raw.as_bytes(), RAW_MAX) }
}

/// A refusal of our own, before anything is sent.
pub(crate) fn refused(code: &str, message: &str) -> Outcome {
    Outcome::Refused { cause: RefusalCause::Rule, code: code.to_owned(), message: message.to_owned() }
}

/// What came of a call that was not answered with its object.
pub(crate) fn of(verb: Verb, kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status, failure } => failed(verb, *status, failure),
        Kept::Unreadable { status, raw } => unknown(&format!("{status}: {raw}")),
        _ => unknown("the answer is about something else"),
    }
}

/// Behind these the first request of the key may still be at work, or has been done.
const SAYS_NOTHING: &[&str] = &[
    "DUPLICATE_REQUEST_ID",
    "ORDER_ALREADY_AUTHORIZED",
    "ORDER_ALREADY_CAPTURED",
    "ORDER_COMPLETED_OR_VOIDED",
    "ORDER_COMPLETION_IN_PROGRESS",
    "PREVIOUS_REQUEST_IN_PROGRESS",
];

fn failed(verb: Verb, status: u16, failure: &Failure) -> Outcome {
    let word = failure.word();
    let is_certain =
        matches!(status, 400..=499) && !matches!(status, 408 | 409) && !SAYS_NOTHING.contains(&word);
    if !is_certain {
        return unknown(&format!("{status}: {word}"));
    }
    let ends_it = match verb {
        Verb::Charge | Verb::Capture | Verb::Refund => decline::knows(word),
        Verb::Tokenize | Verb::Void | Verb::Cancel | Verb::Increment | Verb::Lookup => false,
    };
    if ends_it && status == 422 {
        return Outcome::Declined(decline::of(word, None));
    }
    refusal(status, failure)
}

/// PayPal's word for a payment token (`vault_id`) that it does not have.
const NO_SUCH_TOKEN: &str = "TOKEN_ID_NOT_FOUND";

fn refusal(status: u16, failure: &Failure) -> Outcome {
    let word = failure.word();
    let cause = match word {
        NO_SUCH_TOKEN => RefusalCause::UnknownToken,
        _ => RefusalCause::of_status(status),
    };
    Outcome::Refused { cause, code: word.to_owned(), message: failure.says() }
}

/// What came of a request that moves nothing, ahead of the one that does: a refusal of it means that nothing
/// was done.
pub(crate) fn of_read(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status: status @ 400..=499, failure } => refusal(*status, failure),
        other => of(Verb::Lookup, other),
    }
}

/// What came of a look-up that was not answered with its object. Only "there is no such thing" says
/// something about the operation.
pub(crate) fn of_look_up(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status: 404, .. } => Outcome::NotFound,
        Kept::Failed { status, failure } => unknown(&format!("{status}: {}", failure.word())),
        other => of(Verb::Lookup, other),
    }
}
