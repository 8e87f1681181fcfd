//! `PATCH /payments/{id}`: absent fields stay, `null` clears where a payment can be without.

use payments::{Patch, UpdatePayment};

use super::amount::{currency, minor_units};
use super::customer::customer_ref;
use super::fields::{Fields, Schema};
use super::json::Node;
use super::metadata::metadata_patch;
use super::payer::address;
use super::payment::{email, url};
use super::text::TextRule;
use crate::problem::{Problem, catalogue as code};

pub(crate) const UPDATE: Schema = Schema {
    fields: &[
        "amount",
        "amount_paisa",
        "currency",
        "order_id",
        "customer_id",
        "user_id",
        "description",
        "statement_descriptor",
        "customer_email",
        "return_url",
        "shipping_address",
        "metadata",
    ],
    later: &["payment_method", "receipt_email"],
};

/// What cannot be taken away.
const NEEDED: &[&str] = &["amount", "amount_paisa", "currency", "customer_id", "user_id"];

/// An update request.
#[derive(Clone, Debug)]
pub struct UpdateInput {
    /// The command.
    pub command: UpdatePayment,
    /// The amount was said in paisa: the payment must be in rupees.
    pub in_paisa: bool,
}

/// Reads an update request.
pub fn update_payment(node: &Node<'_>) -> Result<UpdateInput, Problem> {
    let fields = Fields::of(node, "", &UPDATE)?;
    if let Some(name) = NEEDED.iter().find(|name| fields.named(name) == Some(&Node::Null)) {
        let detail = format!("`{name}` cannot be taken away; leave it out to keep it.");
        return Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name)));
    }
    let name = fields.one_of(&["amount", "amount_paisa"])?.map_or("amount", |(name, _)| name);
    let text = |name, rule| Ok(edit(&fields, name, fields.text(name, rule)?.map(str::to_owned)));
    Ok(UpdateInput {
        in_paisa: name == "amount_paisa",
        command: UpdatePayment {
            // Whether a verification may be 0 is for the payment to say.
            amount: minor_units(&fields, name, true)?,
            currency: currency(&fields, "currency")?,
            order_id: text("order_id", &TextRule::REFERENCE)?,
            customer: customer_ref(&fields)?,
            description: text("description", &TextRule::DESCRIPTION)?,
            statement_descriptor: text("statement_descriptor", &TextRule::DESCRIPTOR)?,
            customer_email: edit(&fields, "customer_email", email(&fields)?),
            return_url: edit(&fields, "return_url", url(&fields, "return_url")?),
            shipping_address: edit(
                &fields,
                "shipping_address",
                address(&fields, "shipping_address", "/shipping_address")?,
            ),
            metadata: metadata_patch(&fields)?,
        },
    })
}

fn edit<T>(fields: &Fields<'_, '_>, name: &str, value: Option<T>) -> Patch<T> {
    match value {
        Some(value) => Patch::Set(value),
        None if fields.named(name) == Some(&Node::Null) => Patch::Clear,
        None => Patch::Keep,
    }
}
