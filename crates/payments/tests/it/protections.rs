//! Protections that an honest provider and a quiet operator never need: who we were, what the bytes were,
//! and whose reference it is.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Changes, Clock as _, Id, Lane, Method, Outcome, Record as _};
use payments::{AccountRecord, OperationId, OperationStatus, Payment, PaymentStatus, PaymentsError};
use provider_kit::Delivery;
use sandbox_bank::{BankRequest, Keys};
use serde_json::json;
use testkit::SeededRandom;
use uuid::Uuid;
use vault::{ServerSecret, Vault};

use crate::world::{Trouble, World, claim, held_payment};

/// Changes the world's provider account as an operator would, behind the service's back.
async fn edit_account(world: &World, edit: impl FnOnce(&mut AccountRecord)) {
    let key = vec![world.account.into()];
    let mut found = world.store.of(world.scope).get::<AccountRecord>(key).await.unwrap().unwrap();
    edit(&mut found.record);
    let mut changes = Changes::new(Uuid::from_u128(77), Lane::Background);
    changes.update(world.scope, &found.record, found.version).unwrap();
    assert!(matches!(world.store.commit(changes).await, Outcome::Committed { .. }));
    // What is kept of an account is kept for five seconds.
    world.clock.advance(Duration::from_secs(6));
}

/// A charge whose request was lost: it is unknown, and may be repeated under its key.
async fn lost_charge(world: &World) -> Id<payments::PaymentKind> {
    world.trouble(Trouble::LostBefore);
    let id = world.pay("4242424242424242").await.payment.id;
    assert_eq!(world.wire.sent.lock().len(), 1);
    id
}

/// After a change of settings a repeat would have other bytes: it is looked up and never sent.
#[tokio::test]
async fn a_repeat_with_other_bytes_is_not_sent() {
    for changed in [false, true] {
        let world = World::new().await;
        let id = lost_charge(&world).await;
        edit_account(&world, |account| {
            if changed {
                account.account.settings.insert("notice_url".to_owned(), "https://new.example".to_owned());
            }
        })
        .await;
        world.pass(Duration::from_mins(40)).await;
        let sent = world.wire.sent.lock().len();
        let status = world.get(id).await.status();
        if changed {
            assert_eq!((sent, status), (1, PaymentStatus::Failed));
        } else {
            assert_eq!((sent, status), (2, PaymentStatus::Paid));
        }
        world.assert_agreement().await;
    }
}

/// An account that has become somebody else is not who the operation was reserved for.
#[tokio::test]
async fn a_repeat_as_somebody_else_is_not_sent() {
    let world = World::new().await;
    let id = lost_charge(&world).await;
    edit_account(&world, |account| "acct_somebody_else".clone_into(&mut account.account.identity)).await;
    world.pass(Duration::from_mins(40)).await;
    assert_eq!(world.wire.sent.lock().len(), 1);
    assert_eq!(world.get(id).await.status(), PaymentStatus::Failed);
}

/// A second account of the same merchant at the same provider, with credentials of its own. Its id is the
/// greatest, so that it is not the one that charges.
async fn second_account(world: &World, keys: &Keys) -> Id<provider_kit::Account> {
    let id: Id<provider_kit::Account> = Id::from_uuid(Uuid::from_u128(u128::MAX - 1));
    let vault = Vault::new(&ServerSecret::parse(&"5a".repeat(32)).unwrap()).unwrap();
    let random = SeededRandom::new(3);
    let sealed: BTreeMap<&str, String> =
        [("api_key", &keys.api_key), ("webhook_secret", &keys.webhook_secret)]
            .into_iter()
            .map(|(name, secret)| {
                let place = format!("{id}/{name}");
                let keys = vault.keys(world.scope.mode).unwrap();
                let bytes = keys.seal(&random, world.scope, &place, secret.expose().as_bytes()).unwrap();
                (name, bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            })
            .collect();
    let record: AccountRecord = serde_json::from_value(json!({
        "account": {"id": id, "provider": "sandbox", "identity": keys.identity, "settings": {}},
        "sealed": sealed,
        "created_at": world.clock.now(),
    }))
    .unwrap();
    let mut changes = Changes::new(Uuid::from_u128(78), Lane::Background);
    changes.insert(world.scope, &record).unwrap();
    assert!(matches!(world.store.commit(changes).await, Outcome::Committed { .. }));
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(AccountRecord::FORM, 1);
    id
}

/// Somebody charges at another account under the reference of our operation, and the bank tells of it,
/// properly signed: that is nobody's word on our operation.
#[tokio::test]
async fn our_reference_at_another_account_proves_nothing() {
    let world = World::with(|bank| bank.notifies_all = true, |_| {}).await;
    let keys = Keys::draw(&SeededRandom::new(99));
    let other = second_account(&world, &keys).await;
    // Held back, so that no look-up decides it before the notice does.
    *world.wire.blind.lock() = 1000;
    let id = lost_charge(&world).await;
    let reference = world.get(id).await.attempts[0].operation.reference();
    let body = json!({
        "reference": reference, "amount": 1000, "currency": "USD", "capture": true,
        "source": {"type": "card", "token": "tok_visa"}, "return_url": "https://shop.example",
    });
    let request = BankRequest {
        method: Method::Post,
        path: "/v1/charges".to_owned(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {}", keys.api_key.expose())),
            ("idempotency-key".to_owned(), reference),
        ],
        body: body.to_string().into_bytes(),
    };
    let now = world.clock.now();
    world.bank.handle(&request, now).await;
    let notices = world.bank.due_notices(now, 10).await;
    assert_eq!(notices.len(), 1);
    for notice in &notices {
        let delivery =
            Delivery { headers: notice.headers.clone(), body: notice.body.clone(), received_at: now };
        world.payments.receive("sandbox", other, delivery).await.unwrap();
        world.bank.acknowledge(&notice.id, now).await;
    }
    world.payments.process_inbox(10).await.unwrap();
    let payment = world.get(id).await;
    assert_eq!((payment.status(), payment.amounts.captured), (PaymentStatus::Pending, 0));
    assert_eq!(payment.attempts[0].status, OperationStatus::Unknown);
}

/// A repeat of a refund's key, before anybody knows what became of the refund, shows that refund.
#[tokio::test]
async fn a_refund_that_is_not_known_yet_is_shown_to_a_repeat() {
    let world = World::new().await;
    let id = world.pay("4242424242424242").await.payment.id;
    world.trouble(Trouble::LostBefore);
    let key = || Some(claim(world.scope, "refund", "POST /payments/{id}/refund", 1));
    let refund = payments::RefundPayment::default;
    let first = world.payments.refund(&world.caller, id, refund(), key()).await.unwrap();
    world.clock.advance(Duration::from_secs(30));
    let again = world.payments.refund(&world.caller, id, refund(), key()).await.unwrap();
    assert_eq!(again.verdict, payments::Verdict::Accepted);
    assert_eq!(again.refund.unwrap().id, first.refund.unwrap().id);
    assert_eq!(world.get(id).await.refunds.len(), 1);
}

/// Nobody hears from the bank any more, until people must decide.
fn silence(world: &World) {
    *world.wire.weather.lock() = Some(Box::new(|| Some(Trouble::LostBefore)));
    *world.wire.blind.lock() = 100_000;
}

async fn beyond_the_horizon(world: &World) {
    for _ in 0..80 {
        world.clock.advance(Duration::from_hours(1));
        world.quiet().await;
    }
}

async fn decide(world: &World, operation: OperationId, amount: i64) -> Result<Payment, PaymentsError> {
    let told = payments::Resolution::Succeeded { reference: "sbx_seen".to_owned(), amount: Some(amount) };
    world.payments.resolve_operation("ann", world.scope, operation, told, "seen at the bank").await
}

/// People may say that less was done than was asked, and of what moved money that it was more: the books say
/// what was.
#[tokio::test]
async fn an_operator_says_how_much_it_was() {
    for told in [400, 900] {
        let world = World::new().await;
        let id = world.pay("4242424242424242").await.payment.id;
        silence(&world);
        let operation = world.refund(id, Some(600)).await.unwrap().refund.unwrap().operation;
        beyond_the_horizon(&world).await;
        let waiting = world.payments.in_review(10).await.unwrap();
        assert_eq!(waiting.iter().map(|waiting| waiting.operation.id).collect::<Vec<_>>(), [operation]);
        assert!(decide(&world, operation, -1).await.is_err());
        let payment = decide(&world, operation, told).await.unwrap();
        assert_eq!((payment.amounts.refunded, payment.amounts.refund_held), (told, 0));
        assert_eq!(payment.amounts.refundable(), 1000 - told);
        assert_eq!(payments::check(&world.store, world.scope).await.unwrap().mismatches, []);
        assert!(world.payments.in_review(10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_a_capture_took_beyond_what_was_held_is_booked() {
    let world = World::new().await;
    let id = world.create(held_payment(1000)).await.unwrap().payment.id;
    silence(&world);
    let captured = world.capture(id, Some(600), false).await.unwrap().payment;
    let operation = captured.open.first().unwrap().id;
    beyond_the_horizon(&world).await;
    let payment = decide(&world, operation, 1200).await.unwrap();
    assert_eq!((payment.amounts.captured, payment.amounts.capturable()), (1200, 0));
    payment.amounts_hold().unwrap();
    assert_eq!(payments::check(&world.store, world.scope).await.unwrap().mismatches, []);
}

/// More than was asked is not for us to take, so it is not said of what only holds.
#[tokio::test]
async fn no_more_is_held_than_was_asked_whatever_people_say() {
    let world = World::new().await;
    silence(&world);
    let held = world.create(held_payment(1000)).await.unwrap().payment;
    let operation = held.open.first().unwrap().id;
    beyond_the_horizon(&world).await;
    assert!(decide(&world, operation, 1001).await.is_err());
    assert_eq!(decide(&world, operation, 1000).await.unwrap().amounts.capturable(), 1000);
}
