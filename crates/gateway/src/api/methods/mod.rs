//! Stored payment methods, and those of a customer.

pub(crate) mod attach;
pub(crate) mod delete;
pub(crate) mod detach;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod tokenize;

/// The word for what is not found.
pub(crate) const METHOD: &str = "payment method";
