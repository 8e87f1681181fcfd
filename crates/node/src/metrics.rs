//! What operators see in figures: recorded where things happen through the `metrics` facade, shown as
//! text for Prometheus.
//!
//! The facade's recorder belongs to the process, not to a node: this is the one global of the tree.
//! Labels are words of closed sets (methods, statuses, codes, routes), never ids.

use std::fmt::Write as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::config::MetricsConfig;
use crate::process;

/// Upper bounds of the buckets of payments and requests, in seconds.
const SECONDS: [f64; 8] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0];
/// A commit is one flush: faster than a payment by far.
const COMMIT_SECONDS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];
/// Commits in one batch.
const COMMITS: [f64; 7] = [1.0, 4.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations or sizes in buckets.
    Histogram,
}

/// One family of figures.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, without the prefix.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says, for `# HELP` and the documents.
    pub help: &'static str,
}

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, kind, labels, help }
}

/// Every family that this build records.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    family("payments_total", Kind::Counter, &["method", "status", "currency"],
        "Payments that came to a status; one payment comes to several."),
    family("payment_processing_duration_seconds", Kind::Histogram, &["method", "provider"],
        "From the reserve of a charge to its settle, of charges that a caller waited for."),
    family("payment_success_total", Kind::Counter, &["gateway"], "Charges that a provider approved."),
    family("payment_failure_total", Kind::Counter, &["gateway", "reason"],
        "Charges that ended without money; the reason is a decline code, not_done or cancelled."),
    family("operations_total", Kind::Counter, &["kind", "outcome"],
        "Operations (charges, captures, voids, refunds) that came to an outcome."),
    family("operations_unknown_total", Kind::Counter, &["provider"],
        "Operations that became unknown: sent, perhaps, and without an answer."),
    family("operations_needs_review_total", Kind::Counter, &["provider"],
        "Operations that came to need a person's decision."),
    family("operations_open", Kind::Gauge, &["status"],
        "Operations whose outcome is open, by status: those with a due time and those that people must \
         decide; at most 1000 of each are counted."),
    family("operations_oldest_due_age_seconds", Kind::Gauge, &[],
        "How long the operation that waits longest has been due; 0 when none is."),
    family("alerts_total", Kind::Counter, &[],
        "Alerts raised: each is an error in the log that says what to do."),
    family("provider_requests_total", Kind::Counter, &["provider", "result"],
        "Requests to providers: answered, failed (5xx), not_sent or maybe_sent."),
    family("provider_request_duration_seconds", Kind::Histogram, &["provider"],
        "From sending a request to a provider to its whole answer."),
    family("http_requests_total", Kind::Counter, &["route", "method", "status"], "Answered requests."),
    family("http_request_duration_seconds", Kind::Histogram, &["route", "method"],
        "From the head of a request to the head of its answer."),
    family("http_requests_in_flight", Kind::Gauge, &[], "Requests that are being answered."),
    family("http_rate_limited_total", Kind::Counter, &[], "Requests that were answered 429."),
    family(
        "http_requests_shed_total",
        Kind::Counter,
        &[],
        "Requests that were answered 503 at once, as too many were worked on.",
    ),
    family("http_connections", Kind::Gauge, &[], "Open connections of clients."),
    family("store_commits_total", Kind::Counter, &["store", "outcome"], "Commits, by what became of them."),
    family("store_batches_total", Kind::Counter, &["store"], "Batches that were written: one flush each."),
    family("store_batch_commits", Kind::Histogram, &["store"], "Commits in a batch."),
    family("store_commit_duration_seconds", Kind::Histogram, &["store"],
        "Writing one batch, its flush included."),
    family("store_queue_commits", Kind::Gauge, &["store"],
        "Commits that waited when the newest batch was chosen."),
    family("store_shed_total", Kind::Counter, &["store"],
        "Reserves that were turned away with 503, because the queue was full."),
    family("background_passes_total", Kind::Counter, &["loop", "result"],
        "Passes of background loops: done, full (there was more than one pass takes) or failed."),
    family("journal_positions_total", Kind::Counter, &[],
        "Journal rows that this node, as the leader, gave their positions."),
    family("background_last_success_timestamp_seconds", Kind::Gauge, &["loop"],
        "When a background loop last ended a pass without a failure."),
    family("tasks_in_flight", Kind::Gauge, &[], "Payments and background loops at work."),
];

/// The figures of this process.
#[derive(Clone, Debug)]
pub struct Metrics {
    handle: PrometheusHandle,
    prefix: String,
}

impl Metrics {
    /// Begins to record, unless the configuration says not to. Call it before a store is opened: what
    /// was made earlier records nowhere. Calls after the first one show the same figures.
    pub fn install(config: &MetricsConfig) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        let handle = match INSTALLED.get() {
            Some(handle) => handle.clone(),
            None => INSTALLED.get_or_init(begin).clone(),
        };
        Some(Self { handle, prefix: config.prefix.clone().unwrap_or_default() })
    }

    /// All figures, in the text format of Prometheus 0.0.4.
    pub fn render(&self) -> String {
        let mut text = self.handle.render();
        text.push_str(&process::figures());
        if self.prefix.is_empty() { text } else { prefixed(&text, &self.prefix) }
    }

    /// Sums up what histograms took in. Without it they grow until somebody looks.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn begin() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    let builder = [
        ("store_commit_duration_seconds", COMMIT_SECONDS.as_slice()),
        ("store_batch_commits", COMMITS.as_slice()),
        ("payment_processing_duration_seconds", SECONDS.as_slice()),
        ("provider_request_duration_seconds", SECONDS.as_slice()),
        ("http_request_duration_seconds", SECONDS.as_slice()),
    ]
    .into_iter()
    .fold(builder, |builder, (name, bounds)| {
        let matcher = Matcher::Full(name.to_owned());
        // Refused for no bounds at all, which there are.
        builder.set_buckets_for_metric(matcher, bounds).unwrap_or_default()
    });
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Refused when somebody else's recorder is there: then theirs has the figures.
    let _ = metrics::set_global_recorder(recorder);
    for family in FAMILIES {
        match family.kind {
            Kind::Counter => metrics::describe_counter!(family.name, family.help),
            Kind::Gauge => metrics::describe_gauge!(family.name, family.help),
            Kind::Histogram => metrics::describe_histogram!(family.name, family.help),
        }
    }
    // What an alert waits for must be there before it happens first.
    for name in FAMILIES.iter().filter(|family| family.labels.is_empty()).filter(|f| f.kind == Kind::Counter)
    {
        metrics::counter!(name.name).increment(0);
    }
    handle
}

/// Puts the prefix before each name.
fn prefixed(text: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        let comment = ["# HELP ", "# TYPE "]
            .iter()
            .find_map(|start| line.strip_prefix(start).map(|rest| (start, rest)));
        let _ = match comment {
            Some((start, rest)) => writeln!(out, "{start}{prefix}{rest}"),
            None if line.is_empty() => writeln!(out),
            None => writeln!(out, "{prefix}{line}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_before_each_name() {
        let text = "# HELP a_total What.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\n";
        let with = "# HELP x_a_total What.\n# TYPE x_a_total counter\nx_a_total{b=\"c\"} 1\n\n";
        assert_eq!(prefixed(text, "x_"), with);
    }

    #[test]
    fn names_follow_the_conventions_and_are_said_once() {
        for family in FAMILIES {
            assert_eq!(family.name.ends_with("_total"), family.kind == Kind::Counter, "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
            assert_eq!(FAMILIES.iter().filter(|other| other.name == family.name).count(), 1);
            assert!(!family.labels.iter().any(|label| label.ends_with("id")), "{}", family.name);
        }
    }
}
