//! `POST /payments/{id}/capture`.

use payments::CapturePayment;

use super::amount::minor_units;
use super::fields::{Fields, Schema};
use super::json::Node;
use crate::problem::Problem;

pub(crate) const CAPTURE: Schema =
    Schema { fields: &["amount", "amount_paisa", "final"], later: &["statement_descriptor"] };

/// A capture request.
#[derive(Clone, Copy, Debug)]
pub struct CaptureInput {
    /// The command.
    pub command: CapturePayment,
    /// The amount was said in paisa: the payment must be in rupees.
    pub in_paisa: bool,
}

/// Reads a capture request: all that is capturable if no amount is given.
pub fn capture(node: &Node<'_>) -> Result<CaptureInput, Problem> {
    let fields = Fields::of(node, "", &CAPTURE)?;
    let name = fields.one_of(&["amount", "amount_paisa"])?.map_or("amount", |(name, _)| name);
    let amount = minor_units(&fields, name, false)?;
    let is_final = fields.flag("final")?.unwrap_or(false);
    Ok(CaptureInput { command: CapturePayment { amount, is_final }, in_paisa: name == "amount_paisa" })
}
