//! What a payment costs the store: each commit is a wait for the disk, and each read is a round trip that
//! nobody asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{BoxFuture, Cell, Changes, Outcome, Query, Row, Scope, Store, StoreError, Table};
use testkit::{Between, Through};

use crate::world::{World, card_payment, claim};

#[derive(Default)]
struct Counts {
    commits: AtomicUsize,
    reads: AtomicUsize,
}

impl Counts {
    /// Commits and reads since the last time.
    fn take(&self) -> (usize, usize) {
        (self.commits.swap(0, Ordering::Relaxed), self.reads.swap(0, Ordering::Relaxed))
    }
}

impl Between for Counts {
    fn commit<'a>(&'a self, inner: &'a dyn Store, changes: Changes) -> BoxFuture<'a, Outcome> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        inner.commit(changes)
    }

    fn get<'a>(
        &'a self,
        inner: &'a dyn Store,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        inner.get(table, scope, key)
    }

    fn find<'a>(&'a self, inner: &'a dyn Store, query: Query) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        inner.find(query)
    }
}

#[tokio::test]
async fn a_payment_costs_two_commits_or_three_and_no_read() {
    let world = World::new().await;
    let store = Through::new(Arc::clone(&world.store), Counts::default());
    let payments = world.through(Arc::<Through<Counts>>::clone(&store));
    let pay = async |number: &str, key: &str| {
        let claim = claim(world.scope, key, "POST /payments", 1);
        let answered = payments.create(&world.caller, card_payment(1000, number), Some(claim)).await.unwrap();
        (answered.payment.status(), answered.replayed, store.between.take())
    };
    // The account and the merchant's settings are read once, and kept for seconds.
    pay("4242424242424242", "warm").await;
    // What was said to the provider is kept where it did not go well.
    for (number, key, commits) in [("4242424242424242", "paid", 2), ("4000000000000002", "declined", 3)] {
        let (status, replayed, cost) = pay(number, key).await;
        assert_eq!((replayed, cost), (false, (commits, 0)), "{key}: {status:?}");
    }
    // The reserve finds the key taken, and the answer is read.
    let (_, replayed, cost) = pay("4242424242424242", "paid").await;
    assert_eq!((replayed, cost), (true, (1, 1)));
}
