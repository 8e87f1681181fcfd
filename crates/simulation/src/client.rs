//! Clients: they ask, hang up, and ask again until they know.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use kernel::{CardNumber, Claim, Currency, Id, Money, Secret};
use payments::{
    AnswerForm, Answered, Caller, CapturePayment, ConfirmPayment, CreatePayment, IncrementPayment,
    MethodInput, PaymentKind, PaymentStatus, Payments, PaymentsError, Purpose, RefundPayment, RefundStatus,
    Rejection, Verdict,
};
use provider_kit::{CaptureMode, Card, ThreeDSecure};
use tokio::sync::oneshot;

use crate::machine::Process;
use crate::plan::{AMOUNT, Ask, AskVerb, Wish, With};
use crate::world::{Place, World};

/// What a client was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// By which key.
    pub(crate) key: String,
    /// Of what.
    pub(crate) verb: AskVerb,
    /// The payment.
    pub(crate) payment: Id<PaymentKind>,
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// The payment's status.
    pub(crate) status: PaymentStatus,
    /// What it said was taken.
    pub(crate) captured: i64,
    /// What it said was given back.
    pub(crate) refunded: i64,
    /// The refund and its status, if it was one.
    pub(crate) refund: Option<(String, RefundStatus)>,
    /// The whole answer: it is the same whenever it is asked for again.
    pub(crate) words: String,
}

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

enum Heard {
    Answer(Box<Result<Answered, PaymentsError>>),
    HungUp,
    Broken,
}

/// Asks until there is an answer that stands, or patience ends.
pub(crate) async fn ask(world: Arc<World>, ask: Ask) {
    world.executor.sleep(ask.at).await;
    let Some(place) = world.place.lock().clone() else { return };
    let Some(wish) = world.plan.wishes.get(ask.wish).copied() else { return };
    let Some(about) = subject(&world, &ask).await else { return };
    let key = format!("{}-{}-{}", name(ask.verb), ask.wish, ask.key);
    for attempt in 0..=ask.tries {
        let machine = ask.machine + usize::from(attempt);
        let Some((process, payments)) = world.any_serving(machine % world.plan.machines) else {
            world.pause(300, 1500).await;
            continue;
        };
        let hangs_up = ask.hangs_up.filter(|_| attempt == 0);
        world.line(&process, || format!("is asked: {:?} ({key}, try {attempt})", ask.verb));
        let claim = claim(&place, &key, ask.verb);
        let heard = call(&world, &process, payments, &place, (ask.verb, wish, about), claim, hangs_up).await;
        match heard {
            Heard::HungUp => world.log.mark("client: hangs up"),
            Heard::Broken => world.log.mark("client: connection broke"),
            Heard::Answer(answer) => match *answer {
                Ok(answered) => {
                    let is_told = hear(&world, &process, &ask, key.clone(), &answered);
                    if is_told {
                        return;
                    }
                }
                Err(error) => {
                    world.line(&process, || format!("refuses ({key}): {error}"));
                    if !may_try_again(&error) {
                        world.log.mark(&format!("refused: {}", refusal(&error)));
                        return;
                    }
                    world.log.mark(&format!("client: tries again after {}", refusal(&error)));
                }
            },
        }
        world.pause(100, 4000).await;
        if !world.is_stormy() {
            return;
        }
    }
}

/// The payment that it is about; `None` in it for a new one.
async fn subject(world: &Arc<World>, ask: &Ask) -> Option<Option<Id<PaymentKind>>> {
    if ask.verb == AskVerb::Create {
        return Some(None);
    }
    for _ in 0..200 {
        let made = world.made.lock().get(&ask.wish).and_then(|made| made.last().copied());
        if let Some(made) = made {
            return Some(Some(made));
        }
        world.executor.sleep(Duration::from_millis(150)).await;
    }
    None
}

/// Writes down what was told. Answers whether that is the end of it.
fn hear(world: &World, process: &Process, ask: &Ask, key: String, answered: &Answered) -> bool {
    let payment = answered.payment.id;
    {
        let mut made = world.made.lock();
        let of_wish = made.entry(ask.wish).or_default();
        if !of_wish.contains(&payment) {
            of_wish.push(payment);
        }
    }
    let verdict = answered.verdict.clone();
    world.line(process, || {
        let again = if answered.replayed { " (again)" } else { "" };
        format!("answers {key}: {verdict:?}, {:?}{again}", answered.payment.status())
    });
    if answered.replayed {
        world.log.mark("protocol: replayed answer");
    }
    if verdict == Verdict::Accepted {
        world.log.mark("protocol: accepted, outcome open");
    }
    let words = serde_json::to_string(&(&answered.verdict, &answered.payment, &answered.refund));
    world.told.lock().push(Told {
        key,
        verb: ask.verb,
        payment,
        verdict: verdict.clone(),
        status: answered.payment.status(),
        captured: answered.payment.amounts.captured,
        refunded: answered.payment.amounts.refunded,
        refund: answered.refund.as_ref().map(|refund| (refund.id.to_string(), refund.status)),
        words: words.unwrap_or_default(),
    });
    // Sometimes a client asks again although it knows.
    verdict != Verdict::Accepted && world.roll(4) > 0
}

/// One request, as a task of the process that serves it.
async fn call(
    world: &Arc<World>,
    process: &Process,
    payments: Arc<Payments>,
    place: &Place,
    what: (AskVerb, Wish, Option<Id<PaymentKind>>),
    claim: Claim,
    hangs_up: Option<Duration>,
) -> Heard {
    world.pause(0, 20).await;
    let (sender, receiver) = oneshot::channel();
    let caller = World::caller(place);
    let task = world.executor.spawn(
        process.life,
        Box::pin(async move {
            let answer = serve(&payments, &caller, what, claim).await;
            // The client may have hung up.
            let _ = sender.send(answer);
        }),
    );
    let patience = Box::pin(world.executor.sleep(hangs_up.unwrap_or(PATIENCE)));
    match select(receiver, patience).await {
        Either::Left((Ok(answer), _)) => Heard::Answer(Box::new(answer)),
        Either::Left((Err(_), _)) => Heard::Broken,
        Either::Right(_) => {
            world.line(process, || "client hangs up".to_owned());
            world.executor.abort(task);
            Heard::HungUp
        }
    }
}

async fn serve(
    payments: &Arc<Payments>,
    caller: &Caller,
    (verb, wish, about): (AskVerb, Wish, Option<Id<PaymentKind>>),
    claim: Claim,
) -> Result<Answered, PaymentsError> {
    let claim = Some(claim);
    match (verb, about) {
        (AskVerb::Create, _) | (_, None) => payments.create(caller, create(wish), claim).await,
        (AskVerb::Confirm { with }, Some(id)) => {
            let command = ConfirmPayment { method: with.and_then(method), ..ConfirmPayment::default() };
            payments.confirm(caller, id, command, claim).await
        }
        (AskVerb::Capture { amount, is_final }, Some(id)) => {
            payments.capture(caller, id, CapturePayment { amount, is_final }, claim).await
        }
        (AskVerb::Cancel, Some(id)) => payments.cancel(caller, id, claim).await,
        (AskVerb::Refund { amount }, Some(id)) => {
            let command = RefundPayment { amount, ..RefundPayment::default() };
            payments.refund(caller, id, command, claim).await
        }
        (AskVerb::Increment { amount }, Some(id)) => {
            payments.increment(caller, id, IncrementPayment { amount }, claim).await
        }
    }
}

/// Whether the same key may get another answer later.
fn may_try_again(error: &PaymentsError) -> bool {
    match error {
        PaymentsError::Rejected(rejection) => matches!(rejection, Rejection::KeyInUse),
        PaymentsError::Busy
        | PaymentsError::Overloaded
        | PaymentsError::Undecided(_)
        | PaymentsError::StorageFull
        | PaymentsError::Unavailable(_)
        | PaymentsError::Internal(_) => true,
    }
}

fn refusal(error: &PaymentsError) -> &'static str {
    match error {
        PaymentsError::Busy => "busy",
        PaymentsError::Overloaded => "overloaded",
        PaymentsError::Undecided(_) => "undecided",
        PaymentsError::StorageFull => "storage full",
        PaymentsError::Unavailable(_) => "unavailable",
        PaymentsError::Internal(_) => "internal",
        PaymentsError::Rejected(rejection) => match rejection {
            Rejection::KeyInUse => "key in use",
            Rejection::KeyReused => "key reused",
            Rejection::OperationOpen(_) => "operation open",
            Rejection::OrderAlreadyCharged => "order already charged",
            Rejection::State { .. } => "state",
            Rejection::BeyondCapturable { .. } => "beyond capturable",
            Rejection::BeyondRefundable { .. } => "beyond refundable",
            Rejection::LimitExceeded { .. } => "limit exceeded",
            _ => "other",
        },
    }
}

const fn name(verb: AskVerb) -> &'static str {
    match verb {
        AskVerb::Create => "create",
        AskVerb::Confirm { .. } => "confirm",
        AskVerb::Capture { .. } => "capture",
        AskVerb::Cancel => "cancel",
        AskVerb::Refund { .. } => "refund",
        AskVerb::Increment { .. } => "increment",
    }
}

fn claim(place: &Place, key: &str, verb: AskVerb) -> Claim {
    Claim {
        scope: place.scope,
        key: key.to_owned(),
        route: name(verb).into(),
        mac: format!("{verb:?}").into_bytes(),
        mac_before: None,
        operation: None,
        answer: None,
    }
}

fn method(with: With) -> Option<MethodInput> {
    Some(match with {
        With::Card(number) => MethodInput::Card(Card {
            number: CardNumber::parse(number).ok()?,
            exp_month: 12,
            exp_year: 2030,
            cvc: Some(Secret::new("123".to_owned())),
            holder: None,
        }),
        With::Upi(vpa) => MethodInput::Upi { vpa: Some(vpa.to_owned()) },
    })
}

fn create(wish: Wish) -> CreatePayment {
    let currency = if matches!(wish.with, With::Upi(_)) { Currency::INR } else { Currency::USD };
    CreatePayment {
        amount: Money::new(AMOUNT, currency),
        purpose: Purpose::Payment,
        capture_method: wish.manual.then_some(CaptureMode::Manual),
        confirm: wish.confirm,
        method: method(wish.with),
        customer: None,
        order_id: wish.order.map(|order| format!("order-{order}")),
        allow_duplicate_order: false,
        provider: None,
        description: None,
        statement_descriptor: None,
        customer_email: None,
        metadata: serde_json::Map::new(),
        return_url: None,
        callback_url: None,
        form: AnswerForm::Canonical,
        capture_delay_seconds: wish.capture_delay,
        off_session: None,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        payer: None,
    }
}
