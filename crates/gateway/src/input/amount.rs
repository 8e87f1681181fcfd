//! Amounts and currencies: integers of minor units, never a float, never a guess.

use kernel::Currency;

use super::fields::Fields;
use super::json::Node;
use super::nearest::{nearest, suggestion};
use crate::problem::{Problem, catalogue as code};

/// The most of one amount. Far above any payment, and far enough below 2⁶³ that a merchant's balances
/// stay countable: sums of thousands of such amounts still fit 64 bits.
pub(crate) const MINOR_UNITS_MAX: i64 = 999_999_999_999_999;

/// A whole number of minor units from 1, or from 0 where `zero` says so, to [`MINOR_UNITS_MAX`].
pub fn minor_units(fields: &Fields<'_, '_>, name: &str, zero: bool) -> Result<Option<i64>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let Node::Number(text) = node else {
        let expected = "a whole number of minor units, such as 1000 for USD 10.00, without quotes";
        return Err(fields.wrong_type(name, expected, node));
    };
    let wrong = |what: &str| {
        let detail = format!("`{name}` {what}");
        Err(Problem::new(&code::INVALID_AMOUNT, detail).at(fields.pointer(name)))
    };
    if text.starts_with('-') {
        return wrong("must not be negative.");
    }
    if text.contains(['e', 'E']) {
        return wrong("must be written out in digits, without an exponent.");
    }
    if text.contains('.') {
        return wrong("counts minor units and has no fraction: USD 10.00 is 1000.");
    }
    match text.parse::<i64>() {
        Ok(0) if !zero => wrong("must be at least 1; 0 is for `purpose: verification` alone."),
        Ok(minor) if minor <= MINOR_UNITS_MAX => Ok(Some(minor)),
        Ok(_) | Err(_) => wrong(&format!("must be at most {MINOR_UNITS_MAX}.")),
    }
}

/// A whole number from 0 to `max`.
pub(crate) fn whole_number(fields: &Fields<'_, '_>, name: &str, max: u32) -> Result<Option<u32>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let Node::Number(text) = node else { return Err(fields.wrong_type(name, "a whole number", node)) };
    match text.parse::<u32>() {
        Ok(number) if number <= max => Ok(Some(number)),
        _ => {
            let detail = format!("`{name}` must be a whole number from 0 to {max}.");
            Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name)))
        }
    }
}

/// An ISO 4217 code in upper case.
pub fn currency(fields: &Fields<'_, '_>, name: &str) -> Result<Option<Currency>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let Node::Text(text) = node else {
        return Err(fields.wrong_type(name, "an ISO 4217 code in upper case, such as \"USD\"", node));
    };
    if let Ok(currency) = text.parse() {
        return Ok(Some(currency));
    }
    let near = nearest(text, Currency::all().map(Currency::code));
    let detail = format!("`{name}` must be an ISO 4217 code in upper case, such as USD.{}", suggestion(near));
    Err(Problem::new(&code::INVALID_CURRENCY, detail).at(fields.pointer(name)))
}
