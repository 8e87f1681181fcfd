//! `POST /webhooks/payments`: an event of another system, not yet believed.

use kernel::Money;
use payments::EventClaim;
use provider_kit::amount::{AmountError, from_decimal};

use super::amount::{MINOR_UNITS_MAX, currency};
use super::fields::{Fields, Schema};
use super::json::Node;
use super::text::TextRule;
use crate::problem::{Problem, catalogue as code};

pub(crate) const EVENT: Schema =
    Schema { fields: &["tx_id", "amount", "currency", "timestamp", "signature"], later: &[] };

/// An id of another system.
pub(crate) const TX_ID: TextRule =
    TextRule { length_max: 200, may_be_empty: false, multiline: false, free: false };
/// A signature: 64 hexadecimal digits, and whatever somebody takes for one.
pub(crate) const SIGNATURE: TextRule =
    TextRule { length_max: 128, may_be_empty: false, multiline: false, free: false };

/// The last second of the year 9999.
pub(crate) const SECONDS_MAX: i64 = 253_402_300_799;
/// Far longer than any amount.
const AMOUNT_LENGTH_MAX: usize = 40;

/// An event as it was sent.
#[derive(Debug)]
pub struct EventInput<'t> {
    /// What it claims.
    pub claim: EventClaim<'t>,
    /// Whether the amount came as a text and not as a number.
    pub amount_is_text: bool,
}

/// Reads an event. Each part that is signed is kept letter by letter.
pub fn event<'t>(node: &'t Node<'_>) -> Result<EventInput<'t>, Problem> {
    let fields = Fields::of(node, "", &EVENT)?;
    let tx_id = fields
        .text("tx_id", &TX_ID)?
        .ok_or_else(|| fields.missing("tx_id", "the id that your system gave the event"))?;
    if tx_id.contains(['<', '>']) {
        let detail = "`tx_id` must not have markup: `<` and `>` are not allowed.";
        return Err(Problem::new(&code::INVALID_TEXT, detail).at(fields.pointer("tx_id")));
    }
    let currency = currency(&fields, "currency")?
        .ok_or_else(|| fields.missing("currency", "an ISO 4217 code, such as \"USD\""))?;
    let amount_node =
        fields.get("amount").ok_or_else(|| fields.missing("amount", "in major units, such as 99.90"))?;
    let (amount, amount_is_text): (&'t str, bool) = match amount_node {
        Node::Number(text) => (text, false),
        Node::Text(text) => (text, true),
        other => return Err(fields.wrong_type("amount", "a decimal in major units, such as 99.90", other)),
    };
    let wrong = |detail: String| Problem::new(&code::INVALID_AMOUNT, detail).at(fields.pointer("amount"));
    let read = if amount.len() > AMOUNT_LENGTH_MAX {
        Err(AmountError::Overflow)
    } else {
        from_decimal(amount, currency)
    };
    let value: Money = read.map_err(|error| {
        wrong(match error {
            AmountError::Unreadable => "`amount` must be a plain decimal in major units, such as 99.90: \
                                        without an exponent, a plus or blanks."
                .to_owned(),
            AmountError::Inexact => {
                format!(
                    "`amount` must have at most {} digits behind the point in {currency}.",
                    currency.exponent()
                )
            }
            AmountError::Overflow => "`amount` must be less.".to_owned(),
        })
    })?;
    if !(1..=MINOR_UNITS_MAX).contains(&value.minor) {
        let detail =
            format!("`amount` must be more than nothing, and at most {MINOR_UNITS_MAX} minor units.");
        return Err(wrong(detail));
    }
    let (timestamp, signed_at) = seconds(&fields)?;
    let signature = fields
        .text("signature", &SIGNATURE)?
        .ok_or_else(|| fields.missing("signature", "the HMAC-SHA-256 of the event, in hexadecimal"))?;
    let claim = EventClaim { tx_id, amount, value, timestamp, signed_at, signature };
    Ok(EventInput { claim, amount_is_text })
}

/// Unix seconds, as written and as a number.
fn seconds<'t>(fields: &Fields<'t, '_>) -> Result<(&'t str, i64), Problem> {
    let expected = "a whole number of seconds since 1970, such as 1795255200";
    let node = fields.get("timestamp").ok_or_else(|| fields.missing("timestamp", expected))?;
    let Node::Number(text) = node else { return Err(fields.wrong_type("timestamp", expected, node)) };
    match text.parse::<i64>() {
        Ok(seconds) if (0..=SECONDS_MAX).contains(&seconds) => Ok((text, seconds)),
        _ => {
            let detail = format!("`timestamp` must be {expected}.");
            Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer("timestamp")))
        }
    }
}
