//! The clock of a merchant's test world.

use payments::MovedClock;
use schemars::JsonSchema;
use serde::Serialize;

use super::At;

/// A test world's clock. Each merchant's test world has one of its own: moving it changes nothing for
/// anybody else, and a live world has none.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TestClock")]
pub struct TestClockObject {
    /// Always `test_clock`.
    object: &'static str,
    /// What it shows: the time of everything in this test world.
    now: At,
    /// How far it is ahead of the real clock. It never gets less.
    offset_seconds: u64,
}

impl TestClockObject {
    /// As it stood when it was read or moved.
    pub fn of(clock: &MovedClock) -> Self {
        Self { object: "test_clock", now: At(clock.now), offset_seconds: clock.offset.as_secs() }
    }
}
