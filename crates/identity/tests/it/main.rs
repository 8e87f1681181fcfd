//! Merchants and keys over the memory store.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

mod authentication;
mod first_start;
mod own_keys;
mod verbs;
mod world;
