//! What comes next in a call, from the replies so far. Each function reads from top to bottom in the
//! order of its requests.

use kernel::{Distilled, Money};
use provider_kit::{
    CONSENTED, Call, Cancel, Capture, Charge, Decline, DeclineCode, Instrument, Lookup, Outcome,
    ProviderAccount, Refund, Step, Tokenize, Upstream, Verb, Void,
};

use crate::amount::{Value, value};
use crate::mapping::{self, part};
use crate::refusal::{of, of_look_up, of_read, refused, unknown};
use crate::request::Way;
use crate::wire::{self, Authorization, Kept, Order, Said};

pub(crate) fn next(account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
    let (way, said) = (Way { account, reference: call.reference() }, Said::of(replies));
    let next = match call {
        Call::Tokenize(call) => tokenize(way, call, &said),
        Call::Charge(call) => charge(way, call, &said),
        Call::Capture(call) => capture(way, call, &said),
        Call::Void(call) => void(way, call, &said),
        Call::Refund(call) => refund(way, call, &said),
        Call::Cancel(call) => cancel(way, call, &said),
        Call::Lookup(call) => look_up(way, call, &said),
        Call::Increment(_) => done(refused("not_offered", "PayPal cannot hold more on an authorization")),
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

fn expressed(amount: Money) -> Result<Value, Box<Step>> {
    value(amount).map_err(|error| {
        let message = format!("{} cannot be charged in such amounts: {error}", amount.currency);
        instead(refused("amount_not_expressible", &message))
    })
}

fn tokenize(way: Way<'_>, call: &Tokenize, said: &Said) -> Next {
    match said.to("tokenize") {
        None => send(way.tokenize(call)),
        Some(Kept::Token(token)) => {
            let card = token.payment_source.as_ref().and_then(|source| source.card.as_ref());
            let card = card.map(|card| Box::new(mapping::facts_of(card)));
            done(Outcome::Tokenized { token: token.id.clone(), card })
        }
        Some(other) => done(of(Verb::Tokenize, other)),
    }
}

fn charge(way: Way<'_>, call: &Charge, said: &Said) -> Next {
    if matches!(call.instrument, Instrument::Upi { .. } | Instrument::Hosted { .. }) {
        return done(refused("method_unknown", "this mapping charges PayPal accounts and cards"));
    }
    let amount = expressed(call.amount)?;
    if call.amount.is_zero() {
        return done(refused("amount_not_expressible", "an order is of more than nothing"));
    }
    if let Some(Kept::Consented { reference }) = said.to(CONSENTED) {
        return match said.to("finish") {
            None => send(way.finish(reference, call)),
            Some(answer) => done(completed(way, call, reference, answer)),
        };
    }
    let order = match said.to("order") {
        None => return send(way.order(call, &amount)),
        Some(Kept::Order(order)) => order,
        Some(other) => return done(of_read(other)),
    };
    let Some(pay) = way.pay(&order.id, call) else { return done(mapping::charge(order, Some(call.capture))) };
    match said.to("pay") {
        None => send(pay),
        Some(answer) => done(completed(way, call, &order.id, answer)),
    }
}

/// What came of the request that moves the money.
fn completed(way: Way<'_>, call: &Charge, id: &str, answer: &Kept) -> Outcome {
    let is_card = matches!(call.instrument, Instrument::CardToken { .. });
    match answer {
        Kept::Order(order) if order.id == id && is_ours(order, way.reference) => {
            match mapping::charge(order, Some(call.capture)) {
                Outcome::NotFound => unknown("it was answered by an order that nobody has paid"),
                outcome => outcome,
            }
        }
        Kept::Failed { failure, .. } => {
            mapping::payer_action(failure, id, is_card).unwrap_or_else(|| of(Verb::Charge, answer))
        }
        other => of(Verb::Charge, other),
    }
}

fn is_ours(order: &Order, reference: &str) -> bool {
    order.reference() == Some(reference)
}

/// The order that a call is about, as it is now.
fn order_of<'s>(way: Way<'_>, charge: &Upstream, said: &'s Said) -> Result<&'s Order, Box<Step>> {
    let Some(id) = &charge.provider_reference else {
        return Err(instead(refused("no_order", "PayPal never told the order of this charge")));
    };
    match said.to("read") {
        None => Err(Box::new(Step::Send(way.read(id)))),
        Some(Kept::Order(order)) if is_ours(order, &charge.reference) => Ok(order),
        Some(Kept::Order(_)) => Err(instead(refused("order_differs", "the order is another charge's"))),
        Some(other) => Err(instead(of_read(other))),
    }
}

fn held(order: &Order) -> Option<&Authorization> {
    order
        .authorizations()
        .find(|held| matches!(held.status.as_str(), "CREATED" | "PARTIALLY_CAPTURED" | "PENDING"))
}

fn capture(way: Way<'_>, call: &Capture, said: &Said) -> Next {
    let amount = expressed(call.amount)?;
    let order = order_of(way, &call.charge, said)?;
    match said.to("capture") {
        None => match held(order) {
            Some(held) => send(way.capture(&held.id, &amount, call.is_final)),
            None => done(refused("nothing_held", "PayPal holds no money of this charge any more")),
        },
        Some(Kept::Capture(taken)) => done(mapping::taken(taken)),
        Some(other) => done(of(Verb::Capture, other)),
    }
}

/// Releases what is held. What was taken at once is given back instead.
fn void(way: Way<'_>, call: &Void, said: &Said) -> Next {
    let amount = expressed(call.amount)?;
    let order = order_of(way, &call.charge, said)?;
    let released = || part(&order.id, way.reference, call.amount);
    if let Some(answer) = said.to("void") {
        return done(match answer {
            Kept::Authorization(held) if held.status == "VOIDED" => released(),
            Kept::Failed { failure, .. }
                if ["AUTHORIZATION_VOIDED", "PREVIOUSLY_VOIDED"].contains(&failure.word()) =>
            {
                released()
            }
            other => of(Verb::Void, other),
        });
    }
    if let Some(held) = held(order) {
        return send(way.void(&held.id));
    }
    if order.authorizations().next().is_some() {
        // Released or lapsed already: there is nothing left to release.
        return done(released());
    }
    match said.to("undo") {
        None => send(way.refund("undo", refundable(order, call.amount)?, &amount, None)),
        Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
        Some(other) => done(of(Verb::Refund, other)),
    }
}

fn refund(way: Way<'_>, call: &Refund, said: &Said) -> Next {
    let amount = expressed(call.amount)?;
    let order = order_of(way, &call.charge, said)?;
    match said.to("refund") {
        None => {
            let capture = refundable(order, call.amount)?;
            send(way.refund("refund", capture, &amount, call.reason.as_deref()))
        }
        Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
        Some(other) => done(of(Verb::Refund, other)),
    }
}

/// The capture that so much can be given back of: PayPal refunds captures, one at a time. Where nothing is
/// left, the one that has most: PayPal says why not.
fn refundable(order: &Order, amount: Money) -> Result<&str, Box<Step>> {
    let money = |value: &Option<Value>| value.as_ref().and_then(Value::money).map_or(0, |money| money.minor);
    let left = |taken: &wire::Capture| {
        let of_it = |refund: &&wire::Refund| {
            refund.capture() == Some(taken.id.as_str())
                && ["COMPLETED", "PENDING"].contains(&refund.status.as_str())
        };
        let given: i64 = order.refunds().filter(of_it).map(|refund| money(&refund.amount)).sum();
        money(&taken.amount).saturating_sub(given)
    };
    let taken = |taken: &&wire::Capture| {
        matches!(taken.status.as_str(), "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED")
    };
    let captures: Vec<(&str, i64)> =
        order.captures().filter(taken).map(|taken| (taken.id.as_str(), left(taken))).collect();
    let enough = captures.iter().find(|(_, left)| *left >= amount.minor);
    let most = captures.iter().max_by_key(|(_, left)| *left);
    let all: i64 = captures.iter().map(|(_, left)| *left).sum();
    if let (None, Some((_, most))) = (enough, most)
        && all >= amount.minor
    {
        let message = format!(
            "it was captured in parts, and PayPal refunds each for itself: refund at most {most} at once"
        );
        return Err(instead(refused("refund_in_parts", &message)));
    }
    match enough.or(most) {
        Some((id, _)) => Ok(id),
        None => Err(instead(refused("nothing_taken", "PayPal took no money of this charge"))),
    }
}

/// Only we can capture or authorize an order: giving it up is to find that it was not done.
fn cancel(way: Way<'_>, call: &Cancel, said: &Said) -> Next {
    if let Some(Kept::Failed { status: 404, .. }) = said.to("read") {
        let order = call.charge.provider_reference.as_deref().unwrap_or_default();
        return done(part(order, way.reference, Money::zero(kernel::Currency::USD)));
    }
    let order = order_of(way, &call.charge, said)?;
    if was_paid(order) {
        return done(refused("order_was_paid", "the payer approved it, and it was completed"));
    }
    done(part(&order.id, way.reference, Money::zero(kernel::Currency::USD)))
}

fn was_paid(order: &Order) -> bool {
    order.authorizations().next().is_some() || order.captures().next().is_some()
}

fn look_up(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    if call.verb == Verb::Charge {
        return look_up_charge(way, call, said);
    }
    if let (Verb::Refund, Some(id)) = (call.verb, &call.provider_reference) {
        return match said.to("one_refund") {
            None => send(way.one_refund(id)),
            Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
            Some(other) => done(of_look_up(other)),
        };
    }
    let Some(charge) = &call.charge else { return done(unknown("the charge is not named")) };
    // A charge whose order was never told was never completed, and nothing was done to it.
    let Some(id) = &charge.provider_reference else { return done(Outcome::NotFound) };
    let order = match said.to("read") {
        None => return send(way.read(id)),
        Some(Kept::Order(order)) if is_ours(order, &charge.reference) => order,
        Some(Kept::Order(_)) => return done(unknown("the order is another charge's")),
        Some(other) => return done(of_look_up(other)),
    };
    let refunded = || {
        let ours = |refund: &&wire::Refund| refund.custom_id.as_deref() == Some(way.reference);
        order.refunds().find(ours).map_or(Outcome::NotFound, mapping::refund)
    };
    done(match call.verb {
        Verb::Capture => {
            let ours = |taken: &&wire::Capture| taken.invoice_id.as_deref() == Some(way.reference);
            order.captures().find(ours).map_or(Outcome::NotFound, mapping::taken)
        }
        Verb::Void if order.authorizations().any(|held| held.status == "VOIDED") => {
            part(&order.id, way.reference, call.amount)
        }
        Verb::Void | Verb::Refund => refunded(),
        Verb::Cancel if was_paid(order) => Outcome::NotFound,
        Verb::Cancel => part(&order.id, way.reference, Money::zero(call.amount.currency)),
        Verb::Charge | Verb::Tokenize | Verb::Increment | Verb::Lookup => {
            unknown("such a call is not looked up")
        }
    })
}

/// By the order's id, which stands in the charge's own replies before anything can move.
fn look_up_charge(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    let kept = Said::of(&call.replies);
    let of_replies = || {
        let made = kept.to("order").or_else(|| kept.to(CONSENTED));
        match made? {
            Kept::Order(order) => Some(order.id.clone()),
            Kept::Consented { reference } => Some(reference.clone()),
            _ => None,
        }
    };
    let Some(id) = call.provider_reference.clone().or_else(of_replies) else {
        // An order whose id nobody knows is approved and completed by nobody.
        return done(Outcome::NotFound);
    };
    match said.to("read") {
        None => send(way.read(&id)),
        Some(Kept::Order(order)) if is_ours(order, way.reference) => {
            done(mapping::charge(order, call.capture))
        }
        Some(Kept::Order(_)) => done(unknown("the order is another charge's")),
        // PayPal forgets orders that nobody approved.
        Some(Kept::Failed { status: 404, .. }) if call.provider_reference.is_some() => {
            done(Outcome::Declined(Decline { reference: Some(id), ..Decline::of(DeclineCode::Expired) }))
        }
        Some(other) => done(of_look_up(other)),
    }
}
