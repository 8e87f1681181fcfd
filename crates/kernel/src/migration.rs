//! One step of the database's schema, as the crate that owns the tables ships it.

/// A migration: the same step in both dialects. Runs once per database, in order of numbers, which
/// are unique across all crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order.
    pub number: u32,
    /// What it does, as in its file's name.
    pub name: &'static str,
    /// SQL for SQLite; may be several statements.
    pub sqlite: &'static str,
    /// SQL for PostgreSQL; may be several statements.
    pub postgres: &'static str,
}
