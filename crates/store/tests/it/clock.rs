//! The clock of a test merchant, and the keys that are old enough to be forgotten.

use std::time::{Duration, Instant};

use kernel::{
    Advance, Answer, CLAIM, CLOCK, Cell, Changes, Claim, Duplicate, JOB, Lane, Mode, Outcome, Scope,
    TestClock,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bench::{Bench, committed, job, scope, thing};
use crate::on_every_store;

on_every_store![
    a_clock_is_the_real_one_until_it_is_moved,
    a_clock_moves_forward_and_never_back,
    two_that_move_a_clock_at_once_are_told_apart,
    a_live_clock_is_never_moved,
    promised_jobs_become_due_and_others_do_not,
    a_commit_that_loses_moves_nothing,
    another_scopes_jobs_stay,
    a_job_under_a_lease_is_fenced_when_its_time_is_rewritten,
    old_answered_keys_are_forgotten,
    only_the_leader_forgets,
];

const HOUR: Duration = Duration::from_hours(1);

fn other() -> Scope {
    Scope { merchant: kernel::Id::from_uuid(Uuid::from_u128(8)), mode: Mode::Test }
}

async fn clock(bench: &Bench) -> TestClock {
    TestClock::read(bench.store.as_ref(), scope()).await.unwrap()
}

async fn advance(bench: &Bench, by: Duration) -> Outcome {
    let from = clock(bench).await;
    let advance = Advance { scope: scope(), by, from };
    bench.commit(Lane::Background, |changes| changes.advance = Some(advance)).await
}

async fn enqueue(bench: &Bench, scope: Scope, after: Duration, promised: bool) -> Uuid {
    let id = bench.id();
    let job = kernel::Job { scope, promised, ..job(id, after) };
    committed(bench.commit(Lane::Settle, |changes| changes.enqueue.push(job)).await);
    id
}

async fn due(bench: &Bench) -> Vec<Uuid> {
    let taken = bench.store.take_jobs(&["sweep"], 100, HOUR).await.unwrap();
    taken.into_iter().map(|job| job.id).collect()
}

async fn a_clock_is_the_real_one_until_it_is_moved(bench: Bench) {
    assert_eq!(clock(&bench).await, TestClock::default());
    assert!(bench.row(&CLOCK, vec!["merchant".into()]).await.is_none());
}

async fn a_clock_moves_forward_and_never_back(bench: Bench) {
    committed(advance(&bench, HOUR).await);
    committed(advance(&bench, HOUR * 2).await);
    assert_eq!(clock(&bench).await, TestClock { offset: HOUR * 3, version: Some(2) });
    assert!(matches!(advance(&bench, Duration::ZERO).await, Outcome::Refused(_)));
    assert!(matches!(advance(&bench, HOUR * 24 * 365 * 30).await, Outcome::Refused(_)));
    assert_eq!(clock(&bench).await.offset, HOUR * 3);
}

async fn two_that_move_a_clock_at_once_are_told_apart(bench: Bench) {
    let from = TestClock::default();
    let moved = |from: TestClock| {
        bench.commit(Lane::Background, |changes| {
            changes.advance = Some(Advance { scope: scope(), by: HOUR, from });
        })
    };
    committed(moved(from).await);
    assert_eq!(moved(from).await, Outcome::Duplicate(Duplicate::Row { table: "clock" }));
    let from = clock(&bench).await;
    let (one, two) = futures_util::future::join(moved(from), moved(from)).await;
    let outcomes = [matches!(one, Outcome::Committed { .. }), matches!(two, Outcome::Committed { .. })];
    assert!(outcomes[0] != outcomes[1], "{one:?}, {two:?}");
    assert!(one == Outcome::Conflict || two == Outcome::Conflict, "{one:?}, {two:?}");
    assert_eq!(clock(&bench).await.offset, HOUR * 2);
}

async fn a_live_clock_is_never_moved(bench: Bench) {
    let live = Scope { mode: Mode::Live, ..scope() };
    let advance = Advance { scope: live, by: HOUR, from: TestClock::default() };
    let moved = bench.commit(Lane::Background, |changes| changes.advance = Some(advance)).await;
    assert!(matches!(moved, Outcome::Refused(_)));
    assert_eq!(TestClock::read(bench.store.as_ref(), live).await.unwrap(), TestClock::default());
}

async fn promised_jobs_become_due_and_others_do_not(bench: Bench) {
    let soon = enqueue(&bench, scope(), HOUR, true).await;
    let later = enqueue(&bench, scope(), HOUR * 3, true).await;
    let back_off = enqueue(&bench, scope(), HOUR, false).await;
    committed(advance(&bench, HOUR * 2).await);
    assert_eq!(due(&bench).await, [soon]);
    committed(advance(&bench, HOUR * 2).await);
    let mut second = due(&bench).await;
    second.sort_unstable();
    // The first is under a lease that the clock ended: it comes again, with the next epoch.
    let mut expected = vec![soon, later];
    expected.sort_unstable();
    assert_eq!(second, expected);
    assert!(!second.contains(&back_off));
}

async fn a_commit_that_loses_moves_nothing(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Settle, |changes| changes.insert.push(thing(id, "there"))).await);
    let promised = enqueue(&bench, scope(), HOUR, true).await;
    let before = bench.row(&JOB, vec![Cell::Uuid(promised)]).await.unwrap();
    let lost = bench.commit(Lane::Background, |changes| {
        changes.advance = Some(Advance { scope: scope(), by: HOUR, from: TestClock::default() });
        changes.insert.push(thing(id, "again"));
    });
    assert_eq!(lost.await, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    assert_eq!(bench.row(&JOB, vec![Cell::Uuid(promised)]).await.unwrap().columns, before.columns);
    assert_eq!(clock(&bench).await, TestClock::default());
}

async fn another_scopes_jobs_stay(bench: Bench) {
    enqueue(&bench, other(), HOUR, true).await;
    committed(advance(&bench, HOUR * 2).await);
    assert!(due(&bench).await.is_empty());
    assert_eq!(TestClock::read(bench.store.as_ref(), other()).await.unwrap(), TestClock::default());
}

async fn a_job_under_a_lease_is_fenced_when_its_time_is_rewritten(bench: Bench) {
    enqueue(&bench, scope(), Duration::ZERO, true).await;
    let first = bench.store.take_jobs(&["sweep"], 1, HOUR).await.unwrap();
    committed(advance(&bench, HOUR * 2).await);
    let second = bench.store.take_jobs(&["sweep"], 1, HOUR).await.unwrap();
    assert_eq!((first[0].epoch, second[0].epoch), (1, 2));
    let finish = |epoch| {
        bench.commit(Lane::Background, move |changes| {
            changes.finish = Some((scope(), first[0].id, epoch));
        })
    };
    assert_eq!(finish(1).await, Outcome::Conflict);
}

fn answer() -> Vec<u8> {
    let null = || RawValue::from_string("null".to_owned()).unwrap();
    let answer = Answer {
        route: "r".to_owned(),
        outcome: null(),
        subject: "s".to_owned(),
        version: 1,
        snapshot: null(),
    };
    serde_json::to_vec(&answer).unwrap()
}

fn claiming(changes: &mut Changes, key: &str, answer: Option<Vec<u8>>) {
    changes.claim = Some(Claim {
        scope: scope(),
        key: key.to_owned(),
        route: "r".into(),
        mac: vec![1; 32],
        mac_before: None,
        operation: None,
        answer,
    });
}

async fn keys(bench: &Bench) -> Vec<String> {
    let mut there = Vec::new();
    for key in ["answered", "open", "young"] {
        if bench.row(&CLAIM, vec![key.into()]).await.is_some() {
            there.push(key.to_owned());
        }
    }
    there
}

async fn old_answered_keys_are_forgotten(bench: Bench) {
    let holder = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| claiming(changes, "open", None)).await);
    committed(bench.commit(Lane::Reserve, |changes| claiming(changes, "answered", Some(answer()))).await);
    bench.pass(Duration::from_secs(3)).await;
    let before_young = Instant::now();
    committed(bench.commit(Lane::Reserve, |changes| claiming(changes, "young", Some(answer()))).await);
    // The clock of a merchant has no part in it.
    committed(advance(&bench, HOUR).await);
    let lease = bench.store.lease("sweep", holder, HOUR).await.unwrap().unwrap();
    // Between the age of the young key and that of the old one.
    let age = || bench.since(before_young) + Duration::from_millis(1500);
    assert_eq!(bench.store.forget_claims(&lease, HOUR, 10).await, Ok(0));
    assert_eq!(bench.store.forget_claims(&lease, age(), 10).await, Ok(1));
    assert_eq!(keys(&bench).await, ["open", "young"]);
    assert_eq!(bench.store.forget_claims(&lease, age(), 10).await, Ok(0));
    // The key may be used again.
    committed(bench.commit(Lane::Reserve, |changes| claiming(changes, "answered", None)).await);
}

async fn only_the_leader_forgets(bench: Bench) {
    committed(bench.commit(Lane::Reserve, |changes| claiming(changes, "answered", Some(answer()))).await);
    bench.pass(Duration::from_millis(100)).await;
    let short = Duration::from_millis(20);
    let (one, two) = (bench.id(), bench.id());
    let lost = bench.store.lease("sweep", one, short).await.unwrap().unwrap();
    bench.pass(Duration::from_millis(50)).await;
    let held = bench.store.lease("sweep", two, HOUR).await.unwrap().unwrap();
    assert_eq!(bench.store.forget_claims(&lost, short, 10).await, Ok(0));
    assert_eq!(bench.store.forget_claims(&held, short, 10).await, Ok(1));
}
