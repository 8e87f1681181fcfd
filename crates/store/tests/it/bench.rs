//! A store to test, a few tables, and short words for building commits.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{
    Actor, BoxFuture, Cell, Changes, Claim, ClaimUpdate, Column, ColumnType, Event, Id, Ids, Index, Insert,
    Job, Lane, Merchant, Migration, Mode, Outcome, Row, RowKey, Scope, Store, Table, Timestamp, Update,
};
use store::{Memory, Options, Schema};
use testkit::Database;
use uuid::Uuid;

use crate::host::{TestClock, TestIds, TestTasks};

/// A versioned record, as payments are.
pub(crate) static THING: Table = Table {
    name: "thing",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[
        Column::new("created_at", ColumnType::Time),
        Column::nullable("due_at", ColumnType::Time),
        Column::nullable("label", ColumnType::Text),
    ],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "thing_due",
            columns: &["due_at"],
            unique: false,
            where_present: Some("due_at"),
            where_absent: None,
        },
        Index {
            name: "thing_label",
            columns: &["scope", "label"],
            unique: true,
            where_present: Some("label"),
            where_absent: None,
        },
    ],
    fillfactor: 50,
};

/// Insert-only, with a key of every type, as provider references are.
pub(crate) static MARK: Table = Table {
    name: "mark",
    key: &[
        Column::new("owner", ColumnType::Uuid),
        Column::new("name", ColumnType::Text),
        Column::new("digest", ColumnType::Bytes),
        Column::new("number", ColumnType::Int),
    ],
    columns: &[Column::nullable("note", ColumnType::Bytes)],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 100,
};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    number: 9000,
    name: "things",
    sqlite: "CREATE TABLE thing (scope BLOB NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,
                 created_at INTEGER NOT NULL, due_at INTEGER, label TEXT, state BLOB NOT NULL,
                 PRIMARY KEY (scope, id)) STRICT;
             CREATE INDEX thing_due ON thing (due_at) WHERE due_at IS NOT NULL;
             CREATE UNIQUE INDEX thing_label ON thing (scope, label) WHERE label IS NOT NULL;
             CREATE TABLE mark (scope BLOB NOT NULL, owner BLOB NOT NULL, name TEXT NOT NULL,
                 digest BLOB NOT NULL, number INTEGER NOT NULL, note BLOB,
                 PRIMARY KEY (scope, owner, name, digest, number)) STRICT, WITHOUT ROWID;",
    postgres: "CREATE TABLE thing (scope bytea NOT NULL, id uuid NOT NULL, version bigint NOT NULL,
                 created_at bigint NOT NULL, due_at bigint, label text COLLATE \"C\", state bytea NOT NULL,
                 PRIMARY KEY (scope, id)) WITH (fillfactor = 50);
             CREATE INDEX thing_due ON thing (due_at) WHERE due_at IS NOT NULL;
             CREATE UNIQUE INDEX thing_label ON thing (scope, label) WHERE label IS NOT NULL;
             CREATE TABLE mark (scope bytea NOT NULL, owner uuid NOT NULL, name text COLLATE \"C\" NOT NULL,
                 digest bytea NOT NULL, number bigint NOT NULL, note bytea,
                 PRIMARY KEY (scope, owner, name, digest, number)) WITH (fillfactor = 100);",
}];

pub(crate) fn schema() -> Schema {
    Schema::new(&[&THING, &MARK], &[MIGRATIONS]).unwrap()
}

/// What a case is given.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    /// The injecting backend, if it is one.
    pub(crate) memory: Option<Arc<Memory>>,
    /// Moves the database's time, where that can be moved.
    pub(crate) clock: Option<Arc<TestClock>>,
    pub(crate) ids: Arc<TestIds>,
    folder: Option<Folder>,
    /// The database on PostgreSQL.
    pub(crate) database: Option<Database>,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

static FOLDERS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn options(clock: &Arc<TestClock>, ids: &Arc<TestIds>) -> Options {
    let (clock, ids): (Arc<TestClock>, Arc<TestIds>) = (Arc::clone(clock), Arc::clone(ids));
    Options::new(ids.uuid(), clock, ids, Arc::new(TestTasks))
}

impl Bench {
    pub(crate) fn memory() -> Self {
        let (clock, ids) = (TestClock::new(), TestIds::new());
        let tasks: Arc<dyn kernel::Tasks> = Arc::new(TestTasks);
        let memory = store::open_memory_with(schema(), Arc::<TestClock>::clone(&clock), Some(tasks));
        let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
        Self { store, memory: Some(memory), clock: Some(clock), ids, folder: None, database: None }
    }

    pub(crate) fn sqlite() -> Self {
        let (clock, ids) = (TestClock::new(), TestIds::new());
        let number = FOLDERS.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("florin-store-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = store::open_sqlite(&folder.join("store.db"), schema(), options(&clock, &ids)).unwrap();
        Self { store, memory: None, clock: Some(clock), ids, folder: Some(Folder(folder)), database: None }
    }

    /// A database of its own on the test server; `None` without a server.
    pub(crate) async fn postgres() -> Option<Self> {
        let Some(database) = Database::create().await else {
            eprintln!("no PostgreSQL at FLORIN_TEST_DATABASE_URL: nothing was tested");
            return None;
        };
        let ids = TestIds::new();
        let options = options(&TestClock::new(), &ids);
        let store = store::open_postgres(database.url(), schema(), options).await.unwrap();
        Some(Self { store, memory: None, clock: None, ids, folder: None, database: Some(database) })
    }

    /// A store that a case opened itself.
    pub(crate) fn of(store: Arc<dyn Store>, ids: Arc<TestIds>, database: Database) -> Self {
        Self { store, memory: None, clock: None, ids, folder: None, database: Some(database) }
    }

    /// The database file of SQLite.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.0.join("store.db"))
    }

    pub(crate) fn id(&self) -> Uuid {
        self.ids.uuid()
    }

    pub(crate) fn changes(&self, lane: Lane) -> Changes {
        Changes::new(self.id(), lane)
    }

    /// Commits what `fill` writes, once it is awaited.
    pub(crate) fn commit(&self, lane: Lane, fill: impl FnOnce(&mut Changes)) -> BoxFuture<'_, Outcome> {
        let mut changes = self.changes(lane);
        fill(&mut changes);
        self.store.commit(changes)
    }

    pub(crate) async fn row(&self, table: &'static Table, key: Vec<Cell>) -> Option<Row> {
        self.store.get(table, scope(), key).await.unwrap()
    }

    pub(crate) async fn thing(&self, id: Uuid) -> Option<Row> {
        self.row(&THING, vec![Cell::Uuid(id)]).await
    }

    /// Waits until database time has moved by `by`.
    pub(crate) async fn pass(&self, by: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(by),
            None => tokio::time::sleep(by).await,
        }
    }

    /// At least how much database time has gone by since `then`: on a busy machine that may be much.
    pub(crate) fn since(&self, then: Instant) -> Duration {
        if self.clock.is_some() { Duration::ZERO } else { then.elapsed() }
    }
}

pub(crate) fn scope() -> Scope {
    Scope { merchant: Id::<Merchant>::from_uuid(Uuid::from_u128(7)), mode: Mode::Test }
}

pub(crate) fn thing(id: Uuid, text: &str) -> Insert {
    Insert {
        table: &THING,
        scope: scope(),
        key: vec![Cell::Uuid(id)],
        columns: vec![Cell::After(Duration::ZERO), Cell::Null, Cell::Null],
        state: format!("1{text}").into_bytes(),
    }
}

pub(crate) fn labelled(id: Uuid, label: &str) -> Insert {
    let mut thing = thing(id, "{}");
    thing.columns[2] = Cell::from(label);
    thing
}

pub(crate) fn next(id: Uuid, text: &str, expected: i64) -> Update {
    Update { row: thing(id, text), expected }
}

pub(crate) fn subject(id: Uuid) -> RowKey {
    RowKey { table: "thing", scope: scope(), key: vec![Cell::Uuid(id)] }
}

pub(crate) fn claim(key: &str) -> Claim {
    Claim {
        scope: scope(),
        key: key.to_owned(),
        route: "POST /things".into(),
        mac: vec![1, 2, 3],
        mac_before: None,
        operation: Some("op".to_owned()),
        answer: None,
    }
}

pub(crate) fn answer(key: &str, text: &str) -> ClaimUpdate {
    ClaimUpdate {
        scope: scope(),
        key: key.to_owned(),
        operation: Some("op".to_owned()),
        answer: Some(text.as_bytes().to_vec()),
    }
}

pub(crate) fn event(subject: Uuid, sequence: i64) -> Event {
    Event {
        scope: scope(),
        subject,
        sequence,
        kind: "thing.changed".into(),
        occurred_at: Timestamp::from_micros(5),
        actor: Actor::Node,
        body: serde_json::json!({ "sequence": sequence }),
        salt: [7; 32],
        trace_id: None,
    }
}

pub(crate) fn job(id: Uuid, after: Duration) -> Job {
    Job {
        scope: scope(),
        id,
        kind: "sweep",
        due: Cell::After(after),
        promised: false,
        payload: b"payload".to_vec(),
    }
}

/// Asserts that it was written, and answers when.
#[track_caller]
pub(crate) fn committed(outcome: Outcome) -> Timestamp {
    match outcome {
        Outcome::Committed { at } => at,
        other => panic!("expected a commit, got {other:?}"),
    }
}
