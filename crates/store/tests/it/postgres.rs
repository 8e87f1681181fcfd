//! What only PostgreSQL can suffer: lost connections, lost answers, plans that go stale.
//! Rules 4, 5, 6 and 10.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Cell, Duplicate, Lane, Lease, Outcome};
use testkit::{Database, Fault, Proxy};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::bench::{
    Bench, THING, answer, claim, committed, event, labelled, next, options, schema, scope, subject, thing,
};
use crate::host::{TestClock, TestIds};

const SECOND: Duration = Duration::from_secs(1);

/// The message arrives, nothing comes back, and the server does not notice.
const UNNOTICED: Fault = Fault::Sent(Duration::from_mins(1));

/// A store of one committer behind a proxy, and the test's own connection around it.
async fn proxied() -> Option<(Bench, Proxy, Client)> {
    let database = Database::create().await?;
    let proxy = Proxy::before_database(database.url()).unwrap();
    let ids = TestIds::new();
    let mut options = options(&TestClock::new(), &ids);
    options.committers = 1;
    let store = store::open_postgres(&proxy.url(database.url()), schema(), options).await.unwrap();
    let own = database.connect().await.unwrap();
    let bench = Bench::of(store, ids, database);
    // The committer connects with its first batch, and prepares this shape.
    committed(insert(&bench, bench.id()).await);
    Some((bench, proxy, own))
}

fn insert(bench: &Bench, id: Uuid) -> kernel::BoxFuture<'_, Outcome> {
    bench.commit(Lane::Settle, |changes| {
        changes.subject = Some(subject(id));
        changes.insert.push(thing(id, "a"));
    })
}

/// Starts an update that waits for a lock that `own` holds until it says `COMMIT`.
async fn blocked_update(bench: &Bench, own: &Client, id: Uuid) -> tokio::task::JoinHandle<Outcome> {
    own.batch_execute(&format!("BEGIN; SELECT 1 FROM thing WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    let mut changes = bench.changes(Lane::Settle);
    changes.subject = Some(subject(id));
    changes.update.push(next(id, "b", 1));
    let store = Arc::clone(&bench.store);
    let waits = tokio::spawn(async move { store.commit(changes).await });
    for _ in 0..100 {
        if waiting(own).await.is_some() {
            return waits;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the update does not wait for the lock");
}

/// The backend that waits for a lock of ours.
async fn waiting(own: &Client) -> Option<i32> {
    let text = "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    own.query_opt(text, &[]).await.unwrap().map(|row| row.get(0))
}

async fn voids(own: &Client) -> i64 {
    own.query_one("SELECT count(*) FROM batch WHERE void", &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_connection_dies_is_made_void_and_written_again() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    let id = bench.id();
    committed(insert(&bench, id).await);
    let waits = blocked_update(&bench, &own, id).await;
    let pid = waiting(&own).await.unwrap();
    own.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
    // Its second attempt waits for the same lock.
    for _ in 0..200 {
        if voids(&own).await == 1 && waiting(&own).await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    own.batch_execute("COMMIT").await.unwrap();
    committed(waits.await.unwrap());
    assert_eq!(voids(&own).await, 1);
    assert_eq!(bench.thing(id).await.unwrap().version, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found() {
    let Some((bench, proxy, own)) = proxied().await else { return };
    let id = bench.id();
    proxy.fail_next("", UNNOTICED);
    committed(insert(&bench, id).await);
    assert!(proxy.has_failed());
    assert_eq!(bench.thing(id).await.unwrap().version, 1);
    assert_eq!(voids(&own).await, 0);
    // And the committer goes on.
    committed(bench.commit(Lane::Settle, |changes| changes.update.push(next(id, "b", 1))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_still_on_its_way_is_waited_for() {
    let Some((bench, proxy, own)) = proxied().await else { return };
    let id = bench.id();
    committed(insert(&bench, id).await);
    // Prepares the shape of an update, so that the cut meets the batch itself.
    committed(bench.commit(Lane::Settle, |changes| changes.update.push(next(id, "a", 1))).await);
    let other = bench.id();
    committed(insert(&bench, other).await);
    proxy.fail_next("", UNNOTICED);
    let waits = blocked_update(&bench, &own, other).await;
    let later = {
        let mut changes = bench.changes(Lane::Settle);
        changes.subject = Some(subject(other));
        changes.update.push(next(other, "c", 2));
        let store = Arc::clone(&bench.store);
        tokio::spawn(async move { store.commit(changes).await })
    };
    // The first question waits for the batch's row and gives up; nothing is known, nothing accepted.
    tokio::time::sleep(SECOND + Duration::from_millis(500)).await;
    assert!(!waits.is_finished() && !later.is_finished());
    assert!(proxy.has_failed());
    own.batch_execute("COMMIT").await.unwrap();
    committed(waits.await.unwrap());
    committed(later.await.unwrap());
    assert_eq!(voids(&own).await, 0);
    assert_eq!(bench.thing(other).await.unwrap().version, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_of_the_slow_path_is_found() {
    let Some((bench, proxy, own)) = proxied().await else { return };
    let (taken, id) = (bench.id(), bench.id());
    committed(insert(&bench, taken).await);
    // What the last batch wrote is known without asking; this is the last batch.
    committed(insert(&bench, bench.id()).await);
    proxy.fail_next("COMMIT", UNNOTICED);
    let (winner, loser) = futures_util::future::join(insert(&bench, id), insert(&bench, taken)).await;
    assert!(proxy.has_failed());
    committed(winner);
    assert_eq!(loser, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    assert_eq!(bench.thing(id).await.unwrap().version, 1);
    assert_eq!(voids(&own).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_within_the_slow_path_is_no_harm() {
    let Some((bench, proxy, _own)) = proxied().await else { return };
    let (taken, id) = (bench.id(), bench.id());
    committed(insert(&bench, taken).await);
    // What the last batch wrote is known without asking; this is the last batch.
    committed(insert(&bench, bench.id()).await);
    proxy.fail_next("SAVEPOINT", UNNOTICED);
    let (winner, loser) = futures_util::future::join(insert(&bench, id), insert(&bench, taken)).await;
    assert!(proxy.has_failed());
    committed(winner);
    assert_eq!(loser, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    assert_eq!(bench.thing(id).await.unwrap().version, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_may_die_unnoticed() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    let id = bench.id();
    committed(insert(&bench, id).await);
    assert!(bench.thing(id).await.is_some());
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    own.query(kill, &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    committed(insert(&bench, bench.id()).await);
    assert!(bench.thing(id).await.is_some());
    assert_eq!(bench.store.find(kernel::Query::oldest(&THING, scope(), 9)).await.unwrap().len(), 3);
    bench.store.now().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_nothing_is_committed_and_it_comes_back() {
    let Some((bench, proxy, own)) = proxied().await else { return };
    proxy.refuse(true);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    own.query(kill, &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let id = bench.id();
    assert!(matches!(insert(&bench, id).await, Outcome::NotCommitted(_)));
    assert!(bench.store.get(&THING, scope(), vec![Cell::Uuid(id)]).await.is_err());
    proxy.refuse(false);
    assert!(bench.thing(id).await.is_none());
    committed(insert(&bench, id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_a_constraint_is_refused_alone() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    own.batch_execute("ALTER TABLE thing ADD CHECK (label <> 'broken')").await.unwrap();
    let commits = (0..20).map(|number| {
        let id = bench.id();
        let label = if number == 7 { "broken".to_owned() } else { format!("{number}") };
        let commit = bench.commit(Lane::Settle, |changes| changes.insert.push(labelled(id, &label)));
        async move { (number, commit.await) }
    });
    for (number, outcome) in futures_util::future::join_all(commits).await {
        if number == 7 {
            assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        } else {
            committed(outcome);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_forgotten_after_a_day() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    own.batch_execute(
        "INSERT INTO batch SELECT gen_random_uuid(), false,
             (extract(epoch FROM now() - hours * interval '1 hour') * 1000000)::bigint
             FROM unnest(ARRAY[23, 25, 1000]) AS hours",
    )
    .await
    .unwrap();
    let database = bench.database.as_ref().unwrap();
    let second = options(&TestClock::new(), &TestIds::new());
    let second = store::open_postgres(database.url(), schema(), second).await.unwrap();
    let mut changes = bench.changes(Lane::Settle);
    changes.insert.push(thing(bench.id(), "a"));
    committed(second.commit(changes).await);
    let old = "SELECT count(*) FROM batch \
               WHERE recorded_at < (extract(epoch FROM now() - interval '1 hour') * 1000000)::bigint";
    for _ in 0..200 {
        if own.query_one(old, &[]).await.unwrap().get::<_, i64>(0) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("old batches are still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_claims_are_looked_for_a_stretch_at_a_time() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    // Some 2,500 blocks of claims, of which the last three and one in the middle are old.
    own.batch_execute(
        "INSERT INTO claim (scope, key, route, mac, operation, answer, created_at)
         SELECT decode(repeat('00', 17), 'hex'), 'key-' || n, 'r', '', '', decode(repeat('00', 800), 'hex'),
             CASE WHEN n IN (1100, 2498, 2499, 2500) THEN 0
             ELSE (extract(epoch FROM now()) * 1000000)::bigint END FROM generate_series(1, 2500) AS n",
    )
    .await
    .unwrap();
    let blocks = "SELECT pg_relation_size('claim') / 8192";
    assert!((2_300..2_700).contains(&own.query_one(blocks, &[]).await.unwrap().get::<_, i64>(0)));
    let lease = bench.store.lease("sweep", bench.id(), Duration::from_mins(5)).await.unwrap().unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..6 {
        let age = Duration::from_hours(1);
        forgotten.push(bench.store.forget_claims(&lease, age, 2).await.unwrap());
    }
    // A call goes through 1,024 blocks, or to the end, and the next one goes on there; one that has found as
    // many as it may stays where it is.
    assert_eq!(forgotten, [0, 1, 2, 1, 0, 0]);
}

/// Rows that scans of tables and indexes have read so far.
async fn rows_read(own: &Client) -> i64 {
    let text = "SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)::bigint \
                + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)::bigint";
    own.query_one(text, &[]).await.unwrap().get(0)
}

/// A hundred commits of the shape of a settle, each over rows of its own.
async fn settle_all(bench: &Bench, ids: &[Uuid]) {
    let settles = ids.iter().map(|id| {
        bench.commit(Lane::Settle, |changes| {
            changes.subject = Some(subject(*id));
            changes.update.push(next(*id, "b", 1));
            changes.answer.push(answer(&id.to_string(), "{}"));
            changes.emit.push(event(*id, 2));
        })
    });
    for outcome in futures_util::future::join_all(settles).await {
        committed(outcome);
    }
}

async fn reserve_all(bench: &Bench, ids: &[Uuid]) {
    let reserves = ids.iter().map(|id| {
        bench.commit(Lane::Reserve, |changes| {
            changes.subject = Some(subject(*id));
            changes.claim = Some(claim(&id.to_string()));
            changes.insert.push(thing(*id, "a"));
            changes.emit.push(event(*id, 1));
        })
    });
    for outcome in futures_util::future::join_all(reserves).await {
        committed(outcome);
    }
}

/// Lets the store's sessions report what they have counted: they do so at most once a second.
async fn report(bench: &Bench, lease: &Lease) {
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let id = bench.id();
    reserve_all(bench, &[id]).await;
    settle_all(bench, &[id]).await;
    for _ in 0..4 {
        bench.store.now().await.unwrap();
        bench.store.sequence(lease, 0).await.unwrap();
        assert!(bench.thing(id).await.is_some());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_made_on_empty_tables_stay_right() {
    let Some((bench, _proxy, own)) = proxied().await else { return };
    own.batch_execute("TRUNCATE thing").await.unwrap();
    own.batch_execute("VACUUM ANALYZE").await.unwrap();
    let lease = bench.store.lease("sequencer", bench.id(), Duration::from_mins(5)).await.unwrap().unwrap();
    let ids: Vec<Uuid> = (0..100).map(|_| bench.id()).collect();
    // Everything is planned now, on nearly nothing.
    for id in ids.iter().take(8) {
        reserve_all(&bench, &[*id]).await;
        settle_all(&bench, &[*id]).await;
        assert!(bench.thing(*id).await.is_some());
        bench.store.sequence(&lease, 10).await.unwrap();
    }
    own.batch_execute(
        "ALTER TABLE thing SET (autovacuum_enabled = off); ALTER TABLE claim SET (autovacuum_enabled = off);
         ALTER TABLE journal SET (autovacuum_enabled = off);
         INSERT INTO thing SELECT scope, gen_random_uuid(), 1, 0, NULL, NULL, '1' FROM
             (SELECT scope FROM thing LIMIT 1) s, generate_series(1, 100000);
         INSERT INTO claim SELECT scope, 'filler ' || n, '', '', NULL, NULL, 0 FROM
             (SELECT scope FROM thing LIMIT 1) s, generate_series(1, 100000) n;
         INSERT INTO journal SELECT scope, gen_random_uuid(), 1, 1, n, 0, '' FROM
             (SELECT scope FROM thing LIMIT 1) s, generate_series(1000, 101000) n",
    )
    .await
    .unwrap();
    report(&bench, &lease).await;
    let before = rows_read(&own).await;
    reserve_all(&bench, &ids[8..]).await;
    settle_all(&bench, &ids[8..]).await;
    for id in &ids {
        assert!(bench.thing(*id).await.is_some());
    }
    bench.store.sequence(&lease, 1000).await.unwrap();
    report(&bench, &lease).await;
    let read = rows_read(&own).await - before;
    // 92 settles find two rows each, 100 reads one, the sequencer 184; then a row's older versions.
    assert!(read < 1500, "{read} rows were read");
    assert!(read > 400, "only {read} rows were read: the sessions have not reported");
}
