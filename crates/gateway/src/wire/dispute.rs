//! A dispute, as its payment shows it.

use kernel::Id;
use payments::{DisputeKind, DisputeSummary};
use schemars::JsonSchema;
use serde::Serialize;

use super::At;
use crate::openapi::form;

/// The payer's bank takes money back until it is decided.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DisputeSummary")]
pub(super) struct DisputeLine<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<DisputeKind>")]
    id: Id<DisputeKind>,
    /// What is disputed, in minor units.
    amount: i64,
    /// Where it stands: one that is open again is `open`.
    #[schemars(with = "form::DisputeStatusWord")]
    status: &'static str,
    /// The provider's reason code.
    reason: &'a str,
    /// When it was opened.
    created_at: At,
    /// When it last moved.
    updated_at: At,
}

impl<'a> DisputeLine<'a> {
    pub(super) fn of(dispute: &'a DisputeSummary) -> Self {
        Self {
            id: dispute.id,
            amount: dispute.amount,
            status: dispute.status().as_str(),
            reason: &dispute.reason,
            created_at: At(dispute.created_at),
            updated_at: At(dispute.updated_at),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(super) const fn is_zero(value: &i64) -> bool {
    *value == 0
}
