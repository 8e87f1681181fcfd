//! What other systems sign and send.

use crate::input::tables;
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Operation};
use crate::problem::Entry;
use crate::problem::catalogue as code;
use crate::wire::TransactionObject;

const TAG: &str = "Signed events";
const TAKEN: Answer =
    Answer::new(200, "The event: the first of its id.", Content::json::<TransactionObject<'static>>());
const PROBLEMS: &[&Entry] = &[
    &code::INVALID_REQUEST,
    &code::INVALID_JSON,
    &code::WRONG_SIGNATURE,
    &code::NOT_FOUND,
    &code::ROUTE_NOT_FOUND,
    &code::REQUEST_TIMEOUT,
    &code::EVENT_NOT_FRESH,
    &code::TRANSACTION_DIFFERS,
    &code::BODY_TOO_LARGE,
    &code::UNSUPPORTED_MEDIA_TYPE,
    &code::MISSING_FIELD,
    &code::UNKNOWN_FIELD,
    &code::INVALID_TYPE,
    &code::INVALID_VALUE,
    &code::INVALID_TEXT,
    &code::INVALID_AMOUNT,
    &code::INVALID_CURRENCY,
    &code::RATE_LIMITED,
    &code::OVERLOADED,
    &code::STORAGE_FULL,
    &code::UNDECIDED,
    &code::UNAVAILABLE,
];
const ABOUT: &str = "`signature` is the HMAC-SHA-256, in hexadecimal, of \
    `{timestamp}.{tx_id}.{amount}.{currency}` under the shared secret, with the amount exactly as it stands \
    in the body. A signature that is older than `webhooks.max_age` (5 minutes), or more than a minute ahead, \
    is refused with 408. The same `tx_id` again gets the first answer; with another amount or currency it is \
    refused with 409.";

static EVENT: Body = Body {
    name: "SignedEvent",
    about: "An event that another system signs.",
    parser: &tables::EVENT,
    fields: &[
        Field::new("tx_id", Form::Text(&tables::TX_ID), "Your system's own id of it, without `<` and `>`.")
            .required(),
        Field::new("amount", Form::Decimal, "In major units. Here alone amounts are decimals.").required(),
        Field::new("currency", Form::Currency, "Of the amount.").required(),
        Field::new(
            "timestamp",
            Form::Integer { min: 0, max: tables::SECONDS_MAX },
            "When it was signed, in seconds since 1970.",
        )
        .required(),
        Field::new("signature", Form::Text(&tables::SIGNATURE), "64 hexadecimal digits.").required(),
    ],
    example: r#"{"tx_id": "tx-1001", "amount": 99.90, "currency": "USD", "timestamp": 1795255200,
        "signature": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"}"#,
};

static RECEIVE_EVENT: Operation = Operation::new("receive_event", "POST", "/webhooks/payments", TAG)
    .says("Receive a signed event", ABOUT)
    .needs(&[&EVENT])
    .answers(&[TAKEN])
    .problems(&[PROBLEMS]);

static RECEIVE_EVENT_OF: Operation =
    Operation::new("receive_event_of_account", "POST", "/webhooks/payments/{account}", TAG)
        .says("Receive an event that is signed with a merchant's own secret", ABOUT)
        .needs(&[&EVENT])
        .answers(&[TAKEN])
        .problems(&[PROBLEMS]);

static GET_TRANSACTION: Operation = Operation::new("get_transaction", "GET", "/transaction/{tx_id}", TAG)
    .says("Get a signed event", "As it was answered when it came.")
    .answers(&[Answer::new(200, "The event.", Content::json::<TransactionObject<'static>>())]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&RECEIVE_EVENT, &RECEIVE_EVENT_OF, &GET_TRANSACTION];
