//! Every merchant's defaults.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{
    BOOLEAN, CAPTURE_DELAY, CURRENCIES, DURATION, LATE_SUCCESS, MINOR_UNITS, PROVIDER, TEXT, VPA, WEB_ADDRESS,
};

pub(super) const SECTION: Section = Section {
    name: "payment",
    about: "Every merchant's defaults.",
    keys: &[
        key!(
            "payment.default_gateway",
            [],
            PROVIDER => payment.default_gateway,
            Unset("\"sandbox\""),
            "Which provider charges when a payment does not name one. Without it: the sandbox, in test \
             worlds."
        ),
        key!(
            "payment.return_url",
            [],
            WEB_ADDRESS => payment.return_url,
            Unset("\"https://shop.example.com/paid\""),
            "Where browsers return when a payment does not say."
        ),
        key!(
            "payment.statement_descriptor",
            ["payment.stripe.statement_descriptor"],
            TEXT => payment.statement_descriptor,
            Unset("\"EXAMPLE SHOP\""),
            "What the customer's statement shows when a payment does not say; with its suffix at most 22 \
             characters."
        ),
        key!(
            "payment.statement_descriptor_suffix",
            ["payment.stripe.statement_descriptor_suffix"],
            TEXT => payment.statement_descriptor_suffix,
            Unset("\"store\""),
            "Stands behind the statement descriptor, parted by `* `."
        ),
        key!(
            "payment.supported_currencies",
            ["currencies.supported"],
            CURRENCIES => payment.supported_currencies,
            Unset("[\"USD\", \"EUR\"]"),
            "The currencies that payments may have; in the environment with commas between. Without it: \
             every currency that the provider takes."
        ),
        key!(
            "payment.auto_capture",
            [],
            BOOLEAN => payment.auto_capture,
            Is("true"),
            "Whether a payment that does not say takes the money at once; if not, it only holds it until \
             somebody captures."
        ),
        key!(
            "payment.capture_delay_seconds",
            [],
            CAPTURE_DELAY => payment.capture_delay_seconds,
            Is("0"),
            "After how many seconds a payment that does not say is captured by itself; until then the \
             money is held."
        ),
        key!(
            "payment.tds_threshold",
            [],
            MINOR_UNITS => payment.tds_threshold,
            Unset("3000"),
            "From this amount on, in minor units of whatever currency, cards are charged with 3-D Secure \
             alone."
        ),
        key!(
            "payment.late_success",
            [],
            LATE_SUCCESS => payment.late_success,
            Is("\"reverse\""),
            "A success that comes after the merchant was told otherwise is given back: \"reverse\"; or \
             stays, if nothing else paid for the same thing: \"keep\"."
        ),
        key!(
            "payment.expires_in",
            [],
            DURATION => payment.expires_in,
            Is("\"24h\""),
            "After which a charge that waits for the customer is given up, and the payment cancelled."
        ),
        key!(
            "payment.unattached_methods_expire_in",
            [],
            DURATION => payment.unattached_methods_expire_in,
            Is("\"7d\""),
            "After which a payment method that belongs to no customer is deleted, with its card: one that a \
             page made, and nobody attached."
        ),
    ],
};

pub(super) const UPI: Section = Section {
    name: "payment.upi",
    about: "UPI requests.",
    keys: &[
        key!(
            "payment.upi.payee_vpa",
            [],
            VPA => payment.upi.payee_vpa,
            Is("\"merchant@bank\""),
            "Who is paid."
        ),
        key!(
            "payment.upi.payee_name",
            [],
            TEXT => payment.upi.payee_name,
            Is("\"Merchant\""),
            "Who is paid, as the payer's app shows it."
        ),
        key!(
            "payment.upi.expires_in",
            [],
            DURATION => payment.upi.expires_in,
            Is("\"15m\""),
            "After which a UPI request that nobody approved is cancelled."
        ),
    ],
};
