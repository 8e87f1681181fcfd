//! What a run says about itself while it runs.

use std::time::Duration;

use serde::Serialize;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The clients connect and make the payments that they begin with; how long this takes is not known.
    Prefill,
    /// The clients run, and nothing is measured yet.
    WarmUp,
    /// The clients run and are measured.
    Measure,
    /// Time is over: no new requests, the last answers are awaited.
    Drain,
}

/// The state of a run, once a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Where the run is.
    pub phase: Phase,
    /// Time since the phase began.
    pub elapsed: Duration,
    /// How long the phase takes, at most for [`Phase::Drain`], and zero for [`Phase::Prefill`], which
    /// lasts as it lasts.
    pub length: Duration,
    /// Answers so far, in all phases.
    pub answers: u64,
    /// Answers so far that were not what was asked for.
    pub failed: u64,
    /// Requests that were sent again so far.
    pub retries: u64,
    /// Good answers per second since the last report of progress.
    pub rate_per_second: f64,
    /// 99 of 100 answers since then came within so many milliseconds.
    pub p99_ms: f64,
}
