//! Providers.

use crate::openapi::operation::{Answer, Content, Operation, Sample};
use crate::wire::{ListObject, ProviderObject};

static LIST_PROVIDERS: Operation = Operation::new("list_providers", "GET", "/providers", "Providers")
    .says("List providers", "What each can do, and this world's accounts there.")
    .answers(&[Answer::new(200, "All providers.", Content::json::<ListObject<ProviderObject>>())])
    .samples(&[Sample::new("all", "All of them")]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&LIST_PROVIDERS];
