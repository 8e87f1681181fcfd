//! The accounts at Stripe.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, SECRET, STRIPE_ACCOUNT, STRIPE_KEY, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "payment.stripe",
    about: "The first merchant's account at Stripe.",
    keys: &[
        key!(
            "payment.stripe.enabled",
            ["providers.stripe.enabled"],
            BOOLEAN => providers.stripe.enabled,
            Is("true"),
            "Whether Stripe is charged; if not, what is open there is still finished."
        ),
        key!(
            "payment.stripe.secret_key",
            ["providers.stripe.secret_key", "STRIPE_SECRET_KEY"],
            STRIPE_KEY => providers.stripe.own.secret_key,
            Unset("\"sk_live_…\""),
            "The secret or a restricted key. Its own prefix says whether it is for the test or the live \
             world."
        ),
        key!(
            "payment.stripe.webhook_secret",
            ["providers.stripe.webhook_secret", "STRIPE_WEBHOOK_SECRET"],
            SECRET => providers.stripe.own.webhook_secret,
            Unset("\"whsec_…\""),
            "The signing secret of the webhook endpoint; several with commas between, while one is rolled."
        ),
        key!(
            "payment.stripe.publishable_key",
            ["providers.stripe.publishable_key"],
            TEXT => providers.stripe.own.publishable_key,
            Unset("\"pk_live_…\""),
            "For browsers."
        ),
        key!(
            "payment.stripe.account_id",
            ["providers.stripe.account_id"],
            STRIPE_ACCOUNT => providers.stripe.own.account_id,
            Unset("\"acct_1032D82eZvKYlo2C\""),
            "Whose key it is. With it, what is open stays open when the secret key is rolled."
        ),
        key!(
            "payment.stripe.connected_account",
            ["providers.stripe.connected_account"],
            STRIPE_ACCOUNT => providers.stripe.connected_account,
            Unset("\"acct_1032D82eZvKYlo2C\""),
            "Stripe Connect: in whose name everything is done."
        ),
        key!(
            "payment.stripe.multicapture",
            ["providers.stripe.multicapture"],
            BOOLEAN => providers.stripe.multicapture,
            Is("false"),
            "Several captures of one authorization, where Stripe offers it to the account."
        ),
        key!(
            "payment.stripe.incremental_authorization",
            ["providers.stripe.incremental_authorization"],
            BOOLEAN => providers.stripe.incremental_authorization,
            Is("false"),
            "Holding more on an authorization, where Stripe offers it to the account."
        ),
        key!(
            "payment.stripe.base_url",
            ["providers.stripe.base_url"],
            WEB_ADDRESS => providers.stripe.base_url,
            Unset("\"https://stripe.example.com\""),
            "Another address of Stripe's API: a simulation of it."
        ),
    ],
};

pub(super) const TEST: Section = Section {
    name: "payment.stripe.test",
    about: "A second account at Stripe, for the test world beside a live one.",
    keys: &[
        key!(
            "payment.stripe.test.secret_key",
            ["providers.stripe.test.secret_key"],
            STRIPE_KEY => providers.stripe.test.secret_key,
            Unset("\"sk_test_…\""),
            "A secret or restricted key of the test world."
        ),
        key!(
            "payment.stripe.test.webhook_secret",
            ["providers.stripe.test.webhook_secret"],
            SECRET => providers.stripe.test.webhook_secret,
            Unset("\"whsec_…\""),
            "The signing secret of that world's webhook endpoint."
        ),
        key!(
            "payment.stripe.test.publishable_key",
            ["providers.stripe.test.publishable_key"],
            TEXT => providers.stripe.test.publishable_key,
            Unset("\"pk_test_…\""),
            "For browsers."
        ),
        key!(
            "payment.stripe.test.account_id",
            ["providers.stripe.test.account_id"],
            STRIPE_ACCOUNT => providers.stripe.test.account_id,
            Unset("\"acct_1032D82eZvKYlo2C\""),
            "Whose key it is."
        ),
    ],
};
