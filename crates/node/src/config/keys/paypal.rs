//! The accounts at PayPal.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, PAYPAL_ENVIRONMENT, SECRET, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "payment.paypal",
    about: "The first merchant's account at PayPal.",
    keys: &[
        key!(
            "payment.paypal.enabled",
            ["providers.paypal.enabled"],
            BOOLEAN => providers.paypal.enabled,
            Is("true"),
            "Whether PayPal is charged; if not, what is open there is still finished."
        ),
        key!(
            "payment.paypal.client_id",
            ["providers.paypal.client_id", "PAYPAL_CLIENT_ID"],
            SECRET => providers.paypal.own.client_id,
            Unset("\"AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4\""),
            "The client id of the app."
        ),
        key!(
            "payment.paypal.client_secret",
            ["providers.paypal.client_secret", "PAYPAL_CLIENT_SECRET"],
            SECRET => providers.paypal.own.client_secret,
            Unset("\"EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQS\""),
            "The app's secret."
        ),
        key!(
            "payment.paypal.environment",
            ["providers.paypal.environment"],
            PAYPAL_ENVIRONMENT => providers.paypal.environment,
            Is("\"live\""),
            "Of which of PayPal's worlds the app is: `live`, or `sandbox` for the test world."
        ),
        key!(
            "payment.paypal.webhook_id",
            ["providers.paypal.webhook_id"],
            SECRET => providers.paypal.own.webhook_id,
            Unset("\"1JE4291016473214C\""),
            "The id that PayPal gave to the webhook endpoint; several with commas between, while it is moved."
        ),
        key!(
            "payment.paypal.brand_name",
            ["providers.paypal.brand_name"],
            TEXT => providers.paypal.brand_name,
            Unset("\"Ada's shop\""),
            "What the payer reads on PayPal's page."
        ),
        key!(
            "payment.paypal.webhook_roots",
            ["providers.paypal.webhook_roots"],
            SECRET => providers.paypal.webhook_roots,
            Unset("\"-----BEGIN CERTIFICATE-----…\""),
            "Root certificates (PEM) in the place of the built-in ones, should PayPal sign under another."
        ),
        key!(
            "payment.paypal.base_url",
            ["providers.paypal.base_url"],
            WEB_ADDRESS => providers.paypal.base_url,
            Unset("\"https://paypal.example.com\""),
            "Another address of PayPal's API: a simulation of it."
        ),
    ],
};

pub(super) const TEST: Section = Section {
    name: "payment.paypal.test",
    about: "A second account at PayPal, of its sandbox, for the test world beside a live one.",
    keys: &[
        key!(
            "payment.paypal.test.client_id",
            ["providers.paypal.test.client_id"],
            SECRET => providers.paypal.test.client_id,
            Unset("\"AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4\""),
            "The client id of an app of the sandbox."
        ),
        key!(
            "payment.paypal.test.client_secret",
            ["providers.paypal.test.client_secret"],
            SECRET => providers.paypal.test.client_secret,
            Unset("\"EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQS\""),
            "That app's secret."
        ),
        key!(
            "payment.paypal.test.webhook_id",
            ["providers.paypal.test.webhook_id"],
            SECRET => providers.paypal.test.webhook_id,
            Unset("\"1JE4291016473214C\""),
            "The id of that app's webhook endpoint."
        ),
    ],
};
