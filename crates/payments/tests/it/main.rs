//! Payments over the memory store and the sandbox bank, under a clock that moves when it is told to.
#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::large_futures,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a failing test may panic"
)]

mod claims;
mod contested;
mod cost;
mod methods;
mod never_twice;
mod notices;
mod pages;
mod protections;
mod routed;
mod schedule;
mod storm;
mod story;
mod supersede;
mod vaulted;
mod verbs;
mod volume;
mod world;
