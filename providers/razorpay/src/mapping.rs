//! From Razorpay's objects to outcomes.

use kernel::{Brand, Currency, Money};
use provider_kit::{
    Action, ActionRequired, Approved, CaptureMode, CardFacts, Decline, DeclineCode, Outcome, ProviderAccount,
};

use crate::amount::money;
use crate::refusal::unknown;
use crate::request::{note, way};
use crate::wire::{Begun, Card, Order, Payment, Refund};
use crate::{decline, form};

/// The try of an order that counts: the one that was taken, else the first that holds money. All that look
/// at an order find the same.
pub(crate) fn counted(payments: &[Payment]) -> Option<&Payment> {
    let first = |counts: fn(&Payment) -> bool| {
        let found = payments.iter().filter(|payment| counts(payment));
        found.min_by_key(|payment| (payment.created_at, payment.id.as_str()))
    };
    first(is_taken).or_else(|| first(|payment| payment.status == "authorized"))
}

/// Whether a payment's money was taken, whatever became of it later. What was never captured may be
/// `refunded` as well: it went back by itself.
pub(crate) fn is_taken(payment: &Payment) -> bool {
    payment.status == "captured" || (payment.status == "refunded" && payment.captured == Some(true))
}

/// How an order's charge is captured.
pub(crate) fn capture_of(order: &Order) -> Option<CaptureMode> {
    match order.note(note::CAPTURE) {
        "automatic" => Some(CaptureMode::Automatic),
        "manual" => Some(CaptureMode::Manual),
        _ => None,
    }
}

/// What an order and its payments say of the charge: a look-up's or a notice's.
pub(crate) fn charge(account: &ProviderAccount, order: &Order, payments: &[Payment]) -> Outcome {
    if let Some(payment) = counted(payments) {
        return paid(order, payment);
    }
    let known = |payment: &&Payment| ["created", "failed", "refunded"].contains(&payment.status.as_str());
    if let Some(strange) = payments.iter().find(|payment| !known(payment)) {
        return unknown(&format!("a payment with status {}", strange.status));
    }
    let pays_on_page = order.note(note::WAY) == way::PAGE;
    // Its payer may try as often as they like, as long as nobody gives it up.
    if pays_on_page {
        return form::ask(account, order);
    }
    if payments.iter().any(|payment| payment.status == "created") {
        return Outcome::Pending { reference: Some(order.id.clone()) };
    }
    match payments.iter().max_by_key(|payment| payment.created_at) {
        Some(lapsed) if lapsed.status == "refunded" => Outcome::Declined(Decline {
            raw_code: "not_captured_in_time".to_owned(),
            reference: Some(order.id.clone()),
            ..Decline::of(DeclineCode::Expired)
        }),
        Some(failed) => Outcome::Declined(decline::of_payment(failed, Some(order.id.clone()))),
        // We alone know it, and nothing was begun.
        None => Outcome::NotFound,
    }
}

/// What the payment that counts says of the charge.
pub(crate) fn paid(order: &Order, payment: &Payment) -> Outcome {
    if payment.order_id.as_deref().is_some_and(|id| id != order.id) {
        return unknown("a payment of another order");
    }
    match (payment.status.as_str(), capture_of(order), order.note(note::WAY)) {
        ("captured" | "refunded", ..) | ("authorized", Some(CaptureMode::Manual), _) => {
            approved(order, payment)
        }
        // Authorized: Razorpay takes it within minutes, or gives it back.
        ("authorized", Some(CaptureMode::Automatic), way::CHARGED) | ("created", ..) => {
            Outcome::Pending { reference: Some(order.id.clone()) }
        }
        ("authorized", Some(CaptureMode::Automatic), _) => Outcome::Consented { reference: order.id.clone() },
        ("authorized", None, _) => unknown("an order without our notes"),
        ("failed", ..) => Outcome::Declined(decline::of_payment(payment, Some(order.id.clone()))),
        (other, ..) => unknown(&format!("a payment with status {other}")),
    }
}

/// Money that is held or was taken.
pub(crate) fn approved(order: &Order, payment: &Payment) -> Outcome {
    match amount_of(payment) {
        Some(amount) => Outcome::Approved(Approved {
            fee: fee(payment),
            facts: facts(payment),
            card: payment.card.as_ref().map(|card| Box::new(facts_of(card))),
            token: token(payment),
            ..Approved::of(amount, order.id.clone())
        }),
        None => unknown("a payment without an amount"),
    }
}

/// What a payment is of.
pub(crate) fn amount_of(payment: &Payment) -> Option<Money> {
    money(payment.amount, &payment.currency).filter(|amount| amount.minor > 0)
}

/// Razorpay's fee with its tax. Of other currencies than INR it is told in INR, and not kept.
fn fee(payment: &Payment) -> Option<Money> {
    let fee = payment.fee.filter(|fee| *fee > 0 && payment.currency == Currency::INR.code())?;
    Some(Money::new(fee, Currency::INR))
}

fn facts(payment: &Payment) -> serde_json::Map<String, serde_json::Value> {
    let bank = payment.acquirer_data.as_ref();
    let named = [
        ("payment", Some(payment.id.clone())),
        ("method", payment.method.clone()),
        ("rrn", bank.and_then(|bank| bank.rrn.clone())),
        ("approval_code", bank.and_then(|bank| bank.auth_code.clone())),
        ("bank_transaction_id", bank.and_then(|bank| bank.bank_transaction_id.clone())),
        ("upi_transaction_id", bank.and_then(|bank| bank.upi_transaction_id.clone())),
    ];
    let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    given.collect()
}

/// By what the payer can be charged again.
fn token(payment: &Payment) -> Option<String> {
    let customer = payment.customer_id.as_deref().filter(|id| !id.is_empty())?;
    let token = payment.token_id.as_deref().filter(|id| !id.is_empty())?;
    Some(format!("{customer}/{token}"))
}

/// What Razorpay tells of a card.
fn facts_of(card: &Card) -> CardFacts {
    CardFacts {
        brand: card.network.as_deref().and_then(brand),
        last4: card.last4.clone().filter(|digits| digits.len() == 4),
        issuer: card.issuer.clone(),
        ..CardFacts::default()
    }
}

fn brand(word: &str) -> Option<Brand> {
    Some(match word {
        "Visa" => Brand::Visa,
        "MasterCard" => Brand::Mastercard,
        "American Express" => Brand::Amex,
        "Diners Club" => Brand::Diners,
        "JCB" => Brand::Jcb,
        "Union Pay" => Brand::Unionpay,
        "Maestro" => Brand::Maestro,
        "RuPay" => Brand::Rupay,
        _ => return None,
    })
}

/// What the payer must do in a payment that was begun. A request to an address comes by itself.
pub(crate) fn begun(order: &str, begun: &Begun) -> Outcome {
    let reference = Some(order.to_owned());
    let link = begun.url("intent").or(begun.link.as_deref()).filter(|link| !link.is_empty());
    let action = if let Some(payload) = link {
        Action::QrCode { payload: payload.to_owned() }
    } else if let Some(url) = begun.url("redirect") {
        Action::Redirect { url: url.to_owned() }
    } else {
        return Outcome::Pending { reference };
    };
    Outcome::ActionRequired(ActionRequired { action, reference })
}

/// What a capture of held money says.
pub(crate) fn captured(payment: &Payment) -> Outcome {
    match (is_taken(payment), amount_of(payment)) {
        (true, Some(amount)) => {
            Outcome::Approved(Approved { fee: fee(payment), ..Approved::of(amount, payment.id.clone()) })
        }
        (true, None) => unknown("a capture without an amount"),
        (false, _) => unknown(&format!("a capture that left the payment {}", payment.status)),
    }
}

/// What a refund says of itself.
pub(crate) fn refund(refund: &Refund) -> Outcome {
    match refund.status.as_str() {
        "processed" => match money(refund.amount, &refund.currency) {
            Some(amount) => Outcome::Approved(Approved::of(amount, refund.id.clone())),
            None => unknown("a refund without an amount"),
        },
        "pending" => Outcome::Pending { reference: Some(refund.id.clone()) },
        "failed" => Outcome::Declined(Decline {
            raw_code: "refund_failed".to_owned(),
            reference: Some(refund.id.clone()),
            ..Decline::of(DeclineCode::RefundNotAllowed)
        }),
        other => unknown(&format!("a refund with status {other}")),
    }
}

/// Something done to an order that has no id of its own at Razorpay: its reference is the order's with the
/// end of ours.
pub(crate) fn part(order: &str, reference: &str, amount: Money) -> Outcome {
    let local = reference.get(22..).unwrap_or(reference);
    Outcome::Approved(Approved::of(amount, format!("{order}:{local}")))
}
