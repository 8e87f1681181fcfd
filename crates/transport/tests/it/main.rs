//! The transport against small servers that misbehave in every way that a network does.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

mod connections;
mod faults;
mod limits;
mod messages;
mod tls;
mod tokens;
mod world;
