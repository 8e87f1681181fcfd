//! Stored payment methods.

use super::method::{CARD_DETAILS, UPI_DETAILS};
use super::payments::{CURSOR, LIMIT};
use crate::input::{TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::openapi::problems::{FREE_TEXT, METHODS, STORED_METHODS};
use crate::problem::{Entry, catalogue as code};
use crate::wire::{CustomerObject, DeletedObject, ListObject, MethodObject, TokenizedObject};

const TAG: &str = "Payment methods";
const METHOD: Content = Content::json::<MethodObject<'static>>();
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
        &code::PROVIDER_CREDENTIALS,
        &code::PROVIDER_RATE_LIMITED,
        &code::UNKNOWN_TOKEN,
        &code::OPERATION_FAILED,
        &code::NO_PROVIDER_ACCOUNT,
        &code::BUSY,
    ],
];

static TOKENIZE_METHOD: Operation =
    Operation::new("tokenize_payment_method", "POST", "/payment-methods/tokenize", TAG)
        .says(
            "Store a payment method",
            "The provider keeps the card; you get an id that can be charged again and again. A publishable \
            key may send no `customer_id` and no `provider`. A method that belongs to no customer is deleted \
            after a while, a week unless the operator set `payment.unattached_methods_expire_in`.",
        )
        .needs(&[&TOKENIZE, &TOKENIZE_UPI])
        .answers(&[Answer::new(
            201,
            "The payment method, also in the words of integrations that keep a `token`.",
            Content::json::<TokenizedObject<'static>>(),
        )
        .links(ONWARD)])
        .problems(&[
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
                &code::PROVIDER_CREDENTIALS,
                &code::PROVIDER_RATE_LIMITED,
                &code::UNKNOWN_TOKEN,
                &code::OPERATION_FAILED,
                &code::NO_PROVIDER_ACCOUNT,
                &code::BUSY,
            ],
        ])
        .samples(&[
            Sample::new("card", "A card").body(
                r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037,
                "cvc": "123"}, "customer_id": "cust_9", "display_name": "Everyday card"}"#,
            ),
            Sample::new("details", "With `details`").body(
                r#"{"user_id": "user_17", "type": "CARD", "details": {"card_number": "4242424242424242",
                "expiry_month": "12", "expiry_year": "37", "cvv": "123", "holder_name": "Ada Byron"},
                "display_name": "Everyday card"}"#,
            ),
        ]);

const PAGE: Answer =
    Answer::new(200, "A page of payment methods.", Content::json::<ListObject<MethodObject<'static>>>());

const LIST_QUERY: Query = Query { parser: tables::METHOD_LIST, parameters: &[LIMIT, CURSOR] };

static LIST_METHODS: Operation =
    Operation::new("list_customer_payment_methods", "GET", "/customers/{id}/payment_methods", TAG)
        .says("List a customer's payment methods", "Newest first.")
        .query(LIST_QUERY)
        .answers(&[PAGE])
        .problems(&[&[&code::UNSUPPORTED_PARAMETER]])
        .samples(&[Sample::new("page", "A page").of(Need::CustomerWithMethod).query("limit=1")]);

static LIST_USERS_METHODS: Operation =
    Operation::new("list_user_payment_methods", "GET", "/users/{id}/payment-methods", TAG)
        .says("List a user's payment methods", "The same list by the name of the user.")
        .query(LIST_QUERY)
        .answers(&[PAGE])
        .problems(&[&[&code::UNSUPPORTED_PARAMETER]])
        .samples(&[Sample::new("page", "A page").of(Need::CustomerWithMethod).query("limit=1")]);

static ATTACH_METHOD: Operation =
    Operation::new("attach_payment_method", "POST", "/customers/{id}/payment_methods", TAG)
        .says("Attach a payment method to a customer", "A new one, or one that is stored already.")
        .needs(&[&ATTACH, &ATTACH_UPI, &ATTACH_STORED])
        .answers(&[Answer::new(200, "The payment method.", METHOD).links(ONWARD)])
        .problems(PROBLEMS)
        .samples(&[Sample::new("card", "A new card").of(Need::Customer).body(
            r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037,
            "cvc": "123"}}"#,
        )]);

static SET_DEFAULT: Operation =
    Operation::new("set_default_payment_method", "POST", "/customers/{id}/default_payment_method", TAG)
        .says(
            "Set a customer's default payment method",
            "The one that an `off_session` payment charges when it names the customer alone.",
        )
        .needs(&[&NAMED])
        .answers(&[Answer::new(
            200,
            "The customer as it stands now.",
            Content::json::<CustomerObject<'static>>(),
        )
        .links(&[same_id("get_customer")])])
        .problems(&[STORED_METHODS, &[&code::BUSY]])
        .samples(&[Sample::new("none", "None")
            .of(Need::CustomerWithMethod)
            .body(r#"{"payment_method": null}"#)]);

static GET_METHOD: Operation = Operation::new("get_payment_method", "GET", "/payment-methods/{id}", TAG)
    .says("Get a payment method", "What is known of it; never the number.")
    .answers(&[Answer::new(200, "The payment method.", METHOD).links(ONWARD)])
    .samples(&[Sample::new("card", "A card").of(Need::PaymentMethod)]);

static DETACH_METHOD: Operation =
    Operation::new("detach_payment_method", "POST", "/payment-methods/{id}/detach", TAG)
        .says("Detach a payment method", "It cannot be charged any more.")
        .takes(&[&super::payment_verbs::NOTHING])
        .answers(&[Answer::new(200, "The payment method as it stands now.", METHOD).links(ONWARD)])
        .problems(&[STORED_METHODS, &[&code::BUSY]])
        .samples(&[Sample::new("card", "A card").of(Need::PaymentMethod)]);

static DELETE_METHOD: Operation =
    Operation::new("delete_payment_method", "DELETE", "/payment-methods/{id}", TAG)
        .says("Delete a payment method", "What is known of it is erased; payments stay.")
        .answers(&[Answer::new(200, "What is left of it.", Content::json::<DeletedObject>())])
        .problems(&[STORED_METHODS, &[&code::BUSY]])
        .samples(&[Sample::new("deleted", "Deleted").of(Need::PaymentMethod)]);

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
