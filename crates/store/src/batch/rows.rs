//! Which rows a commit touches: a row appears once per batch, later changes to it wait.

use kernel::{Cell, Scope, quick_hash};

/// A row as a number. Two rows that share one only wait for each other without need: the hash is of
/// 64 bits and never decides what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RowHash(u64);

/// What a commit expects of a row that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// There is none: it inserts it. The place of the table in the schema.
    Absent(usize),
    /// It is at this version; 0 in a table without versions.
    Version(i64),
    /// It is there. Whether the change applies is the database's answer alone.
    Present,
}

/// One row that a commit touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) row: RowHash,
    pub(crate) want: Want,
}

/// What a committed batch did to a row: what is known of it afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It exists, at this version if its table has versions.
    Exists(i64),
    /// It is gone.
    Gone,
    /// It was changed in a way that says nothing to others.
    Changed,
}

/// Names a row by its table, its scope and its key.
pub(crate) fn hash_row(table: &str, scope: Option<Scope>, key: &[Cell]) -> RowHash {
    RowHash(quick_hash((table, scope.map(Scope::to_bytes), key)))
}

impl RowHash {
    /// The number itself, for routing.
    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}
