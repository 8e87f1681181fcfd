//! From Razorpay's events to facts.
//!
//! An event is signed with the endpoint's secret over the raw body, which says when it was made. A payment's
//! event does not say whose order it paid or how that is to be captured: both are asked of Razorpay.

use std::time::Duration;

use kernel::{Credentials, Distilled, Request};
use provider_kit::{
    About, Delivery, DisputeNotice, DisputePhase, Fact, Incoming, Notice, Outcome, ProviderAccount, Verb,
    WebhookError, signing,
};
use serde::Deserialize;

use crate::amount::money;
use crate::mapping;
use crate::profile::WEBHOOK_SECRET;
use crate::request::{Way, note};
use crate::wire::{Kept, Order, Payment, Refund, Said};

/// The header with the signature: HMAC-SHA-256 of the raw body, in hexadecimal.
pub(crate) const SIGNATURE_HEADER: &str = "x-razorpay-signature";

/// The header with the event's id. It is not signed, and says only which deliveries are one event.
pub(crate) const EVENT_HEADER: &str = "x-razorpay-event-id";

/// How old an event may be, and how far in the future. Razorpay tries for a day; the rest is looked up.
const TOLERANCE: Duration = Duration::from_hours(23);

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    created_at: i64,
    #[serde(default)]
    payload: Payload,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    order: Option<Entity<Order>>,
    payment: Option<Entity<Payment>>,
    refund: Option<Entity<Refund>>,
    dispute: Option<Entity<Dispute>>,
}

#[derive(Deserialize)]
struct Entity<T> {
    entity: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dispute {
    id: String,
    amount: i64,
    amount_deducted: i64,
    currency: String,
    reason_code: String,
    phase: String,
}

/// Verifies a delivery, then says what it means.
pub(crate) fn read(
    account: &ProviderAccount,
    credentials: &Credentials,
    delivery: &Delivery,
    replies: &[Distilled],
) -> Result<Incoming, WebhookError> {
    verify(credentials, delivery)?;
    let unreadable =
        |error: serde_json::Error| WebhookError::Unreadable(format!("{:?} error", error.classify()));
    let event: Event = serde_json::from_slice(&delivery.body).map_err(unreadable)?;
    let apart = delivery.received_at.as_seconds().abs_diff(event.created_at);
    if apart > TOLERANCE.as_secs() {
        return Err(WebhookError::Stale);
    }
    let id = header(delivery, EVENT_HEADER).or_else(|| header(delivery, SIGNATURE_HEADER));
    let id = id.unwrap_or_default().to_owned();
    let Payload { order, payment, refund, dispute } = event.payload;
    let payment = payment.map(|known| known.entity);
    let said = Said::of(replies);
    let told = match event.kind.as_str() {
        "order.paid" => {
            order.zip(payment).and_then(|(order, payment)| of_order(&id, &order.entity, &payment))
        }
        "payment.authorized" | "payment.captured" | "payment.failed" | "payment.pending" => {
            payment.and_then(|payment| of_payment(account, &id, &payment, &said))
        }
        "refund.created" | "refund.processed" | "refund.failed" | "refund.speed_changed" => {
            refund.zip(payment).and_then(|(refund, payment)| of_refund(&id, &refund.entity, &payment))
        }
        name => match (name.strip_prefix("payment.dispute."), dispute.zip(payment)) {
            (Some(word), Some((dispute, payment))) => of_dispute(&id, word, &dispute.entity, &payment),
            _ => None,
        },
    };
    Ok(told.unwrap_or_else(|| {
        let fact = Fact::Other { kind: event.kind };
        Incoming::Notices(vec![Notice { id, about: About::default(), fact }])
    }))
}

fn header<'d>(delivery: &'d Delivery, name: &str) -> Option<&'d str> {
    let found = delivery.headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn verify(credentials: &Credentials, delivery: &Delivery) -> Result<(), WebhookError> {
    let given = header(delivery, SIGNATURE_HEADER).ok_or(WebhookError::Signature)?;
    let secrets = credentials.get(WEBHOOK_SECRET).ok_or(WebhookError::Signature)?;
    let signed = |secret: &str| signing::hmac_sha256_hex(secret.as_bytes(), &[&delivery.body]);
    let secrets = secrets.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    // No short circuit: every secret is compared.
    let matching = secrets.filter(|secret| signing::equal_in_constant_time(given, &signed(secret))).count();
    if matching == 0 { Err(WebhookError::Signature) } else { Ok(()) }
}

fn notice(id: &str, about: About, verb: Verb, state: Outcome) -> Option<Incoming> {
    if let Outcome::Unknown { .. } | Outcome::NotFound | Outcome::ActionRequired(_) = state {
        // A look-up sees more of it, or there is nothing new.
        return None;
    }
    let fact = Fact::Operation { verb, state };
    Some(Incoming::Notices(vec![Notice { id: id.to_owned(), about, fact }]))
}

/// Our references are 25 letters and digits; what somebody else writes there is theirs.
fn ours(text: Option<&String>) -> Option<String> {
    let is_ours = |text: &&String| text.len() == 25 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.filter(is_ours).cloned()
}

/// Which kind of operation a reference is of: the letter behind the payment.
fn letter(reference: &str) -> Option<u8> {
    reference.as_bytes().get(22).copied()
}

/// What is about an order of ours: only whoever has our key writes its receipt and notes.
fn about_order(order: &Order) -> Option<About> {
    let reference = ours(order.receipt.as_ref()).filter(|known| known == order.note(note::REFERENCE))?;
    let provider_reference = Some(order.id.clone());
    Some(About { ours: Some(reference), provider_reference, ..About::default() })
}

fn of_order(id: &str, order: &Order, payment: &Payment) -> Option<Incoming> {
    notice(id, about_order(order)?, Verb::Charge, mapping::paid(order, payment))
}

fn of_payment(account: &ProviderAccount, id: &str, told: &Payment, said: &Said) -> Option<Incoming> {
    let order_id = told.order_id.as_deref().filter(|order| !order.is_empty())?;
    let way = Way { account, reference: id };
    let need = |request: Request| Some(Incoming::Need(request));
    let order = match said.to("read") {
        None => return need(way.read(order_id)),
        Some(Kept::Order(order)) if order.id == order_id => order,
        Some(_) => return None,
    };
    let about = about_order(order)?;
    match said.to("payments") {
        None => need(way.payments("payments", order_id)),
        Some(Kept::Payments(payments)) => {
            notice(id, about, Verb::Charge, mapping::charge(account, order, payments))
        }
        Some(_) => None,
    }
}

fn of_refund(id: &str, refund: &Refund, payment: &Payment) -> Option<Incoming> {
    // What was never captured goes back by itself: that is no refund of anything that was taken.
    let was_taken = payment.captured == Some(true) || payment.status == "captured";
    if !was_taken || refund.payment_id.as_ref() != Some(&payment.id) || refund.id.is_empty() {
        return None;
    }
    let own = ours(refund.receipt.as_ref()).filter(|known| matches!(letter(known), Some(b'f' | b'v' | b'r')));
    let verb = match own.as_deref().and_then(letter) {
        Some(b'f') | None => Verb::Refund,
        Some(_) => Verb::Void,
    };
    let about = About {
        ours: own,
        provider_reference: Some(refund.id.clone()),
        charge_reference: payment.order_id.clone(),
        ..About::default()
    };
    notice(id, about, verb, mapping::refund(refund))
}

fn of_dispute(id: &str, word: &str, dispute: &Dispute, payment: &Payment) -> Option<Incoming> {
    // The bank only asks, or suspects fraud: no money is claimed.
    if ["retrieval", "fraud"].contains(&dispute.phase.as_str()) || dispute.id.is_empty() {
        return None;
    }
    let phase = match word {
        "created" | "under_review" | "action_required" => DisputePhase::Opened,
        "lost" => DisputePhase::Lost,
        "closed" if dispute.amount_deducted > 0 => DisputePhase::Lost,
        "won" | "closed" => DisputePhase::Won,
        _ => return None,
    };
    let order = payment.order_id.clone().filter(|order| !order.is_empty())?;
    let about = About { charge_reference: Some(order), ..About::default() };
    let fact = Fact::Dispute(DisputeNotice {
        reference: dispute.id.clone(),
        phase,
        amount: money(dispute.amount, &dispute.currency)?,
        fee: None,
        reason: dispute.reason_code.to_ascii_lowercase(),
    });
    Some(Incoming::Notices(vec![Notice { id: id.to_owned(), about, fact }]))
}
