//! What a file of rules may say, what is decided by it, and what is learned.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failing test may panic")]

mod choosing;
mod health;
mod reading;
mod replay;
mod world;
