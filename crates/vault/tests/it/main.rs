//! The vault against a store: first start, later starts, other secrets, and starts that race.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

mod key_file;
mod open;
mod world;
