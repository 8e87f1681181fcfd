//! What PayPal's page of the documentation says.

use provider_kit::{Guide, SettingRow};

use crate::decline;

const fn setting(name: &'static str, help: &'static str) -> SettingRow {
    SettingRow { name, help }
}

pub(crate) static GUIDE: Guide = Guide {
    set_up: include_str!("guide/set_up.md"),
    settings: &[
        setting("payment.paypal.client_id", "The client id of the app. Also `PAYPAL_CLIENT_ID`."),
        setting(
            "payment.paypal.client_secret",
            "The app's secret, by value, `file:` or `env:`. Also `PAYPAL_CLIENT_SECRET`.",
        ),
        setting(
            "payment.paypal.environment",
            "`live` or `sandbox`: which of PayPal's worlds the app is of. `sandbox` makes the account of the \
             first merchant's test world.",
        ),
        setting(
            "payment.paypal.webhook_id",
            "The id that PayPal gave to the webhook endpoint; while it is moved, both with a comma between.",
        ),
        setting("payment.paypal.brand_name", "The name that the payer reads on PayPal's page."),
        setting(
            "payment.paypal.webhook_roots",
            "Root certificates (PEM, rather as `file:`) in the place of the built-in ones, should PayPal \
             sign under another.",
        ),
        setting("payment.paypal.base_url", "Another address of the API: a simulation of it."),
        setting("payment.paypal.enabled", "`false` leaves the account out."),
    ],
    declines: decline::TABLE,
    notes: include_str!("guide/notes.md"),
};
