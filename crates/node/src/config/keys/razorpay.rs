//! The accounts at Razorpay.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, RAZORPAY_KEY, RAZORPAY_KEY_ID, REFUND_SPEED, SECRET, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "payment.razorpay",
    about: "The first merchant's account at Razorpay.",
    keys: &[
        key!(
            "payment.razorpay.enabled",
            ["providers.razorpay.enabled"],
            BOOLEAN => providers.razorpay.enabled,
            Is("true"),
            "Whether Razorpay is charged; if not, what is open there is still finished."
        ),
        key!(
            "payment.razorpay.key_id",
            ["providers.razorpay.key_id"],
            RAZORPAY_KEY_ID => providers.razorpay.own.key_id,
            Unset("\"rzp_live_1DP5mmOlF5G5ag\""),
            "The id of the API key; `rzp_test_…` is of the test world."
        ),
        key!(
            "payment.razorpay.key_secret",
            ["providers.razorpay.key_secret"],
            SECRET => providers.razorpay.own.key_secret,
            Unset("\"w4t6LHGzq0cWFyXtPnV2eKdR\""),
            "The key's secret."
        ),
        key!(
            "payment.razorpay.api_key",
            ["CARD_GATEWAY_API_KEY"],
            RAZORPAY_KEY => providers.razorpay.api_key,
            Unset("\"rzp_live_1DP5mmOlF5G5ag:w4t6LHGzq0cWFyXtPnV2eKdR\""),
            "Id and secret of the key in one text, `id:secret`, where they are not given each for itself."
        ),
        key!(
            "payment.razorpay.webhook_secret",
            ["providers.razorpay.webhook_secret"],
            SECRET => providers.razorpay.own.webhook_secret,
            Unset("\"a long random text\""),
            "The secret of the webhook; several with commas between, while it is rolled."
        ),
        key!(
            "payment.razorpay.business_name",
            ["providers.razorpay.business_name"],
            TEXT => providers.razorpay.business_name,
            Unset("\"Ada's shop\""),
            "What the payer reads on Razorpay's page."
        ),
        key!(
            "payment.razorpay.payer_email",
            ["providers.razorpay.payer_email"],
            TEXT => providers.razorpay.payer_email,
            Unset("\"payments@shop.example\""),
            "The e-mail address that Razorpay is told where a payment does not begin on its page."
        ),
        key!(
            "payment.razorpay.payer_contact",
            ["providers.razorpay.payer_contact"],
            TEXT => providers.razorpay.payer_contact,
            Unset("\"+919000090000\""),
            "The phone number that it is told then."
        ),
        key!(
            "payment.razorpay.payer_ip",
            ["providers.razorpay.payer_ip"],
            TEXT => providers.razorpay.payer_ip,
            Unset("\"203.0.113.7\""),
            "The address on the network that it is told then."
        ),
        key!(
            "payment.razorpay.refund_speed",
            ["providers.razorpay.refund_speed"],
            REFUND_SPEED => providers.razorpay.refund_speed,
            Is("\"normal\""),
            "`normal` refunds take days, `optimum` ones are at once where Razorpay can, for a fee."
        ),
        key!(
            "payment.razorpay.base_url",
            ["providers.razorpay.base_url"],
            WEB_ADDRESS => providers.razorpay.base_url,
            Unset("\"https://razorpay.example.com\""),
            "Another address of Razorpay's API: a simulation of it."
        ),
    ],
};

pub(super) const TEST: Section = Section {
    name: "payment.razorpay.test",
    about: "A second account at Razorpay, in its test mode, for the test world beside a live one.",
    keys: &[
        key!(
            "payment.razorpay.test.key_id",
            ["providers.razorpay.test.key_id"],
            RAZORPAY_KEY_ID => providers.razorpay.test.key_id,
            Unset("\"rzp_test_1DP5mmOlF5G5ag\""),
            "The id of a key of the test mode."
        ),
        key!(
            "payment.razorpay.test.key_secret",
            ["providers.razorpay.test.key_secret"],
            SECRET => providers.razorpay.test.key_secret,
            Unset("\"w4t6LHGzq0cWFyXtPnV2eKdR\""),
            "That key's secret."
        ),
        key!(
            "payment.razorpay.test.webhook_secret",
            ["providers.razorpay.test.webhook_secret"],
            SECRET => providers.razorpay.test.webhook_secret,
            Unset("\"a long random text\""),
            "The secret of that mode's webhook."
        ),
    ],
};
