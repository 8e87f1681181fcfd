//! Refunds.

use schemars::{Schema, SchemaGenerator};

use super::payment_verbs::REFUND_OPEN;
use super::payments::{CREATED_FROM, CREATED_TO, CURSOR, LIMIT};
use crate::input::{REFUND_FILTERS, TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::form;
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::openapi::problems::{FREE_TEXT, MOVES};
use crate::problem::catalogue as code;
use crate::wire::{ListObject, RefundObject};

const TAG: &str = "Refunds";
const REFUND: Content = Content::json::<RefundObject<'static>>();

const STATUS: fn(&mut SchemaGenerator) -> Schema = SchemaGenerator::subschema_for::<form::RefundStatusWord>;

static ONWARD: &[Link] = &[
    same_id("get_refund"),
    Link { operation: "get_payment", parameters: &[("id", "$response.body#/payment_id")], body: &[] },
];

/// The answer of a refund that was carried out.
pub(super) const REFUNDED: Answer = Answer::new(201, "The refund.", REFUND).links(ONWARD);

static CREATE: Body = Body {
    name: "CreateRefund",
    about: "Of which payment, how much, and why.",
    parser: &tables::WITH_PAYMENT,
    fields: &[
        Field::new("payment_id", Form::Text(&TextRule::REFERENCE), "The payment whose money goes back.")
            .required(),
        Field::new(
            "amount",
            Form::Amount { zero: false },
            "In minor units; all that is refundable if absent.",
        )
        .also(&["amount_paisa"]),
        Field::new("reason", Form::Text(&TextRule::REASON), "Why, for people. No card numbers."),
        Field::new("metadata", Form::Metadata, "Your own data, given back as it came."),
    ],
    example: r#"{"payment_id": "pay_01h455vb4pex5vsknk084sn02q", "amount": 400}"#,
};

static CREATE_REFUND: Operation = Operation::new("create_refund", "POST", "/refunds", TAG)
    .says("Create a refund", "The same as refunding a payment, with the payment in the body.")
    .needs(&[&CREATE])
    .answers(&[REFUNDED, REFUND_OPEN])
    .problems(&[
        MOVES,
        FREE_TEXT,
        &[
            &code::NOT_FOUND,
            &code::INVALID_AMOUNT,
            &code::INVALID_CURRENCY,
            &code::INVALID_METADATA,
            &code::BEYOND_REFUNDABLE,
        ],
    ])
    .samples(&[Sample::new("part", "A part")
        .of(Need::PaidPayment)
        .body(r#"{"payment_id": "{id}", "amount": 400}"#)]);

static LIST_REFUNDS: Operation = Operation::new("list_refunds", "GET", "/refunds", TAG)
    .says("List refunds", "Newest first; send `next_cursor` as `cursor`, with the same filters.")
    .query(Query {
        parser: REFUND_FILTERS,
        parameters: &[
            LIMIT,
            CURSOR,
            Field::new("payment_id", Form::Text(&TextRule::REFERENCE), "Only of this payment."),
            Field::new("status", Form::Schema(STATUS), "Only refunds that stand there."),
            CREATED_FROM,
            CREATED_TO,
        ],
    })
    .answers(&[Answer::new(200, "A page of refunds.", Content::json::<ListObject<RefundObject<'static>>>())])
    .problems(&[&[&code::NOT_FOUND]])
    .samples(&[Sample::new("page", "A page").of(Need::Refund).query("limit=1")]);

static GET_REFUND: Operation = Operation::new("get_refund", "GET", "/refunds/{id}", TAG)
    .says("Get a refund", "The refund as it stands.")
    .answers(&[Answer::new(200, "The refund.", REFUND).links(ONWARD)])
    .samples(&[Sample::new("succeeded", "A refund that succeeded").of(Need::Refund)]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&CREATE_REFUND, &LIST_REFUNDS, &GET_REFUND];
