//! With what is paid.

use crate::input::{TextRule, tables};
use crate::openapi::body::{Body, Field, Form};

const NUMBER: Field =
    Field::new("card_number", Form::Pattern("^[0-9]{12,19}$"), "The number; blanks and dashes are ignored.")
        .also(&["number"]);
const MONTH: Field = Field::new("exp_month", Form::IntegerOrText { min: 1, max: 12 }, "The month of expiry.")
    .also(&["expiry_month"]);
const YEAR: Field = Field::new(
    "exp_year",
    Form::IntegerOrText { min: 0, max: 9999 },
    "The year of expiry; two digits are a year of this century.",
)
.also(&["expiry_year"]);
const CVC: Field =
    Field::new("cvc", Form::Pattern("^[0-9]{3,4}$"), "The security code. It is never stored.").also(&["cvv"]);
const HOLDER: Field = Field::new("holder_name", Form::Text(&TextRule::NAME), "The name on the card.");
const TOKEN: Field =
    Field::new("token", Form::Text(&TextRule::TOKEN), "A provider's token in place of the number.");

/// A card's details.
static CARD: Body = Body {
    name: "CardInput",
    about: "A card by its number, or by a provider's `token` in place of number, expiry and code.",
    parser: &tables::CARD,
    fields: &[
        Field::new("type", Form::Words(&["card"]), "`card`.").required(),
        NUMBER,
        MONTH,
        YEAR,
        CVC,
        HOLDER,
        TOKEN,
    ],
    example: r#"{"type": "card", "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037,
        "cvc": "123"}"#,
};

/// The same where `type` stands beside it.
pub(super) static CARD_DETAILS: Body = Body {
    name: "CardDetails",
    about: "A card by its number, or by a provider's `token` in place of number, expiry and code.",
    parser: &tables::CARD,
    fields: &[
        Field::new("type", Form::Words(&["card"]), "`card`, if you like."),
        NUMBER,
        MONTH,
        YEAR,
        CVC,
        HOLDER,
        TOKEN,
    ],
    example: r#"{"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}"#,
};

/// UPI.
static UPI: Body = Body {
    name: "UpiInput",
    about: "UPI: with the payer's address a request is sent to it, without one the customer scans a code.",
    parser: &tables::UPI,
    fields: &[
        Field::new("type", Form::Words(&["upi"]), "`upi`.").required(),
        Field::new(
            "vpa",
            Form::Pattern("^[a-zA-Z0-9._-]{2,256}@[a-zA-Z][a-zA-Z0-9]{1,63}$"),
            "The payer's UPI address.",
        ),
    ],
    example: r#"{"type": "upi", "vpa": "success@bank"}"#,
};

/// A PayPal account.
static PAYPAL: Body = Body {
    name: "PaypalInput",
    about: "A PayPal account: its owner is asked on a page of PayPal's, or agreed before.",
    parser: &tables::PAYPAL,
    fields: &[
        Field::new("type", Form::Words(&["paypal"]), "`paypal`.").required(),
        Field::new(
            "token",
            Form::Text(&TextRule::TOKEN),
            "PayPal's payment token of an owner who agreed before; absent, they are asked.",
        ),
    ],
    example: r#"{"type": "paypal"}"#,
};

/// What is paid on a provider's pages.
static HOSTED: Body = Body {
    name: "HostedInput",
    about: "Paid on the provider's own page (`checkout`), or at a bank, with a wallet or a lender (`emi`) \
            that it sends the payer to.",
    parser: &tables::HOSTED,
    fields: &[
        Field::new("type", Form::Words(&["checkout", "net_banking", "wallet", "emi"]), "Which.").required(),
        Field::new(
            "provider_code",
            Form::Text(&TextRule::WORD),
            "The bank, wallet or lender, by its code at the provider; absent, the payer picks.",
        ),
    ],
    example: r#"{"type": "net_banking", "provider_code": "HDFC"}"#,
};

/// `payment_method`.
pub(super) const METHOD: Form = Form::OneOf(
    "PaymentMethodInput",
    &[
        Form::Object(&CARD),
        Form::Object(&UPI),
        Form::Object(&PAYPAL),
        Form::Object(&HOSTED),
        Form::Pattern("^(tok|pm)_[0-9A-Za-z_]{1,250}$"),
    ],
);

/// `payment_method` of the paisa form, whose details stand beside it.
pub(super) const WORD: Form = Form::Pattern("^[Uu][Pp][Ii]$");

/// `payment_details`.
pub(super) static UPI_DETAILS: Body = Body {
    name: "UpiDetails",
    about: "The details of the UPI that `payment_method` names.",
    parser: &tables::UPI,
    fields: &[
        Field::new("type", Form::Words(&["upi"]), "`upi`, if you like."),
        Field::new(
            "vpa",
            Form::Pattern("^[a-zA-Z0-9._-]{2,256}@[a-zA-Z][a-zA-Z0-9]{1,63}$"),
            "The payer's UPI address.",
        ),
    ],
    example: r#"{"vpa": "success@bank"}"#,
};
