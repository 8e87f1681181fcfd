//! The composition as a whole: every declared table against both migrated schemas, and a node from
//! start to stop.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod schema;
mod start;
