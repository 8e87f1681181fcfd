//! What is logged, and how.

use crate::config::key::DefaultValue::Is;
use crate::config::key::{Section, key};
use crate::config::read::{LOG_FORMAT, LOG_LEVEL};

pub(super) const SECTION: Section = Section {
    name: "log",
    about: "What is logged, and how.",
    keys: &[
        key!(
            "log.level",
            ["LOG_LEVEL"],
            LOG_LEVEL => log.level,
            Is("\"info\""),
            "From which severity on."
        ),
        key!(
            "log.requests",
            [],
            LOG_LEVEL => log.requests,
            Is("\"info\""),
            "At which severity each request leaves a line; below log.level it leaves none."
        ),
        key!(
            "log.format",
            [],
            LOG_FORMAT => log.format,
            Is("\"auto\""),
            "For people, for machines, or \"auto\": for people on a terminal, JSON elsewhere."
        ),
    ],
};
