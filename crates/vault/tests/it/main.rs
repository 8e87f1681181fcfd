//! The vault against a store: first start, later starts, other secrets, and starts that race; and the
//! card vault on every store.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

mod card_world;
mod cards;
mod erasure;
mod key_file;
mod keystore;
mod open;
mod rotation;
mod world;
