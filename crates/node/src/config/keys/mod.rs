//! The table of settings: everything that knows a setting, from the parser to the manual, knows it from
//! here.

mod database;
mod http;
mod limits;
mod log;
mod operation;
mod payment;
mod paypal;
mod rate_limit;
mod razorpay;
mod routing;
mod sandbox;
mod server;
mod stripe;
mod telemetry;
mod vault;
mod webhooks;

use super::key::{DefaultValue, Key, Section, key};
use super::read::ENCRYPTION_KEY;

/// All settings, in the order of the default configuration.
pub(super) const SECTIONS: &[Section] = &[
    TOP,
    server::SECTION,
    server::TLS,
    database::SECTION,
    vault::SECTION,
    payment::SECTION,
    payment::UPI,
    paypal::SECTION,
    paypal::TEST,
    razorpay::SECTION,
    razorpay::TEST,
    stripe::SECTION,
    stripe::TEST,
    http::SECTION,
    routing::SECTION,
    limits::SECTION,
    rate_limit::SECTION,
    webhooks::SECTION,
    webhooks::MONITORING,
    operation::SECTION,
    sandbox::SECTION,
    sandbox::FAULTS,
    telemetry::METRICS,
    telemetry::OTLP,
    log::SECTION,
];

/// Every key of every section.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

const TOP: Section = Section {
    name: "",
    about: "",
    keys: &[key!(
        "encryption_key",
        ["ENCRYPTION_KEY"],
        ENCRYPTION_KEY => encryption_key,
        DefaultValue::Unset("\"\""),
        "The server secret, equal on all nodes of one database. Without it, SQLite makes a key file in \
         its folder; on PostgreSQL the test worlds' secret is kept in the database, and live keys are \
         refused."
    )],
};
