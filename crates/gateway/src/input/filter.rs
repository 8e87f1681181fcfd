//! The filters of lists, from query parameters.

use kernel::{Currency, Id, Timestamp};
use payments::{CustomerRef, PaymentFilter, PaymentStatus, RefundFilter, RefundStatus};
use provider_kit::MethodKind;

use super::amount::MINOR_UNITS_MAX;
use super::query::Parameters;
use crate::problem::{Problem, catalogue as code, not_found};

/// The query parameters of a list of payments.
pub const PAYMENT_FILTERS: &[&str] = &[
    "limit",
    "cursor",
    "status",
    "amount",
    "amount_from",
    "amount_to",
    "currency",
    "customer_id",
    "user_id",
    "order_id",
    "payment_method",
    "provider",
    "gateway",
    "last4",
    "created_from",
    "created_to",
];

/// The query parameters of a list of refunds.
pub const REFUND_FILTERS: &[&str] =
    &["limit", "cursor", "payment_id", "status", "created_from", "created_to"];

/// The longest text that is looked for.
pub(crate) const TEXT_MAX: usize = 512;

fn invalid(name: &'static str, allowed: &str) -> Problem {
    Problem::new(&code::INVALID_PARAMETER, format!("`{name}` must be {allowed}.")).at(name)
}

/// Reads what lists of payments are narrowed by; `providers` are those that there are.
pub fn payment_filter(parameters: &Parameters, providers: &[&str]) -> Result<PaymentFilter, Problem> {
    let filter = PaymentFilter {
        status: word(parameters, "status", &PaymentStatus::ALL, PaymentStatus::as_str)?,
        amount: amount(parameters, "amount")?,
        amount_from: amount(parameters, "amount_from")?,
        amount_to: amount(parameters, "amount_to")?,
        currency: currency(parameters)?,
        customer: customer(parameters)?,
        order_id: text(parameters, "order_id")?,
        method: word(parameters, "payment_method", &MethodKind::ALL, MethodKind::as_str)?,
        provider: provider(parameters, providers)?,
        last4: last4(parameters)?,
        created_from: instant(parameters, "created_from")?,
        created_to: instant(parameters, "created_to")?,
    };
    let upside_down =
        |from: Option<i64>, to: Option<i64>| matches!((from, to), (Some(from), Some(to)) if from > to);
    if upside_down(filter.amount_from, filter.amount_to) {
        return Err(invalid("amount_from", "at most `amount_to`"));
    }
    in_order(filter.created_from, filter.created_to)?;
    Ok(filter)
}

/// Reads what lists of refunds are narrowed by.
pub fn refund_filter(parameters: &Parameters) -> Result<RefundFilter, Problem> {
    let payment = parameters.get("payment_id").map(Id::parse).transpose();
    let filter = RefundFilter {
        payment: payment.map_err(|_| not_found("payment").at("payment_id"))?,
        status: word(parameters, "status", &RefundStatus::ALL, RefundStatus::as_str)?,
        created_from: instant(parameters, "created_from")?,
        created_to: instant(parameters, "created_to")?,
    };
    in_order(filter.created_from, filter.created_to)?;
    Ok(filter)
}

pub(super) fn in_order(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), Problem> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(invalid("created_from", "no later than `created_to`")),
        _ => Ok(()),
    }
}

/// One of a closed list of words.
fn word<T: Copy>(
    parameters: &Parameters,
    name: &'static str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let found = all.iter().copied().find(|word| as_str(*word) == text);
    found.map(Some).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|word| as_str(*word)).collect();
        invalid(name, &format!("one of: {}", words.join(", ")))
    })
}

fn amount(parameters: &Parameters, name: &'static str) -> Result<Option<i64>, Problem> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let minor = text.parse().ok().filter(|minor| digits && *minor <= MINOR_UNITS_MAX);
    minor
        .map(Some)
        .ok_or_else(|| invalid(name, &format!("a whole number of minor units from 0 to {MINOR_UNITS_MAX}")))
}

fn currency(parameters: &Parameters) -> Result<Option<Currency>, Problem> {
    let parsed = parameters.get("currency").map(str::parse).transpose();
    parsed.map_err(|_| invalid("currency", "an ISO 4217 code in upper case, such as USD"))
}

pub(super) fn instant(parameters: &Parameters, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let parsed = parameters.get(name).map(str::parse).transpose();
    parsed.map_err(|_| {
        let hint = "an RFC 3339 instant, such as 2026-11-21T10:00:00Z (a `+` is sent as %2B)";
        invalid(name, hint)
    })
}

fn text(parameters: &Parameters, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let fits = !text.is_empty() && text.chars().count() <= TEXT_MAX && !text.contains(char::is_control);
    if fits {
        return Ok(Some(text.to_owned()));
    }
    Err(invalid(name, &format!("1 to {TEXT_MAX} characters of text without control characters")))
}

/// Either of two names of one thing.
fn either(
    parameters: &Parameters,
    name: &'static str,
    alias: &'static str,
) -> Result<Option<(&'static str, String)>, Problem> {
    if parameters.get(name).is_some() && parameters.get(alias).is_some() {
        return Err(invalid(
            alias,
            &format!("left out: it is another name of `{name}`, which is given, too"),
        ));
    }
    let named = if parameters.get(alias).is_some() { alias } else { name };
    Ok(text(parameters, named)?.map(|text| (named, text)))
}

fn customer(parameters: &Parameters) -> Result<Option<CustomerRef>, Problem> {
    let Some((name, text)) = either(parameters, "customer_id", "user_id")? else { return Ok(None) };
    if !text.starts_with("cus_") {
        return Ok(Some(CustomerRef::Reference(text)));
    }
    let id = Id::parse(&text).map_err(|_| invalid(name, "a customer's id or your own reference of one"))?;
    Ok(Some(CustomerRef::Id(id)))
}

fn provider(parameters: &Parameters, providers: &[&str]) -> Result<Option<String>, Problem> {
    let Some((name, text)) = either(parameters, "provider", "gateway")? else { return Ok(None) };
    if providers.contains(&text.as_str()) {
        return Ok(Some(text));
    }
    Err(invalid(name, &format!("one of: {}", providers.join(", "))))
}

fn last4(parameters: &Parameters) -> Result<Option<String>, Problem> {
    let Some(text) = parameters.get("last4") else { return Ok(None) };
    let fits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(Some(text.to_owned())) } else { Err(invalid("last4", "the card's last four digits")) }
}
