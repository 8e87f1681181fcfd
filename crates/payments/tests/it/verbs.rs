//! Off session, 3-D Secure, delayed capture, scenarios, increments and updates.

use std::time::Duration;

use kernel::{Currency, Money, Record as _};
use payments::{
    Caller, CapturePayment, CreatePayment, IncrementPayment, MethodInput, OffSession, OperationKind,
    OperationStatus, Patch, Payment, PaymentStatus, PaymentsError, RefundPayment, Rejection, UpdatePayment,
    Verdict,
};
use provider_kit::{Action, CaptureMode, ThreeDSecure};

use crate::world::{Trouble, World, card_payment, claim, held_payment, upi_payment};

fn token_payment(token: &str) -> CreatePayment {
    CreatePayment {
        method: Some(MethodInput::Token(token.to_owned())),
        ..card_payment(1000, "4242424242424242")
    }
}

fn off_session(token: &str, link: Option<&str>) -> CreatePayment {
    let network_transaction_id = link.map(str::to_owned);
    CreatePayment { off_session: Some(OffSession { network_transaction_id }), ..token_payment(token) }
}

fn decline_of(verdict: &Verdict) -> Option<&str> {
    if let Verdict::Declined(error) = verdict { error.decline_code.as_deref() } else { None }
}

#[tokio::test]
async fn off_session_nobody_is_challenged() {
    let world = World::new().await;
    // The link of the charge that stored the credential, or none; and what comes of it.
    for (token, link, outcome) in [
        ("tok_visa", None, None),
        ("tok_three_d_secure_unless_stored", Some("113800505060894"), None),
        ("tok_three_d_secure_unless_stored", None, Some("authentication_required")),
        ("tok_three_d_secure_on_session", None, None),
        ("tok_three_d_secure_always", Some("113800505060894"), Some("authentication_required")),
        ("tok_three_d_secure", Some("113800505060894"), Some("authentication_required")),
    ] {
        let answered = world.create(off_session(token, link)).await.unwrap();
        assert_eq!(decline_of(&answered.verdict), outcome, "{token}, {link:?}");
        let status = if outcome.is_some() { PaymentStatus::Failed } else { PaymentStatus::Paid };
        assert_eq!(answered.payment.status(), status, "{token}");
        assert!(answered.payment.off_session);
    }
    // The payer who is there is asked.
    for token in ["tok_three_d_secure_unless_stored", "tok_three_d_secure_on_session"] {
        let answered = world.create(token_payment(token)).await.unwrap();
        assert!(matches!(answered.payment.next_action(), Some(Action::ThreeDSecure { .. })), "{token}");
    }
    world.assert_agreement().await;
}

#[tokio::test]
async fn three_d_secure_is_required_from_the_threshold_on() {
    let world = World::with(|_| {}, |settings| settings.defaults.tds_threshold = Some(1000)).await;
    let pays = |minor, token: &str, wish| CreatePayment {
        amount: Money::new(minor, Currency::USD),
        three_d_secure: wish,
        ..token_payment(token)
    };
    let card = "tok_three_d_secure_frictionless";
    for (minor, wish, challenged) in [
        (999, ThreeDSecure::Automatic, false),
        (999, ThreeDSecure::Required, true),
        (1000, ThreeDSecure::Automatic, true),
    ] {
        let answered = world.create(pays(minor, card, wish)).await.unwrap();
        assert_eq!(answered.payment.next_action().is_some(), challenged, "{minor} {wish:?}");
    }
    // A card that is not enrolled is authenticated without a challenge, and the payment says so.
    let paid = world.create(pays(1000, "tok_visa", ThreeDSecure::Automatic)).await.unwrap().payment;
    let Some(payments::MethodSummary::Card(card)) = &paid.method else { panic!("a card") };
    assert_eq!(paid.status(), PaymentStatus::Paid);
    assert_eq!(card.three_d_secure.as_ref().unwrap().eci.as_deref(), Some("05"));
    assert_eq!((card.country.as_deref(), card.last4.as_deref()), (Some("US"), Some("4242")));
    // Nobody is there to be challenged.
    let command = CreatePayment { amount: Money::new(5000, Currency::USD), ..off_session("tok_visa", None) };
    assert_eq!(world.create(command).await.unwrap().verdict, Verdict::Done);
}

#[tokio::test]
async fn with_a_delay_money_is_held_first() {
    let world = World::new().await;
    let delayed =
        |seconds| CreatePayment { capture_delay_seconds: Some(seconds), ..token_payment("tok_visa") };
    let payment = world.create(delayed(60)).await.unwrap().payment;
    assert_eq!(payment.status(), PaymentStatus::Authorized);
    assert_eq!(payment.capture_method, CaptureMode::Automatic);
    assert_eq!(payment.charge.as_ref().unwrap().operation.kind, OperationKind::Authorize);
    assert_eq!(payment.capture_delay_seconds, Some(60));
    let refused = world.create(delayed(7 * 24 * 3600)).await.unwrap_err();
    assert!(matches!(
        refused,
        PaymentsError::Rejected(Rejection::Invalid { param: "/capture_delay_seconds", .. })
    ));
    let upi = CreatePayment { capture_delay_seconds: Some(60), ..upi_payment("success@upi") };
    assert!(world.create(upi).await.is_err(), "UPI holds nothing");
}

#[tokio::test]
async fn upi_with_a_manual_capture_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let held = CreatePayment { capture_method: Some(CaptureMode::Manual), ..upi_payment("success@upi") };
    let refused = world.create(held).await.unwrap_err();
    assert!(
        matches!(refused, PaymentsError::Rejected(Rejection::Invalid { param: "/capture_method", .. })),
        "{refused:?}"
    );
    assert!(world.payments.list(world.scope, None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn the_merchants_defaults_say_how_money_is_captured() {
    let manual = World::with(|_| {}, |settings| settings.defaults.auto_capture = false).await;
    assert_eq!(manual.pay("4242424242424242").await.payment.status(), PaymentStatus::Authorized);
    let asked = CreatePayment {
        capture_method: Some(CaptureMode::Automatic),
        ..card_payment(1000, "4242424242424242")
    };
    assert_eq!(manual.create(asked).await.unwrap().payment.status(), PaymentStatus::Paid);
    let delayed = World::with(|_| {}, |settings| settings.defaults.capture_delay_seconds = Some(9)).await;
    assert_eq!(delayed.pay("4242424242424242").await.payment.capture_delay_seconds, Some(9));
    // What cannot be held is taken at once.
    let upi = delayed.create(upi_payment("success@upi")).await.unwrap().payment;
    assert_eq!(upi.capture_delay_seconds, None);
}

/// What a payment does not have costs it no byte.
#[tokio::test]
async fn absent_fields_are_not_stored() {
    let world = World::new().await;
    let payment = world.pay("4242424242424242").await.payment;
    let stored = serde_json::to_string(&payment).unwrap();
    for name in ["payer", "off_session", "capture_delay", "instrument", "next", "\"three_d_secure\""] {
        assert!(!stored.contains(name), "{name} in {stored}");
    }
    assert_eq!(Payment::FORM, 1);
}

fn playing(world: &World, scenario: &str) -> Caller {
    Caller { scenario: Some(scenario.to_owned()), ..world.caller.clone() }
}

/// Each operation that moves money plays what its own request asks for, whatever the card does.
#[tokio::test]
async fn a_request_may_name_its_scenario() {
    for (scenario, done) in [
        ("timeout_before", false),
        ("server_error_before", false),
        ("timeout_after", true),
        ("server_error_after", true),
        ("garbage", true),
    ] {
        for verb in ["create", "capture", "cancel", "refund", "increment"] {
            let world = World::new().await;
            let caller = playing(&world, scenario);
            let id = if verb == "create" {
                let command = card_payment(1000, "4242424242424242");
                let answered = world.payments.create(&caller, command, None).await.unwrap();
                assert_eq!(answered.verdict, Verdict::Accepted, "{verb} {scenario}");
                answered.payment.id
            } else {
                let command = if verb == "refund" {
                    card_payment(1000, "4242424242424242")
                } else {
                    held_payment(1000)
                };
                let id = world.create(command).await.unwrap().payment.id;
                let answered = match verb {
                    "capture" => world.payments.capture(&caller, id, CapturePayment::default(), None).await,
                    "cancel" => world.payments.cancel(&caller, id, None).await,
                    "refund" => world.payments.refund(&caller, id, RefundPayment::default(), None).await,
                    _ => {
                        let command = IncrementPayment { amount: 500 };
                        world.payments.increment(&caller, id, command, None).await
                    }
                };
                assert_eq!(answered.unwrap().verdict, Verdict::Accepted, "{verb} {scenario}");
                id
            };
            // A repeat under the same key goes the same way; only beyond its window is silence a proof.
            for _ in 0..110 {
                world.clock.advance(Duration::from_mins(15));
                world.quiet().await;
            }
            let payment = world.get(id).await;
            let amounts = payment.amounts;
            let found = match verb {
                "create" | "capture" => amounts.captured == 1000,
                "cancel" => amounts.released == 1000,
                "refund" => amounts.refunded == 1000,
                _ => amounts.authorized == 1500 && payment.amount.minor == 1500,
            };
            assert_eq!(found, done, "{verb} {scenario} {amounts:?} {:?}", payment.open);
            assert_eq!(payment.open, [], "{verb} {scenario}");
            world.assert_agreement().await;
        }
    }
}

#[tokio::test]
async fn a_scenario_is_for_one_operation_and_declines_what_has_no_card() {
    let world = World::new().await;
    let caller = playing(&world, "insufficient_funds");
    let declined =
        world.payments.create(&caller, card_payment(1000, "4242424242424242"), None).await.unwrap();
    assert_eq!(decline_of(&declined.verdict), Some("insufficient_funds"));
    let id = world.pay("4242424242424242").await.payment.id;
    let refund = world.payments.refund(&caller, id, RefundPayment::default(), None).await.unwrap();
    assert_eq!(decline_of(&refund.verdict), Some("insufficient_funds"));
    assert_eq!(refund.payment.amounts.refundable(), 1000);
    // The next one goes its ordinary way.
    assert_eq!(world.refund(id, None).await.unwrap().payment.status(), PaymentStatus::Refunded);
    // Live payments play nothing, whoever serves them.
    let mut live = playing(&world, "timeout_after");
    live.scope.mode = kernel::Mode::Live;
    let new = payments::NewAccount {
        provider: "sandbox".to_owned(),
        identity: "acct_live".to_owned(),
        settings: std::collections::BTreeMap::new(),
        secrets: vec![("api_key".to_owned(), world.bank_keys.api_key.clone())],
    };
    world.payments.ensure_account(live.scope, new).await.unwrap();
    let refused = world.payments.create(&live, card_payment(1000, "4242424242424242"), None).await;
    let param = "X-Florin-Sandbox-Scenario";
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, PaymentsError::Rejected(Rejection::Invalid { param: at, .. }) if *at == param),
        "{refused:?}"
    );
    world.assert_agreement().await;
}

#[tokio::test]
async fn notices_of_a_refund_may_come_three_times() {
    let world = World::new().await;
    let id = world.pay("4242424242424242").await.payment.id;
    let caller = playing(&world, "duplicate_notices");
    world.payments.refund(&caller, id, RefundPayment::default(), None).await.unwrap();
    world.pass(Duration::from_secs(10)).await;
    let payment = world.get(id).await;
    assert_eq!((payment.amounts.refunded, payment.refunds.len()), (1000, 1));
    world.assert_agreement().await;
}

async fn increment(world: &World, id: kernel::Id<payments::PaymentKind>, amount: i64) -> Verdict {
    let command = IncrementPayment { amount };
    match world.payments.increment(&world.caller, id, command, None).await {
        Ok(answered) => answered.verdict,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn an_increment_adds_to_what_is_held() {
    let world = World::new().await;
    let id = world.create(held_payment(1000)).await.unwrap().payment.id;
    assert_eq!(increment(&world, id, 250).await, Verdict::Done);
    assert_eq!(increment(&world, id, 50).await, Verdict::Done);
    let payment = world.get(id).await;
    assert_eq!((payment.amount.minor, payment.amounts.authorized), (1300, 1300));
    world.capture(id, Some(400), false).await.unwrap();
    // Also after a part was taken.
    assert_eq!(increment(&world, id, 100).await, Verdict::Done);
    let answered = world.capture(id, None, false).await.unwrap();
    assert_eq!((answered.payment.amounts.captured, answered.payment.amounts.capturable()), (1400, 0));
    world.assert_agreement().await;
}

#[tokio::test]
async fn every_fault_of_an_increment_twice() {
    for (trouble, done) in [
        (Trouble::Refused, false),
        (Trouble::LostBefore, true),
        (Trouble::LostAfter, true),
        (Trouble::Answers(500), true),
        (Trouble::Answers(422), false),
        (Trouble::AnswersAfter(502), true),
        (Trouble::Hangs, true),
    ] {
        let world = World::new().await;
        let id = world.create(held_payment(1000)).await.unwrap().payment.id;
        world.trouble(trouble);
        let claim = claim(world.scope, "inc", "POST /payments/{id}/increment", 1);
        let command = IncrementPayment { amount: 500 };
        let first = world.payments.increment(&world.caller, id, command, Some(claim.clone()));
        let (first, ()) = tokio::join!(first, async {
            if trouble == Trouble::Hangs {
                tokio::task::yield_now().await;
                world.clock.advance(Duration::from_secs(30));
            }
        });
        let unknown = !matches!(trouble, Trouble::Refused | Trouble::Answers(422));
        assert_eq!(first.unwrap().verdict == Verdict::Accepted, unknown, "{trouble:?}");
        let open = world.get(id).await;
        assert_eq!(open.amounts.authorized, 1000, "{trouble:?}: nothing grows before it is known");
        if unknown {
            // While it is open, nothing that ends the authorization may run.
            let refused = world.capture(id, None, true).await.unwrap_err();
            assert!(matches!(refused, PaymentsError::Rejected(Rejection::OperationOpen(_))), "{trouble:?}");
            assert!(world.cancel(id).await.is_err(), "{trouble:?}");
            let second = world.payments.increment(&world.caller, id, command, None).await;
            assert!(second.is_err(), "{trouble:?}: one after the other");
        }
        world.pass(Duration::from_mins(40)).await;
        let payment = world.get(id).await;
        let total = if done { 1500 } else { 1000 };
        assert_eq!((payment.amount.minor, payment.amounts.authorized), (total, total), "{trouble:?}");
        assert_eq!(payment.open, [], "{trouble:?}");
        // The key has its answer, and increments nothing again.
        let again = world.payments.increment(&world.caller, id, command, Some(claim)).await.unwrap();
        assert!(again.replayed, "{trouble:?}");
        assert_eq!(world.get(id).await.amounts.authorized, total, "{trouble:?}");
        let held: i64 = world.statement().await.iter().map(|line| line.approved_minor).sum();
        assert_eq!(held, total, "{trouble:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_incremented() {
    let world = World::new().await;
    let command = IncrementPayment { amount: 1 };
    let paid = world.pay("4242424242424242").await.payment.id;
    let voided = world.create(held_payment(1000)).await.unwrap().payment.id;
    world.cancel(voided).await.unwrap();
    let finished = world.create(held_payment(1000)).await.unwrap().payment.id;
    world.capture(finished, Some(300), true).await.unwrap();
    for id in [paid, voided, finished] {
        let refused = world.payments.increment(&world.caller, id, command, None).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Rejected(Rejection::State { .. })), "{refused:?}");
    }
    let held = world.create(held_payment(1000)).await.unwrap().payment.id;
    for amount in [0, -1, i64::MAX, 999_999_999_999_000] {
        let command = IncrementPayment { amount };
        let refused = world.payments.increment(&world.caller, held, command, None).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Rejected(Rejection::Invalid { .. })), "{amount}");
    }
    let declined = CreatePayment {
        capture_method: Some(CaptureMode::Manual),
        ..token_payment("tok_increment_declined")
    };
    let id = world.create(declined).await.unwrap().payment.id;
    assert_eq!(decline_of(&increment(&world, id, 500).await), Some("insufficient_funds"));
    let payment = world.get(id).await;
    assert_eq!((payment.amount.minor, payment.amounts.authorized), (1000, 1000));
    assert_eq!(payment.status(), PaymentStatus::Authorized);
}

#[tokio::test]
async fn what_a_payment_says_of_itself_may_be_changed() {
    let world = World::new().await;
    let command = CreatePayment { method: None, confirm: false, ..card_payment(1000, "4242424242424242") };
    let id = world.create(command).await.unwrap().payment.id;
    let entry = |name: &str, value: Option<&str>| (name.to_owned(), value.map(Into::into));
    let update = UpdatePayment {
        amount: Some(2000),
        currency: Some(Currency::EUR),
        order_id: Patch::Set("order-7".to_owned()),
        customer: Some(payments::CustomerRef::Reference("cust_7".to_owned())),
        description: Patch::Set("two".to_owned()),
        metadata: Patch::Set(vec![entry("a", Some("1")), entry("b", Some("2"))]),
        ..UpdatePayment::default()
    };
    let key = claim(world.scope, "update", "PATCH /payments/{id}", 1);
    let first = world.payments.update(&world.caller, id, update.clone(), Some(key.clone())).await.unwrap();
    assert_eq!(first.payment.amount, Money::new(2000, Currency::EUR));
    assert_eq!(first.payment.order_id.as_deref(), Some("order-7"));
    assert_eq!(first.payment.customer.as_ref().unwrap().reference.as_deref(), Some("cust_7"));
    let again = world.payments.update(&world.caller, id, update, Some(key)).await.unwrap();
    assert!(again.replayed);
    let update = UpdatePayment {
        description: Patch::Clear,
        metadata: Patch::Set(vec![entry("a", None), entry("c", Some("3"))]),
        ..UpdatePayment::default()
    };
    let second = world.payments.update(&world.caller, id, update, None).await.unwrap().payment;
    assert_eq!(serde_json::to_string(&second.metadata).unwrap(), r#"{"b":"2","c":"3"}"#);
    assert_eq!((second.description, second.events), (None, 3));
    // The amount that is charged is the new one.
    let confirm = payments::ConfirmPayment {
        method: Some(crate::world::card("4242424242424242")),
        ..Default::default()
    };
    let paid = world.payments.confirm(&world.caller, id, confirm, None).await.unwrap().payment;
    assert_eq!((paid.amounts.captured, paid.amount.currency), (2000, Currency::EUR));
    for (param, update) in [
        ("/amount", UpdatePayment { amount: Some(1), ..UpdatePayment::default() }),
        ("/currency", UpdatePayment { currency: Some(Currency::USD), ..UpdatePayment::default() }),
        ("/order_id", UpdatePayment { order_id: Patch::Clear, ..UpdatePayment::default() }),
    ] {
        let refused = world.payments.update(&world.caller, id, update, None).await.unwrap_err();
        assert_eq!(refused, PaymentsError::Rejected(Rejection::Settled { param }));
    }
    let late = UpdatePayment {
        // The same as it is: nothing is asked.
        amount: Some(2000),
        shipping_address: Patch::Set(payments::Address {
            country: Some("DE".to_owned()),
            ..payments::Address::default()
        }),
        statement_descriptor: Patch::Set("SHOP".to_owned()),
        ..UpdatePayment::default()
    };
    let changed = world.payments.update(&world.caller, id, late, None).await.unwrap().payment;
    assert_eq!(changed.payer.unwrap().shipping_address.unwrap().country.as_deref(), Some("DE"));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_method_given_early_is_charged_by_the_confirm() {
    let world = World::new().await;
    let command = CreatePayment { confirm: false, ..card_payment(1000, "4242424242424242") };
    let created = world.create(command).await.unwrap().payment;
    assert_eq!(created.status(), PaymentStatus::Pending);
    assert!(world.wire.sent.lock().is_empty(), "nothing was charged");
    let stored = serde_json::to_string(&created).unwrap();
    assert!(!kernel::contains_card_number(&stored), "{stored}");
    let confirm = payments::ConfirmPayment::default();
    let paid = world.payments.confirm(&world.caller, created.id, confirm.clone(), None).await.unwrap();
    assert_eq!(paid.payment.status(), PaymentStatus::Paid);
    // Whether it has expired is judged when it is charged.
    let mut command = CreatePayment { confirm: false, ..card_payment(1000, "4242424242424242") };
    if let Some(MethodInput::Card(card)) = &mut command.method {
        card.exp_year = 2025;
    }
    let created = world.create(command).await.unwrap().payment;
    let charged = world.wire.sent.lock().len();
    let told = world.payments.confirm(&world.caller, created.id, confirm.clone(), None).await.unwrap();
    assert_eq!(decline_of(&told.verdict), Some("expired_card"));
    assert_eq!(world.wire.sent.lock().len(), charged, "nobody was asked");
    // A payment without a method needs one.
    let command = CreatePayment { method: None, confirm: false, ..card_payment(1, "4242424242424242") };
    let bare = world.create(command).await.unwrap().payment.id;
    assert!(world.payments.confirm(&world.caller, bare, confirm, None).await.is_err());
    assert_eq!(world.get(bare).await.operations, 0);
    let open = world.payments.operations(world.scope, created.id).await.unwrap();
    assert!(open.iter().all(|operation| operation.status == OperationStatus::Declined));
    world.assert_agreement().await;
}
