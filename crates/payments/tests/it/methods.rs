//! Stored methods below the API: where they can be charged, and what their first charge teaches.

use std::time::Duration;

use kernel::{Changes, Id, Lane, Outcome};
use payments::{
    CreatePayment, CustomerRef, MethodInput, MethodSummary, NewMethod, OffSession, PaymentMethod,
    PaymentMethodKind, PaymentStatus, PaymentsError, Rejection,
};
use serde_json::json;
use uuid::Uuid;

use crate::world::{Trouble, World, card, card_payment};

fn charging(method: Id<PaymentMethodKind>) -> CreatePayment {
    CreatePayment { method: Some(MethodInput::Stored(method)), ..card_payment(1000, "4242424242424242") }
}

async fn method(world: &World) -> Id<PaymentMethodKind> {
    let new = NewMethod {
        method: card("4242424242424242"),
        customer: Some(CustomerRef::Reference("anna".to_owned())),
        display_name: None,
        provider: None,
    };
    world.payments.method_tokenize(&world.caller, new, None).await.unwrap().object.method.id
}

async fn link(world: &World, id: Id<PaymentMethodKind>) -> Option<String> {
    world.payments.method_get(world.scope, id).await.unwrap().method.network_transaction_id
}

/// A method whose tokens are as given, past the service.
async fn planted(world: &World, tokens: serde_json::Value) -> Id<PaymentMethodKind> {
    let id = Id::from_uuid(Uuid::from_u128(0x77));
    let stored = json!({"id": id, "summary": {"type": "card", "brand": "visa", "last4": "4242"},
        "tokens": tokens, "events": 0, "created_at": kernel::Clock::now(&world.clock)});
    let record: PaymentMethod = serde_json::from_value(stored).unwrap();
    let mut changes = Changes::new(Uuid::from_u128(0x78), Lane::Reserve);
    changes.insert(world.scope, &record).unwrap();
    assert!(matches!(world.store.commit(changes).await, Outcome::Committed { .. }));
    id
}

#[tokio::test]
async fn the_token_of_the_account_that_charges_is_sent() {
    let world = World::new().await;
    let elsewhere = Id::<provider_kit::Account>::from_uuid(Uuid::from_u128(0x99));
    let id = planted(
        &world,
        json!([{"account": elsewhere, "token": "tok_generic_decline"},
               {"account": world.account, "token": "tok_visa"}]),
    )
    .await;
    let paid = world.create(charging(id)).await.unwrap().payment;
    assert_eq!(paid.status(), PaymentStatus::Paid);
    assert_eq!(paid.method_id, Some(id));
    let operations = world.payments.operations(world.scope, paid.id).await.unwrap();
    assert!(format!("{:?}", operations[0].call).contains("tok_visa"));
}

#[tokio::test]
async fn a_method_without_a_token_here_is_refused_and_nothing_is_written() {
    let world = World::new().await;
    let elsewhere = Id::<provider_kit::Account>::from_uuid(Uuid::from_u128(0x99));
    let id = planted(&world, json!([{"account": elsewhere, "token": "tok_visa"}])).await;
    for provider in [None, Some("sandbox".to_owned())] {
        let refused = world.create(CreatePayment { provider, ..charging(id) }).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Rejected(Rejection::MethodNotUsable(_))), "{refused:?}");
    }
    assert!(world.payments.list(world.scope, None, 10).await.unwrap().items.is_empty());
    assert!(world.wire.sent.lock().is_empty());
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_teaches_the_method_too() {
    for trouble in [None, Some(Trouble::LostAfter), Some(Trouble::LostBefore)] {
        let world = World::new().await;
        let id = method(&world).await;
        world.wire.troubles.lock().extend(trouble);
        let paid = world.create(charging(id)).await.unwrap().payment.id;
        world.pass(Duration::from_mins(2)).await;
        let paid = world.get(paid).await;
        let known = paid.charge.as_ref().unwrap().network_transaction_id.clone();
        assert_eq!(link(&world, id).await, known, "{trouble:?}");
        assert_eq!(known.is_some(), paid.status() == PaymentStatus::Paid, "{trouble:?}");
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn only_a_charge_that_the_customer_began_and_that_succeeded_teaches() {
    let world = World::new().await;
    let id = method(&world).await;
    let declined = planted(&world, json!([{"account": world.account, "token": "tok_generic_decline"}])).await;
    world.create(charging(declined)).await.unwrap();
    assert_eq!(link(&world, declined).await, None);
    let off_session = Some(OffSession::default());
    let anna = Some(CustomerRef::Reference("anna".to_owned()));
    let merchants = CreatePayment { off_session, customer: anna, ..charging(id) };
    assert_eq!(world.create(merchants).await.unwrap().payment.status(), PaymentStatus::Paid);
    assert_eq!(link(&world, id).await, None);
    let first = world.create(charging(id)).await.unwrap().payment;
    let first = first.charge.unwrap().network_transaction_id;
    assert!(first.is_some());
    for _ in 0..3 {
        world.create(charging(id)).await.unwrap();
    }
    assert_eq!(link(&world, id).await, first);
}

#[tokio::test]
async fn many_first_charges_at_once_settle_and_teach_once() {
    let world = World::new().await;
    let id = method(&world).await;
    let charges = futures_util::future::join_all((0..16).map(|_| world.create(charging(id)))).await;
    let paid: Vec<_> = charges.into_iter().map(|charge| charge.unwrap().payment).collect();
    assert!(paid.iter().all(|payment| payment.status() == PaymentStatus::Paid));
    let learned = link(&world, id).await;
    let theirs: Vec<_> =
        paid.iter().map(|p| p.charge.as_ref().unwrap().network_transaction_id.clone()).collect();
    assert!(learned.is_some() && theirs.contains(&learned));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_method_saved_from_a_token_learns_its_card_from_the_charge() {
    let world = World::new().await;
    let anna = CustomerRef::Reference("anna".to_owned());
    let saving = CreatePayment {
        customer: Some(anna.clone()),
        stores_credential: true,
        method: Some(MethodInput::Token("tok_visa".to_owned())),
        ..card_payment(1000, "4242424242424242")
    };
    assert_eq!(world.create(saving).await.unwrap().payment.status(), PaymentStatus::Paid);
    let saved = world.payments.method_list(world.scope, &anna, None, 10).await.unwrap().items;
    let MethodSummary::Card(card) = &saved[0].method.summary else { panic!("{saved:?}") };
    assert_eq!((card.brand, card.last4.as_deref()), (Some(kernel::Brand::Visa), Some("4242")));
    // What 3-D Secure said of one payment is not the card's.
    assert_eq!(card.three_d_secure, None);
}

#[tokio::test]
async fn many_payments_at_once_save_for_one_new_customer() {
    let world = World::new().await;
    let saving = || CreatePayment {
        customer: Some(CustomerRef::Reference("new".to_owned())),
        stores_credential: true,
        ..card_payment(1000, "4242424242424242")
    };
    let charges = futures_util::future::join_all((0..6).map(|_| world.create(saving()))).await;
    let done = charges.iter().filter(|charge| charge.is_ok()).count();
    let named = CustomerRef::Reference("new".to_owned());
    let methods = world.payments.method_list(world.scope, &named, None, 100).await.unwrap().items;
    // A reserve that lost six times was refused before anything was sent, and kept nothing.
    assert_eq!(methods.len(), done);
    assert_eq!(world.statement().await.len(), done);
    assert!(done >= 1);
}

#[tokio::test]
async fn a_customer_has_two_hundred_methods_and_no_more() {
    let world = World::new().await;
    let new = || NewMethod {
        method: MethodInput::Token("tok_visa".to_owned()),
        customer: Some(CustomerRef::Reference("anna".to_owned())),
        display_name: None,
        provider: None,
    };
    for _ in 0..200 {
        world.payments.method_tokenize(&world.caller, new(), None).await.unwrap();
    }
    let refused = world.payments.method_tokenize(&world.caller, new(), None).await.unwrap_err();
    assert_eq!(refused, PaymentsError::Rejected(Rejection::TooManyMethods { most: 200 }));
    // One commit takes them all.
    let anna = CustomerRef::Reference("anna".to_owned());
    world.payments.customer_delete(&world.caller, &anna, None).await.unwrap();
    let rows = world.store.find(kernel::Query::everywhere(&kernel::JOURNAL, 1000)).await.unwrap();
    let kinds = rows.iter().filter_map(kernel::JournalRow::read).flat_map(|row| row.events);
    assert_eq!(kinds.filter(|event| event.kind == "customer.deleted").count(), 1);
    assert!(world.payments.method_list(world.scope, &anna, None, 10).await.is_err());
}
