//! From PayPal's objects to outcomes.

use kernel::{Brand, Money};
use provider_kit::{Action, ActionRequired, Approved, CaptureMode, CardFacts, Decline, DeclineCode, Outcome};

use crate::decline;
use crate::refusal::unknown;
use crate::wire::{Authorization, Capture, Card, Failure, Order, Processor, Refund};

/// What an order says of its charge: an answer's, a look-up's or a notice's. `capture` is how the charge was
/// asked for, where that is known.
pub(crate) fn charge(order: &Order, capture: Option<CaptureMode>) -> Outcome {
    if let Some(held) = order.authorizations().last() {
        // Held only, and nobody will take it.
        if capture == Some(CaptureMode::Automatic) {
            return unknown("authorized, where the money was to be taken at once");
        }
        return authorization(order, held);
    }
    // A declined try is followed by a better one at most.
    let captures = || order.captures();
    if let Some(taken) = captures().find(|taken| !is_declined(taken)).or_else(|| captures().last()) {
        return capture_of_order(order, taken);
    }
    match order.status.as_str() {
        "PAYER_ACTION_REQUIRED" => action_required(order),
        "APPROVED" => approved_by_payer(order),
        "VOIDED" => Outcome::Declined(Decline {
            raw_code: order.status.clone(),
            reference: Some(order.id.clone()),
            ..Decline::of(DeclineCode::Cancelled)
        }),
        // Nobody has paid it, and nobody can without us.
        "CREATED" => Outcome::NotFound,
        other => unknown(&format!("an order with status {other}")),
    }
}

/// What held money says of a charge.
pub(crate) fn authorization(order: &Order, held: &Authorization) -> Outcome {
    match held.status.as_str() {
        // What became of it later is another operation's.
        "CREATED" | "CAPTURED" | "PARTIALLY_CAPTURED" | "VOIDED" | "EXPIRED" => {
            let link = held.network_transaction_reference.as_ref().and_then(|network| network.id.clone());
            let amount = held.amount.as_ref().and_then(crate::amount::Value::money);
            approved(order, amount, &[("authorization", &held.id)], link, None)
        }
        "PENDING" => Outcome::Pending { reference: Some(order.id.clone()) },
        "DENIED" => declined(held.processor_response.as_ref(), "DENIED", Some(order.id.clone())),
        other => unknown(&format!("an authorization with status {other}")),
    }
}

fn is_declined(taken: &Capture) -> bool {
    matches!(taken.status.as_str(), "DECLINED" | "FAILED")
}

/// What taken money says of a charge that was to take it at once.
pub(crate) fn capture_of_order(order: &Order, taken: &Capture) -> Outcome {
    match taken.status.as_str() {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => {
            let link = taken.network_transaction_reference.as_ref().and_then(|network| network.id.clone());
            let amount = taken.amount.as_ref().and_then(crate::amount::Value::money);
            approved(order, amount, &[("capture", &taken.id)], link, fee(taken))
        }
        "PENDING" => Outcome::Pending { reference: Some(order.id.clone()) },
        "DECLINED" | "FAILED" => {
            declined(taken.processor_response.as_ref(), &taken.status, Some(order.id.clone()))
        }
        other => unknown(&format!("a capture with status {other}")),
    }
}

fn approved(
    order: &Order,
    amount: Option<Money>,
    facts: &[(&str, &str)],
    network_transaction_id: Option<String>,
    fee: Option<Money>,
) -> Outcome {
    let Some(amount) = amount else { return unknown("an approval without an amount") };
    let source = order.payment_source.as_ref();
    let card = source.and_then(|source| source.card.as_ref());
    let vault = source.and_then(|source| source.paypal.as_ref()?.attributes.as_ref()?.vault.as_ref());
    let known = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
    Outcome::Approved(Approved {
        network_transaction_id,
        fee: fee.filter(|fee| fee.currency == amount.currency && fee.minor > 0),
        facts: facts.iter().map(known).collect(),
        card: card.map(|card| Box::new(facts_of(card))),
        token: vault
            .filter(|vault| vault.status.as_deref() == Some("VAULTED"))
            .and_then(|vault| vault.id.clone())
            .filter(|token| !token.is_empty()),
        ..Approved::of(amount, order.id.clone())
    })
}

fn fee(taken: &Capture) -> Option<Money> {
    taken.seller_receivable_breakdown.as_ref()?.paypal_fee.as_ref()?.money()
}

fn declined(processor: Option<&Processor>, status: &str, reference: Option<String>) -> Outcome {
    let Some(code) = processor.and_then(|processor| processor.response_code.as_deref()) else {
        return Outcome::Declined(decline::of(status, reference));
    };
    let mut decline = decline::of(code, reference);
    decline.network_code = processor.and_then(|processor| processor.payment_advice_code.clone());
    if let Some(advice) = decline.network_code.as_deref().and_then(decline::network_advice) {
        decline.advice = advice;
    }
    Outcome::Declined(decline)
}

fn action_required(order: &Order) -> Outcome {
    let Some(url) = order.approval().filter(|url| !url.is_empty()) else {
        return unknown("an order that waits for its payer without an address");
    };
    let is_card = order.payment_source.as_ref().is_some_and(|source| source.card.is_some());
    ask(url, is_card, &order.id)
}

fn ask(url: &str, is_card: bool, order: &str) -> Outcome {
    let url = url.to_owned();
    let action = if is_card { Action::ThreeDSecure { url } } else { Action::Redirect { url } };
    Outcome::ActionRequired(ActionRequired { action, reference: Some(order.to_owned()) })
}

/// An error that sends the payer to PayPal.
pub(crate) fn payer_action(failure: &Failure, order: &str, is_card: bool) -> Option<Outcome> {
    if failure.word() != "PAYER_ACTION_REQUIRED" {
        return None;
    }
    let link = failure.links.iter().find(|link| link.rel == "payer-action")?;
    Some(ask(&link.href, is_card, order))
}

/// An approved order waits for us, unless its payer failed to prove who they are.
fn approved_by_payer(order: &Order) -> Outcome {
    let card = order.payment_source.as_ref().and_then(|source| source.card.as_ref());
    let secure = card.and_then(|card| card.authentication_result.as_ref()?.three_d_secure.as_ref());
    match secure.and_then(|secure| secure.authentication_status.as_deref()) {
        // Failed, or rejected by the issuer (EMV 3-D Secure, transaction status).
        Some(status @ ("N" | "R")) => Outcome::Declined(Decline {
            raw_code: format!("authentication_{status}"),
            reference: Some(order.id.clone()),
            ..Decline::of(DeclineCode::AuthenticationFailed)
        }),
        _ => Outcome::Consented { reference: order.id.clone() },
    }
}

/// What PayPal tells of a card.
pub(crate) fn facts_of(card: &Card) -> CardFacts {
    let (year, month) = card.expiry.as_deref().and_then(|text| text.split_once('-')).unwrap_or_default();
    let bin = card.bin_details.as_ref();
    CardFacts {
        brand: card.brand.as_deref().and_then(brand),
        last4: card.last_digits.clone().filter(|digits| digits.len() == 4),
        exp_month: month.parse().ok(),
        exp_year: year.parse().ok(),
        country: bin.and_then(|bin| bin.bin_country_code.clone()),
        issuer: bin.and_then(|bin| bin.issuing_bank.clone()),
    }
}

fn brand(word: &str) -> Option<Brand> {
    Some(match word {
        "VISA" => Brand::Visa,
        "MASTERCARD" => Brand::Mastercard,
        "AMEX" => Brand::Amex,
        "DISCOVER" => Brand::Discover,
        "DINERS" => Brand::Diners,
        "JCB" => Brand::Jcb,
        "CHINA_UNION_PAY" => Brand::Unionpay,
        "MAESTRO" => Brand::Maestro,
        "RUPAY" => Brand::Rupay,
        _ => return None,
    })
}

/// What a capture says of itself, where it is an operation of its own.
pub(crate) fn taken(taken: &Capture) -> Outcome {
    let Some(amount) = taken.amount.as_ref().and_then(crate::amount::Value::money) else {
        return unknown("a capture without an amount");
    };
    match taken.status.as_str() {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => Outcome::Approved(Approved {
            fee: fee(taken).filter(|fee| fee.currency == amount.currency && fee.minor > 0),
            ..Approved::of(amount, taken.id.clone())
        }),
        "PENDING" => Outcome::Pending { reference: Some(taken.id.clone()) },
        "DECLINED" | "FAILED" => {
            declined(taken.processor_response.as_ref(), &taken.status, Some(taken.id.clone()))
        }
        other => unknown(&format!("a capture with status {other}")),
    }
}

/// What a refund says of itself.
pub(crate) fn refund(refund: &Refund) -> Outcome {
    match refund.status.as_str() {
        "COMPLETED" => match refund.amount.as_ref().and_then(crate::amount::Value::money) {
            Some(amount) => Outcome::Approved(Approved::of(amount, refund.id.clone())),
            None => unknown("a refund without an amount"),
        },
        "PENDING" => Outcome::Pending { reference: Some(refund.id.clone()) },
        "FAILED" | "CANCELLED" => Outcome::Declined(Decline {
            raw_code: format!("refund_{}", refund.status.to_ascii_lowercase()),
            reference: Some(refund.id.clone()),
            ..Decline::of(DeclineCode::RefundNotAllowed)
        }),
        other => unknown(&format!("a refund with status {other}")),
    }
}

/// Something done to an order that has no id of its own at PayPal: its reference is the order's with the end
/// of ours.
pub(crate) fn part(order: &str, reference: &str, amount: Money) -> Outcome {
    let local = reference.get(22..).unwrap_or(reference);
    Outcome::Approved(Approved::of(amount, format!("{order}:{local}")))
}
