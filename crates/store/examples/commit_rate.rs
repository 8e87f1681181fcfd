//! How many payments a second the store takes: 64 tasks, each payment a reserve and a settle with
//! the rows of the budget (protocol A11), on SQLite or PostgreSQL.
//!
//! `cargo run --release -p store --example commit_rate -- sqlite /tmp/rate.db`
//! `cargo run --release -p store --example commit_rate -- postgres postgres://… [seconds] [tasks]`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a measuring tool: what goes wrong ends it, and rates are for reading"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{
    AccountKind, Actor, BoxFuture, Cell, Changes, Claim, ClaimUpdate, Clock, Column, ColumnType, Currency,
    Event, Id, Ids, Index, Insert, Lane, LedgerAccount, Merchant, Migration, Mode, Money, Monotonic, Outcome,
    Phase, PostingKind, RowKey, Scope, Store, Table, Tasks, Timestamp, Transfer, Update,
};
use store::{Options, Schema};
use uuid::Uuid;

static PAYMENT: Table = Table {
    name: "payment",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[
        Column::new("created_at", ColumnType::Time),
        Column::nullable("customer", ColumnType::Uuid),
        Column::nullable("order_id", ColumnType::Text),
    ],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "payment_customer",
            columns: &["scope", "customer", "id"],
            unique: false,
            where_present: Some("customer"),
            where_absent: None,
        },
        Index {
            name: "payment_order",
            columns: &["scope", "order_id", "id"],
            unique: false,
            where_present: Some("order_id"),
            where_absent: None,
        },
    ],
    fillfactor: 50,
};

static OPERATION: Table = Table {
    name: "operation",
    key: &[Column::new("payment", ColumnType::Uuid), Column::new("id", ColumnType::Text)],
    columns: &[Column::nullable("due_at", ColumnType::Time)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "operation_due",
        columns: &["due_at"],
        unique: false,
        where_present: Some("due_at"),
        where_absent: None,
    }],
    fillfactor: 50,
};

static REFERENCE: Table = Table {
    name: "provider_reference",
    key: &[Column::new("account", ColumnType::Text), Column::new("reference", ColumnType::Text)],
    columns: &[Column::new("payment", ColumnType::Uuid), Column::new("operation", ColumnType::Text)],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 100,
};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 8000,
    name: "rate",
    sqlite: "CREATE TABLE payment (scope BLOB NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,
                 created_at INTEGER NOT NULL, customer BLOB, order_id TEXT, state BLOB NOT NULL,
                 PRIMARY KEY (scope, id)) STRICT;
             CREATE INDEX payment_customer ON payment (scope, customer, id) WHERE customer IS NOT NULL;
             CREATE INDEX payment_order ON payment (scope, order_id, id) WHERE order_id IS NOT NULL;
             CREATE TABLE operation (scope BLOB NOT NULL, payment BLOB NOT NULL, id TEXT NOT NULL,
                 version INTEGER NOT NULL, due_at INTEGER, state BLOB NOT NULL,
                 PRIMARY KEY (scope, payment, id)) STRICT;
             CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;
             CREATE TABLE provider_reference (scope BLOB NOT NULL, account TEXT NOT NULL,
                 reference TEXT NOT NULL, payment BLOB NOT NULL, operation TEXT NOT NULL,
                 PRIMARY KEY (scope, account, reference)) STRICT, WITHOUT ROWID;",
    postgres: "CREATE TABLE payment (scope bytea NOT NULL, id uuid NOT NULL, version bigint NOT NULL,
                 created_at bigint NOT NULL, customer uuid, order_id text COLLATE \"C\", state bytea NOT NULL,
                 PRIMARY KEY (scope, id))
                 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
             CREATE INDEX payment_customer ON payment (scope, customer, id) WHERE customer IS NOT NULL;
             CREATE INDEX payment_order ON payment (scope, order_id, id) WHERE order_id IS NOT NULL;
             CREATE TABLE operation (scope bytea NOT NULL, payment uuid NOT NULL,
                 id text COLLATE \"C\" NOT NULL, version bigint NOT NULL, due_at bigint, state bytea NOT NULL,
                 PRIMARY KEY (scope, payment, id))
                 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
             CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;
             CREATE TABLE provider_reference (scope bytea NOT NULL, account text COLLATE \"C\" NOT NULL,
                 reference text COLLATE \"C\" NOT NULL, payment uuid NOT NULL,
                 operation text COLLATE \"C\" NOT NULL,
                 PRIMARY KEY (scope, account, reference));",
}];

struct Host {
    began: Instant,
    count: AtomicU64,
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.began.elapsed())
    }
    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

impl Ids for Host {
    /// By time, as UUIDv7: new keys go to the right of an index.
    fn uuid(&self) -> Uuid {
        let micros = u64::try_from(self.now().as_micros()).unwrap();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u64_pair(micros << 12 | count & 0xfff, count.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Tasks for Host {
    fn spawn(&self, _: &'static str, work: BoxFuture<'static, ()>) {
        drop(tokio::spawn(work));
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, otherwise: u64| arguments.get(at).map_or(otherwise, |text| text.parse().unwrap());
    let (seconds, tasks) = (number(2, 10), number(3, 64));
    let host = Arc::new(Host { began: Instant::now(), count: AtomicU64::new(0) });
    let clock: Arc<Host> = Arc::clone(&host);
    let mut options = Options::new(host.uuid(), clock, Arc::<Host>::clone(&host), Arc::<Host>::clone(&host));
    options.committers = usize::try_from(number(4, options.committers as u64)).unwrap();
    options.batch_limit = usize::try_from(number(5, options.batch_limit as u64)).unwrap();
    let schema = Schema::new(&[&PAYMENT, &OPERATION, &REFERENCE], &[MIGRATIONS]).unwrap();
    let store = match arguments[0].as_str() {
        "sqlite" => store::open_sqlite(arguments[1].as_ref(), schema, options).unwrap(),
        "postgres" => store::open_postgres(&arguments[1], schema, options).await.unwrap(),
        "memory" => store::open_memory(schema),
        other => panic!("`{other}` is no store"),
    };
    let done = Arc::new(AtomicU64::new(0));
    let ids = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let until = Instant::now() + Duration::from_secs(seconds);
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let (store, host, done, ids) =
                (Arc::clone(&store), Arc::clone(&host), Arc::clone(&done), Arc::clone(&ids));
            tokio::spawn(async move {
                while Instant::now() < until {
                    let id = pay(&*store, &host).await;
                    let count = done.fetch_add(1, Ordering::Relaxed);
                    if count % 16 == 0 {
                        ids.lock().push(id);
                    }
                }
            })
        })
        .collect();
    let (mut last, cpu) = (0, cpu_seconds());
    for second in 1..=seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = done.load(Ordering::Relaxed);
        println!("{second:>3} s: {} payments/s", now - last);
        last = now;
    }
    for worker in workers {
        worker.await.expect("a worker fails only with the store");
    }
    let total = done.load(Ordering::Relaxed);
    let cpu = (cpu_seconds() - cpu) * 1e6 / total as f64;
    println!("{:.0} payments/s over {seconds} s, {cpu:.1} µs of CPU each", total as f64 / seconds as f64);
    if number(6, 3) == 0 {
        return store.close().await;
    }
    let ids = Arc::new(ids.lock().clone());
    read(&store, &ids, tasks, Duration::from_secs(number(6, 3))).await;
    store.close().await;
}

/// Gets by id from as many tasks.
async fn read(store: &Arc<dyn Store>, ids: &Arc<Vec<Uuid>>, tasks: u64, length: Duration) {
    let gets = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let until = began + length;
    let readers: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, ids, gets) = (Arc::clone(store), Arc::clone(ids), Arc::clone(&gets));
            tokio::spawn(async move {
                let mut at = usize::try_from(task).unwrap() * 7919;
                while Instant::now() < until {
                    at = (at + 104_729) % ids.len();
                    let found = store.get(&PAYMENT, scope(), vec![Cell::Uuid(ids[at])]).await.unwrap();
                    assert!(found.is_some());
                    gets.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for reader in readers {
        reader.await.expect("a reader fails only with the store");
    }
    println!("{:.0} gets/s", gets.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64());
}

/// What this process has used so far: the one figure that other work on the machine does not blur.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn scope() -> Scope {
    Scope { merchant: Id::<Merchant>::from_uuid(Uuid::from_u128(7)), mode: Mode::Test }
}

async fn pay(store: &dyn Store, host: &Host) -> Uuid {
    let id = host.uuid();
    let key = id.to_string();
    let outcome = store.commit(reserve(host, id, &key)).await;
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    let outcome = store.commit(settle(host, id, &key)).await;
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    id
}

fn payment(id: Uuid, created: Timestamp) -> Insert {
    Insert {
        table: &PAYMENT,
        scope: scope(),
        key: vec![Cell::Uuid(id)],
        columns: vec![Cell::Time(created), Cell::Null, Cell::Null],
        state: vec![b'1'; 700],
    }
}

fn operation(id: Uuid, due_at: Cell) -> Insert {
    Insert {
        table: &OPERATION,
        scope: scope(),
        key: vec![Cell::Uuid(id), Cell::from("c01")],
        columns: vec![due_at],
        state: vec![b'1'; 500],
    }
}

fn event(id: Uuid, sequence: i64) -> Event {
    Event {
        scope: scope(),
        subject: id,
        sequence,
        kind: "payment.captured".into(),
        occurred_at: Timestamp::from_micros(1),
        actor: Actor::Key("key_01h455vb4pex5vsknk084sn02q".to_owned()),
        body: serde_json::json!({ "amount_minor": 1999, "currency": "EUR", "after": "paid" }),
        salt: [7; 32],
        trace_id: None,
    }
}

fn created(id: Uuid) -> Timestamp {
    Timestamp::from_micros(i64::try_from(id.as_u64_pair().0 >> 12).unwrap())
}

fn reserve(host: &Host, id: Uuid, key: &str) -> Changes {
    let mut changes = Changes::new(host.uuid(), Lane::Reserve);
    changes.subject = Some(RowKey { table: PAYMENT.name, scope: scope(), key: vec![Cell::Uuid(id)] });
    changes.claim = Some(Claim {
        scope: scope(),
        key: key.to_owned(),
        route: "POST /api/payments".into(),
        mac: vec![9; 32],
        mac_before: None,
        operation: Some("c01".to_owned()),
        answer: None,
    });
    changes.insert.push(payment(id, created(id)));
    changes.insert.push(operation(id, Cell::After(Duration::from_secs(35))));
    changes.emit.push(event(id, 1));
    changes
}

fn settle(host: &Host, id: Uuid, key: &str) -> Changes {
    let mut changes = Changes::new(host.uuid(), Lane::Settle);
    changes.subject = Some(RowKey { table: PAYMENT.name, scope: scope(), key: vec![Cell::Uuid(id)] });
    changes.update.push(Update { row: payment(id, created(id)), expected: 1 });
    changes.update.push(Update { row: operation(id, Cell::Null), expected: 1 });
    changes.answer.push(ClaimUpdate {
        scope: scope(),
        key: key.to_owned(),
        operation: Some("c01".to_owned()),
        answer: Some(vec![b'{'; 900]),
    });
    changes.insert.push(Insert {
        table: &REFERENCE,
        scope: scope(),
        key: vec![Cell::from("pa_01h455vb4pex5vsknk084sn02q"), Cell::Text(format!("sb_{key}"))],
        columns: vec![Cell::Uuid(id), Cell::from("c01")],
        state: Vec::new(),
    });
    changes.emit.push(event(id, 2));
    changes.emit.push(event(id, 3));
    changes.post.push(Transfer {
        scope: scope(),
        subject: id,
        operation: "c01".to_owned(),
        ordinal: 0,
        debit: LedgerAccount::part(AccountKind::Provider, "pa_01h455vb4pex5vsknk084sn02q"),
        credit: LedgerAccount::of(AccountKind::Merchant),
        amount: Money::new(1999, Currency::EUR),
        kind: PostingKind::Capture,
        phase: Phase::Posted,
    });
    changes
}
