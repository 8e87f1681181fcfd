//! Why a file of rules is refused.

use thiserror::Error;

/// A file of rules that cannot be used: where, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: line {line}: {key}: {what}")]
pub struct RoutesError {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The key, with the tables that it stands in: `rule.when.currency`.
    pub key: String,
    /// What is wrong, and what is allowed.
    pub what: String,
}
