//! What providers send.

use crate::openapi::operation::{Answer, Content, Operation};
use crate::problem::Entry;
use crate::problem::catalogue as code;
use crate::webhooks::notice::Received;

const RECEIVED: Answer = Answer::new(200, "The notice is stored.", Content::json::<Received>());
const PROBLEMS: &[&Entry] = &[
    &code::INVALID_REQUEST,
    &code::WRONG_SIGNATURE,
    &code::NOT_FOUND,
    &code::REQUEST_TIMEOUT,
    &code::EVENT_NOT_FRESH,
    &code::BODY_TOO_LARGE,
    &code::RATE_LIMITED,
    &code::OVERLOADED,
    &code::STORAGE_FULL,
    &code::UNDECIDED,
    &code::UNAVAILABLE,
];

static RECEIVE_NOTICE: Operation =
    Operation::new("receive_provider_notice", "POST", "/webhooks/{provider}/{account}", "Provider notices")
        .says(
            "Receive a provider's notice",
            "The address that you give a provider for its webhooks. What the account's secret shows to be \
            forged is refused; all else is stored as it is, verified by the provider's own signature, and \
            only then believed.",
        )
        .answers(&[RECEIVED])
        .problems(&[PROBLEMS]);

static RECEIVE_NOTICE_FOR_ONE: Operation = Operation::new(
    "receive_notice_for_one",
    "POST",
    "/webhooks/{provider}",
    "Provider notices",
)
.says(
    "Receive a provider's notice, for its one account",
    "The same without the account's id, where this installation has just one account at the provider.",
)
.answers(&[RECEIVED])
.problems(&[PROBLEMS]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&RECEIVE_NOTICE, &RECEIVE_NOTICE_FOR_ONE];
