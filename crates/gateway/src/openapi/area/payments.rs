//! Payments: made, read, listed.

use schemars::{Schema, SchemaGenerator};

use super::method::{METHOD, UPI_DETAILS, WORD};
use super::payer::{
    BILLING, BROWSER, DEVICE, IP, NETWORK_LINK, OFF_SESSION, SAVE, SHIPPING, TERMINAL, THREE_D_SECURE,
};
use crate::api::payments::list::{QUERY_MAX, SEARCH};
use crate::api::payments::{get, timeline};
use crate::input::tables::DELAY_SECONDS_MAX;
use crate::input::{FILTER_TEXT_MAX, LIMIT_MAX, PAYMENT_FILTERS, TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::form;
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::openapi::problems::{CHARGES, FREE_TEXT, METHODS, STORED_METHODS};
use crate::problem::catalogue as code;
use crate::wire::{ListObject, MomentObject, PaymentObject};

/// The group's name.
pub(super) const TAG: &str = "Payments";

/// The payment as it stands.
pub(super) const PAYMENT: Content = Content::json::<PaymentObject<'static>>();

/// What can be done with a payment.
pub(super) static ONWARD: &[Link] = &[
    same_id("get_payment"),
    same_id("confirm_payment"),
    same_id("capture_payment"),
    same_id("increment_payment"),
    same_id("update_payment"),
    same_id("get_payment_timeline"),
    same_id("cancel_payment"),
    same_id("refund_payment"),
    Link { operation: "create_refund", parameters: &[], body: &[("payment_id", "$response.body#/id")] },
];

/// The answer of work that goes on.
pub(super) const ACCEPTED: Answer = Answer::new(
    202,
    "The outcome is not known yet and is being found out; nothing is sent twice. The payment shows it \
            as it comes.",
    PAYMENT,
)
.links(&[same_id("get_payment")]);

/// The answer of a change that was carried out.
pub(super) const CHANGED: Answer = Answer::new(200, "The payment as it stands now.", PAYMENT).links(ONWARD);

/// `limit` of every list.
pub(super) const LIMIT: Field = Field::new(
    "limit",
    Form::Integer { min: 1, max: LIMIT_MAX as i64 },
    "How many entries a page has at most; 20 if absent.",
);

/// `cursor` of every list.
pub(super) const CURSOR: Field =
    Field::new("cursor", Form::Text(&TextRule::TOKEN), "`next_cursor` of the page before, as it is.");

/// `client_secret` in a query.
const CLIENT_SECRET: Field = Field::new(
    "client_secret",
    Form::ClientSecret,
    "Needed with a publishable key: as your server got it with the payment.",
);

/// Texts that lists are narrowed by.
static FILTER_TEXT: TextRule =
    TextRule { length_max: FILTER_TEXT_MAX, may_be_empty: false, multiline: false, free: false };
static SEARCH_TEXT: TextRule =
    TextRule { length_max: QUERY_MAX, may_be_empty: false, multiline: false, free: false };

const STATUS: fn(&mut SchemaGenerator) -> Schema = SchemaGenerator::subschema_for::<form::PaymentStatusWord>;
const METHOD_KIND: fn(&mut SchemaGenerator) -> Schema =
    SchemaGenerator::subschema_for::<form::MethodKindWord>;

/// `created_from` of every list.
pub(super) const CREATED_FROM: Field =
    Field::new("created_from", Form::Instant, "Only what was made then or later.");

/// `created_to` of every list.
pub(super) const CREATED_TO: Field =
    Field::new("created_to", Form::Instant, "Only what was made then or earlier.");

const CAPTURE_METHOD: Field = Field::new(
    "capture_method",
    Form::Words(&["automatic", "manual"]),
    "Whether approved money is taken at once, or held until you capture it. `automatic` if absent.",
);
const DELAY: Field = Field::new(
    "capture_delay_seconds",
    Form::Integer { min: 0, max: DELAY_SECONDS_MAX as i64 },
    "Holds the money first and captures it by itself so many seconds after it was authorized.",
);
const MERCHANT: Field = Field::new(
    "merchant_id",
    Form::Text(&TextRule::REFERENCE),
    "The key's own merchant; ignored in test mode.",
);
const CALLBACK: Field = Field::new("callback_url", Form::Url, "Where this one payment's notices go.");
const RETURN: Field =
    Field::new("return_url", Form::Url, "Where the customer's browser returns; `payment_id` is appended.");
const METADATA: Field = Field::new("metadata", Form::Metadata, "Your own data, given back as it came.");
const ORDER: Field = Field::new(
    "order_id",
    Form::Text(&TextRule::REFERENCE),
    "Your order. A second payment of an order that is open or paid is refused.",
);
const DUPLICATE: Field = Field::new(
    "allow_duplicate_order",
    Form::Flag,
    "Lets the order be charged although it has a payment that is open or paid.",
);
const PROVIDER: Field =
    Field::new("provider", Form::Text(&TextRule::WORD), "Asks for one provider, by its id.");
const DESCRIPTION: Field = Field::new(
    "description",
    Form::Text(&TextRule::DESCRIPTION),
    "What is paid, for people. No card numbers.",
);
const DESCRIPTOR: Field =
    Field::new("statement_descriptor", Form::Text(&TextRule::DESCRIPTOR), "What a card statement shows.");
const EMAIL: Field = Field::new("customer_email", Form::Email, "Where the receipt goes.");
const PURPOSE: Field = Field::new(
    "purpose",
    Form::Words(&["payment", "verification"]),
    "`verification` checks a method, with an `amount` of 0. `payment` if absent.",
);
const CONFIRM: Field = Field::new(
    "confirm",
    Form::Flag,
    "Whether to charge at once: true if a `payment_method` is given, else false.",
);

static CREATE: Body = Body {
    name: "CreatePayment",
    about: "A payment. With a `payment_method` it is charged at once.",
    parser: &tables::CREATE,
    fields: &[
        Field::new(
            "amount",
            Form::Amount { zero: true },
            "In minor units: 1000 is USD 10.00. 0 with `purpose: \
            verification` alone.",
        )
        .required(),
        Field::new("currency", Form::Currency, "Of the amount.").required(),
        Field::new("payment_method", METHOD, "With what is paid: a card, UPI, or a provider's token."),
        CAPTURE_METHOD,
        CONFIRM,
        Field::new(
            "customer_id",
            Form::Text(&TextRule::REFERENCE),
            "The customer: your own reference, or our id.",
        )
        .also(&["user_id"]),
        ORDER,
        DUPLICATE,
        DESCRIPTION,
        DESCRIPTOR,
        EMAIL,
        METADATA,
        RETURN,
        CALLBACK,
        PROVIDER.also(&["gateway"]),
        PURPOSE,
        MERCHANT,
        DELAY,
        OFF_SESSION,
        NETWORK_LINK,
        THREE_D_SECURE,
        SAVE,
        BILLING,
        SHIPPING,
        IP,
        DEVICE,
        BROWSER,
        TERMINAL,
    ],
    example: r#"{"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
        "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}}"#,
};

static CREATE_IN_PAISA: Body = Body {
    name: "CreatePaymentInPaisa",
    about: "The same for Indian rupees, in the words of an Indian integration; answers carry them too.",
    parser: &tables::CREATE,
    fields: &[
        Field::new("amount_paisa", Form::Amount { zero: true }, "In paisa: 10000 is INR 100.00.").required(),
        Field::new("payment_method", WORD, "`UPI`.").required(),
        Field::new("payment_details", Form::Object(&UPI_DETAILS), "The payer's address."),
        Field::new(
            "user_id",
            Form::Text(&TextRule::REFERENCE),
            "The customer: your own reference, or our id.",
        ),
        MERCHANT,
        CALLBACK,
        RETURN,
        METADATA,
        ORDER,
        DUPLICATE,
        DESCRIPTION,
        EMAIL,
    ],
    example: r#"{"amount_paisa": 10000, "payment_method": "UPI", 
        "payment_details": {"vpa": "success@bank"}}"#,
};

static CREATE_PAYMENT: Operation = Operation::new("create_payment", "POST", "/payments", TAG)
    .says(
        "Create a payment",
        "Makes a payment and, if a `payment_method` is given, charges it at once. Send an \
            `Idempotency-Key`, so that a request that you must repeat charges nobody twice.\n\n\
            A decline is a 402 with the payment's id: the payment exists and can be confirmed again with \
            another method.",
    )
    .needs(&[&CREATE, &CREATE_IN_PAISA])
    .answers(&[
        Answer::new(201, "The payment. `next_action` says what the customer must do, if anything.", PAYMENT)
            .links(ONWARD),
        ACCEPTED,
    ])
    .problems(&[
        METHODS,
        STORED_METHODS,
        FREE_TEXT,
        CHARGES,
        &[
            &code::INVALID_AMOUNT,
            &code::INVALID_CURRENCY,
            &code::INVALID_URL,
            &code::INVALID_METADATA,
            &code::ORDER_ALREADY_CHARGED,
            &code::NOT_FOUND,
        ],
    ])
    .samples(&[
        Sample::new("card", "By card").body(
            r#"{"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
                "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"},
                "customer_id": "cust_123", "description": "Blue mug", "metadata": {"basket": "b-17"}}"#,
        ),
        Sample::new("held", "Hold the money, take it later").body(
            r#"{"amount": 5000, "currency": "EUR", "capture_method": "manual",
                "payment_method": "tok_visa"}"#,
        ),
        Sample::new("upi", "UPI in paisa").body(
            r#"{"amount_paisa": 10000, "user_id": "user_17", "payment_method": "UPI",
                "payment_details": {"vpa": "success@bank"}}"#,
        ),
        Sample::new("declined", "A decline")
            .body(r#"{"amount": 1000, "currency": "USD", "payment_method": "tok_insufficient_funds"}"#),
        Sample::new("misspelt", "A misspelt field")
            .body(r#"{"amount": 1000, "curency": "USD", "payment_method": "tok_visa"}"#),
    ]);

const PAGE: Answer =
    Answer::new(200, "A page of payments.", Content::json::<ListObject<PaymentObject<'static>>>());

static LIST_PAYMENTS: Operation = Operation::new("list_payments", "GET", "/payments", TAG)
    .says(
        "List payments",
        "Newest first. A page stays what it is while payments are made: send `next_cursor` as `cursor`, \
            with the same filters.\n\nBy customer, order and time the list is exact at once; by the other \
            filters it may be a second behind.",
    )
    .query(Query {
        parser: PAYMENT_FILTERS,
        parameters: &[
            LIMIT,
            CURSOR,
            Field::new("status", Form::Schema(STATUS), "Only payments that stand there."),
            Field::new("amount", Form::Amount { zero: true }, "Only of this amount, in minor units."),
            Field::new("amount_from", Form::Amount { zero: true }, "Only of at least this amount."),
            Field::new("amount_to", Form::Amount { zero: true }, "Only of at most this amount."),
            Field::new("currency", Form::Currency, "Only in this currency."),
            Field::new(
                "customer_id",
                Form::Text(&FILTER_TEXT),
                "Only of this customer: your reference, or our id.",
            )
            .also(&["user_id"]),
            Field::new("order_id", Form::Text(&FILTER_TEXT), "Only of this order."),
            Field::new("payment_method", Form::Schema(METHOD_KIND), "Only by this method."),
            Field::new("provider", Form::Text(&TextRule::WORD), "Only at this provider.").also(&["gateway"]),
            Field::new("last4", Form::Pattern("^[0-9]{4}$"), "Only with a card that ends so."),
            CREATED_FROM,
            CREATED_TO,
        ],
    })
    .answers(&[PAGE])
    .samples(&[Sample::new("page", "A page").of(Need::PaidPayment).query("limit=1")]);

static SEARCH_PAYMENTS: Operation = Operation::new("search_payments", "GET", "/payments/search", TAG)
    .says(
        "Search payments",
        "By any reference of ours, of yours or of the provider, as a whole. It may be a second behind.",
    )
    .query(Query {
        parser: SEARCH,
        parameters: &[
            Field::new(
                "query",
                Form::Text(&SEARCH_TEXT),
                "An id or reference of a payment, refund, attempt, operation, dispute, order or customer, a \
                 provider's reference, a network transaction id, a card's last four digits, or an e-mail \
                 address.",
            )
            .required(),
            LIMIT,
            CURSOR,
        ],
    })
    .answers(&[PAGE])
    .samples(&[Sample::new("by_id", "By a payment's id").of(Need::PaidPayment).query("query={id}")]);

static GET_PAYMENT: Operation = Operation::new("get_payment", "GET", "/payments/{id}", TAG)
    .says("Get a payment", "The payment with its attempts and refunds.")
    .query(Query { parser: get::KNOWN, parameters: &[CLIENT_SECRET] })
    .answers(&[Answer::new(200, "The payment.", PAYMENT).links(ONWARD)])
    .samples(&[Sample::new("paid", "A paid payment").of(Need::PaidPayment)]);

static GET_TIMELINE: Operation =
    Operation::new("get_payment_timeline", "GET", "/payments/{id}/timeline", TAG)
        .says(
            "Get a payment's whole story",
            "Every event, attempt, operation, redacted exchange, notice and posting, oldest first.",
        )
        .query(Query { parser: timeline::KNOWN, parameters: &[LIMIT, CURSOR] })
        .answers(&[Answer::new(
            200,
            "A page of its story.",
            Content::json::<ListObject<MomentObject<'static>>>(),
        )])
        .samples(&[Sample::new("beginning", "How it began").of(Need::PaidPayment).query("limit=3")]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&CREATE_PAYMENT, &LIST_PAYMENTS, &SEARCH_PAYMENTS, &GET_PAYMENT, &GET_TIMELINE];
