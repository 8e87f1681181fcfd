//! What the books refuse.

use kernel::{Money, PostingKind};
use thiserror::Error;

/// Why something cannot be posted or checked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// Nobody posts less than nothing: the opposite posting is what is meant.
    #[error("a posting cannot be of {0}")]
    Negative(Money),
    /// This kind has no rule of one debit and one credit.
    #[error("`{}` is posted by no single rule", .0.as_str())]
    NoRule(PostingKind),
    /// Rows must be handed to the check in the order of their keys.
    #[error("transfers were not handed in in the order of their keys")]
    Order,
}
