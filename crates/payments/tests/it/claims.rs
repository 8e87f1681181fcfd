//! Idempotency keys: consumed by a commit, answered for ever.

use std::time::Duration;

use payments::{PaymentsError, RefundPayment, Rejection, Verdict};

use crate::world::{Trouble, World, card_payment, claim};

#[tokio::test]
async fn the_same_key_is_answered_the_same() {
    let world = World::new().await;
    for number in ["4242424242424242", "4000000000000002", "4000000000003220"] {
        let claim = claim(world.scope, number, "create", 1);
        let command = card_payment(1000, number);
        let first = world.payments.create(&world.caller, command.clone(), Some(claim.clone())).await.unwrap();
        let again = world.payments.create(&world.caller, command, Some(claim)).await.unwrap();
        assert!(!first.replayed && again.replayed);
        assert_eq!(again.verdict, first.verdict);
        assert_eq!(again.payment, first.payment, "{number}");
    }
    assert_eq!(world.payments.list(world.scope, None, 100).await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn another_body_or_route_is_refused() {
    let world = World::new().await;
    let command = card_payment(1000, "4242424242424242");
    let first = claim(world.scope, "k", "create", 1);
    world.payments.create(&world.caller, command.clone(), Some(first)).await.unwrap();
    for other in [claim(world.scope, "k", "create", 2), claim(world.scope, "k", "elsewhere", 1)] {
        let refused = world.payments.create(&world.caller, command.clone(), Some(other)).await.unwrap_err();
        assert_eq!(refused, PaymentsError::Rejected(Rejection::KeyReused));
    }
    assert_eq!(world.statement().await.len(), 1);
}

#[tokio::test]
async fn two_at_once_charge_once() {
    let world = World::new().await;
    let command = || card_payment(1000, "4242424242424242");
    let key = || Some(claim(world.scope, "k", "create", 1));
    let (one, two) = tokio::join!(
        world.payments.create(&world.caller, command(), key()),
        world.payments.create(&world.caller, command(), key()),
    );
    let in_use = |answer: &Result<payments::Answered, PaymentsError>| {
        matches!(answer, Err(PaymentsError::Rejected(Rejection::KeyInUse)))
    };
    let done = [&one, &two].into_iter().filter(|answer| answer.is_ok()).count();
    assert!(done >= 1 && (done == 2 || in_use(&one) || in_use(&two)), "{one:?} {two:?}");
    assert_eq!(world.statement().await.len(), 1);
}

#[tokio::test]
async fn a_refund_that_succeeded_is_replayed_and_not_rejected() {
    let world = World::new().await;
    let id = world.pay("4242424242424242").await.payment.id;
    let command = || RefundPayment { amount: Some(1000), ..RefundPayment::default() };
    let key = || Some(claim(world.scope, "r", "refund", 1));
    let first = world.payments.refund(&world.caller, id, command(), key()).await.unwrap();
    let again = world.payments.refund(&world.caller, id, command(), key()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.refund, first.refund);
    assert_eq!(world.get(id).await.amounts.refunded, 1000);
}

#[tokio::test]
async fn an_unknown_outcome_is_answered_when_it_is_known() {
    let world = World::new().await;
    world.trouble(Trouble::LostAfter);
    let command = || card_payment(1000, "4242424242424242");
    let key = || Some(claim(world.scope, "k", "create", 1));
    let first = world.payments.create(&world.caller, command(), key()).await.unwrap();
    assert_eq!(first.verdict, Verdict::Accepted);
    let soon = world.payments.create(&world.caller, command(), key()).await.unwrap_err();
    assert_eq!(soon, PaymentsError::Rejected(Rejection::KeyInUse));
    world.clock.advance(Duration::from_secs(26));
    let later = world.payments.create(&world.caller, command(), key()).await.unwrap();
    assert_eq!(later.verdict, Verdict::Accepted);
    assert_eq!(later.payment.id, first.payment.id);
    world.pass(Duration::from_mins(1)).await;
    let known = world.payments.create(&world.caller, command(), key()).await.unwrap();
    assert_eq!(known.verdict, Verdict::Done);
    assert_eq!(known.payment.id, first.payment.id);
    assert_eq!(world.statement().await.len(), 1);
}

#[tokio::test]
async fn a_rejection_consumes_no_key() {
    let world = World::new().await;
    let id = world.pay("4242424242424242").await.payment.id;
    let key = || Some(claim(world.scope, "r", "refund", 1));
    let beyond = RefundPayment { amount: Some(1001), ..RefundPayment::default() };
    assert!(world.payments.refund(&world.caller, id, beyond, key()).await.is_err());
    let within = RefundPayment { amount: Some(1000), ..RefundPayment::default() };
    let answered = world.payments.refund(&world.caller, id, within, key()).await.unwrap();
    assert!(!answered.replayed);
}

#[tokio::test]
async fn an_operator_who_decides_answers_the_claim() {
    let world = World::new().await;
    let over = sandbox_bank::SCENARIOS.iter().find(|scenario| scenario.name == "over_approval").unwrap();
    let command = || card_payment(1000, over.number);
    let key = || Some(claim(world.scope, "k", "create", 1));
    let first = world.payments.create(&world.caller, command(), key()).await.unwrap();
    assert_eq!(first.verdict, Verdict::Accepted);
    let operation = first.payment.attempts[0].operation;
    assert_eq!(first.payment.attempts[0].status, payments::OperationStatus::NeedsReview);
    let resolution = payments::Resolution::Succeeded { reference: "sbx_seen".to_owned(), amount: None };
    let resolved =
        world.payments.resolve_operation("ann", world.scope, operation, resolution, "seen at the bank").await;
    assert_eq!(resolved.unwrap().status(), payments::PaymentStatus::Paid);
    let known = world.payments.create(&world.caller, command(), key()).await.unwrap();
    assert!(known.replayed);
    assert_eq!((known.verdict, known.payment.id), (Verdict::Done, first.payment.id));
}
