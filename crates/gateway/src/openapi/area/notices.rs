//! What providers send.

use crate::openapi::operation::{Answer, Content, Operation};
use crate::problem::catalogue as code;
use crate::webhooks::Received;

static RECEIVE_NOTICE: Operation =
    Operation::new("receive_provider_notice", "POST", "/webhooks/{provider}/{account}", "Provider notices")
        .says(
            "Receive a provider's notice",
            "The address that you give a provider for its webhooks. What comes is stored as it is, verified \
            by the provider's own signature, and only then believed.",
        )
        .answers(&[Answer::new(200, "The notice is stored.", Content::json::<Received>())])
        .problems(&[&[
            &code::INVALID_REQUEST,
            &code::NOT_FOUND,
            &code::REQUEST_TIMEOUT,
            &code::BODY_TOO_LARGE,
            &code::OVERLOADED,
            &code::STORAGE_FULL,
            &code::UNAVAILABLE,
        ]]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&RECEIVE_NOTICE];
