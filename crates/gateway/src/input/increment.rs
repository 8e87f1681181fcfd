//! `POST /payments/{id}/increment`.

use payments::IncrementPayment;

use super::amount::minor_units;
use super::fields::{Fields, Schema};
use super::json::Node;
use crate::problem::Problem;

pub(crate) const INCREMENT: Schema =
    Schema { fields: &["amount", "amount_paisa"], later: &["description", "statement_descriptor"] };

/// An increment request.
#[derive(Clone, Copy, Debug)]
pub struct IncrementInput {
    /// The command.
    pub command: IncrementPayment,
    /// The amount was said in paisa: the payment must be in rupees.
    pub in_paisa: bool,
}

/// Reads an increment request: how much more is to be held.
pub fn increment(node: &Node<'_>) -> Result<IncrementInput, Problem> {
    let fields = Fields::of(node, "", &INCREMENT)?;
    let name = fields.one_of(&["amount", "amount_paisa"])?.map_or("amount", |(name, _)| name);
    let amount = minor_units(&fields, name, false)?
        .ok_or_else(|| fields.missing("amount", "how many minor units more are to be held"))?;
    Ok(IncrementInput { command: IncrementPayment { amount }, in_paisa: name == "amount_paisa" })
}
