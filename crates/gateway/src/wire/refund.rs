//! The refund object.

use kernel::{Currency, Id, Mode};
use payments::{AnswerForm, PaymentKind, Refund, RefundKind};
use serde::Serialize;
use serde_json::{Map, Value};

use super::At;
use super::payment::ErrorObject;

/// A refund as merchants read it.
#[derive(Debug, Serialize)]
pub struct RefundObject<'a> {
    id: Id<RefundKind>,
    object: &'static str,
    mode: &'static str,
    payment_id: Id<PaymentKind>,
    amount: i64,
    currency: Currency,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<ErrorObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<At>,
    created_at: At,
    // The words of the paisa form.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<Id<RefundKind>>,
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
