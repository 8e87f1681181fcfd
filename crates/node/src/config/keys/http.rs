//! The operator's own adapter.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, MODE, SECRET, TEXT, WEB_ADDRESS};

pub(super) const SECTION: Section = Section {
    name: "payment.http",
    about: "The first merchant's account behind an adapter of the operator's own: docs/providers/http.md.",
    keys: &[
        key!(
            "payment.http.enabled",
            ["providers.http.enabled"],
            BOOLEAN => providers.http.enabled,
            Is("true"),
            "Whether it is charged; if not, what is open there is still finished."
        ),
        key!(
            "payment.http.base_url",
            ["providers.http.base_url"],
            WEB_ADDRESS => providers.http.base_url,
            Unset("\"https://adapter.internal.example\""),
            "Where the adapter is."
        ),
        key!(
            "payment.http.signing_secret",
            ["providers.http.signing_secret"],
            SECRET => providers.http.signing_secret,
            Unset("\"what both sides know\""),
            "What requests are signed with."
        ),
        key!(
            "payment.http.webhook_secret",
            ["providers.http.webhook_secret"],
            SECRET => providers.http.webhook_secret,
            Unset("\"whsec_…\""),
            "What its notices are signed with; several with commas between, while one is rolled."
        ),
        key!(
            "payment.http.capabilities",
            ["providers.http.capabilities"],
            TEXT => providers.http.capabilities,
            Unset("\"manual_capture, void, refund\""),
            "What it has of the capabilities on its page, with commas between; all, without it."
        ),
        key!(
            "payment.http.environment",
            ["providers.http.environment"],
            MODE => providers.http.environment,
            Is("\"live\""),
            "In which world it charges: \"test\" or \"live\"."
        ),
    ],
};
