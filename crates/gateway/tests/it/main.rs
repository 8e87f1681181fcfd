//! The gateway's tests: the strict reader, the shapes, and the routes over a real node.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::format_collect,
    reason = "a failing test may panic, and may be wasteful"
)]

mod answers;
mod authorization;
mod clients;
mod commands;
mod cors;
mod customers;
mod edges;
mod idempotency;
mod json;
mod limits;
mod lists;
mod metadata;
mod methods;
mod monitor;
mod never_ours;
mod openapi;
mod pagination;
mod policy;
mod problems;
mod query;
mod refusals;
mod routes;
mod sandbox;
mod scripts;
mod server;
mod strangers;
mod timeline;
mod tls;
mod verbs;
mod volume;
mod webhooks;
mod world;
