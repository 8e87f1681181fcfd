//! What waits: the bounded queue of reserves, two processes on one file, two nodes on one database.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Duplicate, Lane, Outcome, Store};
use rusqlite::Connection;
use store::Options;

use crate::bench::{Bench, claim, committed, next, options, schema, thing};
use crate::host::{TestClock, TestIds};

/// Holds the write lock of a file, as another process may.
fn hold(bench: &Bench) -> Connection {
    let other = Connection::open(bench.file().unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_sheds_reserves_and_never_settles() {
    let bench = Bench::sqlite();
    let file = bench.file().unwrap();
    let narrow = Options { reserve_limit: 3, ..options(&TestClock::new(), &bench.ids) };
    let store = store::open_sqlite(&file, schema(), narrow).unwrap();
    let held = hold(&bench);
    let commit = |lane| {
        let mut changes = bench.changes(lane);
        changes.insert.push(thing(bench.id(), "a"));
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(changes).await })
    };
    // The first goes straight to the writer, which waits for the lock.
    let first = commit(Lane::Settle);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let reserves: Vec<_> = (0..10).map(|_| commit(Lane::Reserve)).collect();
    let settles: Vec<_> = (0..10).map(|_| commit(Lane::Settle)).collect();
    let background = commit(Lane::Background);
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(held);
    committed(first.await.unwrap());
    committed(background.await.unwrap());
    for settle in settles {
        committed(settle.await.unwrap());
    }
    let mut shed = 0;
    for reserve in reserves {
        match reserve.await.unwrap() {
            Outcome::Overloaded => shed += 1,
            other => drop(committed(other)),
        }
    }
    assert_eq!(shed, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_wait_for_each_other() {
    let bench = Bench::sqlite();
    let held = hold(&bench);
    let mut changes = bench.changes(Lane::Settle);
    let id = bench.id();
    changes.insert.push(thing(id, "a"));
    let store = Arc::clone(&bench.store);
    let waits = tokio::spawn(async move { store.commit(changes).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(bench.thing(id).await.is_none());
    drop(held);
    committed(waits.await.unwrap());
    assert!(bench.thing(id).await.is_some());
}

async fn two_nodes(bench: &Bench) -> Option<[Arc<dyn Store>; 2]> {
    let options = options(&TestClock::new(), &TestIds::new());
    let second = match (&bench.database, bench.file()) {
        (Some(database), _) => store::open_postgres(database.url(), schema(), options).await.unwrap(),
        (None, Some(file)) => store::open_sqlite(&file, schema(), options).unwrap(),
        _ => return None,
    };
    Some([Arc::clone(&bench.store), second])
}

async fn race(bench: Bench) {
    let Some(nodes) = two_nodes(&bench).await else { return };
    let id = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "a"))).await);
    for version in 1..=30 {
        let key = format!("k{version}");
        let racers = (0..8).map(|number| {
            let mut changes = bench.changes(Lane::Reserve);
            changes.claim = Some(claim(&key));
            changes.update.push(next(id, "b", version));
            changes.insert.push(thing(bench.id(), "beside"));
            nodes[number % 2].commit(changes)
        });
        let outcomes = futures_util::future::join_all(racers).await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed { .. })).count();
        assert_eq!(won, 1, "{outcomes:?}");
        let lost =
            |outcome: &Outcome| matches!(outcome, Outcome::Conflict | Outcome::Duplicate(Duplicate::Claim));
        assert_eq!(outcomes.iter().filter(|outcome| lost(outcome)).count(), 7, "{outcomes:?}");
    }
    assert_eq!(bench.thing(id).await.unwrap().version, 31);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_postgres_race_fairly() {
    if let Some(bench) = Bench::postgres().await {
        race(bench).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_sqlite_race_fairly() {
    race(Bench::sqlite()).await;
}

/// Many rows in many orders from two nodes: whatever deadlocks is run again, nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_batches_all_commit() {
    let Some(bench) = Bench::postgres().await else { return };
    let nodes = two_nodes(&bench).await.unwrap();
    let commits = (0..400_usize).map(|number| {
        let mut changes = bench.changes(Lane::Settle);
        for _ in 0..3 {
            changes.insert.push(thing(bench.id(), "a"));
        }
        changes.claim = Some(claim(&format!("{}", number.wrapping_mul(7919) % 400)));
        nodes[number % 2].commit(changes)
    });
    for outcome in futures_util::future::join_all(commits).await {
        committed(outcome);
    }
}
