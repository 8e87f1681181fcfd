//! An installation: one store, any number of nodes, a clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use identity::{Identity, Merchant};
use kernel::{
    Actor, BoxFuture, Changes, Clock, Ids, Monotonic, Outcome, Query, Random, Row, Store, StoreError, Table,
    Timestamp,
};
use store::{Memory, Schema};
use testkit::{Between, Through};
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
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) reads: AtomicU64,
    pub(crate) cut: AtomicBool,
    /// Starts first, just before this node's next commit.
    pub(crate) rival: parking_lot::Mutex<Option<Arc<Identity>>>,
}

impl Between for Line {
    fn commit<'a>(&'a self, inner: &'a dyn Store, changes: Changes) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let rival = self.rival.lock().take();
            if let Some(rival) = rival {
                rival.first_start("Rival").await.unwrap();
            }
            inner.commit(changes).await
        })
    }

    fn find<'a>(&'a self, inner: &'a dyn Store, query: Query) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.cut.load(Ordering::Relaxed) {
            return Box::pin(async { Err(StoreError::Unavailable("cut".to_owned())) });
        }
        inner.find(query)
    }
}

/// One process.
pub(crate) struct Node {
    pub(crate) identity: Arc<Identity>,
    line: Arc<Through<Line>>,
}

impl Node {
    /// What stands before its store.
    pub(crate) fn line(&self) -> &Line {
        &self.line.between
    }
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
        let line = Through::new(self.memory.clone(), Line::default());
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
