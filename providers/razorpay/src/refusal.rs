//! From Razorpay's errors to outcomes: a decline, a refusal, or nothing that is certain.

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

/// Behind these something was done, perhaps by us.
const SAYS_NOTHING: &[&str] = &[
    "capture_failed",
    "duplicate_refund_id",
    "duplicate_request",
    "duplicate_rrn_found",
    "order_already_paid",
    "payment_pending",
    "payment_pending_approval",
    "request_timed_out",
    "server_error",
    "verification_failed",
];

/// What the words of a refund's key say: an earlier request with it was taken on.
const KEY_IS_USED: &str = "idempotency key";

fn failed(verb: Verb, status: u16, failure: &Failure) -> Outcome {
    let word = failure.word();
    let key_is_used = failure.description.as_deref().is_some_and(|text| text.contains(KEY_IS_USED));
    let is_certain =
        matches!(status, 400..=499) && !matches!(status, 408 | 409) && !SAYS_NOTHING.contains(&word);
    if !is_certain || key_is_used {
        return unknown(&format!("{status}: {word}"));
    }
    if verb == Verb::Charge && decline::knows(word) {
        return Outcome::Declined(decline::of(failure, None));
    }
    refusal(status, failure)
}

fn refusal(status: u16, failure: &Failure) -> Outcome {
    let cause = RefusalCause::of_status(status);
    Outcome::Refused { cause, code: failure.word().to_owned(), message: failure.says() }
}

/// What came of a request that moves nothing, ahead of the one that does: a refusal of it means that nothing
/// was done.
pub(crate) fn of_read(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status: status @ 400..=499, failure } => refusal(*status, failure),
        other => of(Verb::Lookup, other),
    }
}

/// What came of a look-up that was not answered with its object: nothing is certain then. Razorpay has no
/// word of its own for "there is no such thing", which a wrong key would not say as well.
pub(crate) fn of_look_up(kept: &Kept) -> Outcome {
    match kept {
        Kept::Failed { status, failure } => unknown(&format!("{status}: {}", failure.word())),
        other => of(Verb::Lookup, other),
    }
}
