//! The refund object.

use kernel::{Currency, Id, Mode};
use payments::{AnswerForm, PaymentKind, Refund, RefundKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::At;
use super::payment::ErrorObject;
use crate::openapi::form;

/// A refund as merchants read it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
pub struct RefundObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<RefundKind>")]
    id: Id<RefundKind>,
    /// Always `refund`.
    object: &'static str,
    /// Test or live.
    #[schemars(with = "form::ModeWord")]
    mode: &'static str,
    /// The payment whose money goes back.
    #[schemars(with = "form::IdOf<PaymentKind>")]
    payment_id: Id<PaymentKind>,
    /// In minor units.
    amount: i64,
    /// The payment's.
    #[schemars(with = "form::Currency")]
    currency: Currency,
    /// Where it stands.
    #[schemars(with = "form::RefundStatusWord")]
    status: &'static str,
    /// As you gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// Your own data.
    #[schemars(with = "form::Metadata")]
    metadata: &'a Map<String, Value>,
    /// The provider's own id of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<&'a str>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<ErrorObject<'a>>,
    /// When the provider gave the money back.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<At>,
    /// When it was made.
    created_at: At,
    // The words of the paisa form.
    /// Paisa form: `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<RefundKind>>")]
    refund_id: Option<Id<RefundKind>>,
    /// Paisa form: `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_paisa: Option<i64>,
}

impl<'a> RefundObject<'a> {
    /// The wire form of a refund.
    pub fn of(refund: &'a Refund, mode: Mode) -> Self {
        let paisa = refund.form == AnswerForm::Paisa;
        Self {
            id: refund.id,
            object: "refund",
            mode: mode.as_str(),
            payment_id: refund.payment,
            amount: refund.amount.minor,
            currency: refund.amount.currency,
            status: refund.status.as_str(),
            reason: refund.reason.as_deref(),
            metadata: &refund.metadata,
            provider_reference: refund.provider_reference.as_deref(),
            last_error: refund.error.as_ref().map(ErrorObject::of),
            settled_at: refund.settled_at.map(At),
            created_at: At(refund.created_at),
            refund_id: paisa.then_some(refund.id),
            amount_paisa: paisa.then_some(refund.amount.minor),
        }
    }
}
