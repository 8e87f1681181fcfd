//! API keys, of the world that the caller's own key opens.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;

/// The word for what is not found.
const API_KEY: &str = "API key";
