//! What Stripe's page of the documentation says.

use provider_kit::{Guide, SettingRow};

use crate::decline;

const fn setting(name: &'static str, help: &'static str) -> SettingRow {
    SettingRow { name, help }
}

pub(crate) static GUIDE: Guide = Guide {
    set_up: include_str!("guide/set_up.md"),
    settings: &[
        setting(
            "payment.stripe.secret_key",
            "The secret key (`sk_…`) or a restricted one (`rk_…`), by value, `file:` or `env:`. Its own \
             prefix says whether it opens the test or the live world. Also `STRIPE_SECRET_KEY`.",
        ),
        setting(
            "payment.stripe.webhook_secret",
            "The signing secret of the webhook endpoint (`whsec_…`); while it is rolled, both with a comma \
             between. Also `STRIPE_WEBHOOK_SECRET`.",
        ),
        setting("payment.stripe.publishable_key", "For browsers (`pk_…`)."),
        setting(
            "payment.stripe.account_id",
            "Our own account (`acct_…`): what is open stays open when the secret key is rolled.",
        ),
        setting(
            "payment.stripe.connected_account",
            "Stripe Connect: the account (`acct_…`) in whose name everything is done.",
        ),
        setting(
            "payment.stripe.multicapture",
            "Several captures of one authorization, where Stripe offers it.",
        ),
        setting(
            "payment.stripe.incremental_authorization",
            "Holding more on an authorization, where Stripe offers it.",
        ),
        setting(
            "payment.stripe.test.secret_key",
            "A second account, for the test world beside a live one; with `test.webhook_secret` and \
             `test.publishable_key`.",
        ),
        setting("payment.stripe.base_url", "Another address of the API: a simulation of it."),
        setting("payment.stripe.enabled", "`false` leaves the account out."),
    ],
    declines: decline::TABLE,
    notes: include_str!("guide/notes.md"),
};
