//! Durable background work.

use uuid::Uuid;

use crate::{Cell, Scope};

/// Work to be done at or after a time, at least once: whoever runs it must bear a repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose work.
    pub scope: Scope,
    /// Unique.
    pub id: Uuid,
    /// Which code runs it.
    pub kind: &'static str,
    /// [`Cell::Time`] or [`Cell::After`], by the database's clock.
    pub due: Cell,
    /// Whether the due time is a promise in time (an expiry, a delayed capture, the retry of a delivery):
    /// it then comes earlier when a test merchant moves its clock. Work that merely follows from
    /// something, like the reading of a delivery, and recovery are not.
    pub promised: bool,
    /// What the code needs to know, in a form of its own.
    pub payload: Vec<u8>,
}

/// A job taken under a lease. A `Changes` that finishes it carries `epoch`, so that a worker whose
/// lease ran out cannot finish it late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenJob {
    /// Whose work.
    pub scope: Scope,
    /// The job.
    pub id: Uuid,
    /// Which code runs it.
    pub kind: String,
    /// How often it was taken, this time included.
    pub attempts: i64,
    /// Grows with every taking.
    pub epoch: i64,
    /// What was enqueued.
    pub payload: Vec<u8>,
}
