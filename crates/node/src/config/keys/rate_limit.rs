//! How often somebody may call.

use crate::config::key::DefaultValue::Is;
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, RATE};

pub(super) const SECTION: Section = Section {
    name: "rate_limit",
    about: "How often somebody may call: a number and s, m, h or d. Each node counts for itself.",
    keys: &[
        key!(
            "rate_limit.enabled",
            ["RATE_LIMIT_ENABLED"],
            BOOLEAN => rate_limit.enabled,
            Is("true"),
            "Whether anything is limited."
        ),
        key!(
            "rate_limit.test_mode",
            [],
            BOOLEAN => rate_limit.test_mode,
            Is("false"),
            "Whether test worlds are limited too; off, so that load can be tried."
        ),
        key!(
            "rate_limit.api",
            [],
            RATE => rate_limit.api,
            Is("\"100/s\""),
            "Requests per key, per key and address for publishable keys, and per address for what comes \
             without a valid key."
        ),
        key!(
            "rate_limit.webhooks",
            [],
            RATE => rate_limit.webhooks,
            Is("\"100/s\""),
            "Providers' notices and signed events per address."
        ),
        key!(
            "rate_limit.monitoring",
            [],
            RATE => rate_limit.monitoring,
            Is("\"10/m\""),
            "Requests to /monitoring/… with the monitoring key."
        ),
        key!(
            "rate_limit.order",
            [],
            RATE => rate_limit.order,
            Is("\"5/h\""),
            "Attempts to charge one order, or one payment without an order."
        ),
        key!(
            "rate_limit.customer",
            [],
            RATE => rate_limit.customer,
            Is("\"60/h\""),
            "Attempts to charge one customer."
        ),
        key!(
            "rate_limit.payer",
            [],
            RATE => rate_limit.payer,
            Is("\"60/m\""),
            "Attempts to charge from one address of a payer; many payers may share one."
        ),
    ],
};
