//! What comes next in a call, from the replies so far. Each function reads from top to bottom in the
//! order of its requests.

use kernel::{Distilled, Money};
use provider_kit::{
    Call, Cancel, Capture, Charge, Increment, Instrument, Lookup, Outcome, ProviderAccount, Refund, Step,
    Tokenize, Upstream, Verb, Void,
};

use crate::mapping::{self, marked, part};
use crate::refusal::{of, of_look_up, of_read, refused, unknown};
use crate::request::{Way, units};
use crate::wire::{Failure, Intent, Kept, Said};

pub(crate) fn next(account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
    let (way, said) = (Way { account, reference: call.reference() }, Said::of(replies));
    let next = match call {
        Call::Tokenize(call) => tokenize(way, call, &said),
        Call::Charge(call) => charge(way, call, &said),
        Call::Capture(call) => capture(way, call, &said),
        Call::Void(call) => void(way, call, &said),
        Call::Refund(call) => refund(way, call, &said),
        Call::Cancel(call) => cancel(way, call, &said),
        Call::Increment(call) => increment(way, call, &said),
        Call::Lookup(call) => look_up(way, call, &said),
    };
    // Whichever comes first, a request or the end, ends the reading of a function.
    next.unwrap_or_else(|step| *step)
}

/// `Err` is a step that comes before the rest.
type Next = Result<Step, Box<Step>>;

#[expect(clippy::unnecessary_wraps, reason = "it ends functions that may end earlier with an error")]
fn done(outcome: Outcome) -> Next {
    Ok(Step::Done(outcome))
}

#[expect(clippy::unnecessary_wraps, reason = "it ends functions that may end earlier with an error")]
fn send(request: kernel::Request) -> Next {
    Ok(Step::Send(request))
}

fn instead(outcome: Outcome) -> Box<Step> {
    Box::new(Step::Done(outcome))
}

fn first(request: kernel::Request) -> Box<Step> {
    Box::new(Step::Send(request))
}

fn tokenize(way: Way<'_>, call: &Tokenize, said: &Said) -> Next {
    match said.to("tokenize") {
        None => send(way.tokenize(call)),
        Some(Kept::Method(method)) if method.id.starts_with("pm_") => {
            let card = method.card.as_ref().map(|card| Box::new(mapping::facts_of(card)));
            done(Outcome::Tokenized { token: method.id.clone(), card })
        }
        Some(other) => done(of(Verb::Tokenize, other)),
    }
}

fn charge(way: Way<'_>, call: &Charge, said: &Said) -> Next {
    let Instrument::CardToken { token } = &call.instrument else {
        return done(refused("method_unknown", "this mapping charges cards"));
    };
    let units = units(call.amount).map_err(|message| instead(refused("amount_not_expressible", &message)))?;
    if token.starts_with("pi_") {
        return take_up(way, call, units, token, said);
    }
    if !["pm_", "tok_"].iter().any(|sign| token.starts_with(sign)) {
        return done(refused("token_unknown", "a token of Stripe's begins with pm_, tok_ or pi_"));
    }
    if token.starts_with("tok_") && call.stores_credential {
        let message = "a token that begins with tok_ is used once: store a payment method (pm_…) instead";
        return done(refused("token_is_used_once", message));
    }
    let step = if call.amount.is_zero() { "verify" } else { "charge" };
    if let Some(answer) = said.to(step) {
        return done(charged(way, call, answer));
    }
    let mut customer = owner(way, token, said)?;
    if customer.is_none() && call.stores_credential {
        customer = Some(new_customer(way, said)?);
    }
    if call.amount.is_zero() {
        return send(way.verify(call, token, customer.as_deref()));
    }
    send(way.charge(call, units, token, customer.as_deref()))
}

/// Whose a payment method is: Stripe charges a stored one only together with its customer.
fn owner(way: Way<'_>, token: &str, said: &Said) -> Result<Option<String>, Box<Step>> {
    if !token.starts_with("pm_") {
        return Ok(None);
    }
    match said.to("method") {
        None => Err(first(way.method(token))),
        Some(Kept::Method(method)) => Ok(method.customer.clone()),
        Some(other) => Err(instead(of_read(other))),
    }
}

fn new_customer(way: Way<'_>, said: &Said) -> Result<String, Box<Step>> {
    match said.to("customer") {
        None => Err(first(way.customer())),
        Some(Kept::Customer { id }) => Ok(id.clone()),
        Some(other) => Err(instead(of_read(other))),
    }
}

fn charged(way: Way<'_>, call: &Charge, answer: &Kept) -> Outcome {
    match answer {
        Kept::Intent(intent) if intent.reference() == Some(way.reference) => {
            mapping::charge(intent, Some(call.capture))
        }
        other => of(Verb::Charge, other),
    }
}

/// Takes up an intent that the merchant's own page began with Stripe.js: it must be for exactly this.
fn take_up(way: Way<'_>, call: &Charge, units: i64, token: &str, said: &Said) -> Next {
    if let Some(answer) = said.to("confirm") {
        return done(charged(way, call, answer));
    }
    let intent = match said.to("read") {
        None => return send(way.read(token)),
        Some(Kept::Intent(intent)) => intent,
        Some(other) => return done(of_read(other)),
    };
    if let Err(message) = is_for(intent, call, units, way.reference) {
        return done(refused("payment_intent_differs", message));
    }
    let claimed = match said.to("claim") {
        None => return send(way.claim(token)),
        Some(Kept::Intent(intent)) => intent,
        // Its key is the intent's: another payment took it up.
        Some(Kept::Failed { error, .. }) if error.r#type == "idempotency_error" => {
            return done(refused("payment_intent_in_use", "another payment took this payment intent up"));
        }
        Some(other) => return done(of(Verb::Charge, other)),
    };
    if claimed.status == "requires_confirmation" {
        return send(way.confirm(token, call));
    }
    done(mapping::charge(claimed, Some(call.capture)))
}

fn is_for(intent: &Intent, call: &Charge, units: i64, reference: &str) -> Result<(), &'static str> {
    let currency = crate::amount::code(call.amount.currency);
    let mode = match call.capture {
        provider_kit::CaptureMode::Automatic => "automatic",
        provider_kit::CaptureMode::Manual => "manual",
    };
    // Stripe's newer default takes the money at once too.
    let captures = intent.capture_method.as_deref().map(|method| method.trim_end_matches("_async"));
    if intent.amount != Some(units) || intent.currency.as_deref() != Some(currency.as_str()) {
        return Err("the payment intent is for another amount or currency");
    }
    if captures != Some(mode) {
        return Err("the payment intent has another capture_method than the payment");
    }
    if intent.reference().is_some_and(|known| known != reference) {
        return Err("another payment took this payment intent up");
    }
    if intent.status == "requires_payment_method" {
        return Err("the payment intent has no payment method");
    }
    Ok(())
}

/// The id of the intent that a call is about, found by our reference if we never learned it.
fn intent_id(way: Way<'_>, charge: &Upstream, said: &Said) -> Result<String, Box<Step>> {
    if let Some(known) = &charge.provider_reference {
        return Ok(known.clone());
    }
    match said.to("find") {
        None => Err(first(way.find(&charge.reference))),
        Some(Kept::Intents { data, .. }) => match data.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(instead(refused("no_payment_intent", "Stripe knows no payment intent of this charge"))),
            _ => Err(instead(unknown("several payment intents carry the reference"))),
        },
        Some(other) => Err(instead(of_read(other))),
    }
}

fn units_of(amount: Money) -> Result<i64, Box<Step>> {
    units(amount).map_err(|message| instead(refused("amount_not_expressible", &message)))
}

fn capture(way: Way<'_>, call: &Capture, said: &Said) -> Next {
    let units = units_of(call.amount)?;
    if !call.is_final && way.account.setting("multicapture") != "true" {
        let message = "this account captures once: set `multicapture` where Stripe offers it";
        return done(refused("multicapture_is_off", message));
    }
    let intent = intent_id(way, &call.charge, said)?;
    match said.to("capture") {
        None => send(way.capture(&intent, units, call.is_final)),
        Some(Kept::Intent(intent)) => done(
            marked(intent, way.reference, "capture")
                .unwrap_or_else(|| unknown("the answer says nothing of this capture")),
        ),
        Some(other) => done(of(Verb::Capture, other)),
    }
}

fn increment(way: Way<'_>, call: &Increment, said: &Said) -> Next {
    let added = units_of(call.amount)?;
    if way.account.setting("incremental_authorization") != "true" {
        let message = "set `incremental_authorization` where Stripe offers it to the account";
        return done(refused("incremental_authorization_is_off", message));
    }
    let intent = intent_id(way, &call.charge, said)?;
    let held = match said.to("read") {
        None => return send(way.read(&intent)),
        Some(Kept::Intent(intent)) => intent.amount,
        Some(other) => return done(of_read(other)),
    };
    let Some(whole) = held.and_then(|held| held.checked_add(added)) else {
        return done(unknown("a payment intent without an amount"));
    };
    match said.to("increment") {
        None => send(way.increment(&intent, whole, added)),
        Some(Kept::Intent(intent)) => done(
            marked(intent, way.reference, "increment")
                .unwrap_or_else(|| unknown("the answer says nothing of this increment")),
        ),
        Some(other) => done(of(Verb::Increment, other)),
    }
}

/// Releases what is held. What was taken already is given back instead.
fn void(way: Way<'_>, call: &Void, said: &Said) -> Next {
    let units = units_of(call.amount)?;
    let intent = intent_id(way, &call.charge, said)?;
    let Some(answer) = said.to("void") else { return send(way.cancel("void", &intent)) };
    match (answer, status_now(answer)) {
        (Kept::Intent(intent), _) => done(released(intent, way.reference, call.amount)),
        (Kept::Failed { error, .. }, Some("canceled")) => match &error.intent {
            Some(intent) => done(part(intent, way.reference, call.amount)),
            None => done(of(Verb::Void, answer)),
        },
        (Kept::Failed { .. }, Some("succeeded")) => match said.to("refund") {
            None => send(way.refund(&intent, units, "void", None)),
            Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
            Some(other) => done(of(Verb::Refund, other)),
        },
        _ => done(of(Verb::Void, answer)),
    }
}

/// The status of the intent that an unexpected-state error is about.
fn status_now(answer: &Kept) -> Option<&str> {
    let Kept::Failed { error, .. } = answer else { return None };
    let Failure { code, intent, .. } = error.as_ref();
    let unexpected = code.as_deref().is_some_and(|code| code.ends_with("_intent_unexpected_state"));
    intent.as_ref().filter(|_| unexpected).map(|intent| intent.status.as_str())
}

fn released(intent: &Intent, reference: &str, amount: Money) -> Outcome {
    match intent.status.as_str() {
        // The latter where a part was captured before.
        "canceled" | "succeeded" => part(intent, reference, amount),
        other => unknown(&format!("released, with status {other}")),
    }
}

fn cancel(way: Way<'_>, call: &Cancel, said: &Said) -> Next {
    let intent = intent_id(way, &call.charge, said)?;
    let Some(answer) = said.to("cancel") else { return send(way.cancel("cancel", &intent)) };
    let nothing = Money::zero(kernel::Currency::USD);
    match (answer, status_now(answer)) {
        (Kept::Intent(intent), _) if intent.status == "canceled" => {
            done(part(intent, way.reference, nothing))
        }
        (Kept::Failed { error, .. }, Some("canceled")) => match &error.intent {
            Some(intent) => done(part(intent, way.reference, nothing)),
            None => done(of(Verb::Cancel, answer)),
        },
        _ => done(of(Verb::Cancel, answer)),
    }
}

fn refund(way: Way<'_>, call: &Refund, said: &Said) -> Next {
    let units = units_of(call.amount)?;
    let intent = intent_id(way, &call.charge, said)?;
    // Stripe knows three reasons; the merchant's own words stay here.
    let reason = call
        .reason
        .as_deref()
        .filter(|reason| ["duplicate", "fraudulent", "requested_by_customer"].contains(reason));
    match said.to("refund") {
        None => send(way.refund(&intent, units, "refund", reason)),
        Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
        Some(other) => done(of(Verb::Refund, other)),
    }
}

fn look_up(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    match call.verb {
        Verb::Charge => look_up_charge(way, call, said),
        Verb::Refund => look_up_refund(way, call, call.provider_reference.as_deref(), said),
        Verb::Capture => done(look_up_mark(call, "capture", &charge_of(way, call, said)?)),
        Verb::Increment => done(look_up_mark(call, "increment", &charge_of(way, call, said)?)),
        Verb::Cancel => {
            let intent = charge_of(way, call, said)?;
            let is_canceled = intent.status == "canceled";
            let amount = Money::zero(call.amount.currency);
            done(if is_canceled { part(&intent, way.reference, amount) } else { Outcome::NotFound })
        }
        Verb::Void => {
            let intent = charge_of(way, call, said)?;
            match intent.status.as_str() {
                "canceled" => done(part(&intent, way.reference, call.amount)),
                "succeeded" => look_up_refund(way, call, None, said),
                _ => done(Outcome::NotFound),
            }
        }
        Verb::Tokenize | Verb::Lookup => done(unknown("such a call is not looked up")),
    }
}

fn look_up_charge(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    let (step, request) = match &call.provider_reference {
        Some(id) => ("read", way.read(id)),
        None if call.amount.is_zero() => ("setups", way.set_ups()),
        None => ("find", way.find(way.reference)),
    };
    let ours = |intent: &&Intent| intent.reference() == Some(way.reference);
    match said.to(step) {
        None => send(request),
        Some(Kept::Intent(intent)) => done(match Some(intent.as_ref()).filter(ours) {
            Some(intent) => mapping::charge(intent, call.capture),
            None => unknown("the payment intent is another payment's"),
        }),
        Some(Kept::Intents { data, has_more }) => {
            let found: Vec<_> = data.iter().filter(ours).collect();
            done(match found.as_slice() {
                [only] => mapping::charge(only, call.capture),
                [] if *has_more => unknown("not among the newest that Stripe lists"),
                [] => Outcome::NotFound,
                _ => unknown("several payment intents carry the reference"),
            })
        }
        Some(other) => done(of_look_up(other)),
    }
}

/// The intent that an operation belongs to, as it is now.
fn charge_of(way: Way<'_>, call: &Lookup, said: &Said) -> Result<Intent, Box<Step>> {
    let Some(charge) = &call.charge else { return Err(instead(unknown("the charge is not named"))) };
    let (step, request) = match &charge.provider_reference {
        Some(id) => ("read", way.read(id)),
        None => ("find", way.find(&charge.reference)),
    };
    match said.to(step) {
        None => Err(first(request)),
        Some(Kept::Intent(intent)) => Ok(intent.as_ref().clone()),
        Some(Kept::Intents { data, .. }) => match data.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(instead(Outcome::NotFound)),
            _ => Err(instead(unknown("several payment intents carry the reference"))),
        },
        Some(other) => Err(instead(of_look_up(other))),
    }
}

fn look_up_mark(call: &Lookup, verb: &str, intent: &Intent) -> Outcome {
    marked(intent, &call.reference, verb).unwrap_or(Outcome::NotFound)
}

fn look_up_refund(way: Way<'_>, call: &Lookup, id: Option<&str>, said: &Said) -> Next {
    if let Some(id) = id {
        return match said.to("one_refund") {
            None => send(way.one_refund(id)),
            Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
            Some(other) => done(of_look_up(other)),
        };
    }
    let known = call.charge.as_ref().and_then(|charge| charge.provider_reference.clone());
    let intent = match known {
        Some(id) => id,
        None => charge_of(way, call, said)?.id,
    };
    let ours = |refund: &&crate::wire::Refund| {
        refund.metadata.get(crate::wire::REFERENCE).is_some_and(|known| known == way.reference)
    };
    match said.to("refunds") {
        None => send(way.refunds(&intent)),
        Some(Kept::Refunds { data, has_more }) => done(match data.iter().find(ours) {
            Some(refund) => mapping::refund(refund),
            None if *has_more => unknown("not among the newest refunds that Stripe lists"),
            None => Outcome::NotFound,
        }),
        Some(other) => done(of_look_up(other)),
    }
}
