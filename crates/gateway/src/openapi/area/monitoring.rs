//! What monitoring asks.

use schemars::SchemaGenerator;

use crate::monitor::{Health, Ready};
use crate::openapi::operation::{Answer, Content, Need, Operation, Query, Sample};
use crate::problem::catalogue as code;

const TAG: &str = "Monitoring";

static GET_HEALTH: Operation = Operation {
    id: "get_health",
    method: "GET",
    path: "/health",
    tag: TAG,
    summary: "What works and what does not",
    about: "200 as long as the server can say so, also when `status` is `degraded`.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "Each part, healthy or not.",
        content: Content::Json(SchemaGenerator::subschema_for::<Health>),
        links: &[],
    }],
    problems: &[],
    samples: &[Sample { name: "healthy", summary: "All is well", needs: Need::Nothing, query: "", body: "" }],
};

static GET_READINESS: Operation = Operation {
    id: "get_readiness",
    method: "GET",
    path: "/ready",
    tag: TAG,
    summary: "Whether requests should be sent here",
    about: "503 without a database and while the server stops.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[
        Answer {
            status: 200,
            about: "Send requests.",
            content: Content::Json(SchemaGenerator::subschema_for::<Ready>),
            links: &[],
        },
        Answer {
            status: 503,
            about: "Send them elsewhere.",
            content: Content::Json(SchemaGenerator::subschema_for::<Ready>),
            links: &[],
        },
    ],
    problems: &[],
    samples: &[Sample { name: "ready", summary: "Ready", needs: Need::Nothing, query: "", body: "" }],
};

static GET_METRICS: Operation = Operation {
    id: "get_metrics",
    method: "GET",
    path: "/metrics",
    tag: TAG,
    summary: "Figures for Prometheus",
    about: "On this port only if the figures have no port of their own (`metrics.port`), and only for this \
            machine and private networks.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "The figures in Prometheus' text format.",
        content: Content::Text("text/plain"),
        links: &[],
    }],
    problems: &[&[&code::METRICS_NOT_HERE, &code::ROUTE_NOT_FOUND]],
    samples: &[],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&GET_HEALTH, &GET_READINESS, &GET_METRICS];
