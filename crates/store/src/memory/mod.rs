//! Memory: the same committer over maps, and the place where faults are injected.
//!
//! Without [`kernel::Tasks`] the caller that finds the committer idle runs it, synchronously: nothing
//! here has a thread, a timer or a clock of its own, so that a simulation repeats exactly. With tasks
//! and a clock, batches are written by a task and faults may take time.

mod apply;
mod world;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Clock, Lease, Outcome, Query, Row, Scope, Store, StoreError, Table, TakenJob,
    Tasks, Timestamp,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use crate::Schema;
use crate::batch::{Ticket, prepare};
use crate::intake::{Found, Intake};
use world::World;

/// What happens to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Each commit of it is answered with this and nothing is written.
    Loses(Outcome),
    /// It is written after this long. Needs tasks.
    Delay(Duration),
    /// The connection breaks before it is sent: certainly not written.
    FailsBefore,
    /// The answer is lost and it was never written: the committer asks, makes sure that it never
    /// will be, and writes it again.
    LostBefore,
    /// The answer is lost and it was written: the committer asks and learns so.
    LostAfter,
    /// The answer is lost while it is on its way: the first question finds nothing decided, then it
    /// is written, and the second question learns so.
    LostMeanwhile,
    /// The store closes before the committer can ask: the callers see `Indeterminate`.
    Closes {
        /// Whether it was written.
        written: bool,
    },
}

type Source = Box<dyn FnMut() -> Option<Fault> + Send>;

/// A store that forgets everything when it goes: what one process has of it, with a committer and
/// faults of its own. Several may share the same rows ([`Memory::beside`]).
pub struct Memory {
    inner: Arc<Inner>,
}

/// The database: what all processes share.
struct Database {
    schema: Schema,
    world: Mutex<World>,
    time: Time,
}

struct Inner {
    database: Arc<Database>,
    intake: Intake<std::convert::Infallible>,
    tasks: Option<Arc<dyn Tasks>>,
    leading: Mutex<bool>,
    faults: Mutex<Faults>,
    enqueued: Notify,
}

#[derive(Default)]
struct Faults {
    next: VecDeque<Fault>,
    source: Option<Source>,
}

/// The database's time.
enum Time {
    /// Moves by a microsecond a commit and by [`Memory::advance`].
    Own(AtomicI64),
    Clock(Arc<dyn Clock>),
}

/// 2026-01-01T00:00:00Z.
const BEGINNING_MICROS: i64 = 1_767_225_600_000_000;
/// Commits in one batch; as on the other backends.
const BATCH_LIMIT: usize = 256;
const RESERVE_LIMIT: usize = 4096;
/// Between two questions about a batch whose answer was lost.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// An empty store with a time of its own, which moves by a microsecond a commit.
pub fn open_memory(schema: Schema) -> Arc<Memory> {
    open(schema, Time::Own(AtomicI64::new(BEGINNING_MICROS)), None)
}

/// An empty store by this clock. With `tasks`, batches are written by a task and faults may take time.
pub fn open_memory_with(schema: Schema, clock: Arc<dyn Clock>, tasks: Option<Arc<dyn Tasks>>) -> Arc<Memory> {
    open(schema, Time::Clock(clock), tasks)
}

fn open(schema: Schema, time: Time, tasks: Option<Arc<dyn Tasks>>) -> Arc<Memory> {
    let world = Mutex::new(World::new(&schema));
    over(Arc::new(Database { schema, world, time }), tasks)
}

fn over(database: Arc<Database>, tasks: Option<Arc<dyn Tasks>>) -> Arc<Memory> {
    let inner = Inner {
        database,
        intake: Intake::new(RESERVE_LIMIT, || ()),
        tasks,
        leading: Mutex::new(false),
        faults: Mutex::default(),
        enqueued: Notify::new(),
    };
    Arc::new(Memory { inner: Arc::new(inner) })
}

impl Memory {
    /// The same rows as another process has them: with a committer and faults of its own, run by `tasks`.
    pub fn beside(&self, tasks: Arc<dyn Tasks>) -> Arc<Self> {
        over(Arc::clone(&self.inner.database), Some(tasks))
    }

    /// Lets `fault` happen to the next batch that has none yet.
    pub fn inject(&self, fault: Fault) {
        self.inner.faults.lock().next.push_back(fault);
    }

    /// Asks `source` before each batch, after what was injected singly.
    pub fn inject_from(&self, source: impl FnMut() -> Option<Fault> + Send + 'static) {
        self.inner.faults.lock().source = Some(Box::new(source));
    }

    /// Moves a time of its own forward; does nothing by a clock.
    pub fn advance(&self, by: Duration) {
        if let Time::Own(micros) = &self.inner.database.time {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
        }
    }
}

impl Database {
    fn now(&self) -> Timestamp {
        match &self.time {
            Time::Own(micros) => Timestamp::from_micros(micros.load(Ordering::Relaxed)),
            Time::Clock(clock) => clock.now(),
        }
    }

    fn tick(&self) -> Timestamp {
        if let Time::Own(micros) = &self.time {
            micros.fetch_add(1, Ordering::Relaxed);
        }
        self.now()
    }
}

impl Inner {
    fn fault(&self) -> Option<Fault> {
        let mut faults = self.faults.lock();
        let next = faults.next.pop_front();
        next.or_else(|| faults.source.as_mut().and_then(|source| source()))
    }

    /// Writes batches until nothing waits. Whoever set `leading` runs it.
    async fn lead(&self) {
        loop {
            while let Found::Work(next, _) = self.intake.take(BATCH_LIMIT) {
                for (ticket, outcome) in next.stale {
                    ticket.answer(outcome);
                }
                if !next.batch.is_empty() {
                    self.suffer(next.batch).await;
                }
            }
            *self.leading.lock() = false;
            // Something may have come between the last look and the line above.
            if self.intake.is_empty() || std::mem::replace(&mut *self.leading.lock(), true) {
                return;
            }
        }
    }

    async fn suffer(&self, batch: Vec<Ticket>) {
        match self.fault() {
            None => self.write(batch),
            Some(Fault::Loses(outcome)) => answer_all(batch, &outcome),
            Some(Fault::FailsBefore) => {
                answer_all(
                    batch,
                    &Outcome::NotCommitted("the connection broke before it was sent".to_owned()),
                );
            }
            Some(Fault::Delay(length)) => {
                self.wait(length).await;
                self.write(batch);
            }
            Some(Fault::LostBefore) => {
                self.wait(ASK_AGAIN).await;
                self.write(batch);
            }
            Some(Fault::LostAfter) => {
                let losers = self.apply(&batch);
                self.wait(ASK_AGAIN).await;
                self.answer(batch, losers);
            }
            Some(Fault::LostMeanwhile) => {
                self.wait(ASK_AGAIN).await;
                let losers = self.apply(&batch);
                self.wait(ASK_AGAIN).await;
                self.answer(batch, losers);
            }
            Some(Fault::Closes { written }) => {
                self.intake.close();
                if written {
                    self.apply(&batch);
                }
                answer_all(batch, &Outcome::Indeterminate);
                answer_all(self.intake.drain(), &Outcome::NotCommitted("the store is closed".to_owned()));
            }
        }
    }

    async fn wait(&self, length: Duration) {
        if let (Time::Clock(clock), Some(_)) = (&self.database.time, &self.tasks) {
            clock.sleep(length).await;
        }
    }

    fn write(&self, batch: Vec<Ticket>) {
        let losers = self.apply(&batch);
        self.answer(batch, losers);
    }

    fn apply(&self, batch: &[Ticket]) -> (Timestamp, Vec<Option<Outcome>>) {
        let now = self.database.tick();
        let mut world = self.database.world.lock();
        let losers = batch.iter().map(|ticket| apply::apply(&mut world, &ticket.prepared, now).err());
        (now, losers.collect())
    }

    fn answer(&self, batch: Vec<Ticket>, (at, losers): (Timestamp, Vec<Option<Outcome>>)) {
        let winners = batch.iter().zip(&losers).filter(|(_, lost)| lost.is_none());
        self.intake.committed(winners.map(|(ticket, _)| ticket));
        let mut enqueued = false;
        for (ticket, lost) in batch.into_iter().zip(losers) {
            enqueued |= lost.is_none() && ticket.prepared.enqueues;
            ticket.answer(lost.unwrap_or(Outcome::Committed { at }));
        }
        if enqueued {
            self.enqueued.notify_waiters();
            self.enqueued.notify_one();
        }
    }
}

fn answer_all(batch: Vec<Ticket>, outcome: &Outcome) {
    for ticket in batch {
        ticket.answer(outcome.clone());
    }
}

impl Store for Memory {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let inner = &self.inner;
            let prepared = match prepare(&inner.database.schema, changes) {
                Ok(prepared) => prepared,
                Err(reason) => return Outcome::Refused(reason),
            };
            let (reply, answer) = oneshot::channel();
            inner.intake.submit(Ticket::new(prepared, reply));
            let idle = !std::mem::replace(&mut *inner.leading.lock(), true);
            if idle {
                if let Some(tasks) = &inner.tasks {
                    let inner = Arc::clone(inner);
                    tasks.spawn("store-committer", Box::pin(async move { inner.lead().await }));
                } else {
                    // Never waits without tasks: there is no moment at which this could be dropped.
                    inner.lead().await;
                }
            }
            answer.await.unwrap_or(Outcome::Indeterminate)
        })
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        Box::pin(async move {
            self.inner.database.world.lock().get(&self.inner.database.schema, table, scope, key)
        })
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            self.inner.database.world.lock().find(
                &self.inner.database.schema,
                &query,
                self.inner.database.now(),
            )
        })
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        Box::pin(async move {
            Ok(self.inner.database.world.lock().take_jobs(kinds, limit, lease, self.inner.database.now()))
        })
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.inner.database.world.lock().return_job(job, self.inner.database.now().plus(delay));
            Ok(())
        })
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        Box::pin(async move {
            Ok(self.inner.database.world.lock().lease(name, holder, length, self.inner.database.now()))
        })
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.inner.database.world.lock().sequence(lease, limit)) })
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let before = self.inner.database.now().minus(older_than);
            Ok(self.inner.database.world.lock().forget_claims(lease, before, limit))
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move { Ok(self.inner.database.now()) })
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.inner.enqueued.notified())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.inner.intake.close() })
    }
}
