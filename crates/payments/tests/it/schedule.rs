//! What time does to a payment, on a test merchant's clock and on the real one.

use std::time::Duration;

use kernel::{Comparison, Filter, JOB, JOURNAL, JournalRow, Mode, Query, Scope};
use payments::{
    Caller, CreatePayment, MoveClock, OperationStatus, Payment, PaymentStatus, PaymentsError, Rejection,
};

use crate::world::{Trouble, World, card_payment, claim, held_payment, upi_payment};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const VISA: &str = "4242424242424242";

fn delayed(seconds: u32) -> CreatePayment {
    CreatePayment { capture_delay_seconds: Some(seconds), ..card_payment(1000, VISA) }
}

async fn made(world: &World, command: CreatePayment) -> Payment {
    *world.create(command).await.unwrap().payment
}

async fn jobs(world: &World) -> usize {
    world.store.find(Query::oldest(&JOB, world.scope, 100)).await.unwrap().len()
}

/// Kinds and reasons of a payment's events.
async fn events(world: &World, payment: &Payment) -> Vec<(String, String)> {
    let query = Query::oldest(&JOURNAL, world.scope, 100).with(Filter::equal("subject", payment.id));
    let rows = world.store.find(query).await.unwrap();
    let events = rows.iter().flat_map(|row| JournalRow::read(row).unwrap().events);
    let told = events
        .map(|event| (event.kind.to_string(), event.body["code"].as_str().unwrap_or_default().to_owned()));
    told.collect()
}

fn told(kind: &str, code: &str) -> (String, String) {
    (kind.to_owned(), code.to_owned())
}

fn captures(world: &World) -> usize {
    let sent = world.wire.sent.lock().clone();
    let mut captures: Vec<_> =
        sent.iter().filter(|key| key.len() == 25 && key.as_bytes()[22] == b'c').collect();
    captures.sort();
    captures.dedup();
    captures.len()
}

#[tokio::test]
async fn a_sale_that_succeeds_at_once_leaves_no_job() {
    let world = World::new().await;
    let payment = world.pay(VISA).await.payment;
    assert_eq!((payment.status(), jobs(&world).await), (PaymentStatus::Paid, 0));
    assert_eq!(payment.expires_at, None);
}

#[tokio::test]
async fn what_nobody_confirms_expires_after_a_day() {
    let world = World::new().await;
    let payment = made(&world, CreatePayment { confirm: false, ..card_payment(1000, VISA) }).await;
    assert_eq!(payment.expires_at, Some(payment.created_at.plus(DAY)));
    world.advance(DAY.saturating_sub(Duration::from_mins(1))).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Pending);
    world.advance(Duration::from_mins(1)).await;
    let expired = world.get(payment.id).await;
    assert_eq!((expired.status(), expired.expires_at), (PaymentStatus::Cancelled, None));
    assert_eq!(expired.last_error.as_ref().unwrap().code, "expired");
    assert_eq!(expired.completed_at, Some(expired.updated_at));
    assert!(events(&world, &payment).await.contains(&told("payment.cancelled", "expired")));
    assert_eq!(jobs(&world).await, 0);
}

#[tokio::test]
async fn it_expires_by_real_time_too() {
    let world = World::with(|_| {}, |settings| settings.payment_expires_in = Duration::from_mins(2)).await;
    let payment = made(&world, CreatePayment { confirm: false, ..card_payment(1000, VISA) }).await;
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Pending);
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Cancelled);
}

#[tokio::test]
async fn a_failed_payment_expires_and_keeps_its_reason() {
    let world = World::new().await;
    let command = CreatePayment { order_id: Some("o".to_owned()), ..card_payment(1000, "4000000000000002") };
    let payment = made(&world, command).await;
    assert_eq!(payment.status(), PaymentStatus::Failed);
    assert_eq!(payment.expires_at, Some(payment.created_at.plus(DAY)));
    world.advance(DAY).await;
    let expired = world.get(payment.id).await;
    assert_eq!(expired.status(), PaymentStatus::Cancelled);
    assert_eq!(expired.last_error.as_ref().unwrap().code, "card_declined");
    assert_eq!(jobs(&world).await, 0);
}

#[tokio::test]
async fn a_payment_that_is_confirmed_in_time_does_not_expire() {
    let world = World::new().await;
    let failed = made(&world, card_payment(1000, "4000000000000002")).await;
    world.advance(HOUR).await;
    let confirm = payments::ConfirmPayment {
        method: Some(crate::world::card(VISA)),
        ..payments::ConfirmPayment::default()
    };
    world.payments.confirm(&world.caller, failed.id, confirm, None).await.unwrap();
    world.advance(DAY * 2).await;
    assert_eq!(world.get(failed.id).await.status(), PaymentStatus::Paid);
    assert_eq!(jobs(&world).await, 0);
}

#[tokio::test]
async fn a_upi_request_expires_after_a_quarter_of_an_hour() {
    let world = World::new().await;
    let payment = made(&world, upi_payment("timeout@upi")).await;
    assert_eq!(payment.expires_at, Some(payment.created_at.plus(Duration::from_mins(15))));
    world.advance(Duration::from_mins(14)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Pending);
    world.advance(Duration::from_mins(1)).await;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Cancelled);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_challenge_that_nobody_takes_is_given_up_upstream() {
    let world = World::new().await;
    let payment = made(&world, card_payment(1000, "4000000000003220")).await;
    assert_eq!(payment.status(), PaymentStatus::Authorizing);
    world.advance(DAY).await;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Cancelled);
    world.assert_agreement().await;
}

#[tokio::test]
async fn held_money_lapses_after_seven_days() {
    let world = World::new().await;
    let payment = made(&world, held_payment(1000)).await;
    assert_eq!((payment.status(), payment.expires_at), (PaymentStatus::Authorized, None));
    world.advance((DAY * 7).saturating_sub(HOUR)).await;
    assert_eq!(world.get(payment.id).await.amounts.capturable(), 1000);
    world.advance(HOUR).await;
    let lapsed = world.get(payment.id).await;
    assert_eq!((lapsed.status(), lapsed.amounts.capturable()), (PaymentStatus::Cancelled, 0));
    let events = events(&world, &payment).await;
    assert!(events.contains(&told("payment.authorization_lapsed", "")), "{events:?}");
    assert!(events.contains(&told("payment.cancelled", "authorization_lapsed")), "{events:?}");
    assert_eq!(jobs(&world).await, 0);
    world.assert_agreement().await;
}

#[tokio::test]
async fn what_was_captured_stays_when_the_rest_lapses() {
    let world = World::new().await;
    let payment = made(&world, held_payment(1000)).await;
    world.capture(payment.id, Some(300), false).await.unwrap();
    world.advance(DAY * 7).await;
    let lapsed = world.get(payment.id).await;
    assert_eq!((lapsed.status(), lapsed.amounts.capturable()), (PaymentStatus::Paid, 0));
    assert_eq!((lapsed.amounts.captured, lapsed.cancelled), (300, false));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_lapse_survives_every_trouble() {
    for trouble in [
        Trouble::Refused,
        Trouble::LostBefore,
        Trouble::LostAfter,
        Trouble::Hangs,
        Trouble::Answers(500),
        Trouble::AnswersAfter(502),
        Trouble::Answers(401),
        Trouble::Answers(429),
        Trouble::Answers(409),
    ] {
        let world = World::new().await;
        let payment = made(&world, held_payment(1000)).await;
        world.payments.move_clock(&world.caller, MoveClock::By(DAY * 7), None).await.unwrap();
        world.trouble(trouble);
        world.spawned_schedules().await;
        if matches!(trouble, Trouble::Refused | Trouble::Answers(401 | 429)) {
            // Nobody at the bank has heard of it yet.
            assert_eq!(world.get(payment.id).await.amounts.capturable(), 1000);
        }
        world.pass(Duration::from_mins(10)).await;
        // A void that was lost may be repeated for a day, and proves nothing until then.
        world.clock.advance(DAY + HOUR);
        world.pass(Duration::from_mins(10)).await;
        let lapsed = world.get(payment.id).await;
        assert_eq!(lapsed.status(), PaymentStatus::Cancelled, "{trouble:?}");
        assert_eq!((lapsed.amounts.capturable(), lapsed.amounts.capture_held), (0, 0), "{trouble:?}");
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn a_delayed_capture_is_made_when_it_was_promised() {
    let world = World::new().await;
    let payment = made(&world, delayed(3600)).await;
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    world.advance(Duration::from_mins(59)).await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Authorized);
    world.advance(Duration::from_mins(1)).await;
    let paid = world.get(payment.id).await;
    assert_eq!((paid.status(), paid.amounts.captured), (PaymentStatus::Paid, 1000));
    assert_eq!((captures(&world), jobs(&world).await), (1, 0));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_delayed_capture_that_was_made_or_given_up_by_hand_is_not_made() {
    let world = World::new().await;
    let (captured, cancelled) = (made(&world, delayed(60)).await, made(&world, delayed(60)).await);
    world.capture(captured.id, Some(400), true).await.unwrap();
    world.cancel(cancelled.id).await.unwrap();
    world.advance(HOUR).await;
    assert_eq!(world.get(captured.id).await.amounts.captured, 400);
    assert_eq!(world.get(cancelled.id).await.status(), PaymentStatus::Cancelled);
    assert_eq!(captures(&world), 1);
    world.assert_agreement().await;
}

#[tokio::test]
async fn the_rest_of_a_partial_capture_is_captured_when_it_was_promised() {
    let world = World::new().await;
    let payment = made(&world, delayed(60)).await;
    world.capture(payment.id, Some(400), false).await.unwrap();
    world.advance(HOUR).await;
    assert_eq!(world.get(payment.id).await.amounts.captured, 1000);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_delayed_capture_is_made_once_whatever_happens() {
    for trouble in [
        Trouble::Refused,
        Trouble::LostBefore,
        Trouble::LostAfter,
        Trouble::Hangs,
        Trouble::Answers(401),
        Trouble::Answers(429),
        Trouble::Answers(500),
        Trouble::AnswersAfter(502),
    ] {
        let world = World::new().await;
        let payment = made(&world, delayed(60)).await;
        world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
        world.trouble(trouble);
        world.spawned_schedules().await;
        world.pass(Duration::from_mins(10)).await;
        let paid = world.get(payment.id).await;
        assert_eq!((paid.status(), paid.amounts.captured), (PaymentStatus::Paid, 1000), "{trouble:?}");
        world.assert_agreement().await;
    }
}

/// The job of the expiry wakes after the confirm and finds nothing due: what it leaves behind must count
/// from now, not from the payment's last change.
#[tokio::test]
async fn a_capture_that_was_promised_after_a_failed_start_is_on_time() {
    let world = World::new().await;
    let failed = made(
        &world,
        CreatePayment { capture_delay_seconds: Some(6 * 86_400), ..card_payment(1000, "4000000000000002") },
    )
    .await;
    world.advance(HOUR).await;
    let confirm = payments::ConfirmPayment {
        method: Some(crate::world::card(VISA)),
        ..payments::ConfirmPayment::default()
    };
    world.payments.confirm(&world.caller, failed.id, confirm, None).await.unwrap();
    let confirmed = world.get(failed.id).await;
    world.advance(HOUR * 23).await;
    let looked_at = world.get(failed.id).await;
    assert_eq!(looked_at.updated_at, confirmed.updated_at, "nothing that people see has changed");
    world.advance(DAY * 5).await;
    assert_eq!(world.get(failed.id).await.status(), PaymentStatus::Authorized);
    world.advance(HOUR).await;
    assert_eq!(world.get(failed.id).await.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

/// What a person asked for and was not sent is theirs to ask for again; only what was promised for a time
/// is tried again by itself.
#[tokio::test]
async fn a_capture_by_hand_that_was_not_sent_is_not_repeated_by_time() {
    let world = World::new().await;
    let payment = made(&world, delayed(60)).await;
    world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
    // The promised capture is refused for good: nothing is promised any more.
    world.trouble(Trouble::Answers(422));
    world.spawned_schedules().await;
    world.trouble(Trouble::Refused);
    let told = world.capture(payment.id, Some(100), true).await.unwrap();
    assert!(matches!(told.verdict, payments::Verdict::Declined(_)), "{told:?}");
    world.advance(HOUR).await;
    assert_eq!(world.get(payment.id).await.amounts.captured, 0);
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Authorized);
    world.assert_agreement().await;
}

/// A provider that is out of reach for days leaves a payment operations enough for people.
#[tokio::test]
async fn an_outage_does_not_use_up_a_payments_operations() {
    let world = World::new().await;
    let payment = made(&world, delayed(60)).await;
    world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
    for _ in 0..120 {
        // Whatever is sent in this hour: the bank's clock, captures, look-ups.
        for _ in 0..8 {
            world.trouble(Trouble::Refused);
        }
        world.advance(HOUR).await;
    }
    world.wire.troubles.lock().clear();
    let after = world.get(payment.id).await;
    assert!((10..80).contains(&after.operations), "{}", after.operations);
    assert_eq!(after.status(), PaymentStatus::Authorized);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_job_that_runs_again_does_nothing() {
    for command in [delayed(60), held_payment(1000), card_payment(1000, "4000000000000002")] {
        let world = World::new().await;
        let payment = made(&world, command).await;
        let rows = world.store.find(Query::oldest(&JOB, world.scope, 10)).await.unwrap();
        let payload = rows[0].columns[4].as_bytes().unwrap().to_vec();
        world.advance(DAY * 7).await;
        let after = world.get(payment.id).await;
        // As if its worker had died before it could say that it was done.
        for number in 0..2 {
            let mut changes = kernel::Changes::new(uuid::Uuid::from_u128(number), kernel::Lane::Background);
            changes.enqueue.push(kernel::Job {
                scope: world.scope,
                id: uuid::Uuid::from_u128(number),
                kind: payments::SCHEDULE_JOB,
                due: kernel::Cell::After(Duration::ZERO),
                promised: true,
                payload: payload.clone(),
            });
            world.store.commit(changes).await;
        }
        world.quiet().await;
        assert_eq!(world.get(payment.id).await, after);
        assert_eq!(jobs(&world).await, 0);
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn two_workers_capture_once() {
    let world = World::new().await;
    let payment = made(&world, delayed(60)).await;
    world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
    let first = Box::pin(world.payments.run_schedules(10));
    // The first one's lease is over while it still works: the second takes the job as well.
    let second = async {
        world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
        Box::pin(world.payments.run_schedules(10)).await
    };
    let (first, second) = futures_util::future::join(first, Box::pin(second)).await;
    first.unwrap();
    second.unwrap();
    world.pass(Duration::from_mins(2)).await;
    assert_eq!((captures(&world), world.get(payment.id).await.amounts.captured), (1, 1000));
    world.assert_agreement().await;
}

#[tokio::test]
async fn people_see_the_merchants_time() {
    let world = World::new().await;
    let before = made(&world, held_payment(1000)).await;
    world.advance(DAY).await;
    let after = made(&world, held_payment(1000)).await;
    assert!(after.created_at.since(before.created_at) >= DAY);
    world.capture(before.id, None, false).await.unwrap();
    assert!(world.get(before.id).await.updated_at.since(before.created_at) >= DAY);
    // Good to the end of 2030.
    world.advance(DAY * 365 * 5).await;
    let declined = made(&world, card_payment(1000, VISA)).await;
    assert_eq!(declined.last_error.unwrap().decline_code.as_deref(), Some("expired_card"));
}

#[tokio::test]
async fn what_is_unknown_does_not_age_when_the_clock_is_moved() {
    let world = World::new().await;
    world.trouble(Trouble::LostBefore);
    *world.wire.blind.lock() = 1000;
    let unknown = world.pay(VISA).await.payment;
    let asking = world.pay("4000000000003220").await.payment;
    let due = async |payment: &Payment| {
        let query = Query::oldest(table("operation"), world.scope, 10)
            .with(Filter::equal("payment", payment.id))
            .with(Filter::compare("due_at", Comparison::Present, 0));
        world.store.find(query).await.unwrap()[0].columns[0].as_time().unwrap()
    };
    let before = (due(&unknown).await, due(&asking).await);
    world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None).await.unwrap();
    let after = (due(&unknown).await, due(&asking).await);
    assert_eq!(after.0, before.0, "real time alone makes it due");
    assert!(after.1 < before.1, "it is looked at earlier");
    *world.wire.weather.lock() = Some(Box::new(|| Some(Trouble::LostBefore)));
    // Beyond the horizon by the merchant's clock, and not by the real one.
    world.advance(DAY * 5).await;
    world.pass(Duration::from_mins(1)).await;
    let status = world.get(unknown.id).await.open_charge().map(|open| open.status);
    assert_eq!(status, Some(OperationStatus::Unknown));
    *world.wire.blind.lock() = 0;
    *world.wire.weather.lock() = None;
    world.pass(Duration::from_mins(10)).await;
    assert_eq!(world.get(unknown.id).await.status(), PaymentStatus::Paid);
    world.assert_agreement().await;
}

fn table(name: &str) -> &'static kernel::Table {
    payments::TABLES.iter().copied().find(|table| table.name == name).unwrap()
}

#[tokio::test]
async fn what_an_unknown_operation_counts_from_is_real_time() {
    let world = World::new().await;
    world.advance(DAY * 30).await;
    let payment = made(&world, held_payment(1000)).await;
    let operations = world.payments.operations(world.scope, payment.id).await.unwrap();
    let real = kernel::Clock::now(&world.clock);
    assert_eq!(operations[0].queued_at, Some(real));
    assert!(operations[0].created_at.since(real) >= DAY * 29);
    let world = World::new().await;
    let payment = made(&world, held_payment(1000)).await;
    assert_eq!(world.payments.operations(world.scope, payment.id).await.unwrap()[0].queued_at, None);
}

#[tokio::test]
async fn the_bank_lives_in_the_merchants_time() {
    let world = World::with(
        |bank| {
            bank.dispute_delay = DAY * 30;
            bank.dispute_decision_delay = DAY * 30;
            bank.upi_delay = HOUR;
        },
        |_| {},
    )
    .await;
    let upi = made(&world, upi_payment("success@upi")).await;
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.get(upi.id).await.status(), PaymentStatus::Pending);
    let late = World::with(|bank| bank.upi_delay = Duration::from_mins(10), |_| {}).await;
    let approved = made(&late, upi_payment("success@upi")).await;
    late.advance(Duration::from_mins(10)).await;
    assert_eq!(late.get(approved.id).await.status(), PaymentStatus::Paid, "its notice came with the move");
    late.assert_agreement().await;
    let disputed = world.pay("4000000000000259").await.payment;
    world.advance(DAY * 30).await;
    assert_eq!(world.get(disputed.id).await.status(), PaymentStatus::Disputed);
    world.advance(DAY * 30).await;
    assert_ne!(world.get(disputed.id).await.status(), PaymentStatus::Disputed);
}

#[tokio::test]
async fn another_merchants_clock_stands() {
    let world = World::new().await;
    world.advance(DAY).await;
    let other = Scope { merchant: kernel::Id::from_uuid(uuid::Uuid::from_u128(2)), ..world.scope };
    assert_eq!(world.payments.test_clock(other).await.unwrap().offset, Duration::ZERO);
    assert_eq!(world.payments.now(other).await.unwrap(), kernel::Clock::now(&world.clock));
    assert_eq!(world.payments.test_clock(world.scope).await.unwrap().offset, DAY);
}

#[tokio::test]
async fn a_key_moves_a_clock_once() {
    let world = World::new().await;
    let key = || Some(claim(world.scope, "k", "POST /test/clock", 1));
    let moved = |command| world.payments.move_clock(&world.caller, command, key());
    let first = moved(MoveClock::By(HOUR)).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let again = moved(MoveClock::By(HOUR)).await.unwrap();
    assert_eq!((again.now, again.offset, again.replayed), (first.now, HOUR, true));
    assert_eq!(world.payments.test_clock(world.scope).await.unwrap().offset, HOUR);
    let other = claim(world.scope, "k", "POST /test/clock", 2);
    let reused = world.payments.move_clock(&world.caller, MoveClock::By(HOUR), Some(other)).await;
    assert_eq!(reused.unwrap_err(), PaymentsError::Rejected(Rejection::KeyReused));
    // At the same time, too.
    let key = || Some(claim(world.scope, "two", "POST /test/clock", 1));
    let moved = || world.payments.move_clock(&world.caller, MoveClock::By(HOUR), key());
    let (one, two) = futures_util::future::join(moved(), moved()).await;
    assert_ne!(one.unwrap().replayed, two.unwrap().replayed);
    assert_eq!(world.payments.test_clock(world.scope).await.unwrap().offset, HOUR * 2);
}

#[tokio::test]
async fn moves_at_the_same_time_add_up() {
    let world = World::new().await;
    let moves = (0..4).map(|_| world.payments.move_clock(&world.caller, MoveClock::By(HOUR), None));
    for moved in futures_util::future::join_all(moves).await {
        moved.unwrap();
    }
    assert_eq!(world.payments.test_clock(world.scope).await.unwrap().offset, HOUR * 4);
}

#[tokio::test]
async fn a_clock_is_not_moved_back_nor_a_live_one_at_all() {
    let world = World::new().await;
    let now = kernel::Clock::now(&world.clock);
    for command in [MoveClock::By(Duration::ZERO), MoveClock::To(now), MoveClock::To(now.minus(HOUR))] {
        let refused = world.payments.move_clock(&world.caller, command, None).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Rejected(Rejection::Invalid { .. })), "{refused:?}");
    }
    let scope = Scope { mode: Mode::Live, ..world.scope };
    let live = Caller { scope, ..world.caller.clone() };
    let refused = world.payments.move_clock(&live, MoveClock::By(HOUR), None).await.unwrap_err();
    assert_eq!(refused, PaymentsError::Rejected(Rejection::TestModeOnly));
    let to = world.payments.move_clock(&world.caller, MoveClock::To(now.plus(DAY)), None).await.unwrap();
    assert_eq!((to.now, to.offset), (now.plus(DAY), DAY));
}

#[tokio::test]
async fn a_bank_that_was_not_reached_is_told_again() {
    for trouble in [Trouble::Refused, Trouble::LostBefore, Trouble::Answers(503), Trouble::LostAfter] {
        let world = World::with(|bank| bank.upi_delay = Duration::from_mins(10), |_| {}).await;
        let payment = made(&world, upi_payment("success@upi")).await;
        world.trouble(trouble);
        let moved = MoveClock::By(Duration::from_mins(10));
        world.payments.move_clock(&world.caller, moved, None).await.unwrap();
        world.pass(Duration::from_secs(30)).await;
        assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Paid, "{trouble:?}");
        assert_eq!(jobs(&world).await, 0);
    }
}

#[tokio::test]
async fn a_job_that_another_took_the_place_of_writes_nothing() {
    let world = World::new().await;
    let payment = made(&world, CreatePayment { confirm: false, ..delayed(60) }).await;
    let confirm = payments::ConfirmPayment {
        method: Some(crate::world::card(VISA)),
        ..payments::ConfirmPayment::default()
    };
    world.payments.confirm(&world.caller, payment.id, confirm, None).await.unwrap();
    assert_eq!(jobs(&world).await, 2, "the expiry's, and before it the capture's");
    world.advance(HOUR).await;
    let version = async || {
        let rows = world.store.find(Query::oldest(table("payment"), world.scope, 1)).await.unwrap();
        rows[0].version
    };
    let before = version().await;
    assert_eq!((world.get(payment.id).await.status(), jobs(&world).await), (PaymentStatus::Paid, 1));
    world.advance(DAY).await;
    assert_eq!((version().await, jobs(&world).await), (before, 0));
}

#[tokio::test]
async fn a_promised_capture_waits_for_an_open_one() {
    let world = World::new().await;
    let payment = made(&world, delayed(60)).await;
    world.trouble(Trouble::LostBefore);
    *world.wire.blind.lock() = 1000;
    world.capture(payment.id, Some(400), false).await.unwrap();
    world.advance(HOUR).await;
    assert_eq!(world.get(payment.id).await.amounts.captured, 0);
    *world.wire.blind.lock() = 0;
    world.pass(Duration::from_mins(10)).await;
    assert_eq!(world.get(payment.id).await.amounts.captured, 1000);
    assert_eq!(captures(&world), 2);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_clock_that_another_node_moved_is_known_within_five_seconds() {
    let world = World::new().await;
    let payment = made(&world, CreatePayment { confirm: false, ..card_payment(1000, VISA) }).await;
    let real = || kernel::Clock::now(&world.clock);
    assert_eq!(world.payments.now(world.scope).await.unwrap(), real());
    let from = kernel::TestClock::read(world.store.as_ref(), world.scope).await.unwrap();
    let mut changes = kernel::Changes::new(uuid::Uuid::from_u128(1), kernel::Lane::Background);
    changes.advance = Some(kernel::Advance { scope: world.scope, by: DAY, from });
    world.store.commit(changes).await;
    assert_eq!(world.payments.now(world.scope).await.unwrap(), real());
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.payments.now(world.scope).await.unwrap(), real().plus(DAY));
    // What is due by it is done at once, whatever this node believed.
    world.quiet().await;
    assert_eq!(world.get(payment.id).await.status(), PaymentStatus::Cancelled);
}
