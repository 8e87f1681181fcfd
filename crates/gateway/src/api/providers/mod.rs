//! Providers.

pub(crate) mod list;
