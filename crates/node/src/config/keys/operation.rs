//! How one call to a provider is driven.

use crate::config::key::DefaultValue::Is;
use crate::config::key::{Section, key};
use crate::config::read::{COUNT, DURATION, RECORD_EXCHANGES};

pub(super) const SECTION: Section = Section {
    name: "operation",
    about: "How one call to a provider is driven. The rules behind these are in docs/reliability.md.",
    keys: &[
        key!(
            "operation.send_deadline",
            [],
            DURATION => operation.send_deadline,
            Is("\"10s\""),
            "How long after it was written down a call may begin."
        ),
        key!(
            "operation.reply_timeout",
            [],
            DURATION => operation.reply_timeout,
            Is("\"20s\""),
            "How long an answer is awaited."
        ),
        key!(
            "operation.margin",
            [],
            DURATION => operation.margin,
            Is("\"5s\""),
            "Slack between the clocks of nodes."
        ),
        key!(
            "operation.lookup_first",
            [],
            DURATION => operation.lookup_first,
            Is("\"5s\""),
            "When an unknown outcome is first looked up; the pause doubles each time, up to the longest."
        ),
        key!(
            "operation.lookup_longest",
            [],
            DURATION => operation.lookup_longest,
            Is("\"1h\""),
            "The longest pause between two look-ups."
        ),
        key!(
            "operation.horizon",
            [],
            DURATION => operation.horizon,
            Is("\"72h\""),
            "After which people must decide about what is still unknown."
        ),
        key!(
            "operation.repeat_charges_within",
            [],
            DURATION => operation.repeat_charges_within,
            Is("\"15m\""),
            "How long after it was written down a charge may be repeated at all."
        ),
        key!(
            "operation.calls_at_once",
            [],
            COUNT => operation.calls_at_once,
            Is("2048"),
            "How many calls of one provider account may be under way on a node. New requests beyond are \
             answered 503 with Retry-After, so that a provider that became slow does not take the place of \
             the others."
        ),
        key!(
            "operation.record_exchanges",
            [],
            RECORD_EXCHANGES => operation.record_exchanges,
            Is("\"failures\""),
            "Which conversations with providers are kept, redacted, for a payment's timeline: \"all\" of \
             them, those that did not end in success (\"failures\"), or \"none\"."
        ),
    ],
};
