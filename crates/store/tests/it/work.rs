//! Jobs, leases, the sequencer: rules 1 and 12.

use std::collections::HashMap;
use std::time::Duration;

use kernel::{Cell, Comparison, Filter, JOB, JOURNAL, JournalRow, Lane, Lease, Outcome, Query, TakenJob};
use uuid::Uuid;

use crate::bench::{Bench, committed, event, job, scope, thing};
use crate::on_every_store;

on_every_store![
    a_job_is_taken_once_and_finished_by_its_taker,
    a_job_whose_lease_ran_out_is_taken_again,
    a_job_given_back_comes_later,
    racing_workers_take_each_job_once,
    jobs_are_taken_when_due_and_by_kind,
    enqueuing_wakes_a_worker,
    a_lease_has_one_holder_and_a_growing_epoch,
    a_commit_under_a_lost_lease_is_refused,
    positions_are_gapless_and_in_each_subjects_order,
    only_the_leader_numbers,
];

const MINUTE: Duration = Duration::from_mins(1);

async fn take(bench: &Bench, limit: u32, lease: Duration) -> Vec<TakenJob> {
    bench.store.take_jobs(&["sweep"], limit, lease).await.unwrap()
}

async fn finish(bench: &Bench, job: &TakenJob) -> Outcome {
    bench.commit(Lane::Background, |changes| changes.finish = Some((job.scope, job.id, job.epoch))).await
}

async fn a_job_is_taken_once_and_finished_by_its_taker(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Settle, |changes| changes.enqueue.push(job(id, Duration::ZERO))).await);
    let taken = take(&bench, 10, MINUTE).await;
    let expected = TakenJob {
        scope: scope(),
        id,
        kind: "sweep".to_owned(),
        attempts: 1,
        epoch: 1,
        payload: b"payload".to_vec(),
    };
    assert_eq!(taken, [expected]);
    assert!(take(&bench, 10, MINUTE).await.is_empty());
    committed(finish(&bench, &taken[0]).await);
    assert_eq!(finish(&bench, &taken[0]).await, Outcome::Conflict);
    assert!(bench.row(&JOB, vec![Cell::Uuid(id)]).await.is_none());
}

async fn a_job_whose_lease_ran_out_is_taken_again(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Settle, |changes| changes.enqueue.push(job(id, Duration::ZERO))).await);
    let first = take(&bench, 1, Duration::from_millis(30)).await;
    bench.pass(Duration::from_millis(50)).await;
    let second = take(&bench, 1, MINUTE).await;
    assert_eq!((second[0].attempts, second[0].epoch), (2, 2));
    // The stalled worker is late: neither its result nor its return counts.
    let id = bench.id();
    let late = bench
        .commit(Lane::Background, |changes| {
            changes.finish = Some((scope(), first[0].id, first[0].epoch));
            changes.insert.push(thing(id, "late"));
        })
        .await;
    assert_eq!(late, Outcome::Conflict);
    assert!(bench.thing(id).await.is_none());
    bench.store.return_job(&first[0], Duration::ZERO).await.unwrap();
    assert!(take(&bench, 1, MINUTE).await.is_empty());
    committed(finish(&bench, &second[0]).await);
}

async fn a_job_given_back_comes_later(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Settle, |changes| changes.enqueue.push(job(id, Duration::ZERO))).await);
    let taken = take(&bench, 1, MINUTE).await;
    bench.store.return_job(&taken[0], Duration::from_millis(1500)).await.unwrap();
    assert!(take(&bench, 1, MINUTE).await.is_empty());
    bench.pass(Duration::from_millis(1600)).await;
    assert_eq!(take(&bench, 1, MINUTE).await[0].attempts, 2);
}

async fn racing_workers_take_each_job_once(bench: Bench) {
    let enqueue = bench.commit(Lane::Settle, |changes| {
        for number in 0..40 {
            changes.enqueue.push(job(Uuid::from_u128(number), Duration::ZERO));
        }
    });
    committed(enqueue.await);
    let workers = (0..8).map(|_| take(&bench, 10, MINUTE));
    let mut taken: Vec<Uuid> =
        futures_util::future::join_all(workers).await.into_iter().flatten().map(|job| job.id).collect();
    taken.extend(take(&bench, 40, MINUTE).await.into_iter().map(|job| job.id));
    taken.sort_unstable();
    assert_eq!(taken, (0..40).map(Uuid::from_u128).collect::<Vec<_>>());
}

async fn jobs_are_taken_when_due_and_by_kind(bench: Bench) {
    let (now, later, other) = (bench.id(), bench.id(), bench.id());
    let enqueue = bench.commit(Lane::Settle, |changes| {
        changes.enqueue.push(job(now, Duration::ZERO));
        changes.enqueue.push(job(later, MINUTE));
        let mut other = job(other, Duration::ZERO);
        other.kind = "other";
        changes.enqueue.push(other);
    });
    committed(enqueue.await);
    let taken = take(&bench, 10, MINUTE).await;
    assert_eq!(taken.iter().map(|job| job.id).collect::<Vec<_>>(), [now]);
    let taken = bench.store.take_jobs(&["nothing", "other"], 10, MINUTE).await.unwrap();
    assert_eq!(taken.iter().map(|job| job.id).collect::<Vec<_>>(), [other]);
    assert!(bench.store.take_jobs(&[], 10, MINUTE).await.unwrap().is_empty());
}

async fn enqueuing_wakes_a_worker(bench: Bench) {
    let id = bench.id();
    let woken = bench.store.enqueued();
    tokio::pin!(woken);
    assert!(futures_util::poll!(woken.as_mut()).is_pending());
    committed(bench.commit(Lane::Settle, |changes| changes.insert.push(thing(id, "a"))).await);
    assert!(futures_util::poll!(woken.as_mut()).is_pending());
    committed(bench.commit(Lane::Settle, |changes| changes.enqueue.push(job(id, MINUTE))).await);
    tokio::time::timeout(MINUTE, woken).await.unwrap();
}

async fn a_lease_has_one_holder_and_a_growing_epoch(bench: Bench) {
    let (one, other) = (bench.id(), bench.id());
    let short = Duration::from_secs(1);
    let lease = |holder| bench.store.lease("leader", holder, short);
    let first = Lease { name: "leader".to_owned(), epoch: 1 };
    assert_eq!(lease(one).await.unwrap(), Some(first.clone()));
    assert_eq!(lease(other).await.unwrap(), None);
    assert_eq!(lease(one).await.unwrap(), Some(first));
    assert!(bench.store.lease("another", other, short).await.unwrap().is_some());
    bench.pass(Duration::from_millis(1200)).await;
    assert_eq!(lease(other).await.unwrap().unwrap().epoch, 2);
    assert_eq!(lease(one).await.unwrap(), None);
}

async fn a_commit_under_a_lost_lease_is_refused(bench: Bench) {
    let (one, other) = (bench.id(), bench.id());
    let first = bench.store.lease("leader", one, Duration::from_millis(30)).await.unwrap().unwrap();
    let write = |id: Uuid, lease: &Lease| {
        let lease = lease.clone();
        bench.commit(Lane::Background, move |changes| {
            changes.require = Some(lease);
            changes.insert.push(thing(id, "a"));
        })
    };
    committed(write(bench.id(), &first).await);
    bench.pass(Duration::from_millis(50)).await;
    // Expired but taken by nobody: still the only leader.
    committed(write(bench.id(), &first).await);
    let second = bench.store.lease("leader", other, MINUTE).await.unwrap().unwrap();
    let late = bench.id();
    assert_eq!(write(late, &first).await, Outcome::Conflict);
    assert!(bench.thing(late).await.is_none());
    committed(write(bench.id(), &second).await);
}

async fn positions_are_gapless_and_in_each_subjects_order(bench: Bench) {
    let subjects: Vec<Uuid> = (0..7).map(|_| bench.id()).collect();
    let lease = bench.store.lease("sequencer", bench.id(), MINUTE).await.unwrap().unwrap();
    let mut next: HashMap<Uuid, i64> = HashMap::new();
    let mut numbered = 0;
    for round in 0..20 {
        let commits = subjects.iter().enumerate().map(|(index, subject)| {
            let first = next.entry(*subject).or_insert(1);
            let count = 1 + i64::try_from((round + index) % 3).unwrap();
            let events: Vec<_> = (*first..*first + count).map(|number| event(*subject, number)).collect();
            *first += count;
            bench.commit(Lane::Settle, |changes| changes.emit.extend(events))
        });
        for outcome in futures_util::future::join_all(commits.collect::<Vec<_>>()).await {
            committed(outcome);
        }
        numbered += bench.store.sequence(&lease, 5).await.unwrap();
    }
    loop {
        match bench.store.sequence(&lease, 50).await.unwrap() {
            0 => break,
            more => numbered += more,
        }
    }
    assert!(numbered == 140 || numbered == 0, "by the sequencer, or each by its own commit: {numbered}");
    let query = Query::everywhere(&JOURNAL, 1000)
        .with(Filter::compare("position", Comparison::Present, 0))
        .order_by("position");
    let rows = bench.store.find(query).await.unwrap();
    assert_eq!(rows.len(), 140);
    let (mut position, mut seen) = (1, HashMap::<Uuid, i64>::new());
    for row in &rows {
        let journal = JournalRow::read(row).unwrap();
        assert_eq!(journal.position, Some(position));
        for event in journal.events {
            let last = seen.entry(event.subject).or_insert(0);
            assert_eq!(event.sequence, *last + 1);
            *last += 1;
            position += 1;
        }
    }
}

async fn only_the_leader_numbers(bench: Bench) {
    let subject = bench.id();
    let stale = bench.store.lease("sequencer", bench.id(), Duration::from_millis(30)).await.unwrap().unwrap();
    committed(bench.commit(Lane::Settle, |changes| changes.emit.push(event(subject, 1))).await);
    bench.pass(Duration::from_millis(50)).await;
    let held = bench.store.lease("sequencer", bench.id(), MINUTE).await.unwrap().unwrap();
    assert_eq!(bench.store.sequence(&stale, 10).await.unwrap(), 0);
    let row = bench.row(&JOURNAL, vec![Cell::Uuid(subject), Cell::Int(1)]).await.unwrap();
    if row.columns[1] == Cell::Int(1) {
        // A store with a single writer numbers at once: nothing is left for any leader.
        assert_eq!(bench.store.sequence(&held, 10).await.unwrap(), 0);
        return;
    }
    assert_eq!(row.columns[1], Cell::Null);
    assert_eq!(bench.store.sequence(&held, 10).await.unwrap(), 1);
    assert_eq!(bench.store.sequence(&held, 10).await.unwrap(), 0);
}
