//! The ports: how pure code reaches the world. `node` implements the small ones once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::record::{Cell, Query, RecordError, Row, Table};
use crate::{Changes, Lease, Outcome, Scope, TakenJob, Timestamp};

/// A future behind a pointer, so that a port can be an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The store could not answer a read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The database is not reachable or is shutting down; the reason is for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A row cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Where everything is kept. The contract is part A of the protocol.
///
/// All methods may run at the same time from any task. `commit` is durable when it answers
/// `Committed`; the store retries what is safe to retry (deadlocks, serialization failures, a lost
/// answer), the caller reloads and decides again after `Conflict`.
pub trait Store: Send + Sync + 'static {
    /// Writes all of `changes` or nothing of it.
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome>;

    /// Reads one row by its key. Concurrent reads may be grouped into one round trip.
    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>>;

    /// Reads the rows that a query finds, in its order.
    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>>;

    /// Takes up to `limit` due jobs of these kinds for the length of `lease`. A job that is not
    /// finished by then is taken again, with the next epoch.
    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>>;

    /// Gives a taken job back: it becomes due after `delay`. Does nothing if the epoch moved on.
    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Takes or renews a lease for `holder`: `None` while somebody else holds it. A new holder gets
    /// the next epoch; a renewal keeps it.
    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>>;

    /// Gives up to `limit` journal rows their positions, under a lease that must still be held.
    /// Answers how many rows it numbered.
    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Forgets up to `limit` answered idempotency keys that were claimed longer than `older_than` ago,
    /// under a lease that must still be held. A key without an answer stays: whoever finishes its
    /// operation will write one. Answers how many there were.
    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// The database's time; also the check that it answers.
    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>>;

    /// Completes when new work was enqueued through this process, or never.
    fn enqueued(&self) -> BoxFuture<'_, ()>;

    /// Writes what is queued, then refuses more. Answers when all is on disk.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Time since some fixed moment of this process; never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub Duration);

/// The clocks, and waiting.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// The monotonic clock.
    fn monotonic(&self) -> Monotonic;
    /// Completes after `length` of monotonic time.
    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()>;
}

/// New ids.
pub trait Ids: Send + Sync + 'static {
    /// A UUIDv7 by the real clock, never twice.
    fn uuid(&self) -> Uuid;
}

/// Randomness fit for keys.
pub trait Random: Send + Sync + 'static {
    /// Fills the slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// Work that outlives the request that began it.
pub trait Tasks: Send + Sync + 'static {
    /// Runs `work` to its end under supervision: a stopping process waits for it, a panic in it is
    /// logged and ends only it.
    fn spawn(&self, name: &'static str, work: BoxFuture<'static, ()>);
}
