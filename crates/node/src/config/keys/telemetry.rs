//! What operators see: figures and traces.

use crate::config::key::DefaultValue::{Is, Unset};
use crate::config::key::{Section, key};
use crate::config::read::{BOOLEAN, METRIC_PREFIX, OTLP_ADDRESS, PERCENT, PORT};

pub(super) const METRICS: Section = Section {
    name: "metrics",
    about: "What is counted for operators, as Prometheus reads it. docs/operations.md names each figure.",
    keys: &[
        key!(
            "metrics.enabled",
            ["ENABLE_METRICS"],
            BOOLEAN => metrics.enabled,
            Is("true"),
            "Whether anything is counted and shown."
        ),
        key!(
            "metrics.port",
            ["METRICS_PORT"],
            PORT => metrics.port,
            Unset("9090"),
            "Serves /metrics on a port of its own, for everybody who reaches it. Without it, /metrics is a \
             page of the API's port, for this machine and private networks alone."
        ),
        key!(
            "metrics.prefix",
            [],
            METRIC_PREFIX => metrics.prefix,
            Unset("\"florin_\""),
            "What all names begin with."
        ),
    ],
};

pub(super) const OTLP: Section = Section {
    name: "otlp",
    about: "Where traces go.",
    keys: &[
        key!(
            "otlp.endpoint",
            ["OTEL_EXPORTER_OTLP_ENDPOINT", "JAEGER_ENDPOINT"],
            OTLP_ADDRESS => otlp.endpoint,
            Unset("\"http://localhost:4318\""),
            "An OpenTelemetry collector's address for OTLP over HTTP; /v1/traces is added. An address of \
             Jaeger's old protocol (port 14268) means the same machine's port 4318. Without it there are \
             no traces."
        ),
        key!(
            "otlp.sample_percent",
            [],
            PERCENT => otlp.sample_percent,
            Is("100"),
            "Of a hundred requests, how many are traced."
        ),
        key!(
            "otlp.follow_callers",
            [],
            BOOLEAN => otlp.follow_callers,
            Is("false"),
            "Whether a caller that sends `traceparent` decides for itself if its request is traced: only \
             where all callers are your own. A trace's id is taken over either way."
        ),
    ],
};
