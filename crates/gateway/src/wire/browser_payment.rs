//! The payment as a browser may see it: what a page needs to go on, and nothing of the customer, the
//! merchant's own notes or the provider's words.

use kernel::{Brand, Currency, Id, Mode};
use payments::{MethodSummary, Payment, PaymentKind, WaitingFor};
use provider_kit::CaptureMode;
use schemars::JsonSchema;
use serde::Serialize;
use vault::Keys;

use super::At;
use super::action::ActionObject;
use super::payment::ErrorObject;
use crate::client_secret::client_secret;
use crate::openapi::form;

/// A payment as a publishable key and the payment's client secret show it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BrowserPayment")]
pub struct BrowserPaymentObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<PaymentKind>")]
    id: Id<PaymentKind>,
    /// Always `payment`.
    object: &'static str,
    /// Test or live.
    #[schemars(with = "form::ModeWord")]
    mode: &'static str,
    /// Where it stands.
    #[schemars(with = "form::PaymentStatusWord")]
    status: &'static str,
    /// For whom a pending payment waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::WaitingForWord>")]
    waiting_for: Option<WaitingFor>,
    /// What was asked for, in minor units.
    amount: i64,
    /// Of the amount.
    #[schemars(with = "form::Currency")]
    currency: Currency,
    /// When approved money is taken.
    #[schemars(with = "form::CaptureMethodWord")]
    capture_method: CaptureMode,
    /// With what it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<BrowserMethodObject<'a>>,
    /// What the customer must do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<ActionObject<'a>>,
    /// Lets a browser act on this payment alone.
    client_secret: String,
    /// Why the last charge was not done.
    last_error: Option<ErrorObject<'a>>,
    /// When it was made.
    created_at: At,
    /// When it is given up if nobody finishes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<At>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BrowserPaymentMethod")]
struct BrowserMethodObject<'a> {
    /// `card` or `upi`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Of a card.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<BrowserCardObject<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BrowserCard")]
struct BrowserCardObject<'a> {
    /// Its scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::BrandWord>")]
    brand: Option<Brand>,
    /// The last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<&'a str>,
}

impl<'a> BrowserPaymentObject<'a> {
    /// The reduced form of a payment.
    pub fn of(payment: &'a Payment, mode: Mode, keys: &Keys) -> Self {
        Self {
            id: payment.id,
            object: "payment",
            mode: mode.as_str(),
            status: payment.status().as_str(),
            waiting_for: payment.waiting_for(),
            amount: payment.amount.minor,
            currency: payment.amount.currency,
            capture_method: payment.capture_method,
            payment_method: payment.method.as_ref().map(BrowserMethodObject::of),
            next_action: payment.next_action().map(ActionObject::of),
            client_secret: client_secret(payment.id, keys),
            last_error: payment.last_error.as_ref().map(ErrorObject::of),
            created_at: At(payment.created_at),
            expires_at: payment.expires_at.map(At),
        }
    }
}

impl<'a> BrowserMethodObject<'a> {
    fn of(method: &'a MethodSummary) -> Self {
        match method {
            MethodSummary::Card(card) => {
                let card = BrowserCardObject { brand: card.brand, last4: card.last4.as_deref() };
                Self { kind: "card", card: Some(card) }
            }
            MethodSummary::Upi { .. } => Self { kind: "upi", card: None },
            MethodSummary::Paypal | MethodSummary::Hosted { .. } => {
                Self { kind: method.kind().as_str(), card: None }
            }
        }
    }
}
