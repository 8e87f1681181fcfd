//! Reads: a few connections, each used by many callers at once.
//!
//! A `get` by key joins the others that wait for the same table: what comes while a round trip is
//! under way goes out with the next one, as one join over `unnest`. Everything else is a statement of
//! its own, pipelined on the connection that is next.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Cell, Query, Row, Scope, StoreError, Table};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio_postgres::{Client, Error, Statement};

use super::connect::{Connector, Use};
use super::encode::{Parameter, array_type, row, single_type};
use super::unavailable;
use crate::batch::{Array, Value};
use crate::sql::{Dialect, column_names, select};

/// The most keys in one round trip.
const GROUP_LIMIT: usize = 256;

type Found = Result<Option<Row>, StoreError>;

/// One key that is asked for.
struct Wanted {
    scope: Scope,
    key: Vec<Cell>,
    reply: oneshot::Sender<Found>,
}

#[derive(Default)]
struct Waiting {
    tables: Vec<(&'static Table, Vec<Wanted>)>,
    closed: bool,
}

/// What a reader finds.
enum Next {
    Group(&'static Table, Vec<Wanted>),
    Nothing,
    Closed,
}

/// Keys that wait for a connection, by table.
#[derive(Default)]
pub(super) struct Gets {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

impl Gets {
    /// Asks for one key.
    pub(super) async fn get(&self, table: &'static Table, scope: Scope, key: Vec<Cell>) -> Found {
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.closed {
                return Err(StoreError::Unavailable("the store is closed".to_owned()));
            }
            let wanted = Wanted { scope, key, reply };
            match waiting.tables.iter_mut().find(|(other, _)| other.name == table.name) {
                Some((_, group)) => group.push(wanted),
                None => waiting.tables.push((table, vec![wanted])),
            }
        }
        self.wake.notify_one();
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the reader ended".to_owned())))
    }

    /// Lets the readers end once nothing waits.
    pub(super) fn close(&self, readers: usize) {
        self.waiting.lock().closed = true;
        for _ in 0..readers.max(1) {
            self.wake.notify_one();
        }
        self.wake.notify_waiters();
    }

    fn take(&self) -> Next {
        let mut waiting = self.waiting.lock();
        if waiting.tables.is_empty() {
            return if waiting.closed { Next::Closed } else { Next::Nothing };
        }
        let (table, mut group) = waiting.tables.remove(0);
        if group.len() > GROUP_LIMIT {
            let rest = group.split_off(GROUP_LIMIT);
            waiting.tables.push((table, rest));
        }
        Next::Group(table, group)
    }
}

/// One reader: one connection, one round trip at a time. Runs until the store closes.
pub(super) async fn run(gets: Arc<Gets>, connections: Arc<Connections>) {
    let mut session: Option<Arc<Session>> = None;
    loop {
        let (table, group) = match gets.take() {
            Next::Group(table, group) => (table, group),
            Next::Nothing => {
                gets.wake.notified().await;
                continue;
            }
            Next::Closed => return,
        };
        // A connection that broke since the last read is no reason to fail this one.
        for last in [false, true] {
            if session.as_ref().is_none_or(|session| session.client.is_closed()) {
                session = connections.open().await.ok();
            }
            let Some(open) = &session else {
                if last {
                    fail(group, "the database cannot be reached");
                    break;
                }
                continue;
            };
            match open.lookup(table, &group).await {
                Ok(rows) => {
                    answer(table, group, &rows);
                    break;
                }
                Err(error) if last || !open.client.is_closed() => {
                    fail(group, &super::text(&error));
                    break;
                }
                Err(_) => {}
            }
        }
    }
}

fn answer(table: &'static Table, group: Vec<Wanted>, rows: &[tokio_postgres::Row]) {
    let mut found: HashMap<usize, Result<Row, StoreError>> = HashMap::with_capacity(rows.len());
    for from in rows {
        let number: i64 = from.try_get(0).unwrap_or(0);
        found.insert(usize::try_from(number).unwrap_or(0), row(table, from, 1));
    }
    for (index, wanted) in group.into_iter().enumerate() {
        drop(wanted.reply.send(found.remove(&(index + 1)).transpose()));
    }
}

fn fail(group: Vec<Wanted>, reason: &str) {
    for wanted in group {
        drop(wanted.reply.send(Err(StoreError::Unavailable(reason.to_owned()))));
    }
}

/// A connection for reads and what is prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Session {
    async fn prepared(&self, text: &str, types: &[tokio_postgres::types::Type]) -> Result<Statement, Error> {
        let known = self.statements.lock().get(text).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare_typed(text, types).await?;
        self.statements.lock().insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn lookup(&self, table: &Table, group: &[Wanted]) -> Result<Vec<tokio_postgres::Row>, Error> {
        let kinds =
            std::iter::once(kernel::ColumnType::Bytes).chain(table.key.iter().map(|column| column.kind));
        let types: Vec<_> = kinds.clone().map(array_type).collect();
        let statement = self.prepared(&lookup_text(table), &types).await?;
        let mut arrays: Vec<Array<'_>> =
            kinds.map(|kind| Array { kind, values: Vec::with_capacity(group.len()) }).collect();
        for wanted in group {
            let values = std::iter::once(Value::Scope(wanted.scope.to_bytes()));
            let values = values.chain(wanted.key.iter().map(Value::from));
            for (array, value) in arrays.iter_mut().zip(values) {
                array.values.push(value);
            }
        }
        let parameters: Vec<Parameter<'_>> = arrays.into_iter().map(Parameter::Array).collect();
        let rows = self.client.query_raw(&statement, parameters.iter()).await?;
        futures_util::TryStreamExt::try_collect(rows).await
    }

    async fn select(&self, query: &Query) -> Result<Vec<Row>, StoreError> {
        let select = select(query, Dialect::Postgres)?;
        let types: Vec<_> = select.parameters.iter().map(|(kind, _)| single_type(*kind)).collect();
        let statement = self.prepared(&select.text, &types).await.map_err(|error| unavailable(&error))?;
        let parameters: Vec<Parameter<'_>> =
            select.parameters.iter().map(|(_, cell)| Parameter::One(Value::from(cell))).collect();
        let rows = self.client.query_raw(&statement, parameters.iter()).await;
        let rows: Vec<tokio_postgres::Row> = match rows {
            Ok(rows) => futures_util::TryStreamExt::try_collect(rows).await,
            Err(error) => Err(error),
        }
        .map_err(|error| unavailable(&error))?;
        rows.iter().map(|from| row(query.table, from, 0)).collect()
    }
}

/// `LATERAL … LIMIT 1` leaves the planner the key's index alone.
fn lookup_text(table: &Table) -> String {
    let mut keys = vec!["scope"];
    keys.extend(table.key.iter().map(|column| column.name));
    let marks: Vec<_> = (1..=keys.len()).map(|number| format!("${number}")).collect();
    let matches: Vec<_> = keys.iter().map(|name| format!("s.{name} = u.{name}")).collect();
    let columns: Vec<_> = column_names(table).iter().map(|name| format!("x.{name}")).collect();
    format!(
        "SELECT u.florin_number, {} FROM unnest({}) WITH ORDINALITY AS u({}, florin_number) \
         CROSS JOIN LATERAL (SELECT * FROM {} s WHERE {} LIMIT 1) AS x",
        columns.join(", "),
        marks.join(", "),
        keys.join(", "),
        table.name,
        matches.join(" AND ")
    )
}

/// The connections for everything but grouped reads: made when first needed, made again when broken.
pub(super) struct Connections {
    connector: Connector,
    slots: Vec<tokio::sync::Mutex<Option<Arc<Session>>>>,
    next: AtomicUsize,
}

impl Connections {
    pub(super) fn new(connector: Connector, count: usize) -> Self {
        let slots = (0..count.max(1)).map(|_| tokio::sync::Mutex::default()).collect();
        Self { connector, slots, next: AtomicUsize::new(0) }
    }

    async fn open(&self) -> Result<Arc<Session>, Error> {
        let client = self.connector.connect(Use::Read).await?;
        Ok(Arc::new(Session { client, statements: Mutex::default() }))
    }

    /// The next connection in turn.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        let Some(slot) = self.slots.get(turn) else {
            return Err(StoreError::Unavailable("no connection for reads".to_owned()));
        };
        let mut slot = slot.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = self.open().await.map_err(|error| unavailable(&error))?;
        *slot = Some(Arc::clone(&session));
        Ok(session)
    }

    pub(super) async fn find(&self, query: &Query) -> Result<Vec<Row>, StoreError> {
        let session = self.session().await?;
        match session.select(query).await {
            // Broken under our hands: reading again harms nothing.
            Err(StoreError::Unavailable(_)) if session.client.is_closed() => {
                self.session().await?.select(query).await
            }
            answer => answer,
        }
    }
}
