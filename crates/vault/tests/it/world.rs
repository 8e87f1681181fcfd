//! The smallest store that the vault can live in, and ports for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Duplicate, Ids, Lease, Outcome, Query, Random, Row, Scope, Store, StoreError,
    Table, TakenJob, Timestamp,
};
use uuid::Uuid;

/// Table, scope, key.
type Place = (&'static str, Scope, Vec<Cell>);

/// Rows by table, scope and key; whole commits or nothing. `fail_next` makes one commit fail.
#[derive(Default)]
pub(crate) struct Shelf {
    rows: Mutex<BTreeMap<Place, Row>>,
    next_outcome: Mutex<Option<Outcome>>,
    /// Committed just before the next commit: another node was first.
    rival: Mutex<Option<Changes>>,
}

impl Shelf {
    /// The next commit writes nothing and answers this.
    pub(crate) fn fail_next(&self, outcome: Outcome) {
        *self.next_outcome.lock().unwrap() = Some(outcome);
    }

    /// Another node's commit arrives just before the next one.
    pub(crate) fn overtake_next(&self, changes: Changes) {
        *self.rival.lock().unwrap() = Some(changes);
    }

    pub(crate) fn states(&self) -> Vec<String> {
        let rows = self.rows.lock().unwrap();
        rows.values().map(|row| String::from_utf8(row.state.clone()).unwrap()).collect()
    }

    /// What is written, as one commit that writes it again elsewhere.
    pub(crate) fn as_changes(&self) -> Changes {
        let mut changes = Changes::new(Uuid::nil(), kernel::Lane::Background);
        for row in self.rows.lock().unwrap().values() {
            changes.insert.push(kernel::Insert {
                table: &vault::SERVER_SECRET,
                scope: row.scope,
                key: row.key.clone(),
                columns: row.columns.clone(),
                state: row.state.clone(),
            });
        }
        changes
    }

    fn write(&self, changes: &Changes) -> Outcome {
        let mut rows = self.rows.lock().unwrap();
        let key = |row: &kernel::Insert| (row.table.name, row.scope, row.key.clone());
        if let Some(row) = changes.insert.iter().find(|row| rows.contains_key(&key(row))) {
            return Outcome::Duplicate(Duplicate::Row { table: row.table.name });
        }
        for row in &changes.insert {
            let stored = Row {
                scope: row.scope,
                key: row.key.clone(),
                version: 0,
                columns: row.columns.clone(),
                state: row.state.clone(),
            };
            rows.insert(key(row), stored);
        }
        Outcome::Committed { at: Timestamp::default() }
    }
}

impl Store for Shelf {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            if let Some(outcome) = self.next_outcome.lock().unwrap().take() {
                return outcome;
            }
            if let Some(rival) = self.rival.lock().unwrap().take() {
                self.write(&rival);
            }
            self.write(&changes)
        })
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        let row = self.rows.lock().unwrap().get(&(table.name, scope, key)).cloned();
        Box::pin(async move { Ok(row) })
    }

    fn find(&self, _: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        unavailable()
    }

    fn take_jobs<'a>(
        &'a self,
        _: &'a [&'static str],
        _: u32,
        _: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        unavailable()
    }

    fn return_job<'a>(&'a self, _: &'a TakenJob, _: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        unavailable()
    }

    fn lease<'a>(
        &'a self,
        _: &'a str,
        _: Uuid,
        _: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        unavailable()
    }

    fn sequence<'a>(&'a self, _: &'a Lease, _: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        unavailable()
    }

    fn forget_claims<'a>(
        &'a self,
        _: &'a Lease,
        _: Duration,
        _: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        unavailable()
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        unavailable()
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn unavailable<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async { Err(StoreError::Unavailable("not on this shelf".to_owned())) })
}

/// Counts up: every draw differs.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

impl Ids for Counter {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A folder of its own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("florin-vault-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
