//! What other systems send, and who may see how the server is.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{DURATION, MODE, SECRET};

pub(super) const SECTION: Section = Section {
    name: "webhooks",
    about: "Signed events of other systems, at POST /webhooks/payments.",
    keys: &[
        key!(
            "webhooks.hmac_secret",
            ["HMAC_SECRET_KEY"],
            SECRET => webhooks.hmac_secret,
            Unset("\"what both sides know\""),
            "What events at /webhooks/payments are signed with. They are records of the first merchant's, \
             and move no money. Without it the route does not exist."
        ),
        key!(
            "webhooks.mode",
            [],
            MODE => webhooks.mode,
            Is("\"test\""),
            "In which of its worlds, and so with which of its keys they are read: \"test\" or \"live\"."
        ),
        key!(
            "webhooks.max_age",
            ["MAX_WEBHOOK_AGE_SECONDS"],
            DURATION => webhooks.max_age,
            Is("\"5m\""),
            "How old the signature of such an event may be."
        ),
    ],
};

pub(super) const MONITORING: Section = Section {
    name: "monitoring",
    about: "What a monitoring system is told.",
    keys: &[key!(
        "monitoring.api_key",
        ["MONITORING_API_KEY"],
        SECRET => monitoring.api_key,
        Unset("\"what the monitoring sends\""),
        "Opens /monitoring/errors and /monitoring/health, in the header X-API-Key. Without it these routes \
         refuse everybody; /health, /ready and /metrics need no key."
    )],
};
