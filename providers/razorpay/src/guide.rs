//! What Razorpay's page of the documentation says.

use provider_kit::{Guide, SettingRow};

use crate::decline;

const fn setting(name: &'static str, help: &'static str) -> SettingRow {
    SettingRow { name, help }
}

pub(crate) static GUIDE: Guide = Guide {
    set_up: include_str!("guide/set_up.md"),
    settings: &[
        setting(
            "payment.razorpay.key_id",
            "The id of the key: `rzp_test_…` makes the account of the first merchant's test world. Id and \
             secret together, `id:secret`, are also `CARD_GATEWAY_API_KEY`.",
        ),
        setting("payment.razorpay.key_secret", "The key's secret, by value, `file:` or `env:`."),
        setting(
            "payment.razorpay.webhook_secret",
            "What the webhook endpoint's secret was set to; while it is rolled, both with a comma between.",
        ),
        setting("payment.razorpay.business_name", "The name that the payer reads on Razorpay's page."),
        setting(
            "payment.razorpay.payer_email",
            "The e-mail address that Razorpay is given for payments that do not begin on its page.",
        ),
        setting("payment.razorpay.payer_contact", "The phone number for them, with the country's code."),
        setting("payment.razorpay.payer_ip", "The payer's address on the network for them."),
        setting(
            "payment.razorpay.refund_speed",
            "`normal` (days), or `optimum`: at once where Razorpay can, for a fee.",
        ),
        setting("payment.razorpay.base_url", "Another address of the API: a simulation of it."),
        setting("payment.razorpay.enabled", "`false` leaves the account out."),
    ],
    declines: decline::TABLE,
    notes: include_str!("guide/notes.md"),
};
