//! `POST /payments/{id}/refund` and `POST /refunds`.

use payments::RefundPayment;

use super::amount::minor_units;
use super::fields::{Fields, Schema};
use super::json::Node;
use super::metadata::metadata;
use super::text::TextRule;
use crate::problem::Problem;

pub(crate) const OF_PAYMENT: Schema =
    Schema { fields: &["amount", "amount_paisa", "reason", "metadata"], later: &[] };
pub(crate) const WITH_PAYMENT: Schema =
    Schema { fields: &["payment_id", "amount", "amount_paisa", "reason", "metadata"], later: &[] };
pub(crate) const NOTHING: Schema = Schema { fields: &[], later: &["reason", "cancellation_reason"] };

/// A refund request.
#[derive(Clone, Debug)]
pub struct RefundInput {
    /// The payment, where the body names it. Any text: what is no id is an id that is not found.
    pub payment_id: Option<String>,
    /// The command.
    pub command: RefundPayment,
    /// The amount was said in paisa: the payment must be in rupees.
    pub in_paisa: bool,
}

/// Reads a refund request: all that is refundable if no amount is given. `names_payment`: whether
/// the body says of which payment, or the path does.
pub fn refund(node: &Node<'_>, names_payment: bool) -> Result<RefundInput, Problem> {
    let fields = Fields::of(node, "", if names_payment { &WITH_PAYMENT } else { &OF_PAYMENT })?;
    let payment_id = fields.text("payment_id", &TextRule::REFERENCE)?.map(str::to_owned);
    if names_payment && payment_id.is_none() {
        return Err(fields.missing("payment_id", "the payment whose money goes back"));
    }
    let name = fields.one_of(&["amount", "amount_paisa"])?.map_or("amount", |(name, _)| name);
    let command = RefundPayment {
        amount: minor_units(&fields, name, false)?,
        reason: fields.text("reason", &TextRule::REASON)?.map(str::to_owned),
        metadata: metadata(&fields)?,
    };
    Ok(RefundInput { payment_id, command, in_paisa: name == "amount_paisa" })
}

/// Reads the body of a request that has no fields.
pub fn nothing(node: &Node<'_>) -> Result<(), Problem> {
    Fields::of(node, "", &NOTHING).map(|_| ())
}
