//! What is done with a payment.

use schemars::SchemaGenerator;

use super::method::{METHOD, UPI_DETAILS, WORD};
use super::payer::{
    BILLING, BROWSER, DEVICE, IP, NETWORK_LINK, OFF_SESSION, SAVE, SHIPPING, TERMINAL, THREE_D_SECURE,
};
use super::payments::{ACCEPTED, CHANGED, TAG};
use super::refunds::REFUNDED;
use crate::input::{TextRule, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Need, Operation, Sample};
use crate::openapi::problems::{CHARGES, FREE_TEXT, METHODS, MOVES, STORED_METHODS};
use crate::problem::catalogue as code;
use crate::wire::PaymentObject;

const RETURN: Field =
    Field::new("return_url", Form::Url, "Where the customer's browser returns; `payment_id` is appended.");
const PROVIDER: Field =
    Field::new("provider", Form::Text(&TextRule::WORD), "Asks for one provider, by its id.")
        .also(&["gateway"]);

const CLIENT_SECRET: Field = Field::new(
    "client_secret",
    Form::ClientSecret,
    "Needed with a publishable key: as your server got it with the payment.",
);

static CONFIRM: Body = Body {
    name: "ConfirmPayment",
    about: "With what the payment is charged, if it is not known yet.",
    parser: &tables::CONFIRM,
    fields: &[
        Field::new(
            "payment_method",
            METHOD,
            "A card, UPI, a stored method, or a provider's token; absent, the one that the payment has.",
        ),
        RETURN,
        PROVIDER,
        CLIENT_SECRET,
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
    example: r#"{"payment_method": "tok_visa"}"#,
};

static CONFIRM_BY_WORD: Body = Body {
    name: "ConfirmPaymentByWord",
    about: "The same with the details beside the method's word.",
    parser: &tables::CONFIRM,
    fields: &[
        Field::new("payment_method", WORD, "`UPI`.").required(),
        Field::new("payment_details", Form::Object(&UPI_DETAILS), "The payer's address."),
        RETURN,
        PROVIDER,
        CLIENT_SECRET,
    ],
    example: r#"{"payment_method": "UPI", "payment_details": {"vpa": "success@bank"}}"#,
};

static CAPTURE: Body = Body {
    name: "CapturePayment",
    about: "How much of the held money is taken.",
    parser: &tables::CAPTURE,
    fields: &[
        Field::new(
            "amount",
            Form::Amount { zero: false },
            "In minor units; all that is capturable if absent.",
        )
        .also(&["amount_paisa"]),
        Field::new(
            "final",
            Form::Flag,
            "Whether what is left is released. A capture of all that is left is final.",
        ),
    ],
    example: r#"{"amount": 400}"#,
};

static REFUND: Body = Body {
    name: "RefundPayment",
    about: "How much goes back, and why.",
    parser: &tables::OF_PAYMENT,
    fields: &[
        Field::new(
            "amount",
            Form::Amount { zero: false },
            "In minor units; all that is refundable if absent.",
        )
        .also(&["amount_paisa"]),
        Field::new("reason", Form::Text(&TextRule::REASON), "Why, for people. No card numbers."),
        Field::new("metadata", Form::Metadata, "Your own data, given back as it came."),
    ],
    example: r#"{"amount": 400, "reason": "one mug was broken"}"#,
};

pub(super) static NOTHING: Body = Body {
    name: "Nothing",
    about: "This request has no fields: send no body, or an empty object.",
    parser: &tables::NOTHING,
    fields: &[],
    example: "{}",
};

static CONFIRM_PAYMENT: Operation = Operation::new("confirm_payment", "POST", "/payments/{id}/confirm", TAG)
    .says(
        "Confirm a payment",
        "Charges a payment that was made without a method, or whose last charge failed.",
    )
    .takes(&[&CONFIRM, &CONFIRM_BY_WORD])
    .answers(&[CHANGED, ACCEPTED])
    .problems(&[
        METHODS,
        STORED_METHODS,
        CHARGES,
        MOVES,
        &[&code::INVALID_URL, &code::ORDER_ALREADY_CHARGED, &code::PUBLISHABLE_KEY],
    ])
    .samples(&[Sample::new("token", "By token")
        .of(Need::OpenPayment)
        .body(r#"{"payment_method": "tok_visa"}"#)]);

static CAPTURE_PAYMENT: Operation = Operation::new("capture_payment", "POST", "/payments/{id}/capture", TAG)
    .says("Capture a payment", "Takes held money: all of it, or a part as often as the provider allows.")
    .takes(&[&CAPTURE])
    .answers(&[CHANGED, ACCEPTED])
    .problems(&[MOVES, &[&code::INVALID_AMOUNT, &code::INVALID_CURRENCY, &code::BEYOND_CAPTURABLE]])
    .samples(&[
        Sample::new("part", "A part").of(Need::HeldPayment).body(r#"{"amount": 400}"#),
        Sample::new("all", "All of it").of(Need::HeldPayment),
        Sample::new("too_early", "Nothing is held").of(Need::PaidPayment),
    ]);

static CANCEL_PAYMENT: Operation = Operation::new("cancel_payment", "POST", "/payments/{id}/cancel", TAG)
    .says(
        "Cancel a payment",
        "Gives a payment up and releases what is held. Captured money is refunded instead.",
    )
    .takes(&[&NOTHING])
    .answers(&[CHANGED, ACCEPTED])
    .problems(&[MOVES])
    .samples(&[Sample::new("held", "Release held money").of(Need::HeldPayment)]);

static VOID_PAYMENT: Operation = Operation::new("void_payment", "POST", "/payments/{id}/void", TAG)
    .says("Void a payment", "The same as cancel, in the words of card networks.")
    .takes(&[&NOTHING])
    .answers(&[CHANGED, ACCEPTED])
    .problems(&[MOVES])
    .samples(&[Sample::new("held", "Release held money").of(Need::HeldPayment)]);

static REFUND_PAYMENT: Operation = Operation::new("refund_payment", "POST", "/payments/{id}/refund", TAG)
    .says("Refund a payment", "Gives captured money back: all of it, or parts, up to what was captured.")
    .takes(&[&REFUND])
    .answers(&[REFUNDED, REFUND_OPEN])
    .problems(&[
        MOVES,
        FREE_TEXT,
        &[&code::INVALID_AMOUNT, &code::INVALID_CURRENCY, &code::INVALID_METADATA, &code::BEYOND_REFUNDABLE],
    ])
    .samples(&[Sample::new("part", "A part")
        .of(Need::PaidPayment)
        .body(r#"{"amount": 400, "reason": "one mug was broken"}"#)]);

/// The answer of a refund whose outcome is awaited.
pub(super) const REFUND_OPEN: Answer = Answer::new(
    202,
    "The refund as it is found out; or the payment, if it is not known yet which refund it will be.",
    Content::Json(refund_or_payment),
);

fn refund_or_payment(generator: &mut SchemaGenerator) -> schemars::Schema {
    let refund = generator.subschema_for::<crate::wire::RefundObject<'static>>();
    let payment = generator.subschema_for::<PaymentObject<'static>>();
    schemars::json_schema!({"oneOf": [refund, payment]})
}

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&CONFIRM_PAYMENT, &CAPTURE_PAYMENT, &CANCEL_PAYMENT, &VOID_PAYMENT, &REFUND_PAYMENT];
