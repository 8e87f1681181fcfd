//! What memory injects, each fault as *not done* and as *done*: rules 6 and 9.

use std::time::Duration;

use kernel::{Lane, Outcome};
use store::Fault;

use crate::bench::{Bench, committed, next, subject, thing};

async fn insert(bench: &Bench, id: uuid::Uuid) -> Outcome {
    bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "a"))).await
}

#[tokio::test]
async fn a_loser_is_told_what_was_injected() {
    let bench = Bench::memory();
    let id = bench.id();
    bench.memory.as_ref().unwrap().inject(Fault::Loses(Outcome::Conflict));
    assert_eq!(insert(&bench, id).await, Outcome::Conflict);
    assert!(bench.thing(id).await.is_none());
    committed(insert(&bench, id).await);
}

#[tokio::test]
async fn a_failure_before_writes_nothing() {
    let bench = Bench::memory();
    let id = bench.id();
    bench.memory.as_ref().unwrap().inject(Fault::FailsBefore);
    assert!(matches!(insert(&bench, id).await, Outcome::NotCommitted(_)));
    assert!(bench.thing(id).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_whatever_became_of_it() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::LostMeanwhile] {
        let bench = Bench::memory();
        let id = bench.id();
        bench.memory.as_ref().unwrap().inject(fault.clone());
        let written_at_once = fault == Fault::LostAfter;
        let lost = insert(&bench, id);
        tokio::pin!(lost);
        assert!(futures_util::poll!(lost.as_mut()).is_pending());
        tokio::task::yield_now().await;
        assert_eq!(bench.thing(id).await.is_some(), written_at_once, "{fault:?}");
        // Nothing else about this record is accepted until it is known.
        let later = bench.commit(Lane::Settle, |changes| {
            changes.subject = Some(subject(id));
            changes.update.push(next(id, "b", 1));
        });
        tokio::pin!(later);
        assert!(futures_util::poll!(later.as_mut()).is_pending());
        committed(lost.await);
        committed(later.await);
        assert_eq!(bench.thing(id).await.unwrap().version, 2, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_lets_commits_gather_in_one_batch() {
    let bench = Bench::memory();
    bench.memory.as_ref().unwrap().inject(Fault::Delay(Duration::from_secs(1)));
    let ids: Vec<_> = (0..5).map(|_| bench.id()).collect();
    let outcomes = futures_util::future::join_all(ids.iter().map(|id| insert(&bench, *id))).await;
    assert_eq!(outcomes.into_iter().map(committed).count(), 5);
}

#[tokio::test]
async fn only_a_closing_store_says_that_it_does_not_know() {
    for written in [false, true] {
        let bench = Bench::memory();
        let id = bench.id();
        bench.memory.as_ref().unwrap().inject(Fault::Closes { written });
        assert_eq!(insert(&bench, id).await, Outcome::Indeterminate);
        assert_eq!(bench.thing(id).await.is_some(), written);
        assert!(matches!(insert(&bench, bench.id()).await, Outcome::NotCommitted(_)));
    }
}

#[tokio::test]
async fn a_source_of_faults_is_asked_before_each_batch() {
    let bench = Bench::memory();
    let mut count = 0;
    bench.memory.as_ref().unwrap().inject_from(move || {
        count += 1;
        (count % 2 == 0).then_some(Fault::FailsBefore)
    });
    for number in 0..6 {
        let outcome = insert(&bench, bench.id()).await;
        assert_eq!(matches!(outcome, Outcome::Committed { .. }), number % 2 == 0);
    }
}

#[tokio::test]
async fn a_time_of_its_own_moves_when_told() {
    let memory = store::open_memory(crate::bench::schema());
    let store: std::sync::Arc<dyn kernel::Store> = std::sync::Arc::<store::Memory>::clone(&memory);
    let before = store.now().await.unwrap();
    memory.advance(Duration::from_mins(1));
    assert_eq!(store.now().await.unwrap().since(before), Duration::from_mins(1));
    // Without tasks it needs no runtime at all.
    let mut changes = kernel::Changes::new(uuid::Uuid::from_u128(1), Lane::Settle);
    changes.insert.push(thing(uuid::Uuid::from_u128(2), "a"));
    let commit = store.commit(changes);
    tokio::pin!(commit);
    assert!(futures_util::poll!(commit).is_ready());
}
