//! Stored payment methods.

use schemars::SchemaGenerator;

use super::method::{CARD_DETAILS, UPI_DETAILS};
use super::payments::{CURSOR, LIMIT};
use crate::input::{TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::openapi::problems::{FREE_TEXT, METHODS, STORED_METHODS};
use crate::problem::{Entry, catalogue as code};
use crate::wire::{CustomerObject, DeletedObject, ListObject, MethodObject, TokenizedObject};

const TAG: &str = "Payment methods";
const METHOD: Content = Content::Json(SchemaGenerator::subschema_for::<MethodObject<'static>>);
const STORED: Form = Form::Pattern("^pm_[0-7][0-9a-hjkmnp-tv-z]{25}$");

static ONWARD: &[Link] =
    &[same_id("get_payment_method"), same_id("detach_payment_method"), same_id("delete_payment_method")];

const TYPE: Field =
    Field::new("type", Form::Pattern("^([Cc][Aa][Rr][Dd]|[Uu][Pp][Ii])$"), "`card` or `upi`, in any case.");
const CARD: Field = Field::new("card", Form::Object(&CARD_DETAILS), "A card.").also(&["details"]);
const UPI: Field = Field::new("upi", Form::Object(&UPI_DETAILS), "A UPI address.");
const NAME: Field = Field::new("display_name", Form::Text(&TextRule::NAME), "What the customer calls it.");
const PROVIDER: Field =
    Field::new("provider", Form::Text(&TextRule::WORD), "At which provider it is kept.").also(&["gateway"]);

static TOKENIZE: Body = Body {
    name: "TokenizeCard",
    about: "A card.",
    parser: &tables::TOKENIZE,
    fields: &[
        TYPE,
        CARD.required(),
        Field::new("customer_id", Form::Text(&TextRule::REFERENCE), "Whose: your own reference, or our id.")
            .also(&["user_id"]),
        NAME,
        PROVIDER,
    ],
    example: r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#,
};

static TOKENIZE_UPI: Body = Body {
    name: "TokenizeUpi",
    about: "A UPI address.",
    parser: &tables::TOKENIZE,
    fields: &[
        UPI.required(),
        TYPE,
        Field::new("customer_id", Form::Text(&TextRule::REFERENCE), "Whose: your own reference, or our id.")
            .also(&["user_id"]),
        NAME,
        PROVIDER,
    ],
    example: r#"{"type": "upi", "upi": {"vpa": "success@bank"}}"#,
};

static ATTACH_UPI: Body = Body {
    name: "AttachUpi",
    about: "A new UPI address.",
    parser: &tables::ATTACH,
    fields: &[UPI.required(), TYPE, NAME, PROVIDER],
    example: r#"{"type": "upi", "upi": {"vpa": "success@bank"}}"#,
};

static ATTACH: Body = Body {
    name: "AttachCard",
    about: "A new card.",
    parser: &tables::ATTACH,
    fields: &[TYPE, CARD.required(), NAME, PROVIDER],
    example: r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#,
};

static ATTACH_STORED: Body = Body {
    name: "AttachStoredPaymentMethod",
    about: "A method that is stored already.",
    parser: &tables::ATTACH,
    fields: &[Field::new("payment_method", STORED, "Its id.").required()],
    example: r#"{"payment_method": "pm_01h455vb4pex5vsknk084sn02q"}"#,
};

static NAMED: Body = Body {
    name: "DefaultPaymentMethod",
    about: "Which method becomes the customer's usual one.",
    parser: &tables::NAMED,
    fields: &[Field::new(
        "payment_method",
        Form::OrNull(&STORED),
        "One of the customer's own; null for none.",
    )
    .required()],
    example: r#"{"payment_method": "pm_01h455vb4pex5vsknk084sn02q"}"#,
};

const PROBLEMS: &[&[&Entry]] = &[
    METHODS,
    FREE_TEXT,
    STORED_METHODS,
    &[
        &code::NOT_FOUND,
        &code::CARD_DECLINED,
        &code::PAYMENT_DECLINED,
        &code::NOT_SENT,
        &code::PROVIDER_REFUSED,
        &code::OPERATION_FAILED,
        &code::NO_PROVIDER_ACCOUNT,
        &code::BUSY,
    ],
];

static TOKENIZE_METHOD: Operation = Operation {
    id: "tokenize_payment_method",
    method: "POST",
    path: "/payment-methods/tokenize",
    tag: TAG,
    summary: "Store a payment method",
    about: "The provider keeps the card; you get an id that can be charged again and again. A publishable \
            key may send no `customer_id` and no `provider`.",
    query: Query::NONE,
    bodies: &[&TOKENIZE, &TOKENIZE_UPI],
    needs_body: true,
    answers: &[Answer {
        status: 201,
        about: "The payment method, also in the words of integrations that keep a `token`.",
        content: Content::Json(SchemaGenerator::subschema_for::<TokenizedObject<'static>>),
        links: ONWARD,
    }],
    problems: &[
        METHODS,
        FREE_TEXT,
        STORED_METHODS,
        &[
            &code::NOT_FOUND,
            &code::PUBLISHABLE_KEY,
            &code::CARD_DECLINED,
            &code::PAYMENT_DECLINED,
            &code::NOT_SENT,
            &code::PROVIDER_REFUSED,
            &code::OPERATION_FAILED,
            &code::NO_PROVIDER_ACCOUNT,
            &code::BUSY,
        ],
    ],
    samples: &[
        Sample {
            name: "card",
            summary: "A card",
            needs: Need::Nothing,
            query: "",
            body: r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037,
                "cvc": "123"}, "customer_id": "cust_9", "display_name": "Everyday card"}"#,
        },
        Sample {
            name: "details",
            summary: "With `details`",
            needs: Need::Nothing,
            query: "",
            body: r#"{"user_id": "user_17", "type": "CARD", "details": {"card_number": "4242424242424242",
                "expiry_month": "12", "expiry_year": "37", "cvv": "123", "holder_name": "Ada Byron"},
                "display_name": "Everyday card"}"#,
        },
    ],
};

const PAGE: Answer = Answer {
    status: 200,
    about: "A page of payment methods.",
    content: Content::Json(SchemaGenerator::subschema_for::<ListObject<MethodObject<'static>>>),
    links: &[],
};

const LIST_QUERY: Query = Query { parser: tables::METHOD_LIST, parameters: &[LIMIT, CURSOR] };

static LIST_METHODS: Operation = Operation {
    id: "list_customer_payment_methods",
    method: "GET",
    path: "/customers/{id}/payment_methods",
    tag: TAG,
    summary: "List a customer's payment methods",
    about: "Newest first.",
    query: LIST_QUERY,
    bodies: &[],
    needs_body: false,
    answers: &[PAGE],
    problems: &[&[&code::UNSUPPORTED_PARAMETER]],
    samples: &[Sample {
        name: "page",
        summary: "A page",
        needs: Need::CustomerWithMethod,
        query: "limit=1",
        body: "",
    }],
};

static LIST_USERS_METHODS: Operation = Operation {
    id: "list_user_payment_methods",
    method: "GET",
    path: "/users/{id}/payment-methods",
    tag: TAG,
    summary: "List a user's payment methods",
    about: "The same list by the name of the user.",
    query: LIST_QUERY,
    bodies: &[],
    needs_body: false,
    answers: &[PAGE],
    problems: &[&[&code::UNSUPPORTED_PARAMETER]],
    samples: &[Sample {
        name: "page",
        summary: "A page",
        needs: Need::CustomerWithMethod,
        query: "limit=1",
        body: "",
    }],
};

static ATTACH_METHOD: Operation = Operation {
    id: "attach_payment_method",
    method: "POST",
    path: "/customers/{id}/payment_methods",
    tag: TAG,
    summary: "Attach a payment method to a customer",
    about: "A new one, or one that is stored already.",
    query: Query::NONE,
    bodies: &[&ATTACH, &ATTACH_UPI, &ATTACH_STORED],
    needs_body: true,
    answers: &[Answer { status: 200, about: "The payment method.", content: METHOD, links: ONWARD }],
    problems: PROBLEMS,
    samples: &[Sample {
        name: "card",
        summary: "A new card",
        needs: Need::Customer,
        query: "",
        body: r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037,
            "cvc": "123"}}"#,
    }],
};

static SET_DEFAULT: Operation = Operation {
    id: "set_default_payment_method",
    method: "POST",
    path: "/customers/{id}/default_payment_method",
    tag: TAG,
    summary: "Set a customer's default payment method",
    about: "The one that an `off_session` payment charges when it names the customer alone.",
    query: Query::NONE,
    bodies: &[&NAMED],
    needs_body: true,
    answers: &[Answer {
        status: 200,
        about: "The customer as it stands now.",
        content: Content::Json(SchemaGenerator::subschema_for::<CustomerObject<'static>>),
        links: &[same_id("get_customer")],
    }],
    problems: &[STORED_METHODS, &[&code::BUSY]],
    samples: &[Sample {
        name: "none",
        summary: "None",
        needs: Need::CustomerWithMethod,
        query: "",
        body: r#"{"payment_method": null}"#,
    }],
};

static GET_METHOD: Operation = Operation {
    id: "get_payment_method",
    method: "GET",
    path: "/payment-methods/{id}",
    tag: TAG,
    summary: "Get a payment method",
    about: "What is known of it; never the number.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer { status: 200, about: "The payment method.", content: METHOD, links: ONWARD }],
    problems: &[],
    samples: &[Sample { name: "card", summary: "A card", needs: Need::PaymentMethod, query: "", body: "" }],
};

static DETACH_METHOD: Operation = Operation {
    id: "detach_payment_method",
    method: "POST",
    path: "/payment-methods/{id}/detach",
    tag: TAG,
    summary: "Detach a payment method",
    about: "It cannot be charged any more.",
    query: Query::NONE,
    bodies: &[&super::payment_verbs::NOTHING],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "The payment method as it stands now.",
        content: METHOD,
        links: ONWARD,
    }],
    problems: &[STORED_METHODS, &[&code::BUSY]],
    samples: &[Sample { name: "card", summary: "A card", needs: Need::PaymentMethod, query: "", body: "" }],
};

static DELETE_METHOD: Operation = Operation {
    id: "delete_payment_method",
    method: "DELETE",
    path: "/payment-methods/{id}",
    tag: TAG,
    summary: "Delete a payment method",
    about: "What is known of it is erased; payments stay.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "What is left of it.",
        content: Content::Json(SchemaGenerator::subschema_for::<DeletedObject>),
        links: &[],
    }],
    problems: &[STORED_METHODS, &[&code::BUSY]],
    samples: &[Sample {
        name: "deleted",
        summary: "Deleted",
        needs: Need::PaymentMethod,
        query: "",
        body: "",
    }],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[
    &TOKENIZE_METHOD,
    &GET_METHOD,
    &LIST_METHODS,
    &LIST_USERS_METHODS,
    &ATTACH_METHOD,
    &SET_DEFAULT,
    &DETACH_METHOD,
    &DELETE_METHOD,
];
