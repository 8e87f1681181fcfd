//! An event of another system.

use payments::SignedEvent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::At;
use crate::problem::Problem;

/// An event that another system signed. It is a record, and never moves money.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transaction")]
pub struct TransactionObject<'a> {
    /// The id that its system gave it.
    pub tx_id: &'a str,
    /// `received`.
    pub status: &'static str,
    /// In major units, exactly as it was sent.
    #[schemars(with = "crate::openapi::form::DecimalAmount")]
    pub amount: Box<RawValue>,
    /// ISO 4217.
    pub currency: &'static str,
    /// When the first of this id came.
    pub received_at: At,
}

impl<'a> TransactionObject<'a> {
    /// The wire form of an event.
    pub fn of(event: &'a SignedEvent) -> Result<Self, Problem> {
        // A plain decimal needs nothing escaped.
        let amount =
            if event.amount_is_text { format!("\"{}\"", event.amount) } else { event.amount.clone() };
        let amount =
            RawValue::from_string(amount).map_err(|_| Problem::internal("a stored amount is no JSON"))?;
        Ok(Self {
            tx_id: &event.tx_id,
            status: "received",
            amount,
            currency: event.value.currency.code(),
            received_at: At(event.received_at),
        })
    }
}
