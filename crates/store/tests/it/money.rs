//! Postings, balances and the floor of flagged accounts: rule 7.

use kernel::{
    AccountKind, BALANCE, Cell, Currency, Duplicate, Lane, LedgerAccount, Money, Outcome, Phase, PostingKind,
    Query, TRANSFER, Transfer,
};
use uuid::Uuid;

use crate::bench::{Bench, committed, scope};
use crate::on_every_store;

on_every_store![
    balances_are_the_sums_of_transfers,
    a_decided_hold_moves_from_pending_to_posted,
    the_same_transfer_twice_is_a_duplicate,
    a_flagged_account_is_never_overdrawn_by_racing_reserves,
    settles_may_take_a_flagged_account_below_zero,
    releases_count_in_order_of_arrival,
];

fn transfer(subject: Uuid, debit: AccountKind, credit: AccountKind, minor: i64) -> Transfer {
    Transfer {
        scope: scope(),
        subject,
        operation: "c01".to_owned(),
        ordinal: 0,
        debit: LedgerAccount::of(debit),
        credit: LedgerAccount::part(credit, if credit == AccountKind::Merchant { "" } else { "p" }),
        amount: Money::new(minor, Currency::EUR),
        kind: PostingKind::Capture,
        phase: Phase::Posted,
    }
}

fn takes(subject: Uuid, minor: i64) -> Transfer {
    transfer(subject, AccountKind::Volume, AccountKind::Merchant, minor)
}

fn gives(subject: Uuid, minor: i64) -> Transfer {
    let mut gives = transfer(subject, AccountKind::Merchant, AccountKind::Merchant, minor);
    gives.credit = LedgerAccount::of(AccountKind::Volume);
    gives
}

/// Posted debits, posted credits, held debits, held credits of an account over all its stripes.
async fn sums(bench: &Bench, account: &str) -> [i64; 4] {
    let rows = bench.store.find(Query::oldest(&BALANCE, scope(), 1000)).await.unwrap();
    let mut sums = [0; 4];
    for row in rows.iter().filter(|row| row.key[0] == Cell::from(account)) {
        for (sum, cell) in sums.iter_mut().zip(&row.columns) {
            *sum += cell.as_int().unwrap();
        }
    }
    sums
}

async fn balances_are_the_sums_of_transfers(bench: Bench) {
    let posts = (1..=100).map(|minor| {
        let subject = bench.id();
        bench.commit(Lane::Settle, move |changes| {
            changes.post.push(transfer(subject, AccountKind::Merchant, AccountKind::Provider, minor));
        })
    });
    for outcome in futures_util::future::join_all(posts).await {
        committed(outcome);
    }
    assert_eq!(sums(&bench, "merchant").await, [5050, 0, 0, 0]);
    assert_eq!(sums(&bench, "provider:p").await, [0, 5050, 0, 0]);
    let transfers = bench.store.find(Query::oldest(&TRANSFER, scope(), 1000)).await.unwrap();
    let total: i64 = transfers.iter().map(|row| row.columns[3].as_int().unwrap()).sum();
    assert_eq!((transfers.len(), total), (100, 5050));
}

async fn a_decided_hold_moves_from_pending_to_posted(bench: Bench) {
    let (posted, voided) = (bench.id(), bench.id());
    for subject in [posted, voided] {
        let mut hold = transfer(subject, AccountKind::Merchant, AccountKind::Provider, 30);
        hold.phase = Phase::Pending;
        committed(bench.commit(Lane::Reserve, |changes| changes.post.push(hold)).await);
    }
    assert_eq!(sums(&bench, "merchant").await, [0, 0, 60, 0]);
    for (subject, phase) in [(posted, Phase::PostsPending(0)), (voided, Phase::VoidsPending(0))] {
        let mut decided = transfer(subject, AccountKind::Merchant, AccountKind::Provider, 30);
        (decided.phase, decided.ordinal) = (phase, 1);
        committed(bench.commit(Lane::Settle, |changes| changes.post.push(decided)).await);
    }
    assert_eq!(sums(&bench, "merchant").await, [30, 0, 0, 0]);
    assert_eq!(sums(&bench, "provider:p").await, [0, 30, 0, 0]);
    let rows = bench.store.find(Query::oldest(&TRANSFER, scope(), 9)).await.unwrap();
    let phases: Vec<Phase> =
        rows.iter().map(|row| row.columns[5].as_text().unwrap().parse().unwrap()).collect();
    assert_eq!(phases, [Phase::Pending, Phase::PostsPending(0), Phase::Pending, Phase::VoidsPending(0)]);
}

async fn the_same_transfer_twice_is_a_duplicate(bench: Bench) {
    let subject = bench.id();
    let post = || transfer(subject, AccountKind::Merchant, AccountKind::Provider, 5);
    committed(bench.commit(Lane::Settle, |changes| changes.post.push(post())).await);
    let again = bench.commit(Lane::Settle, |changes| changes.post.push(post())).await;
    assert_eq!(again, Outcome::Duplicate(Duplicate::Row { table: "transfer" }));
    assert_eq!(sums(&bench, "merchant").await, [5, 0, 0, 0]);
}

async fn a_flagged_account_is_never_overdrawn_by_racing_reserves(bench: Bench) {
    let given = bench.id();
    let none = bench.commit(Lane::Reserve, |changes| changes.post.push(takes(given, 1))).await;
    assert_eq!(none, Outcome::Overdrawn(LedgerAccount::of(AccountKind::Volume)));
    committed(bench.commit(Lane::Settle, |changes| changes.post.push(gives(given, 100))).await);
    let racers = (0..30).map(|_| {
        let subject = bench.id();
        bench.commit(Lane::Reserve, move |changes| changes.post.push(takes(subject, 7)))
    });
    let outcomes = futures_util::future::join_all(racers).await;
    let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed { .. })).count();
    let overdrawn = Outcome::Overdrawn(LedgerAccount::of(AccountKind::Volume));
    let lost = outcomes.iter().filter(|outcome| **outcome == overdrawn).count();
    assert_eq!((won, lost), (14, 16), "{outcomes:?}");
    assert_eq!(sums(&bench, "volume").await, [98, 100, 0, 0]);
}

async fn settles_may_take_a_flagged_account_below_zero(bench: Bench) {
    let (first, second) = (bench.id(), bench.id());
    committed(bench.commit(Lane::Settle, |changes| changes.post.push(takes(first, 5))).await);
    assert_eq!(sums(&bench, "volume").await, [5, 0, 0, 0]);
    let reserve = bench.commit(Lane::Reserve, |changes| changes.post.push(takes(second, 1))).await;
    assert_eq!(reserve, Outcome::Overdrawn(LedgerAccount::of(AccountKind::Volume)));
    // A reserve that gives is no harm to an account below zero.
    committed(bench.commit(Lane::Reserve, |changes| changes.post.push(gives(second, 1))).await);
}

async fn releases_count_in_order_of_arrival(bench: Bench) {
    let given = bench.id();
    committed(bench.commit(Lane::Settle, |changes| changes.post.push(gives(given, 10))).await);
    // Each round takes everything and gives it back: nothing may be refused for want of the release
    // that arrived before it.
    for _ in 0..10 {
        let (one, two, three) = (bench.id(), bench.id(), bench.id());
        let (first, release, second) = futures_util::future::join3(
            bench.commit(Lane::Settle, |changes| changes.post.push(takes(one, 10))),
            bench.commit(Lane::Settle, |changes| changes.post.push(gives(two, 10))),
            bench.commit(Lane::Reserve, |changes| changes.post.push(takes(three, 10))),
        )
        .await;
        committed(first);
        committed(release);
        committed(second);
        let back = bench.id();
        committed(bench.commit(Lane::Settle, |changes| changes.post.push(gives(back, 10))).await);
    }
}
