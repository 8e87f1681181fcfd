//! What a request may say of the payer.

use crate::input::{TextRule, payer, tables};
use crate::openapi::body::{Body, Field, Form};

/// A postal address.
pub(super) static ADDRESS: Body = Body {
    name: "AddressInput",
    about: "A postal address; give what you know.",
    parser: &tables::ADDRESS,
    fields: &[
        Field::new("name", Form::Text(&TextRule::NAME), "Whose."),
        Field::new("phone", Form::Text(&payer::PHONE), "Their telephone number."),
        Field::new("line1", Form::Text(&payer::LINE), "Street and number."),
        Field::new("line2", Form::Text(&payer::LINE), "Flat, floor, building."),
        Field::new("city", Form::Text(&payer::LINE), "City, town or village."),
        Field::new("state", Form::Text(&payer::LINE), "State, province or region."),
        Field::new("postal_code", Form::Text(&payer::POSTAL_CODE), "As the country writes it."),
        Field::new("country", Form::Pattern("^[A-Z]{2}$"), "ISO 3166-1 alpha-2."),
    ],
    example: r#"{"name": "Ada Byron", "line1": "12 St James's Square", "city": "London", "country": "GB"}"#,
};

pub(super) const BILLING: Field =
    Field::new("billing_address", Form::Object(&ADDRESS), "Where the bill goes.");
pub(super) const SHIPPING: Field =
    Field::new("shipping_address", Form::Object(&ADDRESS), "Where the goods go.");
pub(super) const IP: Field = Field::new("ip_address", Form::Ip, "The payer's address on the network.");
pub(super) const DEVICE: Field =
    Field::new("device_fingerprint", Form::Text(&TextRule::TOKEN), "The payer's device, as you know it.");
pub(super) const BROWSER: Field =
    Field::new("user_agent", Form::Text(&payer::USER_AGENT), "What the payer's browser says of itself.");
pub(super) const TERMINAL: Field = Field::new("terminal_id", Form::Text(&TextRule::WORD), "Your terminal.");
pub(super) const OFF_SESSION: Field = Field::new(
    "off_session",
    Form::Flag,
    "The payer is not there: a stored credential is charged, and nobody can answer a challenge.",
);
pub(super) const NETWORK_LINK: Field = Field::new(
    "network_transaction_id",
    Form::Text(&TextRule::WORD),
    "The charge with which the payer agreed, for `off_session` charges of credentials stored elsewhere.",
);
pub(super) const THREE_D_SECURE: Field = Field::new(
    "three_d_secure",
    Form::Words(&["automatic", "required"]),
    "`required`: the payer is always authenticated. `automatic` if absent.",
);
pub(super) const SAVE: Field = Field::new(
    "save_payment_method",
    Form::Flag,
    "Stores what is charged for later charges of the customer, once the charge succeeds.",
);
