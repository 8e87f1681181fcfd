//! The composition as a whole: every declared table against both migrated schemas, and a node from
//! start to stop.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failing test may panic"
)]

mod lists;
mod schema;
mod start;
