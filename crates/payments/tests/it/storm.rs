//! Seeded storms: clients that retry and race, a network that loses, a store that loses, a bank that is
//! edited by hand. Whatever happens, at rest nobody was charged twice and books and bank agree.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Id, Outcome, Tasks as _};
use parking_lot::Mutex;
use payments::{
    CapturePayment, CreatePayment, IncrementPayment, OperationStatus, PaymentKind, PaymentStatus,
    RefundPayment, UpdatePayment, Verdict,
};
use store::Fault;
use testkit::RuntimeTasks;

use crate::world::{Trouble, World, card, card_payment, claim, held_payment, upi_payment};

/// A small stream of choices from a seed.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn roll(&self, sides: u64) -> u64 {
        let mut state = self.0.lock();
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % sides
    }
}

const CARDS: [&str; 4] = ["4242424242424242", "4000000000000002", "4000000000003220", "5555555555554444"];

fn command(dice: &Dice) -> CreatePayment {
    let order_id = (dice.roll(4) == 0).then(|| format!("order-{}", dice.roll(3)));
    let command = match dice.roll(7) {
        6 => CreatePayment { confirm: false, ..held_payment(1000) },
        0 | 1 => held_payment(1000),
        2 => upi_payment(["success@upi", "failure@upi", "timeout@upi"][dice.roll(3) as usize]),
        _ => card_payment(1000, CARDS[dice.roll(4) as usize]),
    };
    CreatePayment { order_id, ..command }
}

async fn client(
    world: &World,
    dice: &Dice,
    number: u64,
    told: &Mutex<Vec<(Id<PaymentKind>, PaymentStatus)>>,
) {
    let key = |name: &str, body: u64| Some(claim(world.scope, &format!("{name}-{number}-{body}"), "r", 1));
    let command = command(dice);
    let mut id = None;
    for _ in 0..3 {
        let claim = key("create", 0);
        if let Ok(answered) = world.payments.create(&world.caller, command.clone(), claim).await {
            if answered.verdict == Verdict::Done {
                told.lock().push((answered.payment.id, answered.payment.status()));
            }
            id = Some(answered.payment.id);
            break;
        }
        world.clock.advance(Duration::from_millis(200));
    }
    let Some(id) = id else { return };
    for step in 0..dice.roll(6) {
        let amount = (dice.roll(2) == 0).then(|| 1 + dice.roll(700) as i64);
        match dice.roll(9) {
            0 => drop(world.payments.cancel(&world.caller, id, key("cancel", step)).await),
            1 | 2 => {
                let command = CapturePayment { amount, is_final: dice.roll(3) == 0 };
                drop(world.payments.capture(&world.caller, id, command, key("capture", step)).await);
            }
            3 | 4 => {
                let command = RefundPayment { amount, ..RefundPayment::default() };
                let one = world.payments.refund(&world.caller, id, command.clone(), key("refund", step));
                let two = world.payments.refund(&world.caller, id, command, key("other", step));
                drop(tokio::join!(one, two));
            }
            5 => {
                let method = (dice.roll(4) > 0).then(|| card(CARDS[dice.roll(4) as usize]));
                let command = payments::ConfirmPayment { method, ..Default::default() };
                drop(world.payments.confirm(&world.caller, id, command, key("confirm", step)).await);
            }
            6 => {
                let command = IncrementPayment { amount: 1 + dice.roll(500) as i64 };
                drop(world.payments.increment(&world.caller, id, command, key("increment", step)).await);
            }
            7 => {
                let amount = (dice.roll(3) == 0).then(|| 500 + dice.roll(900) as i64);
                let description = payments::Patch::Set(format!("step {step}"));
                let command = UpdatePayment { amount, description, ..UpdatePayment::default() };
                drop(world.payments.update(&world.caller, id, command, key("update", step)).await);
            }
            _ => edit_by_hand(world, dice, id).await,
        }
        world.clock.advance(Duration::from_millis(dice.roll(3000)));
    }
}

/// Somebody uses the bank's own dashboard, or answers a challenge.
async fn edit_by_hand(world: &World, dice: &Dice, id: Id<PaymentKind>) {
    let payment = world.get(id).await;
    let Some(charge) = &payment.charge else { return };
    let now = kernel::Clock::now(&world.clock);
    if let Some(provider_kit::Action::ThreeDSecure { url }) = payment.next_action() {
        let name = url.rsplit('/').next().unwrap();
        let choice = ["complete", "fail", "cancel"][dice.roll(3) as usize];
        let _ = world.bank.challenge_submit(name, choice, now).await;
        drop(world.payments.returned(world.account, id).await);
    } else {
        let account = world.bank_keys.identity;
        let minor = Some(1 + dice.roll(200) as i64);
        drop(world.bank.dashboard_refund(account, &charge.operation.reference(), minor, now).await);
    }
}

fn trouble(dice: &Dice) -> Option<Trouble> {
    match dice.roll(12) {
        0 => Some(Trouble::Refused),
        1 => Some(Trouble::LostBefore),
        2 => Some(Trouble::LostAfter),
        3 => Some(Trouble::Slow),
        _ => None,
    }
}

fn fault(dice: &Dice) -> Option<Fault> {
    match dice.roll(30) {
        0 => Some(Fault::Loses(Outcome::Conflict)),
        1 => Some(Fault::FailsBefore),
        2 => Some(Fault::LostBefore),
        3 => Some(Fault::LostAfter),
        4 => Some(Fault::LostMeanwhile),
        _ => None,
    }
}

async fn storm(seed: u64) {
    let world = World::with(|bank| bank.notifies_all = seed.is_multiple_of(2), |_| {}).await;
    let dice = Dice(Arc::new(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)));
    let (faults, weather) = (dice.clone(), dice.clone());
    let calm = Arc::new(Mutex::new(false));
    let is_calm = Arc::clone(&calm);
    world.memory.inject_from(move || if *is_calm.lock() { None } else { fault(&faults) });
    *world.wire.weather.lock() = Some(Box::new(move || trouble(&weather)));
    let told = Mutex::new(Vec::new());
    let clients = (0..6).map(|number| client(&world, &dice, number, &told));
    let all = futures_util::future::join_all(clients);
    let time = async {
        // Whoever waits for a slow or hanging call is answered 202 in the end.
        loop {
            for _ in 0..30 {
                tokio::task::yield_now().await;
            }
            world.clock.advance(Duration::from_millis(500));
            world.deliver().await;
            // In tasks of their own, as in a node: a pass may wait for the clock.
            let (resolver, inbox) = (Arc::clone(&world.payments), Arc::clone(&world.payments));
            RuntimeTasks.spawn("resolver", Box::pin(async move { drop(resolver.resolve_due(100).await) }));
            RuntimeTasks.spawn("inbox", Box::pin(async move { drop(inbox.process_inbox(100).await) }));
        }
    };
    tokio::select! {
        _ = all => {}
        () = time => {}
    }
    *calm.lock() = true;
    *world.wire.weather.lock() = None;
    for _ in 0..160 {
        world.clock.advance(Duration::from_mins(15));
        world.quiet().await;
    }
    let told = told.into_inner();
    verify(&world, seed, &told).await;
}

async fn verify(world: &World, seed: u64, told: &[(Id<PaymentKind>, PaymentStatus)]) {
    let page = world.payments.list(world.scope, None, 100).await.unwrap();
    let statement = world.statement().await;
    for payment in &page.items {
        let operations = world.payments.operations(world.scope, payment.id).await.unwrap();
        for operation in &operations {
            let rest = !operation.status.is_open() || operation.status == OperationStatus::NeedsReview;
            let waits = operation.status == OperationStatus::ActionRequired;
            assert!(rest || waits, "seed {seed}: {} is {:?}", operation.id, operation.status);
        }
        let mine = payment.id.uuid();
        let standing = statement.iter().filter(|line| {
            let ours = payments::OperationId::from_reference(&line.reference);
            ours.is_some_and(|ours| ours.payment.uuid() == mine) && line.captured_minor > line.returned_minor
        });
        let standing: Vec<_> = standing.collect();
        assert!(standing.len() <= 1, "seed {seed}: charged twice: {standing:?}");
        let taken: i64 = standing.iter().map(|line| line.captured_minor - line.returned_minor).sum();
        let reviewed = payment.open.iter().any(|open| open.status == OperationStatus::NeedsReview);
        let says = payment.amounts.captured - payment.amounts.refunded;
        assert!(
            taken == says || reviewed,
            "seed {seed}: bank {taken}, payment {says}{}",
            story(world, payment, &operations).await
        );
        payment.amounts_hold().unwrap_or_else(|_| panic!("seed {seed}: {:?}", payment.amounts));
    }
    for (id, status) in told {
        let now = world.get(*id).await.status();
        let was_paid = matches!(status, PaymentStatus::Paid | PaymentStatus::Authorized);
        let denied = matches!(now, PaymentStatus::Failed | PaymentStatus::Pending);
        assert!(!(was_paid && denied), "seed {seed}: {id} was told {status:?} and is {now:?}");
    }
    let report = payments::check(&world.store, world.scope).await.unwrap();
    assert_eq!(report.mismatches, [], "seed {seed}");
}

/// A failing payment, in a few lines.
async fn story(world: &World, payment: &payments::Payment, operations: &[payments::Operation]) -> String {
    let mut text = format!("\n{} {:?} {:?}\n", payment.id, payment.status(), payment.amounts);
    for o in operations {
        let line = format!(
            "{} {:?} {} held {} approved {:?} ref {:?} surplus {} checks {} decline {:?}\n",
            o.id.local(),
            o.status,
            o.amount,
            o.held,
            o.approved,
            o.reference,
            o.surplus,
            o.checks,
            o.decline_code(),
        );
        text.push_str(&line);
    }
    let table = <payments::StoredDelivery as kernel::Record>::TABLE;
    let query = kernel::Query::oldest(table, world.scope, 1000);
    for found in world.store.of(world.scope).find::<payments::StoredDelivery>(query).await.unwrap() {
        if found.record.status != payments::DeliveryStatus::Applied {
            text += &format!("{:?} {}\n", found.record.status, found.record.shown);
        }
    }
    let journal = kernel::Query::oldest(&kernel::JOURNAL, world.scope, 1000)
        .with(kernel::Filter::equal("subject", payment.id));
    for row in world.store.find(journal).await.unwrap() {
        for event in kernel::JournalRow::read(&row).unwrap().events {
            text += &format!("{} {} {}\n", event.sequence, event.kind, event.body);
        }
    }
    text
}

#[tokio::test]
async fn a_hundred_storms() {
    let seeds = std::env::var("FLORIN_STORM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(100);
    let first = std::env::var("FLORIN_STORM_FIRST").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in first..first + seeds {
        storm(seed).await;
    }
}
