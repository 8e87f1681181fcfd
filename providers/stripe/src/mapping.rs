//! From Stripe's objects to outcomes.

use kernel::{Brand, Currency, Money};
use provider_kit::{
    Action, ActionRequired, Approved, Authentication, CaptureMode, CardFacts, Decline, DeclineCode, Outcome,
};
use serde_json::Map;

use crate::refusal::unknown;
use crate::wire::{CURRENCY, Card, Charge, Failure, Intent, Latest, OURS, Refund, Transaction};
use crate::{amount, decline};

/// What a capture or an increment writes into the intent's metadata.
pub(crate) fn mark(verb: &str, units: i64) -> String {
    format!("{verb}:{units}")
}

/// The name of an operation's mark.
pub(crate) fn mark_name(reference: &str) -> String {
    format!("{OURS}{reference}")
}

/// The intent of a declined charge.
pub(crate) fn reference_of(failure: &Failure) -> Option<String> {
    failure.intent.as_ref().map(|intent| intent.id.clone()).filter(|id| !id.is_empty())
}

/// What an intent says of its charge: an answer's, a look-up's or a notice's. `capture` is how the charge
/// was asked for, where that is known.
pub(crate) fn charge(intent: &Intent, capture: Option<CaptureMode>) -> Outcome {
    let is_manual = intent.capture_method.as_deref() == Some("manual");
    match intent.status.as_str() {
        "succeeded" if intent.is_set_up() => approved(intent, zero(intent)),
        "succeeded" if is_manual => approved(intent, authorized(intent)),
        "succeeded" => {
            let taken = intent.amount_received.or(intent.amount);
            approved(intent, taken.and_then(|units| of_intent(intent, units)))
        }
        // Held only, and nobody will take it.
        "requires_capture" if capture == Some(CaptureMode::Automatic) => {
            unknown("requires_capture, where the money was to be taken at once")
        }
        "requires_capture" => approved(intent, authorized(intent)),
        "requires_action" => action_required(intent),
        "processing" => Outcome::Pending { reference: Some(intent.id.clone()) },
        "requires_payment_method" => match &intent.last_error {
            Some(failure) => Outcome::Declined(decline::of(failure, Some(intent.id.clone()))),
            None => unknown("requires_payment_method without an error"),
        },
        "canceled" => canceled(intent),
        other => unknown(&format!("{} with status {other}", intent.object)),
    }
}

/// Given up before it was decided, or released after it was approved: the newest charge tells them apart.
fn canceled(intent: &Intent) -> Outcome {
    match &intent.latest_charge {
        Some(Latest::Whole(charge)) if charge.status == "succeeded" => approved(intent, authorized(intent)),
        Some(Latest::Id(_)) if intent.last_error.is_none() => unknown("canceled, perhaps after an approval"),
        _ => Outcome::Declined(Decline {
            raw_code: "canceled".to_owned(),
            reference: Some(intent.id.clone()),
            ..Decline::of(DeclineCode::Cancelled)
        }),
    }
}

/// What was held at first: increments made it more.
fn authorized(intent: &Intent) -> Option<Money> {
    let added = intent.metadata.values().filter_map(|mark| mark.strip_prefix("increment:"));
    let added: i64 = added.filter_map(|units| units.parse::<i64>().ok()).sum();
    of_intent(intent, intent.amount?.checked_sub(added)?)
}

fn of_intent(intent: &Intent, units: i64) -> Option<Money> {
    amount::money(units, intent.currency.as_deref()?)
}

/// A set-up intent has no currency at Stripe: ours stands in its metadata.
fn zero(intent: &Intent) -> Option<Money> {
    let currency: Currency = intent.metadata.get(CURRENCY)?.parse().ok()?;
    Some(Money::zero(currency))
}

fn approved(intent: &Intent, amount: Option<Money>) -> Outcome {
    let Some(amount) = amount else { return unknown("an approval without an amount") };
    let charge = match &intent.latest_charge {
        Some(Latest::Whole(charge)) => Some(charge.as_ref()),
        Some(Latest::Id(_)) | None => None,
    };
    let card = charge.and_then(|charge| charge.payment_method_details.as_ref()?.card.as_ref());
    let mut facts = Map::new();
    if let Some(charge) = charge {
        facts.insert("charge".to_owned(), charge.id.clone().into());
    }
    if let Some(code) = card.and_then(|card| card.authorization_code.clone()) {
        facts.insert("approval_code".to_owned(), code.into());
    }
    Outcome::Approved(Approved {
        amount,
        reference: intent.id.clone(),
        network_transaction_id: card.and_then(|card| card.network_transaction_id.clone()),
        fee: charge.and_then(|charge| fee(charge, amount.currency)),
        facts,
        card: card.map(|card| Box::new(facts_of(card))),
        authentication: card.and_then(authentication).map(Box::new),
        token: None,
    })
}

/// Stripe's fee, where it is taken in the currency of the charge; another one is settled, not charged.
fn fee(charge: &Charge, currency: Currency) -> Option<Money> {
    let Some(Transaction::Whole { fee, currency: taken_in, .. }) = &charge.balance_transaction else {
        return None;
    };
    amount::money(*fee, taken_in).filter(|fee| fee.currency == currency && fee.minor > 0)
}

/// What Stripe tells of a card.
pub(crate) fn facts_of(card: &Card) -> CardFacts {
    CardFacts {
        brand: card.brand.as_deref().and_then(brand),
        last4: card.last4.clone().filter(|digits| digits.len() == 4),
        exp_month: card.exp_month,
        exp_year: card.exp_year,
        country: card.country.clone(),
        issuer: card.issuer.clone(),
    }
}

fn brand(word: &str) -> Option<Brand> {
    Some(match word {
        "visa" => Brand::Visa,
        "mastercard" => Brand::Mastercard,
        "amex" | "american_express" => Brand::Amex,
        "discover" => Brand::Discover,
        "diners" | "diners_club" => Brand::Diners,
        "jcb" => Brand::Jcb,
        "unionpay" => Brand::Unionpay,
        _ => return None,
    })
}

fn authentication(card: &Card) -> Option<Authentication> {
    let said = card.three_d_secure.as_ref()?;
    let status = match said.result.as_deref()? {
        "authenticated" => "authenticated",
        "attempt_acknowledged" => "attempted",
        _ => return None,
    };
    Some(Authentication {
        status: status.to_owned(),
        version: said.version.clone().unwrap_or_default(),
        eci: said.electronic_commerce_indicator.clone(),
    })
}

fn action_required(intent: &Intent) -> Outcome {
    let Some(action) = &intent.next_action else { return unknown("requires_action without an action") };
    match &action.redirect_to_url {
        Some(redirect) if action.r#type == "redirect_to_url" && !redirect.url.is_empty() => {
            Outcome::ActionRequired(ActionRequired {
                action: Action::ThreeDSecure { url: redirect.url.clone() },
                reference: Some(intent.id.clone()),
            })
        }
        // `use_stripe_sdk` is for an intent that Stripe.js confirms in a browser, which comes back here.
        _ => unknown(&format!("the action {}", action.r#type)),
    }
}

/// What an intent says of a capture or an increment: the mark that the call itself wrote.
pub(crate) fn marked(intent: &Intent, reference: &str, verb: &str) -> Option<Outcome> {
    let mark = intent.metadata.get(&mark_name(reference))?;
    let units: i64 = mark.strip_prefix(verb)?.strip_prefix(':')?.parse().ok()?;
    let amount = of_intent(intent, units)?;
    Some(part(intent, reference, amount))
}

/// A part of an intent that has no id of its own at Stripe: its reference is the intent's with the end
/// of ours.
pub(crate) fn part(intent: &Intent, reference: &str, amount: Money) -> Outcome {
    let local = reference.get(22..).unwrap_or(reference);
    Outcome::Approved(Approved::of(amount, format!("{}:{local}", intent.id)))
}

/// What a refund says of itself.
pub(crate) fn refund(refund: &Refund) -> Outcome {
    match refund.status.as_str() {
        "succeeded" => match amount::money(refund.amount, &refund.currency) {
            Some(amount) => Outcome::Approved(Approved::of(amount, refund.id.clone())),
            None => unknown("a refund without an amount"),
        },
        "pending" | "requires_action" => Outcome::Pending { reference: Some(refund.id.clone()) },
        "failed" | "canceled" => Outcome::Declined(Decline {
            raw_code: refund.failure_reason.clone().unwrap_or_else(|| format!("refund_{}", refund.status)),
            reference: Some(refund.id.clone()),
            ..Decline::of(DeclineCode::RefundNotAllowed)
        }),
        other => unknown(&format!("a refund with status {other}")),
    }
}
