//! Refunds.

use schemars::{Schema, SchemaGenerator};

use super::payment_verbs::REFUND_OPEN;
use super::payments::{CREATED_FROM, CREATED_TO, CURSOR, LIMIT};
use crate::input::{REFUND_FILTERS, TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::form;
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Parameter, Query, Sample, same_id};
use crate::openapi::problems::{FREE_TEXT, MOVES};
use crate::problem::catalogue as code;
use crate::wire::{ListObject, RefundObject};

const TAG: &str = "Refunds";
const REFUND: Content = Content::Json(SchemaGenerator::subschema_for::<RefundObject<'static>>);

const STATUS: fn(&mut SchemaGenerator) -> Schema = SchemaGenerator::subschema_for::<form::RefundStatusWord>;

static ONWARD: &[Link] = &[
    same_id("get_refund"),
    Link { operation: "get_payment", parameters: &[("id", "$response.body#/payment_id")], body: &[] },
];

/// The answer of a refund that was carried out.
pub(super) const REFUNDED: Answer =
    Answer { status: 201, about: "The refund.", content: REFUND, links: ONWARD };

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

static CREATE_REFUND: Operation = Operation {
    id: "create_refund",
    method: "POST",
    path: "/refunds",
    tag: TAG,
    summary: "Create a refund",
    about: "The same as refunding a payment, with the payment in the body.",
    query: Query::NONE,
    bodies: &[&CREATE],
    needs_body: true,
    answers: &[REFUNDED, REFUND_OPEN],
    problems: &[
        MOVES,
        FREE_TEXT,
        &[
            &code::NOT_FOUND,
            &code::INVALID_AMOUNT,
            &code::INVALID_CURRENCY,
            &code::INVALID_METADATA,
            &code::BEYOND_REFUNDABLE,
        ],
    ],
    samples: &[Sample {
        name: "part",
        summary: "A part",
        needs: Need::PaidPayment,
        query: "",
        body: r#"{"payment_id": "{id}", "amount": 400}"#,
    }],
};

static LIST_REFUNDS: Operation = Operation {
    id: "list_refunds",
    method: "GET",
    path: "/refunds",
    tag: TAG,
    summary: "List refunds",
    about: "Newest first; send `next_cursor` as `cursor`, with the same filters.",
    query: Query {
        parser: REFUND_FILTERS,
        parameters: &[
            LIMIT,
            CURSOR,
            Parameter::new("payment_id", Form::Text(&TextRule::REFERENCE), "Only of this payment."),
            Parameter::new("status", Form::Schema(STATUS), "Only refunds that stand there."),
            CREATED_FROM,
            CREATED_TO,
        ],
    },
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "A page of refunds.",
        content: Content::Json(SchemaGenerator::subschema_for::<ListObject<RefundObject<'static>>>),
        links: &[],
    }],
    problems: &[&[&code::NOT_FOUND]],
    samples: &[Sample { name: "page", summary: "A page", needs: Need::Refund, query: "limit=1", body: "" }],
};

static GET_REFUND: Operation = Operation {
    id: "get_refund",
    method: "GET",
    path: "/refunds/{id}",
    tag: TAG,
    summary: "Get a refund",
    about: "The refund as it stands.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer { status: 200, about: "The refund.", content: REFUND, links: ONWARD }],
    problems: &[],
    samples: &[Sample {
        name: "succeeded",
        summary: "A refund that succeeded",
        needs: Need::Refund,
        query: "",
        body: "",
    }],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&CREATE_REFUND, &LIST_REFUNDS, &GET_REFUND];
