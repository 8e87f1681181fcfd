//! What is changed of a payment besides its money.

use super::payer::ADDRESS;
use super::payments::{ACCEPTED, CHANGED, TAG};
use crate::input::{TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Need, Operation, Sample};
use crate::openapi::problems::{FREE_TEXT, MOVES};
use crate::problem::catalogue as code;

static UPDATE: Body = Body {
    name: "UpdatePayment",
    about: "What changes: an absent field stays, `null` removes. Amount, currency and order can be changed \
            before the first charge alone.",
    parser: &tables::UPDATE,
    fields: &[
        Field::new("amount", Form::Amount { zero: true }, "In minor units.").also(&["amount_paisa"]),
        Field::new("currency", Form::Currency, "Of the amount."),
        Field::new("order_id", Form::OrNull(&Form::Text(&TextRule::REFERENCE)), "Your order."),
        Field::new(
            "customer_id",
            Form::Text(&TextRule::REFERENCE),
            "The customer: your own reference, or our id.",
        )
        .also(&["user_id"]),
        Field::new(
            "description",
            Form::OrNull(&Form::Text(&TextRule::DESCRIPTION)),
            "What is paid, for people. No card numbers.",
        ),
        Field::new(
            "statement_descriptor",
            Form::OrNull(&Form::Text(&TextRule::DESCRIPTOR)),
            "What a card statement shows.",
        ),
        Field::new("customer_email", Form::OrNull(&Form::Email), "Where the receipt goes."),
        Field::new("return_url", Form::OrNull(&Form::Url), "Where the customer's browser returns."),
        Field::new("shipping_address", Form::OrNull(&Form::Object(&ADDRESS)), "Where the goods go."),
        Field::new("metadata", Form::MetadataPatch, "Merged into what is there; `null` removes an entry."),
    ],
    example: r#"{"description": "Two mugs"}"#,
};

static INCREMENT: Body = Body {
    name: "IncrementPayment",
    about: "How much more is to be held.",
    parser: &tables::INCREMENT,
    fields: &[Field::new("amount", Form::Amount { zero: false }, "In minor units.")
        .also(&["amount_paisa"])
        .required()],
    example: r#"{"amount": 500}"#,
};

static UPDATE_PAYMENT: Operation = Operation::new("update_payment", "PATCH", "/payments/{id}", TAG)
    .says("Update a payment", "An absent field stays, `null` removes, `metadata` is merged.")
    .takes(&[&UPDATE])
    .answers(&[CHANGED])
    .problems(&[
        FREE_TEXT,
        &[
            &code::INVALID_AMOUNT,
            &code::INVALID_CURRENCY,
            &code::INVALID_URL,
            &code::INVALID_METADATA,
            &code::INVALID_STATE,
            &code::ORDER_ALREADY_CHARGED,
            &code::CURRENCY_NOT_SUPPORTED,
            &code::OPERATION_OPEN,
            &code::BUSY,
        ],
    ])
    .samples(&[Sample::new("description", "Another description")
        .of(Need::PaidPayment)
        .body(r#"{"description": "Two mugs", "metadata": {"basket": "b-18"}}"#)]);

static INCREMENT_PAYMENT: Operation =
    Operation::new("increment_payment", "POST", "/payments/{id}/increment", TAG)
        .says(
            "Increment what is held",
            "Holds more for a payment whose money is held, where the provider can.",
        )
        .needs(&[&INCREMENT])
        .answers(&[CHANGED, ACCEPTED])
        .problems(&[
            MOVES,
            &[
                &code::CARD_DECLINED,
                &code::PAYMENT_DECLINED,
                &code::PARTIALLY_APPROVED,
                &code::INVALID_AMOUNT,
                &code::INVALID_CURRENCY,
            ],
        ])
        .samples(&[Sample::new("more", "Five more").of(Need::HeldPayment).body(r#"{"amount": 500}"#)]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&UPDATE_PAYMENT, &INCREMENT_PAYMENT];
