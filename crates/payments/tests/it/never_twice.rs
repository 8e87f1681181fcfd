//! Every fault twice, failed and not done, failed but done; and what meets what.

use std::time::Duration;

use payments::{PaymentStatus, PaymentsError, RefundStatus, Rejection, Verdict};

use crate::world::{Trouble, World, card_payment, held_payment};

#[tokio::test]
async fn what_was_certainly_not_sent_fails_at_once() {
    let world = World::new().await;
    world.trouble(Trouble::Refused);
    let answered = world.pay("4242424242424242").await;
    let Verdict::Declined(error) = &answered.verdict else { panic!("{:?}", answered.verdict) };
    assert_eq!(error.code, "not_sent");
    assert_eq!(answered.payment.status(), PaymentStatus::Failed);
    assert_eq!(world.statement().await, []);
}

#[tokio::test]
async fn an_unknown_charge_is_held_and_found_out() {
    for trouble in [Trouble::LostBefore, Trouble::LostAfter] {
        let world = World::new().await;
        world.trouble(trouble);
        let answered = world.pay("4242424242424242").await;
        assert_eq!(answered.verdict, Verdict::Accepted, "{trouble:?}");
        let id = answered.payment.id;
        assert_eq!(world.get(id).await.status(), PaymentStatus::Pending);
        let confirm = payments::ConfirmPayment {
            method: Some(crate::world::card("4242424242424242")),
            ..Default::default()
        };
        let second = world.payments.confirm(&world.caller, id, confirm, None).await.unwrap_err();
        assert!(matches!(second, PaymentsError::Rejected(Rejection::OperationOpen(_))), "{second:?}");
        world.pass(Duration::from_mins(1)).await;
        assert_eq!(world.get(id).await.status(), PaymentStatus::Paid, "{trouble:?}");
        let statement = world.statement().await;
        assert_eq!(statement.len(), 1);
        assert_eq!(statement[0].captured_minor, 1000);
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_found_out_soon() {
    for trouble in [Trouble::Answers(500), Trouble::AnswersAfter(502)] {
        let world = World::new().await;
        world.trouble(trouble);
        let answered = world.pay("4242424242424242").await;
        assert_eq!(answered.verdict, Verdict::Accepted, "{trouble:?}");
        world.pass(Duration::from_mins(1)).await;
        assert_eq!(world.get(answered.payment.id).await.status(), PaymentStatus::Paid, "{trouble:?}");
        assert_eq!(world.statement().await.len(), 1);
        world.assert_agreement().await;
    }
}

/// A refusal proves that nothing was done only while nothing else was sent.
#[tokio::test]
async fn a_refusal_of_a_repeat_undoes_nothing() {
    for first in [Trouble::AnswersAfter(502), Trouble::LostAfter] {
        for refusal in [Trouble::Answers(429), Trouble::Answers(401), Trouble::Answers(503), Trouble::Refused]
        {
            let world = World::new().await;
            world.trouble(first);
            world.trouble(refusal);
            // The first look-up learns nothing, so that the charge is repeated.
            *world.wire.blind.lock() = 1;
            let answered = world.pay("4242424242424242").await;
            assert_eq!(answered.verdict, Verdict::Accepted, "{first:?} {refusal:?}");
            world.pass(Duration::from_mins(2)).await;
            let payment = world.get(answered.payment.id).await;
            assert_eq!(payment.status(), PaymentStatus::Paid, "{first:?} {refusal:?}");
            assert_eq!(world.statement().await.len(), 1);
            world.assert_agreement().await;
        }
    }
}

#[tokio::test]
async fn a_crash_between_reserve_and_settle_is_finished_by_the_resolver() {
    let world = World::new().await;
    world.trouble(Trouble::Hangs);
    let payments = std::sync::Arc::clone(&world.payments);
    let caller = world.caller.clone();
    let create = payments.create(&caller, card_payment(1000, "4242424242424242"), None);
    // The caller hangs up while the call is on its way: the reserve stands, its driver never returns.
    let hung_up = futures_hang_up(create).await;
    assert!(hung_up);
    let id = world.payments.list(world.scope, None, 1).await.unwrap().items[0].id;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Pending);
    world.pass(Duration::from_secs(34)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Pending, "its driver may still be sending");
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Paid);
    assert_eq!(world.statement().await.len(), 1);
    world.assert_agreement().await;
}

/// Polls a call until nothing more happens, then drops it.
async fn futures_hang_up<T>(call: impl Future<Output = T>) -> bool {
    tokio::select! {
        _ = call => false,
        () = async { for _ in 0..200 { tokio::task::yield_now().await } } => true,
    }
}

#[tokio::test]
async fn two_refunds_of_60_on_100_give_back_60() {
    let world = World::new().await;
    let id = world.create(card_payment(100, "4242424242424242")).await.unwrap().payment.id;
    let (one, two) = tokio::join!(world.refund(id, Some(60)), world.refund(id, Some(60)));
    let done = [&one, &two].iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(done, 1, "{one:?} {two:?}");
    let payment = world.get(id).await;
    assert_eq!((payment.amounts.refunded, payment.amounts.refund_held), (60, 0));
    world.assert_agreement().await;
}

#[tokio::test]
async fn an_unknown_refund_holds_its_amount() {
    for trouble in [Trouble::LostBefore, Trouble::LostAfter] {
        let world = World::new().await;
        let id = world.create(card_payment(100, "4242424242424242")).await.unwrap().payment.id;
        world.trouble(trouble);
        let answered = world.refund(id, Some(60)).await.unwrap();
        assert_eq!(answered.verdict, Verdict::Accepted);
        assert_eq!(answered.refund.unwrap().status, RefundStatus::Pending);
        let second = world.refund(id, Some(60)).await.unwrap_err();
        let available = Rejection::BeyondRefundable { available: 40 };
        assert_eq!(second, PaymentsError::Rejected(available));
        world.pass(Duration::from_mins(1)).await;
        let payment = world.get(id).await;
        assert_eq!((payment.amounts.refunded, payment.amounts.refund_held), (60, 0), "{trouble:?}");
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn an_unknown_capture_and_an_unknown_void_are_found_out() {
    for trouble in [Trouble::LostBefore, Trouble::LostAfter] {
        let world = World::new().await;
        let captured = world.create(held_payment(500)).await.unwrap().payment.id;
        let voided = world.create(held_payment(500)).await.unwrap().payment.id;
        world.trouble(trouble);
        assert_eq!(world.capture(captured, None, true).await.unwrap().verdict, Verdict::Accepted);
        world.trouble(trouble);
        assert_eq!(world.cancel(voided).await.unwrap().verdict, Verdict::Accepted);
        let busy = world.cancel(captured).await.unwrap_err();
        assert!(matches!(busy, PaymentsError::Rejected(Rejection::OperationOpen(_))), "{busy:?}");
        world.pass(Duration::from_mins(1)).await;
        assert_eq!(world.get(captured).await.status(), PaymentStatus::Paid);
        assert_eq!(world.get(voided).await.status(), PaymentStatus::Cancelled);
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn a_cancel_during_an_unknown_charge_undoes_it() {
    for (manual, status) in [(false, PaymentStatus::Refunded), (true, PaymentStatus::Cancelled)] {
        let world = World::new().await;
        world.trouble(Trouble::LostAfter);
        let command = if manual { held_payment(1000) } else { card_payment(1000, "4242424242424242") };
        let id = world.create(command).await.unwrap().payment.id;
        let cancel = world.cancel(id).await.unwrap();
        assert_eq!(cancel.verdict, Verdict::Accepted);
        world.pass(Duration::from_mins(2)).await;
        assert_eq!(world.get(id).await.status(), status);
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn a_scripted_fault_of_any_card_leaves_bank_and_books_agreed() {
    for scenario in sandbox_bank::SCENARIOS {
        let world = World::new().await;
        let create = world.create(card_payment(1000, scenario.number));
        let advance = async {
            // A slow answer comes when the clock moves.
            for _ in 0..60 {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                world.clock.advance(Duration::from_secs(1));
            }
        };
        let (created, ()) = tokio::join!(create, advance);
        let id = created.unwrap().payment.id;
        world.pass(Duration::from_mins(3)).await;
        if world.get(id).await.status() == PaymentStatus::Paid {
            let refund = world.refund(id, Some(400));
            let (_, ()) = tokio::join!(refund, async {
                for _ in 0..60 {
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                    world.clock.advance(Duration::from_secs(1));
                }
            });
            world.pass(Duration::from_mins(3)).await;
        }
        let payment = world.get(id).await;
        let report = payments::check(&world.store, world.scope).await.unwrap();
        assert_eq!(report.mismatches, [], "{}", scenario.name);
        let standing: Vec<_> =
            world.statement().await.into_iter().filter(|l| l.captured_minor > l.returned_minor).collect();
        assert!(standing.len() <= 1, "{}: charged twice: {standing:?}", scenario.name);
        let taken: i64 = standing.iter().map(|line| line.captured_minor - line.returned_minor).sum();
        let says = payment.amounts.captured - payment.amounts.refunded;
        let reviewed = payment.open.iter().any(|o| o.status == payments::OperationStatus::NeedsReview);
        assert!(taken == says || reviewed, "{}: bank {taken}, payment {says}: {payment:?}", scenario.name);
    }
}

#[tokio::test]
async fn a_settle_that_the_store_refuses_is_written_without_the_texts() {
    let world = World::new().await;
    let refused = kernel::Outcome::Refused("a text that the database cannot hold".to_owned());
    let mut commits = 0;
    world.memory.inject_from(move || {
        commits += 1;
        // The second commit is the settle.
        (commits == 2).then(|| store::Fault::Loses(refused.clone()))
    });
    let answered = world.pay("4242424242424242").await;
    assert_eq!(answered.payment.status(), PaymentStatus::Paid);
    let charge = answered.payment.charge.as_ref().unwrap();
    assert!(charge.facts.is_empty() && charge.reference.is_some(), "{charge:?}");
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_cancel_that_came_too_late_says_so_and_undoes() {
    let world = World::new().await;
    let id = world.create(crate::world::upi_payment("success@upi")).await.unwrap().payment.id;
    // The payer has approved, and nobody has told us yet.
    world.clock.advance(Duration::from_secs(3));
    let cancel = world.cancel(id).await.unwrap();
    assert_eq!(cancel.verdict, Verdict::Accepted, "{:?}", cancel.payment);
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Refunded);
    world.assert_agreement().await;
}

#[tokio::test]
async fn not_found_proves_nothing_while_a_repeat_may_still_land() {
    let world = World::new().await;
    world.trouble(Trouble::LostBefore);
    let id = world.pay("4242424242424242").await.payment.id;
    // The first repeat is lost as well, the next finds no connection: still nothing is proven.
    world.trouble(Trouble::LostBefore);
    for _ in 0..40 {
        world.trouble(Trouble::Refused);
    }
    world.pass(Duration::from_secs(45)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Pending);
    world.wire.troubles.lock().clear();
    world.pass(Duration::from_mins(10)).await;
    assert_eq!(world.get(id).await.status(), PaymentStatus::Paid);
    assert_eq!(world.statement().await.len(), 1);
    world.assert_agreement().await;
}

#[tokio::test]
async fn an_open_final_capture_excludes_every_other() {
    let world = World::new().await;
    let id = world.create(held_payment(500)).await.unwrap().payment.id;
    world.trouble(Trouble::LostBefore);
    assert_eq!(world.capture(id, Some(200), true).await.unwrap().verdict, Verdict::Accepted);
    let second = world.capture(id, Some(1), false).await.unwrap_err();
    assert!(matches!(second, PaymentsError::Rejected(Rejection::OperationOpen(_))), "{second:?}");
    world.pass(Duration::from_mins(1)).await;
    let amounts = world.get(id).await.amounts;
    assert_eq!((amounts.captured, amounts.released, amounts.capture_held), (200, 300, 0));
    world.assert_agreement().await;
}

#[tokio::test]
async fn less_than_was_asked_is_given_back() {
    let world = World::new().await;
    let partial = sandbox_bank::SCENARIOS.iter().find(|scenario| scenario.name.contains("partial")).unwrap();
    let answered = world.pay(partial.number).await;
    let Verdict::Declined(error) = &answered.verdict else { panic!("{:?}", answered.verdict) };
    assert_eq!(error.code, "partially_approved");
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(answered.payment.id).await.status(), PaymentStatus::Failed);
    let line = &world.statement().await[0];
    assert_eq!((line.captured_minor, line.returned_minor), (500, 500));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_settle_that_meets_another_commit_is_applied_again() {
    let world = World::new().await;
    let mut commits = 0;
    world.memory.inject_from(move || {
        commits += 1;
        // The second commit is the settle.
        (commits == 2).then_some(store::Fault::Loses(kernel::Outcome::Conflict))
    });
    let answered = world.pay("4242424242424242").await;
    assert_eq!((answered.verdict, answered.payment.status()), (Verdict::Done, PaymentStatus::Paid));
    world.assert_agreement().await;
}
