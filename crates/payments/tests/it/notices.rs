//! The inbox: stored first, believed if signed, applied once, in any order.

use kernel::{Clock as _, Filter, Query};
use payments::{
    DeliveryStatus, OperationId, OperationKind, OperationStatus, PaymentStatus, RefundStatus, Resolution,
    StoredDelivery, Taken,
};
use provider_kit::{Delivery, WebhookError};

use crate::world::{Trouble, World};

async fn deliveries(world: &World) -> Vec<StoredDelivery> {
    let table = <StoredDelivery as kernel::Record>::TABLE;
    let query = Query::oldest(table, world.scope, 100);
    let found = world.store.of(world.scope).find::<StoredDelivery>(query).await.unwrap();
    found.into_iter().map(|versioned| versioned.record).collect()
}

#[tokio::test]
async fn a_refund_at_the_dashboard_becomes_an_external_one() {
    let world = World::new().await;
    let payment = world.pay("4242424242424242").await.payment;
    let reference = payment.charge.as_ref().unwrap().operation.reference();
    let now = kernel::Clock::now(&world.clock);
    world.bank.dashboard_refund(world.bank_keys.identity, &reference, Some(250), now).await.unwrap();
    world.quiet().await;
    let after = world.get(payment.id).await;
    assert_eq!(after.amounts.refunded, 250);
    assert_eq!(after.status(), PaymentStatus::PartiallyRefunded);
    let refunds = world.payments.refund_list(world.scope, Some(payment.id), None, 10).await.unwrap();
    assert!(refunds.items[0].external);
    assert_eq!(refunds.items[0].status, RefundStatus::Succeeded);
    world.quiet().await;
    assert_eq!(world.get(payment.id).await.amounts.refunded, 250, "told again, booked once");
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_forged_delivery_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let payment = world.pay("4242424242424242").await.payment;
    let now = kernel::Clock::now(&world.clock);
    let reference = payment.charge.as_ref().unwrap().operation.reference();
    world.bank.dashboard_refund(world.bank_keys.identity, &reference, None, now).await.unwrap();
    let notices = world.bank.due_notices(now, 10).await;
    let mut body = notices[0].body.clone();
    let last = body.len() - 2;
    body[last] ^= 1;
    let delivery = Delivery { headers: notices[0].headers.clone(), body, received_at: now };
    let taken = world.payments.receive("sandbox", world.account, delivery).await.unwrap();
    assert_eq!(taken, Taken::Refused(WebhookError::Signature));
    assert_eq!(world.payments.process_inbox(10).await.unwrap(), 0);
    assert_eq!(world.get(payment.id).await.amounts.refunded, 0);
    assert!(deliveries(&world).await.is_empty());
    let kept = world.payments.quarantined(world.scope).await.unwrap();
    assert_eq!((kept.len(), kept[0].reason.as_str()), (1, "the signature is not this account's"));
    // What was signed long ago is refused, too: it may be a replay.
    let late = world.clock.now().plus(std::time::Duration::from_mins(6));
    let replayed =
        Delivery { headers: notices[0].headers.clone(), body: notices[0].body.clone(), received_at: late };
    let taken = world.payments.receive("sandbox", world.account, replayed).await.unwrap();
    assert_eq!(taken, Taken::Refused(WebhookError::Stale));
}

/// A notice whose status is another, signed by the bank's own key; and whoever asks is told the same.
async fn tell(world: &World, told: &[u8], status: &'static str) {
    *world.wire.says.lock() = Some(status);
    let now = kernel::Clock::now(&world.clock);
    let mut body: serde_json::Value = serde_json::from_slice(told).unwrap();
    body["data"]["status"] = status.into();
    let body = body.to_string().into_bytes();
    let secret = world.bank_keys.webhook_secret.expose().as_bytes();
    let signature = provider_kit::signing::timestamped_signature(secret, now, &body);
    let headers = vec![("sandbox-signature".to_owned(), signature)];
    world
        .payments
        .receive("sandbox", world.account, Delivery { headers, body, received_at: now })
        .await
        .unwrap();
    world.payments.process_inbox(10).await.unwrap();
}

/// An old notice of a success, after the provider has undone that success, is no second success: nobody
/// can tell it from a change of mind, so that people decide, and nothing is given back by itself.
#[tokio::test]
async fn what_the_provider_undid_and_tells_again_is_for_people() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let payment = world.pay("4242424242424242").await.payment;
    let told = world.bank.due_notices(kernel::Clock::now(&world.clock), 10).await[0].body.clone();
    let status = async || world.get(payment.id).await.attempts[0].status;
    tell(&world, &told, "declined").await;
    assert_eq!(status().await, OperationStatus::Declined);
    assert_eq!(world.get(payment.id).await.amounts.captured, 0);
    tell(&world, &told, "captured").await;
    assert_eq!(status().await, OperationStatus::NeedsReview);
    for word in ["declined", "captured"] {
        tell(&world, &told, word).await;
        assert_eq!(status().await, OperationStatus::NeedsReview, "told {word} once more");
    }
    assert!(world.get(payment.id).await.refunds.is_empty());
    let id = payment.charge.as_ref().unwrap().operation;
    let reversal = OperationId { kind: OperationKind::Reversal, ..id }.reference();
    assert!(!world.wire.sent.lock().iter().any(|key| key.contains(&reversal)));
    // A person has asked the bank: it was charged.
    let done = Resolution::Succeeded { reference: "bank-1".to_owned(), amount: None };
    let resolved =
        world.payments.resolve_operation("ops", world.scope, id, done, "asked the bank").await.unwrap();
    assert_eq!((resolved.status(), resolved.amounts.captured), (PaymentStatus::Paid, 1000));
    assert_eq!(payments::check(&world.store, world.scope).await.unwrap().mismatches, []);
}

#[tokio::test]
async fn an_unknown_account_or_provider_is_not_found() {
    let world = World::new().await;
    let now = kernel::Clock::now(&world.clock);
    let delivery = || Delivery { headers: Vec::new(), body: b"{}".to_vec(), received_at: now };
    let nobody = kernel::Id::from_uuid(uuid::Uuid::from_u128(99));
    assert!(world.payments.receive("sandbox", nobody, delivery()).await.is_err());
    assert!(world.payments.receive("stripe", world.account, delivery()).await.is_err());
    assert!(deliveries(&world).await.is_empty());
}

#[tokio::test]
async fn a_notice_of_our_own_refund_while_it_is_unknown_settles_it_once() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let id = world.pay("4242424242424242").await.payment.id;
    world.quiet().await;
    world.trouble(Trouble::LostAfter);
    world.refund(id, Some(400)).await.unwrap();
    world.quiet().await;
    let payment = world.get(id).await;
    assert_eq!((payment.amounts.refunded, payment.amounts.refund_held), (400, 0));
    let rows = world
        .store
        .find(Query::oldest(&kernel::TRANSFER, world.scope, 100).with(Filter::equal("subject", id)))
        .await
        .unwrap();
    assert_eq!(rows.len(), 3, "a capture, the refund's hold, its posting");
    world.assert_agreement().await;
}

#[tokio::test]
async fn events_are_numbered_without_gaps() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let id = world.pay("4242424242424242").await.payment.id;
    world.refund(id, Some(400)).await.unwrap();
    world.refund(id, None).await.unwrap();
    world.quiet().await;
    let rows = world
        .store
        .find(Query::oldest(&kernel::JOURNAL, world.scope, 100).with(Filter::equal("subject", id)))
        .await
        .unwrap();
    let events: Vec<_> = rows.iter().flat_map(|row| kernel::JournalRow::read(row).unwrap().events).collect();
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    let expected: Vec<i64> = (1..=world.get(id).await.events).collect();
    assert_eq!(numbers, expected);
    assert_eq!(events[0].kind, "payment.created");
}

#[tokio::test]
async fn a_dashboard_refund_waits_while_one_of_ours_may_turn_out_to_be_it() {
    let world = World::new().await;
    let payment = world.pay("4242424242424242").await.payment;
    let reference = payment.charge.as_ref().unwrap().operation.reference();
    world.trouble(Trouble::LostBefore);
    world.refund(payment.id, Some(400)).await.unwrap();
    let now = kernel::Clock::now(&world.clock);
    world.bank.dashboard_refund(world.bank_keys.identity, &reference, Some(250), now).await.unwrap();
    world.deliver().await;
    world.payments.process_inbox(10).await.unwrap();
    assert_eq!(world.get(payment.id).await.amounts.refunded, 0, "ours is still open");
    world.pass(std::time::Duration::from_mins(3)).await;
    assert_eq!(world.get(payment.id).await.amounts.refunded, 650);
    world.assert_agreement().await;
}

#[tokio::test]
async fn nothing_is_refunded_while_a_part_is_disputed() {
    let world = World::new().await;
    let payment = world.pay("4242424242424242").await.payment;
    let reference = payment.charge.as_ref().unwrap().operation.reference();
    let now = kernel::Clock::now(&world.clock);
    world.bank.dashboard_dispute(world.bank_keys.identity, &reference, Some(100), now).await.unwrap();
    world.quiet().await;
    let refused = world.refund(payment.id, Some(1)).await.unwrap_err();
    let state = payments::Rejection::State { verb: "refunded", status: PaymentStatus::Disputed };
    assert_eq!(refused, payments::PaymentsError::Rejected(state));
}

/// A flood of forged deliveries costs one MAC each: few are written down, and never more than there are
/// places for.
#[tokio::test]
async fn forged_deliveries_take_no_more_than_their_places() {
    let world = World::new().await;
    let now = world.clock.now();
    let forged = |number: u32| Delivery {
        headers: vec![("sandbox-signature".to_owned(), "t=1,v1=00".to_owned())],
        body: format!("{{\"number\": {number}}}").into_bytes(),
        received_at: now,
    };
    for number in 0..200 {
        world.payments.receive("sandbox", world.account, forged(number)).await.unwrap();
    }
    let kept = world.payments.quarantined(world.scope).await.unwrap().len();
    assert_eq!(kept, 20, "a burst, and then one a second");
    for number in 200..1200 {
        world.clock.advance(std::time::Duration::from_secs(1));
        world.payments.receive("sandbox", world.account, forged(number)).await.unwrap();
    }
    let kept = world.payments.quarantined(world.scope).await.unwrap().len();
    assert!((200..=usize::from(payments::QUARANTINE_SLOTS)).contains(&kept), "{kept}");
    assert!(deliveries(&world).await.is_empty());
}

/// The same delivery lies in one place, however often it comes, and can be had again as it came.
#[tokio::test]
async fn what_is_in_quarantine_is_sealed_and_can_be_had_again() {
    let world = World::new().await;
    let body = br#"{"id": "evt_1", "data": {"object": {"client_secret": "pi_1_secret_abcdef", "email":
        "jane@example.com", "number": "4242424242424242"}}}"#;
    let delivery = |received_at| Delivery {
        headers: vec![
            ("sandbox-signature".to_owned(), "t=1,v1=00".to_owned()),
            ("authorization".to_owned(), "Bearer of-somebody".to_owned()),
        ],
        body: body.to_vec(),
        received_at,
    };
    let (first, then) = (world.clock.now(), world.clock.now().plus(std::time::Duration::from_secs(9)));
    for at in [first, then] {
        world.payments.receive("sandbox", world.account, delivery(at)).await.unwrap();
    }
    let kept = world.payments.quarantined(world.scope).await.unwrap();
    assert_eq!(
        (kept.len(), kept[0].times, kept[0].first_received_at, kept[0].received_at),
        (1, 2, first, then)
    );
    let rows = world.store.find(Query::everywhere(<payments::Quarantined as kernel::Record>::TABLE, 9)).await;
    let state = String::from_utf8(rows.unwrap()[0].state.clone()).unwrap();
    let digits: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    for secret in ["pi_1_secret", "jane@example.com", "4242424242424242", "of-somebody", &digits[..40]] {
        assert!(!state.contains(secret), "{secret} in {state}");
    }
    let (_, again) = world.payments.quarantined_delivery(world.scope, &kept[0].id()).await.unwrap();
    assert_eq!((again.body.as_slice(), again.received_at), (body.as_slice(), then));
    assert_eq!(again.headers, [("sandbox-signature".to_owned(), "t=1,v1=00".to_owned())]);
    world.payments.release(world.scope, &kept[0].id()).await.unwrap();
    assert!(world.payments.quarantined(world.scope).await.unwrap().is_empty());
    for id in ["", "x", "x.y", &kept[0].id()] {
        assert!(world.payments.quarantined_delivery(world.scope, id).await.is_err(), "{id}");
    }
}

/// A stored notice is sealed while it waits, and later kept without secrets.
#[tokio::test]
async fn a_stored_notice_lies_nowhere_in_the_clear() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    world.pay("4242424242424242").await;
    let told = world.bank.due_notices(world.clock.now(), 10).await[0].body.clone();
    let mut body: serde_json::Value = serde_json::from_slice(&told).unwrap();
    body["data"]["client_secret"] = "pi_1_secret_abcdef".into();
    let body = body.to_string().into_bytes();
    let secret = world.bank_keys.webhook_secret.expose().as_bytes();
    let signature = provider_kit::signing::timestamped_signature(secret, world.clock.now(), &body);
    let headers = vec![("sandbox-signature".to_owned(), signature)];
    let delivery = Delivery { headers, body, received_at: world.clock.now() };
    assert_eq!(world.payments.receive("sandbox", world.account, delivery).await.unwrap(), Taken::Stored);
    let state = async || {
        let rows = world.store.find(Query::everywhere(<StoredDelivery as kernel::Record>::TABLE, 9)).await;
        String::from_utf8(rows.unwrap()[0].state.clone()).unwrap()
    };
    let before = state().await;
    assert!(!before.contains("client_secret") && !before.contains("charge.updated"), "{before}");
    world.payments.process_inbox(10).await.unwrap();
    let after = state().await;
    assert!(after.contains("\"client_secret\":\"[redacted]\""), "{after}");
    assert!(!after.contains("pi_1_secret") && !after.contains("sealed"), "{after}");
    assert_eq!(deliveries(&world).await[0].status, DeliveryStatus::Applied);
}
