//! Lists while others write: pages neither repeat nor skip, and the search catches up with what was
//! committed before, on both stores.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Actor, Currency, Id, Mode, Money, Scope, Secret};
use node::{Config, Node};
use payments::{CardSummary, PastEnd, PastPayment, PaymentFilter, PaymentKind, PaymentStatus};
use testkit::Database;
use uuid::Uuid;

use crate::start::Folder;

async fn start(folder: &Folder, database: Option<&Database>) -> Arc<Node> {
    let mut config: Config = folder.config();
    config.sandbox.bank = node::config::BankPlace::Memory;
    config.database.url = database.map(|database| Secret::new(database.url().to_owned()));
    config.encryption_key = Some(Secret::new("k".repeat(32)));
    let node = node::start(config, node::host::ports()).await.unwrap();
    node.first_start().await.unwrap();
    node
}

async fn world(node: &Node) -> Scope {
    node.identity.merchants().await.unwrap()[0].scope(Mode::Test)
}

/// A payment made now.
async fn write(node: &Node, scope: Scope, seed: u64, end: PastEnd) -> Id<PaymentKind> {
    let id = Id::from_uuid(node.ids.uuid());
    let past = PastPayment {
        id,
        at: node.clock.now(),
        amount: Money::new(1_000 + i64::try_from(seed % 7).unwrap(), Currency::USD),
        card: CardSummary { last4: Some("4242".to_owned()), ..CardSummary::default() },
        customer: None,
        makes_customer: false,
        order_id: None,
        end,
        key: None,
        seed: u64::from_be_bytes(*id.uuid().as_bytes().last_chunk().unwrap()),
    };
    assert!(node.payments.write_past(scope, past).await.unwrap());
    id
}

/// All pages of a list, in the order in which they came.
async fn walk(node: &Node, scope: Scope, filter: &PaymentFilter, limit: u32) -> Vec<Uuid> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = node.payments.list_by(scope, filter.clone(), after, limit).await.unwrap();
        all.extend(page.items.iter().map(|payment| payment.id.uuid()));
        if !page.has_more() {
            return all;
        }
        after = page.next.map(Id::from_uuid);
        tokio::task::yield_now().await;
    }
}

async fn pages_under_inserts(database: Option<Database>, name: &str) {
    let folder = Folder::new(name);
    let node = start(&folder, database.as_ref()).await;
    let scope = world(&node).await;
    let end = |seed: u64| if seed.is_multiple_of(3) { PastEnd::Declined } else { PastEnd::Paid };
    let (mut known, mut paid) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..150 {
        let id = write(&node, scope, seed, end(seed)).await.uuid();
        known.insert(id);
        if end(seed) == PastEnd::Paid {
            paid.insert(id);
        }
    }
    node.run_background();
    node.catch_up_search().await.unwrap();
    let (writer, stop) = (Arc::clone(&node), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let writing = tokio::spawn(async move {
        let mut seed = 1_000;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            write(&writer, scope, seed, end(seed)).await;
            seed += 1;
            // Faster, and a walk in pages of one would never get to its end.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seed - 1_000
    });
    let by_status = PaymentFilter { status: Some(PaymentStatus::Paid), ..PaymentFilter::default() };
    let both = PaymentFilter { currency: Some(Currency::USD), ..by_status.clone() };
    let in_range = PaymentFilter { amount_from: Some(1), amount_to: Some(2_000), ..PaymentFilter::default() };
    let since = PaymentFilter { created_to: Some(node.clock.now()), ..PaymentFilter::default() };
    for (filter, expected) in [
        (PaymentFilter::default(), &known),
        (by_status, &paid),
        (both, &paid),
        (in_range, &known),
        (since, &known),
    ] {
        for limit in [1, 7, 100] {
            let walked = walk(&node, scope, &filter, limit).await;
            assert!(walked.windows(2).all(|pair| pair[0] > pair[1]), "{filter:?}: newest first, once each");
            let walked: BTreeSet<Uuid> = walked.into_iter().collect();
            let missing: Vec<_> = expected.difference(&walked).collect();
            assert!(missing.is_empty(), "{filter:?} in pages of {limit} misses {missing:?}");
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0, "somebody wrote meanwhile");
    node.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_skip_under_inserts_on_sqlite() {
    pages_under_inserts(None, "pages").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_skip_under_inserts_on_postgres() {
    let Some(database) = Database::create().await else { return };
    pages_under_inserts(Some(database), "pages-postgres").await;
}

async fn count(node: &Node, scope: Scope, status: PaymentStatus) -> usize {
    let filter = PaymentFilter { status: Some(status), ..PaymentFilter::default() };
    node.payments.list_by(scope, filter, None, 100).await.unwrap().items.len()
}

async fn catches_up(database: Option<Database>, name: &str) {
    let folder = Folder::new(name);
    let node = start(&folder, database.as_ref()).await;
    let scope = world(&node).await;
    let paid = write(&node, scope, 1, PastEnd::Paid).await;
    write(&node, scope, 2, PastEnd::Declined).await;
    assert!(node.catch_up_search().await.unwrap() >= 2);
    assert_eq!(node.catch_up_search().await.unwrap(), 0, "a second pass finds nothing to read");
    // What is refunded while no search runs is found by the next start.
    let caller = payments::Caller { scope, actor: Actor::Node, trace_id: None, scenario: None };
    let _ = node.payments.refund(&caller, paid, payments::RefundPayment::default(), None).await;
    node.stop(Duration::from_secs(5)).await;

    let node = start(&folder, database.as_ref()).await;
    assert!(node.catch_up_search().await.unwrap() >= 1, "it goes on where it was");
    assert_eq!(count(&node, scope, PaymentStatus::Failed).await, 1);
    // Built again from the beginning, the same rows stand, each once.
    node.payments.rebuild_search().await.unwrap();
    assert!(node.catch_up_search().await.unwrap() >= 2);
    assert_eq!(count(&node, scope, PaymentStatus::Failed).await, 1);
    node.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_goes_on_after_a_stop_on_sqlite() {
    catches_up(None, "search").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_goes_on_after_a_stop_on_postgres() {
    let Some(database) = Database::create().await else { return };
    catches_up(Some(database), "search-postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_search_is_filled_again() {
    let folder = Folder::new("lost-search");
    let node = start(&folder, None).await;
    let scope = world(&node).await;
    for seed in 0..5 {
        write(&node, scope, seed, PastEnd::Declined).await;
    }
    node.stop(Duration::from_secs(5)).await;
    drop(node);
    std::fs::remove_file(folder.0.join("search.db")).unwrap();

    let node = start(&folder, None).await;
    assert_eq!(count(&node, scope, PaymentStatus::Failed).await, 0);
    assert!(node.catch_up_search().await.unwrap() >= 5);
    assert_eq!(count(&node, scope, PaymentStatus::Failed).await, 5);
    node.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_lead_writes_no_rows() {
    let folder = Folder::new("lead");
    let node = start(&folder, None).await;
    let scope = world(&node).await;
    write(&node, scope, 1, PastEnd::Declined).await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let lease = node.search_store.lease("search", one, Duration::ZERO).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(node.search_store.lease("search", other, Duration::ZERO).await.unwrap().is_some());
    assert!(node.payments.index_search(&lease, 100).await.is_err());
    assert!(node.catch_up_search().await.unwrap() >= 1, "the place in the journal did not move");
    node.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_merchants_see_their_own_payments_alone() {
    let folder = Folder::new("thousand");
    let node = start(&folder, None).await;
    let mut scopes = vec![world(&node).await];
    for number in 1..1_000 {
        let name = format!("Merchant {number}");
        let merchant = node.identity.create_merchant(&name, &Actor::Node, None).await.unwrap();
        node.open_sandbox(merchant.id).await.unwrap();
        scopes.push(merchant.scope(Mode::Test));
    }
    let mut made = Vec::new();
    for (scope, seed) in scopes.iter().zip(0..) {
        made.push(write(&node, *scope, seed, PastEnd::Declined).await);
    }
    node.catch_up_search().await.unwrap();
    let failed = PaymentFilter { status: Some(PaymentStatus::Failed), ..PaymentFilter::default() };
    for (scope, own) in scopes.iter().zip(&made) {
        for filter in [PaymentFilter::default(), failed.clone()] {
            assert_eq!(walk(&node, *scope, &filter, 100).await, [own.uuid()]);
        }
        assert!(node.payments.get(*scope, *own).await.is_ok());
    }
    for (scope, strange) in scopes.iter().zip(made.iter().skip(1)) {
        assert!(node.payments.get(*scope, *strange).await.is_err());
        let found = node.payments.search(*scope, &strange.to_string(), None, 10).await.unwrap();
        assert!(found.items.is_empty());
    }
    node.stop(Duration::from_secs(5)).await;
}
