//! Which problems an operation can answer: those of its kind of route, and groups that several share.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::body::reference;
use super::document::RATE_LIMIT;
use super::operation::Operation;
use crate::problem::{Entry, catalogue as code};
use crate::router::{Access, Route};

/// Of payment methods in the body.
pub(super) const METHODS: &[&Entry] = &[
    &code::INVALID_CARD_NUMBER,
    &code::INVALID_CVC,
    &code::INVALID_EXPIRY,
    &code::INVALID_VPA,
    &code::RAW_CARD_NOT_ALLOWED,
];

/// Of methods that are stored.
pub(super) const STORED_METHODS: &[&Entry] =
    &[&code::PAYMENT_METHOD_STATE, &code::PAYMENT_METHOD_NOT_USABLE, &code::TOO_MANY_PAYMENT_METHODS];

/// Of texts that people write.
pub(super) const FREE_TEXT: &[&Entry] = &[&code::CARD_NUMBER_IN_TEXT];

/// Of a charge.
pub(super) const CHARGES: &[&Entry] = &[
    &code::CARD_DECLINED,
    &code::PAYMENT_DECLINED,
    &code::PARTIALLY_APPROVED,
    &code::OPERATION_FAILED,
    &code::NOT_SENT,
    &code::PROVIDER_REFUSED,
    &code::PROVIDER_CREDENTIALS,
    &code::PROVIDER_RATE_LIMITED,
    &code::UNKNOWN_TOKEN,
    &code::EXPIRED,
    &code::CANCELLED,
    &code::NO_PROVIDER_ACCOUNT,
    &code::LIMIT_EXCEEDED,
    &code::CURRENCY_NOT_SUPPORTED,
    &code::BUSY,
    &code::OVERLOADED,
    &code::STORAGE_FULL,
    &code::UNDECIDED,
];

/// Of an operation on a payment that exists.
pub(super) const MOVES: &[&Entry] = &[
    &code::OPERATION_DECLINED,
    &code::OPERATION_FAILED,
    &code::NOT_SENT,
    &code::PROVIDER_REFUSED,
    &code::PROVIDER_CREDENTIALS,
    &code::PROVIDER_RATE_LIMITED,
    &code::UNKNOWN_TOKEN,
    &code::EXPIRED,
    &code::CANCELLED,
    &code::INVALID_STATE,
    &code::OPERATION_OPEN,
    &code::TOO_MANY_OPERATIONS,
    &code::BUSY,
    &code::OVERLOADED,
    &code::STORAGE_FULL,
    &code::UNDECIDED,
];

/// Of every request that shows a key.
const KEYED: &[&Entry] = &[
    &code::MISSING_API_KEY,
    &code::INVALID_API_KEY,
    &code::INSECURE_TRANSPORT,
    &code::MISSING_SCOPE,
    &code::ADDRESS_NOT_ALLOWED,
    &code::UNKNOWN_PARAMETER,
    &code::INVALID_PARAMETER,
    &code::INVALID_SCENARIO,
    &code::RATE_LIMITED,
    &code::UNAVAILABLE,
];

/// Of the routes for monitoring systems.
const MONITORING: &[&Entry] = &[&code::MONITORING_KEY_REQUIRED, &code::RATE_LIMITED];

/// Of every route that browsers may not use.
const SECRET: &[&Entry] = &[&code::PUBLISHABLE_KEY];

/// Of every route that a browser may use for the payment that it was handed.
const HANDED: &[&Entry] = &[&code::CLIENT_SECRET_REQUIRED, &code::WRONG_CLIENT_SECRET];

/// Of every route.
const ALWAYS: &[&Entry] = &[&code::INTERNAL];

/// Of every route that names an object in its path.
const NAMED: &[&Entry] = &[&code::NOT_FOUND];

/// Of every route that changes something.
const IDEMPOTENT: &[&Entry] = &[
    &code::INVALID_IDEMPOTENCY_KEY,
    &code::IDEMPOTENCY_KEY_REUSED,
    &code::IDEMPOTENCY_KEY_IN_USE,
    &code::INVALID_REQUEST,
    &code::INVALID_JSON,
    &code::REQUEST_TIMEOUT,
    &code::BODY_TOO_LARGE,
    &code::UNSUPPORTED_MEDIA_TYPE,
    &code::MISSING_FIELD,
    &code::UNKNOWN_FIELD,
    &code::UNSUPPORTED_FIELD,
    &code::CONFLICTING_FIELDS,
    &code::INVALID_TYPE,
    &code::INVALID_VALUE,
    &code::INVALID_TEXT,
    &code::OVERLOADED,
    &code::STORAGE_FULL,
    &code::UNDECIDED,
];

/// Every problem of an operation, by status, each code once.
pub(super) fn of(operation: &Operation, route: &Route) -> BTreeMap<u16, Vec<&'static Entry>> {
    let mut groups = operation.problems.to_vec();
    match route.access {
        Access::Public => {}
        Access::Monitoring => groups.push(MONITORING),
        Access::Secret(_) => groups.extend([KEYED, SECRET]),
        Access::Publishable(_) => groups.push(KEYED),
        Access::ClientSecret(_) => groups.extend([KEYED, HANDED]),
    }
    if route.is_idempotent {
        groups.push(IDEMPOTENT);
    }
    if route.path.contains("{id}") || route.path.contains("{tx_id}") {
        groups.push(NAMED);
    }
    groups.push(ALWAYS);
    let mut by_status: BTreeMap<u16, Vec<&'static Entry>> = BTreeMap::new();
    for entry in groups.into_iter().flatten() {
        let entries = by_status.entry(entry.status).or_default();
        if !entries.iter().any(|known| known.code == entry.code) {
            entries.push(entry);
        }
    }
    by_status
}

/// The documented answer of these problems, which share a status.
pub(super) fn response(status: u16, entries: &[&'static Entry]) -> Value {
    let lines: Vec<String> = entries
        .iter()
        .map(|entry| format!("- [`{}`](/docs/errors#{}): {}", entry.code, entry.code, entry.title))
        .collect();
    let codes: Vec<&str> = entries.iter().map(|entry| entry.code).collect();
    let example = entries.first().map(|entry| {
        json!({
            "type": format!("/docs/errors#{}", entry.code),
            "title": entry.title,
            "status": status,
            "detail": entry.cause,
            "code": entry.code,
            "retryable": entry.retryable,
            "request_id": "req_01k4c8wz3sexgtr0c9v9vd1m4t",
        })
    });
    json!({
        "description": lines.join("\n"),
        "headers": headers(status),
        "content": {"application/problem+json": {"schema": reference("Problem"), "example": example}},
        "x-codes": codes,
    })
}

fn headers(status: u16) -> Value {
    let mut headers = Map::new();
    let mut add = |name: &str| {
        headers.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    };
    add("X-Request-Id");
    match status {
        401 => add("WWW-Authenticate"),
        // Only some of the codes of these statuses ask the caller to wait.
        429 => ["Retry-After"].into_iter().chain(RATE_LIMIT).for_each(add),
        409 | 503 => add("Retry-After"),
        402 | 422 => add("Idempotent-Replayed"),
        _ => {}
    }
    Value::Object(headers)
}
