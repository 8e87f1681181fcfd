//! What comes next in a call, from the replies so far. Each function reads from top to bottom in the
//! order of its requests.

use kernel::{Distilled, Money, Timestamp};
use provider_kit::{
    CONSENTED, Call, Cancel, Capture, Charge, Instrument, Lookup, MethodKind, Outcome, ProviderAccount,
    Refund, Step, Upstream, Verb, Void,
};

use crate::amount::units;
use crate::mapping::{self, counted, is_taken, part};
use crate::refusal::{of, of_look_up, of_read, refused, unknown};
use crate::request::{LIST_MAX, Way, knows_payer, note, stored, way, way_of};
use crate::wire::{self, Kept, Order, Payment, Said};

pub(crate) fn next(account: &ProviderAccount, call: &Call, replies: &[Distilled], now: Timestamp) -> Step {
    let (way, said) = (Way { account, reference: call.reference() }, Said::of(replies));
    let next = match call {
        Call::Tokenize(_) => done(refused(
            "card_not_taken",
            "Razorpay takes cards on its own page: send `payment_method` with `type` = `checkout`",
        )),
        Call::Charge(call) => charge(way, call, &said, now),
        Call::Capture(call) => capture(way, call, &said),
        Call::Void(call) => void(way, call, &said),
        Call::Refund(call) => refund(way, call, &said),
        Call::Cancel(call) => cancel(way, call, &said),
        Call::Lookup(call) => look_up(way, call, &said),
        Call::Increment(_) => done(refused("not_offered", "Razorpay cannot hold more on an authorization")),
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

fn expressed(amount: Money) -> Result<i64, Box<Step>> {
    if amount.is_zero() {
        return Err(instead(refused("amount_not_expressible", "an order is of more than nothing")));
    }
    units(amount).map_err(|error| {
        let message = format!("{} cannot be charged in such amounts: {error}", amount.currency);
        instead(refused("amount_not_expressible", &message))
    })
}

fn charge(way: Way<'_>, call: &Charge, said: &Said, now: Timestamp) -> Next {
    let units = expressed(call.amount)?;
    chargeable(way.account, call)?;
    if let Some(Kept::Consented { reference }) = said.to(CONSENTED) {
        return finish(way, call, reference, said);
    }
    let saved = match &call.instrument {
        Instrument::CardToken { token } => stored(token).map(|(customer, _)| customer),
        _ if !call.stores_credential => None,
        _ => match said.to("customer") {
            None => return send(way.customer()),
            Some(Kept::Customer { id }) => Some(id.as_str()),
            Some(other) => return done(of_read(other)),
        },
    };
    let order = match said.to("order") {
        None => return send(way.order(call, units, saved, now)),
        Some(Kept::Order(order)) => order,
        Some(other) => return done(of_read(other)),
    };
    if order.amount != units || order.currency != call.amount.currency.code() {
        return done(unknown("an order of another amount"));
    }
    match way_of(way.account, call) {
        way::CHARGED => charged(way, call, order, units, said),
        way::ASKED => match said.to("ask") {
            None => send(way.ask(&order.id, call, units)),
            Some(Kept::Begun(begun)) => done(mapping::begun(&order.id, begun)),
            Some(other) => done(of(Verb::Charge, other)),
        },
        _ => done(mapping::charge(way.account, order, &[])),
    }
}

/// What cannot be charged is refused before anything is made.
fn chargeable(account: &ProviderAccount, call: &Charge) -> Result<(), Box<Step>> {
    let refuse = |code: &str, message: &str| Err(instead(refused(code, message)));
    match &call.instrument {
        Instrument::Paypal { .. } => refuse("method_unknown", "Razorpay has no PayPal accounts of its own"),
        Instrument::CardToken { token } if stored(token).is_none() => {
            refuse("token_unknown", "a stored card is `cust_…/token_…`: Razorpay's customer and its token")
        }
        Instrument::CardToken { .. } if !call.initiator.is_customer() && !knows_payer(account) => refuse(
            "payer_unknown",
            "Razorpay wants an e-mail address and a phone number with what is charged without the payer: \
             configure `payer_email` and `payer_contact`",
        ),
        Instrument::CardToken { .. } => Ok(()),
        _ if !call.initiator.is_customer() => {
            refuse("payer_needed", "only a stored card is charged without the payer")
        }
        Instrument::Hosted { method: MethodKind::Emi, at: None } => {
            refuse("lender_needed", "instalments need the lender's code at Razorpay, in `provider_code`")
        }
        Instrument::Hosted { method: MethodKind::Emi, .. }
            if call.stores_credential || !knows_payer(account) =>
        {
            refuse(
                "not_on_the_page",
                "Razorpay's page has no instalments: configure `payer_email` and `payer_contact`",
            )
        }
        Instrument::Upi { .. } | Instrument::Hosted { .. } => Ok(()),
    }
}

/// A stored card, without its owner.
fn charged(way: Way<'_>, call: &Charge, order: &Order, units: i64, said: &Said) -> Next {
    let Instrument::CardToken { token } = &call.instrument else { return done(unknown("no stored method")) };
    let Some(method) = stored(token) else { return done(unknown("no stored method")) };
    let begun = match said.to("pay") {
        None => return send(way.pay(&order.id, call, units, method)),
        Some(Kept::Begun(begun)) => begun,
        Some(other) => return done(of(Verb::Charge, other)),
    };
    match said.to("paid") {
        None => send(way.paid(&begun.razorpay_payment_id)),
        Some(Kept::Payment(payment)) if payment.order_id.as_ref() == Some(&order.id) => {
            done(mapping::paid(order, payment))
        }
        Some(_) => done(Outcome::Pending { reference: Some(order.id.clone()) }),
    }
}

/// Takes what the payer gave. Razorpay captures a payment once, and an order's payments once: a second
/// request moves nothing, and what it is answered is not believed but looked up.
fn finish(way: Way<'_>, call: &Charge, order_id: &str, said: &Said) -> Next {
    let payments = match said.to("payments") {
        None => return send(way.payments("payments", order_id)),
        Some(Kept::Payments(payments)) => payments,
        Some(other) => return done(of_look_up(other)),
    };
    let Some(payment) = counted(payments) else { return done(unknown("nobody has paid the order")) };
    let order = Order { id: order_id.to_owned(), ..Order::default() };
    let is_all = mapping::amount_of(payment) == Some(call.amount);
    if is_taken(payment) {
        return done(mapping::approved(&order, payment));
    }
    if !is_all {
        return done(unknown("the payer gave another amount"));
    }
    match taken(way, order_id, payment, said)? {
        Ok(payment) => done(mapping::approved(&order, payment)),
        Err(outcome) => done(outcome),
    }
}

/// The capture of a payment: what is known of it afterwards.
fn taken<'s>(
    way: Way<'_>,
    order: &str,
    payment: &Payment,
    said: &'s Said,
) -> Result<Result<&'s Payment, Outcome>, Box<Step>> {
    let answer = match said.to("capture") {
        None => return Err(first(way.capture(&payment.id, payment.amount, &payment.currency))),
        Some(Kept::Payment(now)) if now.id == payment.id && is_taken(now) => return Ok(Ok(now)),
        Some(Kept::Payment(_)) => return Ok(Err(unknown("a capture that took nothing"))),
        Some(Kept::Failed { status: 400..=499, .. }) => said.to("capture"),
        Some(other) => return Ok(Err(of(Verb::Capture, other))),
    };
    // Razorpay says so of a payment that was captured before, too.
    let proof = match said.to("proof") {
        None => return Err(first(way.payments("proof", order))),
        Some(Kept::Payments(payments)) => payments,
        Some(other) => return Ok(Err(of_look_up(other))),
    };
    let now = proof.iter().find(|known| known.id == payment.id);
    Ok(match (now, answer) {
        (Some(now), _) if is_taken(now) => Ok(now),
        (Some(_), Some(answer)) => Err(of(Verb::Capture, answer)),
        _ => Err(unknown("the payment is not one of its order's any more")),
    })
}

/// An order as it is now, with the tries to pay it.
struct Seen<'s> {
    order: &'s Order,
    payments: &'s [Payment],
}

/// The order that a call is about. Nothing is done without it, so that its refusal refuses the call.
fn seen<'s>(
    way: Way<'_>,
    charge: &Upstream,
    said: &'s Said,
    failed: fn(&Kept) -> Outcome,
) -> Result<Seen<'s>, Box<Step>> {
    let Some(id) = &charge.provider_reference else {
        return Err(instead(refused("no_order", "Razorpay never told the order of this charge")));
    };
    let order = match said.to("read") {
        None => return Err(first(way.read(id))),
        Some(Kept::Order(order)) if order.receipt.as_ref() == Some(&charge.reference) => order,
        Some(Kept::Order(_)) => {
            return Err(instead(refused("order_differs", "the order is another charge's")));
        }
        Some(other) => return Err(instead(failed(other))),
    };
    match said.to("payments") {
        None => Err(first(way.payments("payments", id))),
        Some(Kept::Payments(payments)) => Ok(Seen { order, payments }),
        Some(other) => Err(instead(failed(other))),
    }
}

fn capture(way: Way<'_>, call: &Capture, said: &Said) -> Next {
    let units = expressed(call.amount)?;
    let Seen { order, payments } = seen(way, &call.charge, said, of_read)?;
    let Some(payment) = counted(payments) else {
        return done(refused("nothing_held", "Razorpay holds no money of this charge any more"));
    };
    if payment.amount != units || payment.currency != call.amount.currency.code() {
        return done(refused("amount_differs", "Razorpay captures all that is held"));
    }
    if is_taken(payment) {
        return done(mapping::captured(payment));
    }
    match taken(way, &order.id, payment, said)? {
        Ok(payment) => done(mapping::captured(payment)),
        Err(outcome) => done(outcome),
    }
}

/// What is held goes back by itself, for nobody but us can capture it. What was taken is given back.
fn void(way: Way<'_>, call: &Void, said: &Said) -> Next {
    let units = expressed(call.amount)?;
    let Seen { order, payments } = seen(way, &call.charge, said, of_read)?;
    let Some(taken) = counted(payments).filter(|payment| is_taken(payment)) else {
        if order.note(note::WAY) == way::CHARGED && order.note(note::CAPTURE) == "automatic" {
            return done(refused("not_taken_yet", "Razorpay takes it by itself within minutes"));
        }
        return done(part(&order.id, way.reference, call.amount));
    };
    match said.to("undo") {
        None => send(way.refund("undo", &taken.id, units, None)),
        Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
        Some(other) => done(of(Verb::Void, other)),
    }
}

fn refund(way: Way<'_>, call: &Refund, said: &Said) -> Next {
    let units = expressed(call.amount)?;
    let Seen { payments, .. } = seen(way, &call.charge, said, of_read)?;
    let Some(taken) = counted(payments).filter(|payment| is_taken(payment)) else {
        return done(refused("nothing_taken", "Razorpay took no money of this charge"));
    };
    match said.to("refund") {
        None => send(way.refund("refund", &taken.id, units, call.reason.as_deref())),
        Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
        Some(other) => done(of(Verb::Refund, other)),
    }
}

/// Only we capture what a payer gives: giving a charge up is to find that we did not.
fn cancel(way: Way<'_>, call: &Cancel, said: &Said) -> Next {
    let Seen { order, payments } = seen(way, &call.charge, said, of_read)?;
    done(given_up(way, order, payments).unwrap_or_else(|| {
        refused("order_was_paid", "the payer has paid it, or Razorpay takes the money by itself")
    }))
}

/// The proof that a charge is over and took nothing; `None` where it is not.
fn given_up(way: Way<'_>, order: &Order, payments: &[Payment]) -> Option<Outcome> {
    let is_open = |payment: &Payment| ["created", "authorized"].contains(&payment.status.as_str());
    let by_itself = order.note(note::WAY) == way::CHARGED && order.note(note::CAPTURE) == "automatic";
    let may_come = payments.iter().any(|payment| is_taken(payment) || (by_itself && is_open(payment)));
    (!may_come).then(|| part(&order.id, way.reference, Money::zero(kernel::Currency::INR)))
}

fn look_up(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    if call.verb == Verb::Charge {
        return look_up_charge(way, call, said);
    }
    if let (Verb::Refund | Verb::Void, Some(id)) = (call.verb, &call.provider_reference)
        && id.starts_with("rfnd_")
    {
        return match said.to("one_refund") {
            None => send(way.one_refund(id)),
            Some(Kept::Refund(refund)) => done(mapping::refund(refund)),
            Some(other) => done(of_look_up(other)),
        };
    }
    let Some(charge) = &call.charge else { return done(unknown("the charge is not named")) };
    // A charge whose order was never told was paid by nobody, and nothing was done to it.
    if charge.provider_reference.is_none() {
        return done(Outcome::NotFound);
    }
    let Seen { order, payments } = seen(way, charge, said, of_look_up)?;
    let taken = counted(payments).filter(|payment| is_taken(payment));
    match (call.verb, taken) {
        (Verb::Capture, Some(payment)) => done(mapping::captured(payment)),
        (Verb::Capture | Verb::Refund, None) => done(Outcome::NotFound),
        (Verb::Void, None) => done(part(&order.id, way.reference, call.amount)),
        (Verb::Void | Verb::Refund, Some(payment)) => match said.to("refunds") {
            None => send(way.refunds(&payment.id)),
            Some(Kept::Refunds(refunds)) => done(found(way, refunds)),
            Some(other) => done(of_look_up(other)),
        },
        (Verb::Cancel, _) => done(given_up(way, order, payments).unwrap_or(Outcome::NotFound)),
        (Verb::Charge | Verb::Tokenize | Verb::Increment | Verb::Lookup, _) => {
            done(unknown("such a call is not looked up"))
        }
    }
}

/// Our refund among a payment's. A list that is full may go on without it.
fn found(way: Way<'_>, refunds: &[wire::Refund]) -> Outcome {
    let ours = |refund: &&wire::Refund| refund.receipt.as_deref() == Some(way.reference);
    match refunds.iter().find(ours) {
        Some(refund) => mapping::refund(refund),
        None if refunds.len() >= LIST_MAX => unknown("more refunds of the payment than a list tells"),
        None => Outcome::NotFound,
    }
}

/// By the order's id, which stands in the charge's own replies before anything can move; else by our
/// reference.
fn look_up_charge(way: Way<'_>, call: &Lookup, said: &Said) -> Next {
    let kept = Said::of(&call.replies);
    let of_replies = || match kept.to("order").or_else(|| kept.to(CONSENTED))? {
        Kept::Order(order) => Some(order.id.clone()),
        Kept::Consented { reference } => Some(reference.clone()),
        _ => None,
    };
    let known = call.provider_reference.clone().or_else(of_replies);
    let id = match (known, said.to("find")) {
        (Some(id), _) => id,
        (None, None) => return send(way.find(way.reference)),
        (None, Some(Kept::Orders(orders))) if orders.len() >= LIST_MAX => {
            return done(unknown("more orders of one receipt than a list tells"));
        }
        (None, Some(Kept::Orders(orders))) => {
            // Of several that were made for one charge, only the last was ever used.
            let ours = |order: &&Order| order.receipt.as_deref() == Some(way.reference);
            let used = |order: &&Order| order.status != "created";
            let found = orders.iter().filter(ours).find(used).or_else(|| orders.iter().find(ours));
            match found {
                Some(order) => order.id.clone(),
                None => return done(Outcome::NotFound),
            }
        }
        (None, Some(other)) => return done(of_look_up(other)),
    };
    let charge = Upstream { reference: way.reference.to_owned(), provider_reference: Some(id) };
    let Seen { order, payments } = seen(way, &charge, said, of_look_up)?;
    done(mapping::charge(way.account, order, payments))
}
