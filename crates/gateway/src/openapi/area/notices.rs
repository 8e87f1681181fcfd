//! What providers send.

use schemars::SchemaGenerator;

use crate::openapi::operation::{Answer, Content, Operation, Query};
use crate::problem::catalogue as code;
use crate::webhooks::Received;

static RECEIVE_NOTICE: Operation = Operation {
    id: "receive_provider_notice",
    method: "POST",
    path: "/webhooks/{provider}/{account}",
    tag: "Provider notices",
    summary: "Receive a provider's notice",
    about: "The address that you give a provider for its webhooks. What comes is stored as it is, verified \
            by the provider's own signature, and only then believed.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "The notice is stored.",
        content: Content::Json(SchemaGenerator::subschema_for::<Received>),
        links: &[],
    }],
    problems: &[&[
        &code::INVALID_REQUEST,
        &code::NOT_FOUND,
        &code::REQUEST_TIMEOUT,
        &code::BODY_TOO_LARGE,
        &code::OVERLOADED,
        &code::UNAVAILABLE,
    ]],
    samples: &[],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&RECEIVE_NOTICE];
