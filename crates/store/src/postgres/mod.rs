//! PostgreSQL: a few committers, each with its own connection, and a few connections for reads.
//!
//! A batch is one statement over functions that this crate generates from the declarations, see
//! `functions`; who loses is decided in the slow path, see `slow`; a lost answer is asked for, see
//! `ask`. Committers need direct connections: what a session is set to must stay with it.

mod ask;
mod committer;
mod connect;
mod encode;
mod examine;
mod functions;
mod migrate;
mod read;
mod slow;
mod stripe;
mod sweep;
mod tls;
mod work;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Lease, Outcome, Query, Row, Scope, Store, StoreError, Table, TakenJob,
    Timestamp,
};
use tokio::sync::{Notify, oneshot, watch};
use uuid::Uuid;

use crate::batch::{Ticket, committer_of, prepare};
use crate::intake::Intake;
use crate::measure::Measures;
use crate::{OpenError, Options, Schema};
use committer::Committer;
use connect::{Connector, Use};
pub(crate) use encode::type_name;
pub use examine::{PostgresFacts, examine_postgres};
use functions::Functions;
use read::{Connections, Gets};

/// How long a closing store waits for its committers.
const CLOSE_WITHIN: Duration = Duration::from_mins(1);

/// Opens the database at `url`, migrates it if asked to, and starts its committers.
///
/// Other nodes that open it at the same time wait for each other.
pub async fn open_postgres(url: &str, schema: Schema, options: Options) -> Result<Arc<dyn Store>, OpenError> {
    let connector = Connector::new(url, &options)?;
    let functions = Functions::new(&schema);
    let mut client = connector.connect(Use::Read).await?;
    migrate::migrate(&mut client, &schema, &functions, &connector, &options).await?;
    drop(client);
    let (committers, readers) = (options.committers.max(1), options.readers.max(1));
    let connections = Arc::new(Connections::new(connector.clone(), readers));
    let (running, ended) = watch::channel(());
    let measures = Measures::new(options.name);
    let enqueued = Notify::new();
    let shared = Arc::new(Shared { schema, options, connector, functions, enqueued, measures });
    let gets = Arc::new(Gets::default());
    for _ in 0..readers {
        let reader = read::run(Arc::clone(&gets), Arc::clone(&connections));
        shared.options.tasks.spawn("store-reader", Box::pin(reader));
    }
    let doors = (0..committers).map(|number| {
        let wake = Arc::new(Notify::new());
        let door = {
            let wake = Arc::clone(&wake);
            Arc::new(Intake::new(shared.options.reserve_limit, move || wake.notify_one()))
        };
        let committer = Committer::new(Arc::clone(&shared), Arc::clone(&door), wake, number == 0);
        let running = running.clone();
        shared.options.tasks.spawn(
            "store-committer",
            Box::pin(async move {
                committer.run().await;
                drop(running);
            }),
        );
        door
    });
    let doors = doors.collect();
    Ok(Arc::new(Postgres { shared, doors, gets, connections, readers, claims: AtomicI64::new(0), ended }))
}

/// A session of its own in the options' schema.
pub(crate) async fn connect_for_checks(
    url: &str,
    options: &Options,
) -> Result<tokio_postgres::Client, OpenError> {
    Ok(Connector::new(url, options)?.connect(Use::Read).await?)
}

/// What callers and committers share.
struct Shared {
    schema: Schema,
    options: Options,
    connector: Connector,
    functions: Functions,
    enqueued: Notify,
    measures: Measures,
}

impl Shared {
    /// Wakes all that wait for work, and the next one that would begin to wait.
    fn wake_workers(&self) {
        self.enqueued.notify_waiters();
        self.enqueued.notify_one();
    }
}

struct Postgres {
    shared: Arc<Shared>,
    doors: Vec<Arc<Intake<Infallible>>>,
    gets: Arc<Gets>,
    connections: Arc<Connections>,
    readers: usize,
    /// Where old claims are looked for next.
    claims: AtomicI64,
    /// Closed when the last committer has ended.
    ended: watch::Receiver<()>,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for door in &self.doors {
            door.close();
        }
        self.gets.close(self.readers);
    }
}

/// An error as a reason for the log: the database's message, never a statement's parameters.
fn text(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(database) => format!("{}: {}", database.code().code(), database.message()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(text(error))
}

impl Store for Postgres {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let prepared = match prepare(&self.shared.schema, changes) {
                Ok(prepared) => prepared,
                Err(reason) => return Outcome::Refused(reason),
            };
            let door = self.doors.get(committer_of(&prepared, self.doors.len()));
            let Some(door) = door else { return Outcome::NotCommitted("no committer".to_owned()) };
            let (reply, answer) = oneshot::channel();
            door.submit(Ticket::new(prepared, reply));
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
        Box::pin(self.gets.get(table, scope, key))
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let relative = query.filters.iter().any(|filter| matches!(filter.cell, Cell::After(_)));
            let mut query = query;
            if relative {
                let now = self.now().await?;
                for filter in &mut query.filters {
                    if let Cell::After(length) = filter.cell {
                        filter.cell = Cell::Time(now.plus(length));
                    }
                }
            }
            self.connections.find(&query).await
        })
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            let taken = work::take_jobs(&session.client, kinds, limit, lease).await;
            taken.map_err(|error| unavailable(&error))
        })
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            let returned = work::return_job(&session.client, job, delay).await;
            returned.map_err(|error| unavailable(&error))
        })
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            let lease = work::take_lease(&session.client, name, holder, length).await;
            lease.map_err(|error| unavailable(&error))
        })
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            let function = format!("{}_sequence", self.shared.functions.prefix());
            let numbered = work::sequence(&session.client, &function, lease, limit).await;
            numbered.map_err(|error| unavailable(&error))
        })
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            let forgotten =
                work::forget_claims(&session.client, lease, older_than, limit, &self.claims).await;
            forgotten.map_err(|error| unavailable(&error))
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move {
            let session = self.connections.session().await?;
            work::now(&session.client).await.map_err(|error| unavailable(&error))
        })
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shared.enqueued.notified())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for door in &self.doors {
                door.close();
            }
            let mut ended = self.ended.clone();
            // The sender's side is dropped by the last committer: that is the only change there is.
            let ends = async { while ended.changed().await.is_ok() {} };
            drop(tokio::time::timeout(CLOSE_WITHIN, ends).await);
        })
    }
}
