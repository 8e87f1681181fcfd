//! The first start makes one merchant and one key, however many nodes start.

use identity::{FirstStart, KeyKind};
use kernel::{Mode, Outcome};
use store::Fault;

use crate::world::{Installation, merchant};

#[tokio::test]
async fn makes_a_merchant_and_a_key_that_works_and_finds_them_again() {
    let installation = Installation::new();
    let node = installation.node();
    let FirstStart::Created { merchant, key, text } =
        node.identity.first_start("Test merchant").await.unwrap()
    else {
        panic!("nothing was there");
    };
    assert!(text.expose().starts_with("sk_test_"));
    let principal = node.identity.authenticate(text.expose()).await.unwrap();
    assert_eq!((principal.scope, principal.key), (merchant.scope(Mode::Test), key.id));
    assert_eq!(principal.kind, KeyKind::Secret);
    for _ in 0..2 {
        let again = installation.node().identity.first_start("Test merchant").await.unwrap();
        assert!(matches!(again, FirstStart::Found(found) if found == merchant));
    }
    assert_eq!(
        installation.events().await,
        [("api_key.created".to_owned(), 1), ("merchant.created".to_owned(), 1)]
    );
}

#[tokio::test]
async fn of_two_nodes_that_start_together_one_makes_them() {
    let installation = Installation::new();
    let (here, there) = (installation.node(), installation.node());
    *here.line().rival.lock() = Some(there.identity.clone());
    let FirstStart::Found(found) = here.identity.first_start("Ours").await.unwrap() else {
        panic!("the rival was first");
    };
    assert_eq!(found.name, "Rival");
    assert_eq!(installation.rows(&identity::MERCHANT).await.len(), 1);
    assert_eq!(installation.rows(&identity::API_KEY).await.len(), 1);
}

#[tokio::test]
async fn an_operator_who_was_first_keeps_his_merchant_alone() {
    let installation = Installation::new();
    let node = installation.node();
    let theirs = merchant(&node).await;
    let found = node.identity.first_start("Test merchant").await.unwrap();
    assert!(matches!(found, FirstStart::Found(found) if found == theirs));
    assert_eq!(installation.rows(&identity::MERCHANT).await.len(), 1);
}

#[tokio::test]
async fn the_first_merchant_stays_the_first() {
    let installation = Installation::new();
    let node = installation.node();
    let FirstStart::Created { merchant: first, .. } = node.identity.first_start("First").await.unwrap()
    else {
        panic!("nothing was there");
    };
    let second = merchant(&node).await;
    assert_eq!(node.identity.merchants().await.unwrap(), [first.clone(), second]);
    let found = node.identity.first_start("First").await.unwrap();
    assert!(matches!(found, FirstStart::Found(found) if found == first));
}

#[tokio::test]
async fn a_failed_write_shows_no_key_and_the_next_start_makes_it() {
    for fault in [Fault::FailsBefore, Fault::Loses(Outcome::NotCommitted("disk full".to_owned()))] {
        let installation = Installation::new();
        let node = installation.node();
        installation.memory.inject(fault.clone());
        assert!(node.identity.first_start("Test merchant").await.is_err(), "{fault:?}");
        assert!(installation.rows(&identity::MERCHANT).await.is_empty());
        let again = node.identity.first_start("Test merchant").await.unwrap();
        assert!(matches!(again, FirstStart::Created { .. }), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_still_shows_the_key_that_was_written() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let installation = Installation::new();
        let node = installation.node();
        installation.memory.inject(fault.clone());
        let FirstStart::Created { text, .. } = node.identity.first_start("Test merchant").await.unwrap()
        else {
            panic!("{fault:?}: made by this node");
        };
        assert!(node.identity.authenticate(text.expose()).await.is_ok(), "{fault:?}");
        assert_eq!(installation.rows(&identity::MERCHANT).await.len(), 1);
    }
}
