//! Confirm while the customer is still asked: the open charge is given up first, whatever happens.

use std::time::Duration;

use kernel::Id;
use payments::{
    Answered, ConfirmPayment, OperationKind, PaymentKind, PaymentStatus, PaymentsError, Rejection, Verdict,
};
use provider_kit::Action;

use crate::world::{Trouble, World, card, claim};

const CHALLENGED: &str = "4000000000003220";

fn with(number: &str) -> ConfirmPayment {
    ConfirmPayment { method: Some(card(number)), ..ConfirmPayment::default() }
}

async fn confirm(world: &World, id: Id<PaymentKind>, number: &str) -> Result<Answered, PaymentsError> {
    let claim = claim(world.scope, "second", "POST /payments/{id}/confirm", 1);
    world.payments.confirm(&world.caller, id, with(number), Some(claim)).await
}

/// The challenge page of the payment's charge.
async fn page_of(world: &World, id: Id<PaymentKind>) -> String {
    let payment = world.get(id).await;
    let Some(Action::ThreeDSecure { url }) = payment.next_action() else { panic!("{payment:?}") };
    url.rsplit('/').next().unwrap().to_owned()
}

async fn choose(world: &World, page: &str, choice: &str) {
    let _ = world.bank.challenge_submit(page, choice, kernel::Clock::now(&world.clock)).await;
}

#[tokio::test]
async fn another_card_takes_the_place_of_a_challenge() {
    let world = World::new().await;
    let id = world.pay(CHALLENGED).await.payment.id;
    let page = page_of(&world, id).await;
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert_eq!((told.verdict, told.payment.status()), (Verdict::Done, PaymentStatus::Paid));
    let kinds: Vec<_> =
        world.payments.operations(world.scope, id).await.unwrap().iter().map(|o| o.id.kind).collect();
    assert!(kinds.contains(&OperationKind::Cancel), "{kinds:?}");
    assert_eq!(told.payment.attempts.len(), 2);
    // The page of the first leads nowhere any more.
    choose(&world, &page, "complete").await;
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(id).await.amounts.captured, 1000);
    let again = confirm(&world, id, "5555555555554444").await.unwrap();
    assert!(again.replayed && again.payment.status() == PaymentStatus::Paid);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_second_challenge_and_a_decline() {
    let world = World::new().await;
    let id = world.pay(CHALLENGED).await.payment.id;
    let told = confirm(&world, id, CHALLENGED).await.unwrap();
    assert_eq!((told.verdict, told.payment.status()), (Verdict::Done, PaymentStatus::Authorizing));
    let page = page_of(&world, id).await;
    let declined = world.payments.confirm(&world.caller, id, with("4000000000000002"), None).await.unwrap();
    assert!(matches!(declined.verdict, Verdict::Declined(_)));
    assert_eq!(declined.payment.status(), PaymentStatus::Failed);
    choose(&world, &page, "complete").await;
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(id).await.amounts.captured, 0);
    let paid = world.payments.confirm(&world.caller, id, with("4242424242424242"), None).await.unwrap();
    assert_eq!(paid.payment.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

/// The cancel of the first charge goes wrong in each way: the second is made once that is known, and
/// never beside the first.
#[tokio::test]
async fn every_fault_of_giving_up_twice() {
    for (trouble, paid) in [
        (Trouble::LostBefore, true),
        (Trouble::LostAfter, true),
        (Trouble::Answers(500), true),
        (Trouble::AnswersAfter(502), true),
        (Trouble::Slow, true),
        // Certainly not given up: the customer may still pay with the first.
        (Trouble::Refused, false),
        (Trouble::Answers(422), false),
    ] {
        let world = World::new().await;
        let id = world.pay(CHALLENGED).await.payment.id;
        world.trouble(trouble);
        let first = confirm(&world, id, "5555555555554444");
        let (first, ()) = tokio::join!(first, async {
            for _ in 0..40 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(Duration::from_secs(30));
        });
        assert_eq!(first.unwrap().verdict, Verdict::Accepted, "{trouble:?}");
        assert_eq!(world.get(id).await.amounts.captured, 0, "{trouble:?}");
        world.pass(Duration::from_mins(30)).await;
        let payment = world.get(id).await;
        assert!(payment.next.is_none(), "{trouble:?}");
        let told = confirm(&world, id, "5555555555554444").await.unwrap();
        assert!(told.replayed, "{trouble:?}");
        if paid {
            assert_eq!(payment.status(), PaymentStatus::Paid, "{trouble:?}");
            assert_eq!(told.verdict, Verdict::Done, "{trouble:?}");
        } else {
            assert_eq!(payment.status(), PaymentStatus::Authorizing, "{trouble:?}");
            assert!(matches!(told.verdict, Verdict::Declined(_)), "{trouble:?} {told:?}");
        }
        world.assert_agreement().await;
    }
}

/// The customer was faster: nothing more is charged, and the confirm is told that it is paid.
#[tokio::test]
async fn a_customer_who_paid_meanwhile_pays_once() {
    let world = World::new().await;
    let id = world.pay(CHALLENGED).await.payment.id;
    let page = page_of(&world, id).await;
    choose(&world, &page, "complete").await;
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert_eq!(told.verdict, Verdict::Accepted);
    world.pass(Duration::from_mins(1)).await;
    let payment = world.get(id).await;
    assert_eq!((payment.status(), payment.amounts.captured), (PaymentStatus::Paid, 1000));
    assert_eq!(payment.attempts.len(), 1);
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert_eq!((told.replayed, told.verdict), (true, Verdict::Done));
    world.assert_agreement().await;
}

/// A cancel beside it wins: the payment is over, and the confirm is told that nothing was charged.
#[tokio::test]
async fn a_cancel_ends_the_wait() {
    let world = World::new().await;
    let id = world.pay(CHALLENGED).await.payment.id;
    world.trouble(Trouble::LostBefore);
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert_eq!(told.verdict, Verdict::Accepted);
    let second = world.payments.confirm(&world.caller, id, with("4242424242424242"), None).await;
    assert!(matches!(second, Err(PaymentsError::Rejected(Rejection::OperationOpen(_)))), "{second:?}");
    world.cancel(id).await.unwrap();
    world.pass(Duration::from_mins(30)).await;
    let payment = world.get(id).await;
    assert_eq!((payment.status(), payment.attempts.len()), (PaymentStatus::Cancelled, 1));
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert!(told.replayed && matches!(told.verdict, Verdict::Declined(_)), "{told:?}");
    world.assert_agreement().await;
}

/// The order stays guarded from the first charge to the second, without a gap.
#[tokio::test]
async fn the_order_stays_guarded() {
    let world = World::new().await;
    let order = |number: &str| payments::CreatePayment {
        order_id: Some("order-1".to_owned()),
        ..crate::world::card_payment(1000, number)
    };
    let id = world.create(order(CHALLENGED)).await.unwrap().payment.id;
    let told = confirm(&world, id, "5555555555554444").await.unwrap();
    assert_eq!(told.payment.status(), PaymentStatus::Paid);
    let other = world.create(order("4242424242424242")).await.unwrap_err();
    assert_eq!(other, PaymentsError::Rejected(Rejection::OrderAlreadyCharged));
    // A second confirm that is declined gives the order free.
    world.refund(id, None).await.unwrap();
    let id = world.create(order(CHALLENGED)).await.unwrap().payment.id;
    world.payments.confirm(&world.caller, id, with("4000000000000002"), None).await.unwrap();
    assert_eq!(world.create(order("4242424242424242")).await.unwrap().payment.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}
