//! Providers.

use schemars::SchemaGenerator;

use crate::openapi::operation::{Answer, Content, Need, Operation, Query, Sample};
use crate::wire::{ListObject, ProviderObject};

static LIST_PROVIDERS: Operation = Operation {
    id: "list_providers",
    method: "GET",
    path: "/providers",
    tag: "Providers",
    summary: "List providers",
    about: "What each can do, and this world's accounts there.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "All providers.",
        content: Content::Json(SchemaGenerator::subschema_for::<ListObject<ProviderObject>>),
        links: &[],
    }],
    problems: &[],
    samples: &[Sample { name: "all", summary: "All of them", needs: Need::Nothing, query: "", body: "" }],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&LIST_PROVIDERS];
