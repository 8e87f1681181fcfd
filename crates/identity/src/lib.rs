//! Who may call: merchants and their API keys.
//!
//! A [`Merchant`] is a tenant with a test and a live world. An [`ApiKey`] opens one of the two; its
//! text is shown once and stored only as a MAC under the vault's key, so that a stolen database opens
//! nothing. [`Identity`] creates, rotates, revokes and lists them, and turns the text of a key into a
//! [`Principal`] on the hot path of every request, from a cache that is never older than five
//! seconds: a revoked key is dead on every node by then. A key's end by time is exact.
//!
//! All rows of a merchant itself, its live keys' too, live under its test scope. Nothing that a
//! payment reads is here.

mod access_scope;
mod authentication;
mod cache;
mod claimed;
mod error;
mod event;
mod key;
mod key_text;
mod merchant;
mod own_keys;
mod schema;
mod service;

pub use access_scope::{AccessScope, AccessScopes, UnknownAccessScope};
pub use authentication::{AuthenticationError, CACHE_LIFE, Principal};
pub use error::IdentityError;
pub use event::{API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED, EVENT_KINDS, MERCHANT_CREATED};
pub use key::{ApiKey, ApiKeyMark, KeyKind, KeyStatus, NewKey};
pub use merchant::Merchant;
pub use own_keys::{KeyPage, Made, OWN_OVERLAP_MIN};
pub use schema::{API_KEY, MERCHANT, MIGRATIONS, TABLES};
pub use service::{FirstStart, Identity, Rotated};
