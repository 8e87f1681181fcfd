//! SQLite: one writer thread, WAL, readers on connections of their own.
//!
//! The writer drains what waits into one `BEGIN IMMEDIATE` transaction. Its first attempt writes
//! without savepoints; if a commit of the batch loses, the batch is rolled back and written again
//! with a savepoint per commit, so that the losers alone are undone. Reads run on the caller's thread:
//! a read by key costs microseconds. A second process may open the same file; either waits five
//! seconds for the other's transaction.

mod apply;
mod bind;
mod checkpoint;
mod examine;
mod log;
mod migrate;
mod read;
mod trouble;
mod work;
mod writer;

pub use examine::{SqliteFacts, examine_sqlite};

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Lease, Outcome, Query, Row, Scope, Store, StoreError, Table, TakenJob,
    Timestamp,
};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use crate::batch::{Ticket, prepare};
use crate::intake::Intake;
use crate::measure::Measures;
use crate::{OpenError, Options, Schema, Synchronous};
use checkpoint::Checkpoints;
use read::Readers;

/// Work that only the writer may do: runs in a transaction of its own.
type Call = Box<dyn FnOnce(&Connection) + Send>;

/// Opens, and if need be creates, the database file at `path`.
///
/// Blocks while another process migrates the same file.
pub fn open_sqlite(path: &Path, schema: Schema, options: Options) -> Result<Arc<dyn Store>, OpenError> {
    // Without syncs nothing was promised to be there.
    if options.synchronous == Synchronous::Full {
        log::check(path)?;
    }
    let mut connection = connect(path, &options)?;
    migrate::migrate(&mut connection, &schema, &options)?;
    let readers = Readers::open(path, options.readers)?;
    let copier = connect(path, &options)?;
    let shared = Arc::new(Shared::new(schema, options));
    shared.checkpoints.start(copier).map_err(|error| OpenError::Database(error.to_string()))?;
    let writer = std::thread::Builder::new().name("store-writer".to_owned()).spawn({
        let shared = Arc::clone(&shared);
        move || writer::run(&shared, &connection)
    });
    let writer = writer.map_err(|error| OpenError::Database(error.to_string()))?;
    shared.writer.lock().replace(writer.thread().clone());
    Ok(Arc::new(Sqlite { shared, readers, writer: Mutex::new(Some(writer)) }))
}

fn connect(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
        Synchronous::Off => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // KiB: the interior pages and the newest leaves of all tables. A larger cache costs more than it
    // saves: after a page split SQLite looks through the whole of it at the commit.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // A thread of its own copies the log; see `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // No memory map: its pages count as this process's memory, and with a file of gigabytes they would be
    // most of it. What the cache does not hold is in the system's.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// What callers and the writer share.
struct Shared {
    schema: Schema,
    options: Options,
    intake: Intake<Call>,
    writer: Arc<Mutex<Option<std::thread::Thread>>>,
    enqueued: Notify,
    checkpoints: Arc<Checkpoints>,
    measures: Measures,
}

impl Shared {
    fn new(schema: Schema, options: Options) -> Self {
        let writer: Arc<Mutex<Option<std::thread::Thread>>> = Arc::default();
        let wake = {
            let writer = Arc::clone(&writer);
            move || {
                if let Some(thread) = &*writer.lock() {
                    thread.unpark();
                }
            }
        };
        let intake = Intake::new(options.reserve_limit, wake);
        let (checkpoints, measures) = (Arc::default(), Measures::new(options.name));
        Self { schema, options, intake, writer, enqueued: Notify::new(), checkpoints, measures }
    }

    fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Wakes all that wait for work, and the next one that would begin to wait.
    fn wake_workers(&self) {
        self.enqueued.notify_waiters();
        self.enqueued.notify_one();
    }
}

struct Sqlite {
    shared: Arc<Shared>,
    readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Sqlite {
    /// Runs `work` in a transaction of the writer.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call: Call = Box::new(move |connection| {
            drop(reply.send(writer::transact(connection, work)));
        });
        if !self.shared.intake.call(call) {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        match answer.await {
            Ok(result) => result.map_err(|error| unavailable(&error)),
            Err(_) => Err(StoreError::Unavailable("the writer ended".to_owned())),
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.shared.intake.close();
        if let Some(writer) = self.writer.lock().take() {
            // A panic of the writer was reported where it happened.
            drop(writer.join());
        }
    }
}

impl Store for Sqlite {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let prepared = match prepare(&self.shared.schema, changes) {
                Ok(prepared) => prepared,
                Err(reason) => return Outcome::Refused(reason),
            };
            let (reply, answer) = oneshot::channel();
            self.shared.intake.submit(Ticket::new(prepared, reply));
            let outcome = answer.await.unwrap_or(Outcome::Indeterminate);
            self.shared.measures.answered(&outcome);
            outcome
        })
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        Box::pin(async move { self.readers.get(table, scope, &key) })
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move { self.readers.find(&query, self.shared.now()) })
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        Box::pin(async move {
            // Looking first costs no write transaction while nothing is due.
            if !self.readers.any_due(kinds, self.shared.now())? {
                return Ok(Vec::new());
            }
            let (kinds, clock) = (kinds.to_vec(), Arc::clone(&self.shared.options.clock));
            self.write(move |connection| work::take_jobs(connection, &kinds, limit, lease, clock.now())).await
        })
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let (scope, id, epoch) = (job.scope, job.id, job.epoch);
            let clock = Arc::clone(&self.shared.options.clock);
            self.write(move |connection| {
                work::return_job(connection, scope, id, epoch, clock.now().plus(delay))
            })
            .await
        })
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        Box::pin(async move {
            if self.readers.held_by_another(name, holder, self.shared.now())? {
                return Ok(None);
            }
            let (name, clock) = (name.to_owned(), Arc::clone(&self.shared.options.clock));
            self.write(move |connection| work::lease(connection, name, holder, length, clock.now())).await
        })
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            if !self.readers.any_unsequenced()? {
                return Ok(0);
            }
            let lease = lease.clone();
            self.write(move |connection| work::sequence(connection, &lease, limit)).await
        })
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let before = self.shared.now().minus(older_than);
            // Looking first costs no write transaction while nothing is old.
            if !self.readers.any_claim_before(before)? {
                return Ok(0);
            }
            let lease = lease.clone();
            self.write(move |connection| work::forget_claims(connection, &lease, before, limit)).await
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move {
            // A disk that failed closed the store: who asks whether it serves must learn so.
            if self.shared.intake.is_closing() {
                return Err(StoreError::Unavailable("the store is closed".to_owned()));
            }
            self.readers.ping()?;
            Ok(self.shared.now())
        })
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shared.enqueued.notified())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.shared.intake.close();
            let writer = self.writer.lock().take();
            if let Some(writer) = writer {
                // The writer ends after at most the batches that wait; blocking here for that long
                // is what a stopping process does anyway.
                drop(writer.join());
            }
        })
    }
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
