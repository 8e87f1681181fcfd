//! Rules choose the account, and another one is tried where that is safe, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Currency, Id, Money};
use payments::{
    Answered, CreatePayment, Hypothetical, MethodInput, OperationStatus, Patch, Payment, PaymentKind,
    PaymentStatus, PaymentsError, Rejection, SettingsPatch, Step, Verdict,
};
use provider_kit::{Account, MethodKind};
use routing::Routes;
use serde_json::{Map, Value};

use crate::world::{Trouble, World, card_payment, claim, upi_payment};

const PLAIN: &str = "4242424242424242";
const RULES: &str = "[[rule]]\nname = 'all'\norder = ['east', 'sandbox']\n";

fn rules(text: &str) -> Arc<Routes> {
    let names = ["sandbox", "east", "west"].map(str::to_owned);
    Arc::new(Routes::read("routes.toml", text, &names).unwrap())
}

/// A world with rules and a second account, which the rules put first.
async fn world(text: &str) -> (World, Id<Account>) {
    let world = World::with(|_| {}, |settings| settings.defaults.routes = Some(rules(text))).await;
    let east = world.open_account("east").await;
    (world, east)
}

/// Accounts and statuses of the attempts.
fn attempts(payment: &Payment) -> Vec<(Id<Account>, OperationStatus)> {
    payment.attempts.iter().map(|attempt| (attempt.account, attempt.status)).collect()
}

/// The bodies of a payment's events of one kind.
async fn told(world: &World, id: Id<PaymentKind>, kind: &str) -> Vec<Value> {
    let page = world.payments.timeline(world.scope, id, None, 1_000).await.unwrap();
    let events = page.items.into_iter().filter_map(|moment| match moment.step {
        Step::Event(event) if event.kind == kind => Some(event.body),
        _ => None,
    });
    events.collect()
}

#[tokio::test]
async fn the_rules_account_charges_and_the_timeline_says_why() {
    let (world, east) = world(RULES).await;
    let paid = world.pay(PLAIN).await;
    assert_eq!(attempts(&paid.payment), [(east, OperationStatus::Succeeded)]);
    let routed = told(&world, paid.payment.id, "payment.routed").await;
    assert_eq!(routed.len(), 1);
    assert_eq!((&routed[0]["rule"], &routed[0]["strategy"]), (&"all".into(), &"order".into()));
    assert_eq!(routed[0]["order"][0]["account"], "east");
    assert_eq!(routed[0]["order"][1]["because"], "listed in this place");
    // What follows is done where the money is.
    world.refund(paid.payment.id, None).await.unwrap();
    assert_eq!(world.get(paid.payment.id).await.status(), PaymentStatus::Refunded);
    world.assert_agreement().await;
}

/// Everything that is proven to have taken no money, and the one account after it.
#[tokio::test]
async fn another_account_follows_what_took_no_money() {
    for trouble in [Some(Trouble::Refused), Some(Trouble::Answers(429)), Some(Trouble::Answers(401)), None] {
        let (mut world, east) = world(RULES).await;
        match trouble {
            Some(trouble) => world.trouble(trouble),
            // A decline that says that it may be tried again at once.
            None => world.caller.scenario = Some("processing_error".to_owned()),
        }
        let key = || Some(claim(world.scope, "once", "POST /payments", 1));
        let command = || CreatePayment { order_id: Some("order".to_owned()), ..card_payment(1000, PLAIN) };
        let paid = world.payments.create(&world.caller, command(), key()).await.unwrap();
        assert_eq!(
            (&paid.verdict, paid.payment.status()),
            (&Verdict::Done, PaymentStatus::Paid),
            "{trouble:?}"
        );
        let first = if trouble.is_some() { OperationStatus::NotDone } else { OperationStatus::Declined };
        let wanted = [(east, first), (world.account, OperationStatus::Succeeded)];
        assert_eq!(attempts(&paid.payment), wanted);
        assert_eq!(paid.payment.last_error, None);
        let rerouted = told(&world, paid.payment.id, "payment.rerouted").await;
        assert_eq!((rerouted.len(), &rerouted[0]["to"]), (1, &"sandbox".into()));
        // One answer of the key, and one charge of the order.
        let again = world.payments.create(&world.caller, command(), key()).await.unwrap();
        assert!(again.replayed && again.payment.id == paid.payment.id);
        let other = world.payments.create(&world.caller, command(), None).await;
        assert_eq!(other.map(|_| ()), Err(PaymentsError::Rejected(Rejection::OrderAlreadyCharged)));
        world.pass(Duration::from_mins(10)).await;
        assert_eq!(world.get(paid.payment.id).await.amounts.captured, 1000);
        world.assert_agreement().await;
    }
}

/// What was perhaps sent is looked up, and nobody else is asked, now or later.
#[tokio::test]
async fn no_account_follows_what_may_have_been_sent() {
    for (trouble, is_paid) in [
        (Trouble::LostBefore, false),
        (Trouble::LostAfter, true),
        (Trouble::Answers(500), false),
        (Trouble::AnswersAfter(502), true),
    ] {
        let (world, east) = world(RULES).await;
        world.trouble(trouble);
        let told = world.pay(PLAIN).await;
        assert_eq!(told.verdict, Verdict::Accepted, "{trouble:?}");
        world.pass(Duration::from_mins(30)).await;
        let payment = world.get(told.payment.id).await;
        assert!(payment.attempts.iter().all(|attempt| attempt.account == east), "{trouble:?}: {payment:?}");
        if is_paid {
            assert_eq!(payment.status(), PaymentStatus::Paid, "{trouble:?}");
        }
        world.assert_agreement().await;
    }
}

#[tokio::test]
async fn no_account_follows_a_decline_for_good() {
    for (number, rules) in [
        ("4000000000000002", RULES),
        ("4000000000009995", RULES),
        // It may be tried again at once, and the rules do not want it.
        (
            "4000000000000119",
            "[fallback]\nafter = 'not_sent'\n[[rule]]\nname = 'all'\norder = ['east', 'sandbox']",
        ),
        ("4000000000000119", "[fallback]\nattempts = 1\n[[rule]]\nname = 'all'\norder = ['east', 'sandbox']"),
    ] {
        let (world, east) = world(rules).await;
        let told = world.pay(number).await;
        assert!(matches!(told.verdict, Verdict::Declined(_)), "{number}");
        assert_eq!(attempts(&told.payment), [(east, OperationStatus::Declined)], "{number}");
    }
}

#[tokio::test]
async fn the_last_account_s_word_is_the_answer() {
    let (world, east) = world(RULES).await;
    world.trouble(Trouble::Refused);
    world.trouble(Trouble::Refused);
    let told = world.pay(PLAIN).await;
    let Verdict::Declined(error) = &told.verdict else { panic!("{told:?}") };
    assert_eq!(error.code, "not_sent");
    let wanted = [(east, OperationStatus::NotDone), (world.account, OperationStatus::NotDone)];
    assert_eq!(attempts(&told.payment), wanted);
    assert_eq!(world.wire.sent.lock().len(), 2);
    world.assert_agreement().await;
}

/// The process dies with the second charge on its way: what is known of that decides, and no third
/// account is asked.
#[tokio::test]
async fn the_resolver_starts_no_attempt() {
    let (world, _) = world(RULES).await;
    world.trouble(Trouble::Refused);
    world.trouble(Trouble::Hangs);
    let (payments, caller) = (Arc::clone(&world.payments), world.caller.clone());
    let key = claim(world.scope, "once", "POST /payments", 1);
    let lost = key.clone();
    let work = async move {
        let _ = payments.create(&caller, card_payment(1000, PLAIN), Some(lost)).await;
    };
    kernel::Tasks::spawn(&testkit::RuntimeTasks, "dies", Box::pin(work));
    world.pass(Duration::from_mins(30)).await;
    let again = world.payments.create(&world.caller, card_payment(1000, PLAIN), Some(key)).await.unwrap();
    assert!(again.replayed, "the second charge answered the key: {again:?}");
    assert_eq!(again.payment.attempts.len(), 2);
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_card_that_one_account_does_not_take_is_brought_to_the_next() {
    let (world, _) = world(RULES).await;
    *world.wire.closed.lock() = 1;
    let paid = world.pay(PLAIN).await;
    assert_eq!(attempts(&paid.payment), [(world.account, OperationStatus::Succeeded)]);
    let routed = told(&world, paid.payment.id, "payment.routed").await;
    assert_eq!(routed[0]["not_reached"][0]["account"], "east");
}

#[tokio::test]
async fn what_is_asked_for_goes_before_the_rules() {
    let (world, east) = world(RULES).await;
    let named = |name: &str| CreatePayment { provider: Some(name.to_owned()), ..card_payment(1000, PLAIN) };
    let account = |told: &Answered| told.payment.attempts[0].account;
    let paid = world.create(named("sandbox")).await.unwrap();
    assert_eq!(account(&paid), world.account);
    assert_eq!(told(&world, paid.payment.id, "payment.routed").await, Vec::<Value>::new());
    assert_eq!(account(&world.create(named("east")).await.unwrap()), east, "by its own name");
    // A token is good where it was made alone.
    let token = MethodInput::Token("tok_visa".to_owned());
    let command = CreatePayment { method: Some(token), ..card_payment(1000, PLAIN) };
    assert_eq!(account(&world.create(command).await.unwrap()), world.account);
    // A merchant's own default goes before everybody's rules, and its own rules before that.
    let change = |patch| world.payments.change_settings(&world.caller, patch);
    let own = Patch::Set("sandbox".to_owned());
    change(SettingsPatch { default_provider: own, ..SettingsPatch::default() }).await.unwrap();
    assert_eq!(account(&world.pay(PLAIN).await), world.account);
    let own = Patch::Set("[[rule]]\nname = 'mine'\nwhen.method = 'card'\norder = 'east'".to_owned());
    change(SettingsPatch { routing: own, ..SettingsPatch::default() }).await.unwrap();
    assert_eq!(account(&world.pay(PLAIN).await), east);
    // Where none of them fits, its default.
    assert_eq!(account(&world.create(upi_payment("success@upi")).await.unwrap()), world.account);
    let wrong = Patch::Set("[[rule]]\nname = 'mine'\norder = 'nowhere'".to_owned());
    let refused = change(SettingsPatch { routing: wrong, ..SettingsPatch::default() }).await;
    let Err(PaymentsError::Rejected(Rejection::Invalid { param, message })) = refused else { panic!() };
    assert_eq!(param, "/routing");
    assert!(message.contains("line 3: rule.order: there is no account `nowhere`"), "{message}");
}

#[tokio::test]
async fn a_charge_that_saves_its_method_stays_there() {
    let (world, east) = world(RULES).await;
    world.trouble(Trouble::Refused);
    let command = CreatePayment {
        stores_credential: true,
        customer: Some(payments::CustomerRef::Reference("c".to_owned())),
        ..card_payment(1000, PLAIN)
    };
    let told = world.create(command).await.unwrap();
    assert_eq!(attempts(&told.payment), [(east, OperationStatus::NotDone)]);
}

#[tokio::test]
async fn an_account_that_does_not_answer_is_left_alone_until_one_payment_finds_out() {
    let (world, east) = world(RULES).await;
    for _ in 0..5 {
        world.trouble(Trouble::Refused);
        world.pay(PLAIN).await;
    }
    let first = |told: &Answered| told.payment.attempts[0].account;
    let paid = world.pay(PLAIN).await;
    assert_eq!((first(&paid), paid.payment.attempts.len()), (world.account, 1));
    let routed = told(&world, paid.payment.id, "payment.routed").await;
    assert!(routed[0]["order"][1]["because"].as_str().unwrap().contains("failed of late"), "{routed:?}");
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(first(&world.pay(PLAIN).await), east, "this one finds out");
    assert_eq!(first(&world.pay(PLAIN).await), east, "and it is well again");
}

#[tokio::test]
async fn the_better_account_is_learned_from_what_became_of_charges() {
    let text =
        "[fallback]\nattempts = 1\n[[rule]]\nname = 'all'\nbest = ['east', 'sandbox']\nexplore_percent = 0";
    let (world, east) = world(text).await;
    assert_eq!(world.pay("4000000000000002").await.payment.attempts[0].account, east);
    let second = world.pay(PLAIN).await;
    assert_eq!(
        second.payment.attempts[0].account, world.account,
        "one decline says that the other is better"
    );
    assert_eq!(world.pay(PLAIN).await.payment.attempts[0].account, world.account);
}

/// A fallback takes from limits on volume what the charge before it gave back.
#[tokio::test]
async fn a_volume_limit_counts_a_payment_once() {
    let settings = |settings: &mut payments::PaymentsSettings| {
        settings.defaults.routes = Some(rules(RULES));
        settings.defaults.limits.daily_volume = Some(1_500);
    };
    let world = World::with(|_| {}, settings).await;
    world.open_account("east").await;
    world.trouble(Trouble::Refused);
    assert_eq!(world.pay(PLAIN).await.payment.status(), PaymentStatus::Paid);
    let refused = world.create(card_payment(1_000, PLAIN)).await;
    assert!(matches!(refused, Err(PaymentsError::Rejected(Rejection::LimitExceeded { left: 500, .. }))));
    world.assert_agreement().await;
}

#[tokio::test]
async fn a_late_success_beside_a_fallback_is_given_back() {
    let (mut world, east) = world(RULES).await;
    // Declined so that no rule follows it: the merchant confirms again, and the first comes after all.
    world.caller.scenario = Some("late_success".to_owned());
    let told = world.pay(PLAIN).await;
    assert_eq!(attempts(&told.payment), [(east, OperationStatus::Declined)]);
    world.caller.scenario = None;
    world.trouble(Trouble::Refused);
    let command = payments::ConfirmPayment {
        method: Some(crate::world::card(PLAIN)),
        ..payments::ConfirmPayment::default()
    };
    let paid = world.payments.confirm(&world.caller, told.payment.id, command, None).await.unwrap();
    assert_eq!(paid.payment.status(), PaymentStatus::Paid);
    assert_eq!(paid.payment.attempts.len(), 3, "east, east again, and the other one");
    world.pass(Duration::from_mins(2)).await;
    let payment = world.get(told.payment.id).await;
    assert!(payment.attempts[0].surplus, "{payment:?}");
    assert_eq!(payment.amounts.captured, 1000);
    world.assert_agreement().await;
}

fn hypothetical(minor: i64, currency: Currency) -> Hypothetical {
    Hypothetical {
        amount: Money::new(minor, currency),
        method: MethodKind::Card,
        brand: None,
        bin: None,
        country: None,
        metadata: Map::new(),
        provider: None,
    }
}

#[tokio::test]
async fn a_hypothetical_payment_is_explained_and_past_ones_are_replayed() {
    let (world, east) = world(RULES).await;
    for number in [PLAIN, PLAIN, "4000000000000002", PLAIN] {
        world.pay(number).await;
    }
    let told =
        world.payments.explain_route(world.scope, &hypothetical(1, Currency::USD), None).await.unwrap();
    assert_eq!(
        (&told["decided_by"], &told["order"][0]["account_id"]),
        (&"rules".into(), &east.to_string().into())
    );
    let other = rules("[[rule]]\nname = 'eur'\nwhen.currency = 'EUR'\norder = 'east'");
    let payment = hypothetical(1, Currency::USD);
    let told = world.payments.explain_route(world.scope, &payment, Some(&other)).await.unwrap();
    assert_eq!((&told["decided_by"], &told["order"][0]["account"]), (&"default".into(), &"sandbox".into()));

    let replay = |text: &str| {
        let routes = rules(text);
        let payments = Arc::clone(&world.payments);
        let scope = world.scope;
        async move { payments.replay_routes(scope, &routes, None, 100, |_| {}).await.unwrap() }
    };
    let same = replay(RULES).await;
    assert_eq!((same.payments, same.moved, same.unknown), (4, 0, 0));
    assert_eq!((same.succeeded_before, same.succeeded_after), (3_000, 3_000));
    let away = replay("[[rule]]\nname = 'all'\norder = 'sandbox'").await;
    assert_eq!((away.payments, away.unknown), (0, 4), "nothing was ever charged there");
    world
        .create(CreatePayment { provider: Some("sandbox".to_owned()), ..card_payment(1_000, PLAIN) })
        .await
        .unwrap();
    let away = replay("[[rule]]\nname = 'all'\norder = 'sandbox'").await;
    assert_eq!((away.payments, away.moved, away.unknown), (5, 4, 0));
    assert_eq!((away.succeeded_before, away.succeeded_after), (4_000, 5_000));
}
