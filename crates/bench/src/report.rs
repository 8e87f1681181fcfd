//! What came of a run.

use std::time::Duration;

use serde::Serialize;

use crate::BenchError;
use crate::options::{Method, Operation, Options};
use crate::recorder::{Fault, Latencies, Recorder, Tally};

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its time was over.
    Finished,
    /// [`crate::Stop`] was asked, or an answer was bad and [`crate::Options::stop_on_error`] was set.
    Stopped,
}

/// What came of a run. Rates and latencies are of the measured window: requests that *began* in it,
/// however late their answer came, so that a server which stalls cannot hide behind the window's end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Names the run; it is part of every idempotency key (`bench-<run_id>-<client>-<number>`).
    pub run_id: String,
    /// Why the run ended.
    pub ended: Ended,
    /// The servers.
    pub targets: Vec<String>,
    /// How many clients there were.
    pub concurrency: usize,
    /// How many threads they shared.
    pub threads: usize,
    /// How the requests were mixed.
    pub mix: String,
    /// What payments were paid with.
    pub method: Method,
    /// The warm-up in seconds.
    pub warm_up_seconds: f64,
    /// The measured window in seconds.
    pub window_seconds: f64,
    /// Answers to the window's requests.
    pub answers: u64,
    /// Those of them that were not what was asked for.
    pub failed: u64,
    /// Good answers per second of the window.
    pub rate_per_second: f64,
    /// Latencies of all the window's answers.
    pub latency: LatencyReport,
    /// The same for each operation that came up in the window.
    pub operations: Vec<OperationReport>,
    /// Requests that were sent again, in the whole run.
    pub retries: u64,
    /// Requests that had no answer when the run gave up, in the whole run; each may have happened or
    /// not.
    pub unanswered: u64,
    /// Connections that were opened; as many as clients if none was lost or closed.
    pub connections: u64,
    /// Bad answers by kind, in the whole run: prefill and warm-up included.
    pub errors: Vec<ErrorReport>,
    /// Sends without an answer by reason, in the whole run.
    pub broken: Vec<BrokenReport>,
    /// The window second by second, and what came in after it.
    pub seconds: Vec<SecondReport>,
    /// Processor time of the client threads per answer in microseconds, warm-up included, where the
    /// system tells.
    pub client_cpu_micros_per_answer: Option<f64>,
}

/// What a report needs beside the options and the recorders.
pub(crate) struct Facts {
    pub(crate) run_id: String,
    pub(crate) ended: Ended,
    /// The part of the window that passed before the run ended.
    pub(crate) measured: Duration,
    pub(crate) seconds: Vec<SecondReport>,
    pub(crate) client_cpu_micros_per_answer: Option<f64>,
}

impl Report {
    pub(crate) fn of(options: &Options, facts: Facts, seen: &Recorder) -> Result<Self, BenchError> {
        let Facts { run_id, ended, measured, seconds, client_cpu_micros_per_answer } = facts;
        let mut all = Latencies::exact()?;
        let mut failed = 0;
        let mut operations = Vec::new();
        for tally in &seen.tallies {
            all.add(&tally.latencies)?;
            failed += tally.failed;
            if tally.latencies.count() > 0 {
                operations.push(OperationReport::of(tally, measured));
            }
        }
        Ok(Self {
            run_id,
            ended,
            targets: options.targets.iter().map(ToString::to_string).collect(),
            concurrency: options.concurrency,
            threads: options.threads,
            mix: options.mix.to_string(),
            method: options.method,
            warm_up_seconds: options.warm_up.as_secs_f64(),
            window_seconds: measured.as_secs_f64(),
            answers: all.count(),
            failed,
            rate_per_second: per_second(all.count() - failed, measured),
            latency: LatencyReport::of(&all),
            operations,
            retries: seen.totals.retries,
            unanswered: seen.totals.unanswered,
            connections: seen.totals.connections,
            errors: seen.faults.iter().map(ErrorReport::of).collect(),
            broken: seen
                .broken
                .iter()
                .map(|(broken, count)| BrokenReport { reason: broken.to_string(), count: *count })
                .collect(),
            seconds,
            client_cpu_micros_per_answer,
        })
    }
}

/// One operation in the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationReport {
    /// Which.
    pub operation: Operation,
    /// Its answers.
    pub answers: u64,
    /// Those of them that were not what was asked for.
    pub failed: u64,
    /// Good answers per second of the window.
    pub rate_per_second: f64,
    /// Latencies of all its answers, bad ones included.
    pub latency: LatencyReport,
}

impl OperationReport {
    fn of(tally: &Tally, measured: Duration) -> Self {
        let answers = tally.latencies.count();
        Self {
            operation: tally.operation,
            answers,
            failed: tally.failed,
            rate_per_second: per_second(answers - tally.failed, measured),
            latency: LatencyReport::of(&tally.latencies),
        }
    }
}

/// Latencies in milliseconds, from the first send of a request to its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyReport {
    /// How many latencies these are.
    pub count: u64,
    /// The median.
    pub p50_ms: f64,
    /// Ninety of a hundred were not longer.
    pub p90_ms: f64,
    /// 95 of a hundred.
    pub p95_ms: f64,
    /// 99 of a hundred.
    pub p99_ms: f64,
    /// 999 of a thousand.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl LatencyReport {
    fn of(latencies: &Latencies) -> Self {
        let at = |quantile| milliseconds(latencies.quantile(quantile));
        Self {
            count: latencies.count(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: milliseconds(latencies.max()),
        }
    }
}

/// One kind of bad answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// What was asked for.
    pub operation: Operation,
    /// The HTTP status.
    pub status: u16,
    /// The problem's `code`; in parentheses what was wrong with an answer that has none.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The beginnings of the first bodies.
    pub samples: Vec<String>,
}

impl ErrorReport {
    fn of(fault: &Fault) -> Self {
        Self {
            operation: fault.operation,
            status: fault.status,
            code: fault.code.clone(),
            count: fault.count,
            samples: fault.samples.clone(),
        }
    }
}

/// One reason for sends without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenReport {
    /// The reason in words.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// What was answered in one second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SecondReport {
    /// Where it begins, in seconds from the beginning of the window.
    pub from_seconds: f64,
    /// How long it is; the last may be shorter or longer than one.
    pub length_seconds: f64,
    /// Answers that came.
    pub answers: u64,
    /// Those of them that were not what was asked for.
    pub failed: u64,
    /// Good answers per second.
    pub rate_per_second: f64,
    /// 99 of 100 of these came within so many milliseconds, to two digits.
    pub p99_ms: f64,
}

pub(crate) fn milliseconds(length: Duration) -> f64 {
    length.div_duration_f64(Duration::from_millis(1))
}

/// A count per second of a time, rounded to thousandths; zero when there was no time.
pub(crate) fn per_second(count: u64, length: Duration) -> f64 {
    let thousandths = (u128::from(count) * 1_000_000_000_000).checked_div(length.as_nanos()).unwrap_or(0);
    Duration::from_millis(u64::try_from(thousandths).unwrap_or(u64::MAX)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these are exact")]

    use super::*;

    #[test]
    fn rates_and_milliseconds() {
        assert_eq!(per_second(15_000, Duration::from_secs(10)), 1_500.0);
        assert_eq!(per_second(1, Duration::from_secs(3)), 0.333);
        assert_eq!(per_second(7, Duration::ZERO), 0.0);
        assert_eq!(milliseconds(Duration::from_micros(1_250)), 1.25);
    }
}
