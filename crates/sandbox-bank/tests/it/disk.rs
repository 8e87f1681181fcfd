//! The bank over a store: the same bank, and what its own disk's failures look like from outside.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Comparison, Duplicate, Insert, Lease, Method, Outcome, Query, Row, Scope,
    Store, StoreError, Table, TakenJob, Timestamp,
};
use sandbox_bank::{BankReply, MIGRATIONS, TABLES};
use uuid::Uuid;

use crate::shop::{Shop, charge_body, code};

type Rows = BTreeMap<(&'static str, [u8; 17], Vec<Cell>), Row>;

/// Rows in a map, with the next commits going wrong as told.
#[derive(Default)]
struct Disk {
    rows: Mutex<Rows>,
    next: Mutex<Vec<Trouble>>,
    commits: AtomicU32,
}

#[derive(Clone, Copy)]
enum Trouble {
    Refused,
    LostBefore,
    LostAfter,
    Conflict,
}

impl Disk {
    fn write(&self, changes: Changes) -> Outcome {
        let mut rows = self.rows.lock().unwrap();
        let key = |row: &Insert| (row.table.name, row.scope.to_bytes(), row.key.clone());
        if let Some(row) = changes.insert.iter().find(|row| rows.contains_key(&key(row))) {
            return Outcome::Duplicate(Duplicate::Row { table: row.table.name });
        }
        let stale =
            |row: &Insert, expected| rows.get(&key(row)).is_none_or(|known| known.version != expected);
        if changes.update.iter().any(|update| stale(&update.row, update.expected)) {
            return Outcome::Conflict;
        }
        let updated = changes.update.into_iter().map(|update| (update.row, update.expected + 1));
        for (row, version) in changes.insert.into_iter().map(|row| (row, 1)).chain(updated) {
            let Insert { scope, key: cells, columns, state, .. } = row.clone();
            rows.insert(key(&row), Row { scope, key: cells, version, columns, state });
        }
        for gone in changes.remove {
            rows.remove(&(gone.table.name, gone.scope.to_bytes(), gone.key));
        }
        Outcome::Committed { at: Timestamp::from_micros(0) }
    }
}

impl Store for Disk {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let trouble = self.next.lock().unwrap().pop();
        let outcome = match trouble {
            None => self.write(changes),
            Some(Trouble::Refused) => Outcome::NotCommitted("the disk is full".to_owned()),
            Some(Trouble::Conflict) => Outcome::Conflict,
            Some(Trouble::LostBefore) => Outcome::Indeterminate,
            Some(Trouble::LostAfter) => {
                self.write(changes);
                Outcome::Indeterminate
            }
        };
        // A turn for others between reading and writing.
        Box::pin(async move {
            tokio::task::yield_now().await;
            outcome
        })
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        let row = self.rows.lock().unwrap().get(&(table.name, scope.to_bytes(), key)).cloned();
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(row)
        })
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        let rows = self.rows.lock().unwrap();
        let of_table = rows.iter().filter(|((table, ..), _)| *table == query.table.name);
        let due = of_table.map(|(_, row)| row.clone()).filter(|row| {
            query.filters.iter().all(|filter| {
                assert_eq!((filter.column, filter.comparison), ("due_at", Comparison::AtMost));
                row.columns[0] <= filter.cell
            })
        });
        let mut found: Vec<Row> = due.collect();
        found.sort_by_key(|row| (row.columns.clone(), row.key.clone()));
        found.truncate(usize::try_from(query.limit).unwrap());
        Box::pin(std::future::ready(Ok(found)))
    }

    fn take_jobs<'a>(
        &'a self,
        _: &'a [&'static str],
        _: u32,
        _: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        unreachable!("the bank has no jobs")
    }

    fn return_job<'a>(&'a self, _: &'a TakenJob, _: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        unreachable!("the bank has no jobs")
    }

    fn lease<'a>(
        &'a self,
        _: &'a str,
        _: Uuid,
        _: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        unreachable!("the bank leads nothing")
    }

    fn sequence<'a>(&'a self, _: &'a Lease, _: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        unreachable!("the bank emits nothing")
    }

    fn forget_claims<'a>(
        &'a self,
        _: &'a Lease,
        _: Duration,
        _: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        unreachable!("the bank has no keys of callers")
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        unreachable!("the bank's time is that of its requests")
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn shop() -> (Shop, Arc<Disk>) {
    let disk = Arc::new(Disk::default());
    (Shop::over(disk.clone()), disk)
}

#[tokio::test]
async fn everything_survives_the_process() {
    let (shop, disk) = shop();
    shop.charge("c", "tok_late_success", false).await;
    shop.wait(3).await;
    shop.effect("c", "capture", "p", 600).await;
    let seen = shop.look_up("c").await;
    let other = Shop::over(disk);
    other.wait(3).await;
    assert_eq!(other.look_up("c").await, seen);
    assert_eq!(other.effect("c", "capture", "p", 600).await.0, 200);
    assert_eq!(code(&other.effect("c", "capture", "p2", 500).await), (422, "amount_too_large"));
    assert_eq!(other.take_notices().await.len(), 1);
    assert!(other.take_notices().await.is_empty());
    assert_eq!(other.bank.statement(other.now()).await.unwrap()[0].captured_minor, 600);
}

#[tokio::test]
async fn at_the_same_time_one_takes_effect() {
    let (shop, _) = shop();
    let shop = Arc::new(shop);
    let same = (0..8).map(|_| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.charge("c", "tok_visa", true).await })
    });
    let mut answers = Vec::new();
    for answer in same.collect::<Vec<_>>() {
        answers.push(answer.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200));
    let refunds = (0..8).map(|count| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.effect("c", "refund", &format!("r{count}"), 600).await.0 })
    });
    let mut paid = 0;
    for refund in refunds.collect::<Vec<_>>() {
        paid += i32::from(refund.await.unwrap() == 200);
    }
    assert_eq!(paid, 1);
    assert_eq!(shop.look_up("c").await["amount_refunded"], 600);
}

#[tokio::test]
async fn a_disk_that_fails_is_not_a_decline() {
    // The trouble of the commit; whether the caller hears anything; whether it was done.
    for (trouble, is_heard, is_done) in [
        (Trouble::Refused, true, false),
        (Trouble::LostBefore, false, false),
        (Trouble::LostAfter, false, true),
    ] {
        let (shop, disk) = shop();
        disk.next.lock().unwrap().push(trouble);
        match shop.send(Method::Post, "/v1/charges", &charge_body("c", "tok_visa", true)).await {
            BankReply::Answer { reply, .. } => assert!(is_heard && reply.status == 503),
            BankReply::Silence(_) => assert!(!is_heard),
        }
        assert_eq!(shop.get("/v1/operations/c").await.0, if is_done { 200 } else { 404 });
        assert_eq!(shop.charge("c", "tok_visa", true).await.0, 200);
        assert_eq!(shop.bank.statement(shop.now()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_conflict_is_decided_again() {
    let (shop, disk) = shop();
    shop.charge("c", "tok_visa", true).await;
    *disk.next.lock().unwrap() = vec![Trouble::Conflict; 5];
    let before = disk.commits.load(Ordering::Relaxed);
    assert_eq!(shop.effect("c", "refund", "r", 600).await.0, 200);
    assert_eq!(disk.commits.load(Ordering::Relaxed) - before, 6);
    *disk.next.lock().unwrap() = vec![Trouble::Conflict; 1000];
    let answer = shop.effect("c", "refund", "r2", 100).await;
    assert_eq!(code(&answer), (503, "unavailable"));
    disk.next.lock().unwrap().clear();
    assert_eq!(shop.look_up("c").await["amount_refunded"], 600);
}

#[test]
fn the_schema_is_what_the_tables_declare() {
    let schema = store::Schema::new(&TABLES, &[&MIGRATIONS]).unwrap();
    assert_eq!(store::check_schema(&schema).unwrap(), Vec::<String>::new());
}
