//! Payments whose provider behaves.

use std::time::Duration;

use kernel::{Currency, Money};
use payments::{
    CreatePayment, DisputeStatus, PaymentStatus, PaymentsError, Purpose, RefundStatus, Rejection, Verdict,
    WaitingFor,
};
use provider_kit::{Action, Advice};

use crate::world::{Trouble, World, card_payment, held_payment, upi_payment};

#[tokio::test]
async fn a_card_is_charged_and_refunded_in_parts() {
    let world = World::new().await;
    let answered = world.pay("4242424242424242").await;
    assert_eq!(answered.verdict, Verdict::Done);
    let id = answered.payment.id;
    assert_eq!(answered.payment.status(), PaymentStatus::Paid);
    let first = world.refund(id, Some(300)).await.unwrap();
    assert_eq!(first.refund.as_ref().unwrap().status, RefundStatus::Succeeded);
    assert_eq!(world.get(id).await.status(), PaymentStatus::PartiallyRefunded);
    let beyond = world.refund(id, Some(701)).await;
    let available = Rejection::BeyondRefundable { available: 700 };
    assert_eq!(beyond.unwrap_err(), PaymentsError::Rejected(available));
    world.refund(id, None).await.unwrap();
    let payment = world.get(id).await;
    assert_eq!(payment.status(), PaymentStatus::Refunded);
    assert_eq!(payment.refunds.len(), 2);
    world.assert_agreement().await;
}

#[tokio::test]
async fn held_money_is_captured_in_parts_and_the_rest_released() {
    let world = World::new().await;
    let id = world.create(held_payment(1000)).await.unwrap().payment.id;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Authorized);
    world.capture(id, Some(300), false).await.unwrap();
    assert_eq!(world.get(id).await.amounts.capturable(), 700);
    let beyond = world.capture(id, Some(701), false).await.unwrap_err();
    assert_eq!(beyond, PaymentsError::Rejected(Rejection::BeyondCapturable { available: 700 }));
    world.capture(id, Some(200), true).await.unwrap();
    let payment = world.get(id).await;
    assert_eq!((payment.amounts.captured, payment.amounts.released), (500, 500));
    assert_eq!(payment.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

#[tokio::test]
async fn held_money_is_released_by_a_cancel() {
    let world = World::new().await;
    let id = world.create(held_payment(1000)).await.unwrap().payment.id;
    let answered = world.cancel(id).await.unwrap();
    assert_eq!(answered.verdict, Verdict::Done);
    assert_eq!(answered.payment.status(), PaymentStatus::Cancelled);
    let again = world.cancel(id).await.unwrap_err();
    assert!(matches!(again, PaymentsError::Rejected(Rejection::State { .. })));
    assert!(world.capture(id, None, false).await.is_err());
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_decline_is_stored_with_its_advice() {
    let world = World::new().await;
    let answered = world.pay("4000000000009995").await;
    let Verdict::Declined(error) = &answered.verdict else { panic!("{:?}", answered.verdict) };
    assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(error.code, "card_declined");
    assert_eq!(answered.payment.status(), PaymentStatus::Failed);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_refusal_says_whose_fault_it_is_and_never_blames_the_card() {
    for (status, code, advice) in [
        (401, "provider_credentials", None),
        (403, "provider_credentials", None),
        (429, "provider_rate_limited", Some(Advice::RetryLater)),
        (422, "provider_refused", None),
    ] {
        let world = World::new().await;
        world.trouble(Trouble::Answers(status));
        let answered = world.pay("4242424242424242").await;
        let Verdict::Declined(error) = &answered.verdict else { panic!("{:?}", answered.verdict) };
        assert_eq!((error.code.as_str(), error.advice), (code, advice), "{status}");
        assert_eq!(error.decline_code, None);
        assert_eq!(answered.payment.status(), PaymentStatus::Failed);
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn an_expired_card_fails_without_any_call() {
    let world = World::new().await;
    world.clock.advance(Duration::from_hours(24 * 365 * 5));
    let answered = world.pay("4242424242424242").await;
    let Verdict::Declined(error) = &answered.verdict else { panic!("{:?}", answered.verdict) };
    assert_eq!(error.decline_code.as_deref(), Some("expired_card"));
    assert_eq!(answered.payment.attempts.len(), 1);
    assert_eq!(*world.wire.sent.lock(), Vec::<String>::new());
    assert_eq!(world.get(answered.payment.id).await.status(), PaymentStatus::Failed);
}

#[tokio::test]
async fn a_failed_payment_may_be_confirmed_with_another_card() {
    let world = World::new().await;
    let id = world.pay("4000000000000002").await.payment.id;
    let command = payments::ConfirmPayment {
        method: Some(crate::world::card("5555555555554444")),
        ..Default::default()
    };
    let answered = world.payments.confirm(&world.caller, id, command.clone(), None).await.unwrap();
    assert_eq!(answered.payment.status(), PaymentStatus::Paid);
    assert_eq!(answered.payment.attempts.len(), 2);
    let again = world.payments.confirm(&world.caller, id, command, None).await.unwrap_err();
    assert!(matches!(again, PaymentsError::Rejected(Rejection::State { .. })));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_upi_payer_decides() {
    for (vpa, status) in [
        ("success@upi", PaymentStatus::Paid),
        ("user@paytm", PaymentStatus::Paid),
        ("failure@upi", PaymentStatus::Failed),
    ] {
        let world = World::new().await;
        let answered = world.create(upi_payment(vpa)).await.unwrap();
        let payment = &answered.payment;
        assert_eq!(payment.status(), PaymentStatus::Pending, "{vpa}");
        assert_eq!(payment.waiting_for(), Some(WaitingFor::Customer));
        let Some(Action::QrCode { payload }) = payment.next_action() else { panic!("{payment:?}") };
        assert!(
            payload.starts_with("upi://pay?pa=merchant%40bank")
                || payload.starts_with("upi://pay?pa=merchant@bank"),
            "{payload}"
        );
        world.pass(Duration::from_secs(12)).await;
        assert_eq!(world.get(payment.id).await.status(), status, "{vpa}");
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn a_upi_request_that_nobody_answers_is_cancelled_when_its_time_is_over() {
    let world = World::new().await;
    let id = world.create(upi_payment("timeout@upi")).await.unwrap().payment.id;
    world.pass(Duration::from_mins(14)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Pending);
    world.pass(Duration::from_mins(3)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Cancelled);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_challenge_is_answered_by_the_returning_browser() {
    for (choice, status) in [("complete", PaymentStatus::Paid), ("fail", PaymentStatus::Failed)] {
        let world = World::new().await;
        let answered = world.pay("4000000000003220").await;
        assert_eq!(answered.payment.status(), PaymentStatus::Authorizing);
        let Some(Action::ThreeDSecure { url }) = answered.payment.next_action() else { panic!() };
        let name = url.rsplit('/').next().unwrap();
        let now = kernel::Clock::now(&world.clock);
        let page = world.bank.challenge_page(name, now).await;
        assert!(page.html.contains("form"), "{}", page.html);
        let _ = world.bank.challenge_submit(name, choice, now).await;
        let returned = world.payments.returned(world.account, answered.payment.id).await.unwrap();
        assert_eq!(returned.payment.status(), status, "{choice}");
        assert_eq!(returned.return_url.as_deref(), Some("https://merchant.example/back"));
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn a_cancel_ends_what_waits_for_the_customer() {
    let world = World::new().await;
    let id = world.pay("4000000000003220").await.payment.id;
    let answered = world.cancel(id).await.unwrap();
    assert_eq!(answered.payment.status(), PaymentStatus::Cancelled, "{:?}", answered.payment);
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Cancelled);
    assert_eq!(world.get(id).await.open, []);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_verification_holds_nothing() {
    let world = World::new().await;
    let command = CreatePayment {
        amount: Money::zero(Currency::USD),
        purpose: Purpose::Verification,
        ..card_payment(0, "4242424242424242")
    };
    let answered = world.create(command).await.unwrap();
    assert_eq!(answered.payment.status(), PaymentStatus::Authorized);
    assert!(world.capture(answered.payment.id, None, false).await.is_err());
    world.assert_agreement().await;
}

#[tokio::test]
async fn an_order_is_charged_once() {
    let world = World::new().await;
    let of_order =
        |number: &str| CreatePayment { order_id: Some("order-1".to_owned()), ..card_payment(1000, number) };
    let declined = world.create(of_order("4000000000000002")).await.unwrap();
    assert_eq!(declined.payment.status(), PaymentStatus::Failed);
    let paid = world.create(of_order("4242424242424242")).await.unwrap();
    let second = world.create(of_order("4242424242424242")).await.unwrap_err();
    assert_eq!(second, PaymentsError::Rejected(Rejection::OrderAlreadyCharged));
    let allowed = CreatePayment { allow_duplicate_order: true, ..of_order("4242424242424242") };
    assert_eq!(world.create(allowed).await.unwrap().payment.status(), PaymentStatus::Paid);
    world.refund(paid.payment.id, None).await.unwrap();
    assert_eq!(world.create(of_order("4242424242424242")).await.unwrap().verdict, Verdict::Done);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_dispute_blocks_refunds_until_it_is_decided() {
    for (is_won, status) in [(true, PaymentStatus::Paid), (false, PaymentStatus::Paid)] {
        let world = World::new().await;
        let payment = world.pay("4242424242424242").await.payment;
        let (account, now) = (world.bank_keys.identity, kernel::Clock::now(&world.clock));
        let reference = payment.charge.as_ref().unwrap().operation.reference();
        let dispute = world.bank.dashboard_dispute(account, &reference, None, now).await.unwrap();
        world.quiet().await;
        let disputed = world.get(payment.id).await;
        assert_eq!(disputed.status(), PaymentStatus::Disputed);
        let [open] = &disputed.disputes[..] else { panic!("{:?}", disputed.disputes) };
        assert_eq!((open.status(), open.amount), (DisputeStatus::Open, 1000));
        assert_eq!((disputed.amounts.disputed, disputed.amounts.refundable()), (1000, 0));
        assert!(world.refund(payment.id, Some(1)).await.is_err());
        world.bank.dashboard_decide(account, &reference, dispute, is_won, now).await.unwrap();
        world.quiet().await;
        let payment = world.get(payment.id).await;
        assert_eq!(payment.status(), status);
        assert_eq!(payment.amounts.refundable(), if is_won { 1000 } else { 0 });
        let decided = if is_won { DisputeStatus::Won } else { DisputeStatus::Lost };
        let [shown] = &payment.disputes[..] else { panic!("{:?}", payment.disputes) };
        assert_eq!((shown.id, shown.status(), shown.amount), (open.id, decided, 1000), "the same one");
        let amounts = payment.amounts;
        assert_eq!((amounts.disputed, amounts.dispute_lost), (0, if is_won { 0 } else { 1000 }));
        // What the answer shows is what the books say: taken, given back, held by disputes, lost in them.
        let left = amounts.captured - amounts.refunded - amounts.disputed - amounts.dispute_lost;
        assert_eq!(amounts.refundable(), left);
        assert_eq!(payments::check(&world.store, world.scope).await.unwrap().mismatches, []);
    }
}
