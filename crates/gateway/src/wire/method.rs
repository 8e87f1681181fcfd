//! The payment method object, and what tokenizing adds to it in the words of the source document.

use std::borrow::Cow;

use kernel::{Brand, Id};
use payments::{CardSummary, MethodSummary, MethodView, PaymentMethodKind};
use schemars::JsonSchema;
use serde::Serialize;

use super::At;
use super::payment::{CardObject, UpiObject};
use crate::openapi::form;

/// A stored payment method as its merchant reads it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PaymentMethod")]
pub struct MethodObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<PaymentMethodKind>")]
    id: Id<PaymentMethodKind>,
    /// Always `payment_method`.
    object: &'static str,
    /// `card` or `upi`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Of a card.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardObject<'a>>,
    /// Of UPI.
    #[serde(skip_serializing_if = "Option::is_none")]
    upi: Option<UpiObject<'a>>,
    /// Whose it is: your reference where you gave one, else our id.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<Cow<'a, str>>,
    /// What the customer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    /// Whether it is charged when an `off_session` payment names the customer alone.
    is_default: bool,
    /// Of its first charge that the customer began: links later ones without the customer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_transaction_id: Option<&'a str>,
    /// When it was made.
    created_at: At,
    /// When it was detached: it cannot be charged any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    detached_at: Option<At>,
}

/// A payment method that was just made, also in the words of integrations that keep a `token`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TokenizedPaymentMethod")]
pub struct TokenizedObject<'a> {
    /// The payment method.
    #[serde(flatten)]
    method: MethodObject<'a>,
    /// The payment method's id: charge it as `payment_method`.
    #[schemars(with = "form::IdOf<PaymentMethodKind>")]
    token: Id<PaymentMethodKind>,
    /// The card's last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_4: Option<&'a str>,
    /// Two digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_month: Option<String>,
    /// Two digits, of this century.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_year: Option<String>,
    /// The card's scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::BrandWord>")]
    card_type: Option<Brand>,
    /// Who issued the card, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_bank: Option<&'a str>,
}

impl<'a> MethodObject<'a> {
    /// The wire form of a payment method.
    pub fn of(view: &'a MethodView) -> Self {
        let method = &view.method;
        let (card, upi) = match &method.summary {
            MethodSummary::Card(card) => (Some(CardObject::of(card)), None),
            MethodSummary::Upi { vpa } => (None, Some(UpiObject { vpa: vpa.as_deref() })),
            MethodSummary::Paypal | MethodSummary::Hosted { .. } => (None, None),
        };
        Self {
            id: method.id,
            object: "payment_method",
            kind: method.summary.kind().as_str(),
            card,
            upi,
            customer_id: view.customer.as_ref().map(|customer| match &customer.reference {
                Some(reference) => Cow::Borrowed(reference.as_str()),
                None => Cow::Owned(customer.id.to_string()),
            }),
            display_name: view.display_name.as_deref(),
            is_default: view.is_default,
            network_transaction_id: method.network_transaction_id.as_deref(),
            created_at: At(method.created_at),
            detached_at: method.detached_at.map(At),
        }
    }
}

impl<'a> TokenizedObject<'a> {
    /// The wire form of a payment method that was just made.
    pub fn of(view: &'a MethodView) -> Self {
        let card = match &view.method.summary {
            MethodSummary::Card(card) => Some(card),
            MethodSummary::Upi { .. } | MethodSummary::Paypal | MethodSummary::Hosted { .. } => None,
        };
        let text = |of: fn(&CardSummary) -> Option<&str>| card.and_then(of);
        Self {
            token: view.method.id,
            last_4: text(|card| card.last4.as_deref()),
            expiry_month: card.and_then(|card| card.exp_month).map(|month| format!("{month:02}")),
            expiry_year: card.and_then(|card| card.exp_year).map(|year| format!("{:02}", year % 100)),
            card_type: card.and_then(|card| card.brand),
            issuer_bank: text(|card| card.issuer.as_deref()),
            method: MethodObject::of(view),
        }
    }

    /// The same for a page, whose key anybody can read: what it could use to find out about numbers that it
    /// only guesses is left out.
    #[must_use]
    pub fn for_browser(mut self) -> Self {
        self.issuer_bank = None;
        self.method.card = self.method.card.map(CardObject::for_browser);
        self
    }
}
