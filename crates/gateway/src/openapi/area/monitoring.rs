//! What monitoring asks.

use crate::monitor::{Health, Ready};
use crate::monitoring::{MonitoringErrors, MonitoringHealth};
use crate::openapi::operation::{Answer, Content, Operation, Sample};
use crate::problem::catalogue as code;

const TAG: &str = "Monitoring";

static GET_HEALTH: Operation = Operation::new("get_health", "GET", "/health", TAG)
    .says(
        "What works and what does not",
        "200 as long as the server can say so, also when `status` is `degraded`.",
    )
    .answers(&[Answer::new(200, "Each part, healthy or not.", Content::json::<Health>())])
    .samples(&[Sample::new("healthy", "All is well")]);

static GET_READINESS: Operation = Operation::new("get_readiness", "GET", "/ready", TAG)
    .says("Whether requests should be sent here", "503 without a database and while the server stops.")
    .answers(&[
        Answer::new(200, "Send requests.", Content::json::<Ready>()),
        Answer::new(503, "Send them elsewhere.", Content::json::<Ready>()),
    ])
    .samples(&[Sample::new("ready", "Ready")]);

static GET_METRICS: Operation = Operation::new("get_metrics", "GET", "/metrics", TAG)
    .says(
        "Figures for Prometheus",
        "On this port only if the figures have no port of their own (`metrics.port`), and only for this \
            machine and private networks.",
    )
    .answers(&[Answer::new(200, "The figures in Prometheus' text format.", Content::Text("text/plain"))])
    .problems(&[&[&code::METRICS_NOT_HERE, &code::ROUTE_NOT_FOUND]]);

static GET_MONITORING_HEALTH: Operation =
    Operation::new("get_monitoring_health", "GET", "/monitoring/health", TAG)
        .says(
            "How the server is",
            "The database, the providers, how many requests failed and how long answers took, of the last 15 \
            minutes and of this node.",
        )
        .answers(&[Answer::new(200, "How it is.", Content::json::<MonitoringHealth>())]);

static GET_MONITORING_ERRORS: Operation =
    Operation::new("get_monitoring_errors", "GET", "/monitoring/errors", TAG)
        .says(
            "What went wrong lately",
            "Warnings and errors of this node, in numbers and one by one, with where each came from and the \
            request and trace that it belongs to; whatever looks like a secret or a person's is masked.",
        )
        .answers(&[Answer::new(200, "What went wrong.", Content::json::<MonitoringErrors>())]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&GET_HEALTH, &GET_READINESS, &GET_METRICS, &GET_MONITORING_HEALTH, &GET_MONITORING_ERRORS];
