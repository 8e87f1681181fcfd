//! What one commit writes, and what became of it. The contract is part A of the protocol.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::record::{Record, RecordError, Table, encode_state};
use crate::{Advance, Cell, Event, Job, LedgerAccount, Scope, Timestamp, Transfer};

/// Which queue a commit waits in: settles go first and are never shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Writes down what a provider did.
    Settle,
    /// Asks for something new; shed with [`Outcome::Overloaded`] when the queue is full.
    Reserve,
    /// Nobody waits for it.
    Background,
}

/// Names one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The table's name.
    pub table: &'static str,
    /// Whose row.
    pub scope: Scope,
    /// The key after the scope.
    pub key: Vec<Cell>,
}

/// A new row; refused as [`Duplicate::Row`] if its key, or a unique index, has one.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The table.
    pub table: &'static Table,
    /// Whose row.
    pub scope: Scope,
    /// The key after the scope.
    pub key: Vec<Cell>,
    /// The promoted columns, in declared order.
    pub columns: Vec<Cell>,
    /// The state; empty in a table without one.
    pub state: Vec<u8>,
}

/// A row's next version; [`Outcome::Conflict`] unless it is still at `expected`.
#[derive(Clone, Debug)]
pub struct Update {
    /// The row as it becomes.
    pub row: Insert,
    /// The version that was read. The row is stored with the next one.
    pub expected: i64,
}

/// A row that goes; [`Outcome::Conflict`] unless it is still at `expected`. In a table that is not
/// versioned `expected` is 0.
#[derive(Clone, Debug)]
pub struct Remove {
    /// The table.
    pub table: &'static Table,
    /// Whose row.
    pub scope: Scope,
    /// The key after the scope.
    pub key: Vec<Cell>,
    /// The version that was read.
    pub expected: i64,
}

/// Claims an idempotency key in the same commit as the write it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose key.
    pub scope: Scope,
    /// The merchant's `Idempotency-Key`.
    pub key: String,
    /// The route that it was used on.
    pub route: Cow<'static, str>,
    /// Keyed MAC of the canonical body.
    pub mac: Vec<u8>,
    /// The MAC that the same body had before there was a card vault, where that is another. Never stored: a
    /// claim that was made then stands for this request, too.
    pub mac_before: Option<Vec<u8>>,
    /// The operation that will answer, as text; `None` if the answer comes with the claim.
    pub operation: Option<String>,
    /// The encoded [`Answer`], if it is known already.
    pub answer: Option<Vec<u8>>,
}

impl Claim {
    /// Whether a stored claim of this route and MAC was made for the same request.
    pub fn is_of(&self, route: &str, mac: &[u8]) -> bool {
        self.route == route && (self.mac == mac || self.mac_before.as_deref() == Some(mac))
    }
}

/// Changes a claim that a commit made earlier: moves it to a successor or writes its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimUpdate {
    /// Whose key.
    pub scope: Scope,
    /// The key.
    pub key: String,
    /// The operation that answers now.
    pub operation: Option<String>,
    /// The encoded [`Answer`]; `None` leaves it unanswered.
    pub answer: Option<Vec<u8>>,
}

/// What a key is answered with, for ever: enough for the edge to render the first answer again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The route.
    pub route: String,
    /// What came of it, in the words of the feature that wrote it.
    pub outcome: Box<RawValue>,
    /// The object that the answer shows, as text.
    pub subject: String,
    /// That object's version.
    pub version: i64,
    /// That object as it was.
    pub snapshot: Box<RawValue>,
}

/// Proof of leadership: the commit is refused once somebody else holds the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is led.
    pub name: String,
    /// Grows with every new holder.
    pub epoch: i64,
}

/// All that one commit writes: together or not at all.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Unique; names the commit in logs.
    pub id: Uuid,
    /// Its queue.
    pub lane: Lane,
    /// The record whose changes are serial; also where the commit is routed without a claim.
    pub subject: Option<RowKey>,
    /// Claims an idempotency key.
    pub claim: Option<Claim>,
    /// Answers or moves claims that were made before; each must exist.
    pub answer: Vec<ClaimUpdate>,
    /// New rows.
    pub insert: Vec<Insert>,
    /// Next versions of rows.
    pub update: Vec<Update>,
    /// Rows that go.
    pub remove: Vec<Remove>,
    /// Events, in order; those of one subject are numbered without a gap.
    pub emit: Vec<Event>,
    /// Ledger postings.
    pub post: Vec<Transfer>,
    /// New background work.
    pub enqueue: Vec<Job>,
    /// A job that this commit completes, with the epoch under which it was taken.
    pub finish: Option<(Scope, Uuid, i64)>,
    /// A lease that must still be held.
    pub require: Option<Lease>,
    /// Moves a test merchant's clock: jobs that were promised become due earlier in this commit, but not
    /// before it, those under a lease included (their epoch fences whoever holds it).
    pub advance: Option<Advance>,
}

impl Changes {
    /// An empty commit.
    pub const fn new(id: Uuid, lane: Lane) -> Self {
        Self {
            id,
            lane,
            subject: None,
            claim: None,
            answer: Vec::new(),
            insert: Vec::new(),
            update: Vec::new(),
            remove: Vec::new(),
            emit: Vec::new(),
            post: Vec::new(),
            enqueue: Vec::new(),
            finish: None,
            require: None,
            advance: None,
        }
    }

    /// Adds a new record.
    pub fn insert<R: Record>(&mut self, scope: Scope, record: &R) -> Result<(), RecordError> {
        self.insert.push(row(scope, record)?);
        Ok(())
    }

    /// Adds a record's next version.
    pub fn update<R: Record>(&mut self, scope: Scope, record: &R, expected: i64) -> Result<(), RecordError> {
        self.update.push(Update { row: row(scope, record)?, expected });
        Ok(())
    }

    /// Removes a record.
    pub fn remove<R: Record>(&mut self, scope: Scope, key: Vec<Cell>, expected: i64) {
        self.remove.push(Remove { table: R::TABLE, scope, key, expected });
    }
}

fn row<R: Record>(scope: Scope, record: &R) -> Result<Insert, RecordError> {
    Ok(Insert {
        table: R::TABLE,
        scope,
        key: record.key(),
        columns: record.columns(),
        state: encode_state(record)?,
    })
}

/// What stood in the way of an insert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// The idempotency key is claimed.
    Claim,
    /// A row of this table has the key or the value of a unique index.
    Row {
        /// The table's name.
        table: &'static str,
    },
}

/// What became of a commit. Only `Committed` wrote anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is durable. `at` is the database's time.
    Committed {
        /// Database time of the commit.
        at: Timestamp,
    },
    /// A version moved, a row was gone, or a lease or job was lost: reload and decide again.
    Conflict,
    /// Something that must be new exists.
    Duplicate(Duplicate),
    /// A flagged account would go below zero.
    Overdrawn(LedgerAccount),
    /// It can never be written as it is (a text that the database cannot hold, a broken constraint).
    Refused(String),
    /// Certainly not written; the reason is for the log.
    NotCommitted(String),
    /// Certainly not written: there is no room on the disk. Reads go on, and so does everything once
    /// there is room again.
    StorageFull,
    /// Certainly not written: the queue of reserves is full.
    Overloaded,
    /// Not known, and the store is closing: only seen at shutdown. Nothing may be sent on it.
    Indeterminate,
}
