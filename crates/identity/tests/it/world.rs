//! An installation: one store, any number of nodes, a clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use identity::{Identity, Merchant};
use kernel::{
    Actor, BoxFuture, Cell, Changes, Clock, Ids, Lease, Monotonic, Outcome, Query, Random, Row, Scope, Store,
    StoreError, Table, TakenJob, Timestamp,
};
use store::{Memory, Schema};
use uuid::Uuid;
use vault::{ServerSecret, Vault};

/// Ports that count up.
#[derive(Default)]
pub(crate) struct Ports {
    drawn: AtomicU64,
    milliseconds: AtomicU64,
}

impl Ports {
    pub(crate) fn pass(&self, milliseconds: u64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Random for Ports {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.drawn.fetch_add(1, Ordering::Relaxed);
            for (place, byte) in chunk.iter_mut().zip(next.to_be_bytes()) {
                *place = byte;
            }
        }
    }
}

impl Ids for Ports {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(1 << 100 | u128::from(self.drawn.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Clock for Ports {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_000 * i64::try_from(self.milliseconds.load(Ordering::Relaxed)).unwrap())
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_millis(self.milliseconds.load(Ordering::Relaxed)))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// The store as one node sees it: counts its reads, may be cut off, may be overtaken.
pub(crate) struct Line {
    memory: Arc<Memory>,
    pub(crate) reads: AtomicU64,
    pub(crate) cut: AtomicBool,
    /// Starts first, just before this node's next commit.
    pub(crate) rival: parking_lot::Mutex<Option<Arc<Identity>>>,
}

impl Store for Line {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let rival = self.rival.lock().take();
            if let Some(rival) = rival {
                rival.first_start("Rival").await.unwrap();
            }
            self.memory.commit(changes).await
        })
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        self.memory.get(table, scope, key)
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.cut.load(Ordering::Relaxed) {
            return Box::pin(async { Err(StoreError::Unavailable("cut".to_owned())) });
        }
        self.memory.find(query)
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        self.memory.take_jobs(kinds, limit, lease)
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        self.memory.return_job(job, delay)
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        self.memory.lease(name, holder, length)
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.memory.sequence(lease, limit)
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.memory.forget_claims(lease, older_than, limit)
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        self.memory.now()
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        self.memory.enqueued()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.memory.close()
    }
}

/// One process.
pub(crate) struct Node {
    pub(crate) identity: Arc<Identity>,
    pub(crate) line: Arc<Line>,
}

pub(crate) struct Installation {
    pub(crate) memory: Arc<Memory>,
    pub(crate) ports: Arc<Ports>,
    vault: Arc<Vault>,
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self::with_vault(Vault::new(&ServerSecret::from_bytes([7; 32])).unwrap())
    }

    pub(crate) fn without_live_secret() -> Self {
        Self::with_vault(Vault::of(&ServerSecret::from_bytes([7; 32]), None).unwrap())
    }

    fn with_vault(vault: Vault) -> Self {
        let schema = Schema::new(&identity::TABLES, &[&identity::MIGRATIONS]).unwrap();
        Self { memory: store::open_memory(schema), ports: Arc::default(), vault: Arc::new(vault) }
    }

    pub(crate) fn node(&self) -> Node {
        let line = Arc::new(Line {
            memory: self.memory.clone(),
            reads: AtomicU64::new(0),
            cut: AtomicBool::new(false),
            rival: parking_lot::Mutex::new(None),
        });
        let ports = &self.ports;
        let (clock, ids, random) = (ports.clone(), ports.clone(), ports.clone());
        let identity = Identity::new(line.clone(), self.vault.clone(), clock, ids, random);
        Node { identity: Arc::new(identity), line }
    }

    /// All rows of a table.
    pub(crate) async fn rows(&self, table: &'static Table) -> Vec<Row> {
        self.memory.find(Query::everywhere(table, 1000)).await.unwrap()
    }

    /// Kinds and numbers of the events, in order of the journal's keys.
    pub(crate) async fn events(&self) -> Vec<(String, i64)> {
        let rows = self.rows(&kernel::JOURNAL).await;
        let events = rows.iter().flat_map(|row| kernel::JournalRow::read(row).unwrap().events);
        let mut events: Vec<_> = events.map(|event| (event.kind.into_owned(), event.sequence)).collect();
        events.sort();
        events
    }
}

pub(crate) async fn merchant(node: &Node) -> Merchant {
    node.identity.create_merchant(" Ada & Co ", &operator(), None).await.unwrap()
}

pub(crate) fn operator() -> Actor {
    Actor::Operator("ada".to_owned())
}
