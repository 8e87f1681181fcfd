//! The gateway's tests: the strict reader, the shapes, and the routes over a node in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failing test may panic")]

mod commands;
mod json;
mod metadata;
mod problems;
mod query;
mod shapes;
