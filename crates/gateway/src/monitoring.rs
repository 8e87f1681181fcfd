//! What a monitoring system is told with its key: `/monitoring/health`, `/monitoring/errors`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use limits::{Counted, Subject};
use node::incidents::{self, Incident};
use node::{Node, pulse};
use provider_kit::signing::equal_in_constant_time;
use schemars::JsonSchema;
use serde::Serialize;

use crate::client::Client;
use crate::problem::{Problem, catalogue as code};
use crate::quota;
use crate::reply::{Answer, json};
use crate::wire::At;

const KEY_HEADER: &str = "x-api-key";
/// How many incidents one answer shows.
const SHOWN: usize = 50;
/// Over how long incidents are summed up, in seconds.
const SUMMED_SECONDS: u64 = 3600;

/// How the server is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MonitoringHealth {
    /// `healthy` or `degraded`.
    status: &'static str,
    /// When it was asked.
    timestamp: At,
    /// The database.
    database: Part,
    /// What writes contexts and reports in plain language; not part of this version.
    ai_service: Part,
    /// Each provider, by what its newest answers were.
    providers: BTreeMap<&'static str, &'static str>,
    /// How many requests failed on this node.
    error_rates: ErrorRates,
    /// How long this node's answers took.
    processing_times: ProcessingTimes,
}

/// One part.
#[derive(Serialize, JsonSchema)]
struct Part {
    /// `healthy`, `unhealthy` or `not_configured`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// How many requests failed.
#[derive(Serialize, JsonSchema)]
struct ErrorRates {
    /// Over how long it was counted.
    window_seconds: u64,
    /// Requests.
    requests: u64,
    /// Of those, answered 400 to 499.
    client_errors: u64,
    /// Of those, answered 500 or more.
    server_errors: u64,
    /// Of ten thousand requests, how many were answered 500 or more.
    server_errors_per_10000: u64,
}

/// How long answers took.
#[derive(Serialize, JsonSchema)]
struct ProcessingTimes {
    /// The mean, in microseconds.
    mean_us: u64,
    /// Within how many milliseconds half of them were answered, rounded up to a bound.
    p50_ms: u64,
    /// 95 of a hundred.
    p95_ms: u64,
    /// 99 of a hundred.
    p99_ms: u64,
}

/// What went wrong lately.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MonitoringErrors {
    /// In numbers.
    summary: Summary,
    /// The newest, newest first.
    recent: Vec<IncidentObject>,
}

/// Incidents in numbers.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// Errors since this process started.
    errors: u64,
    /// Warnings since this process started.
    warnings: u64,
    /// Over how long `by_message` counts, in seconds: of what is still known.
    window_seconds: u64,
    /// By what went wrong.
    by_message: BTreeMap<String, u64>,
}

/// One incident. Cards, addresses, numbers of telephones and accounts, and keys are masked in it.
#[derive(Serialize, JsonSchema)]
struct IncidentObject {
    /// When.
    at: At,
    /// `error` or `warning`.
    level: &'static str,
    /// What went wrong.
    message: String,
    /// Where in the code.
    place: String,
    /// The trace that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// The request that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What is said beside.
    details: BTreeMap<&'static str, String>,
}

/// `GET /monitoring/health`
pub(crate) async fn health(State(node): State<Arc<Node>>, request: Request) -> Response {
    answer(&node, &request.into_parts().0, how_it_is(&node)).await
}

/// `GET /monitoring/errors`
pub(crate) async fn errors(State(node): State<Arc<Node>>, request: Request) -> Response {
    let work = async { json(StatusCode::OK, &what_went_wrong(&node)) };
    answer(&node, &request.into_parts().0, work).await
}

async fn answer(node: &Node, parts: &Parts, work: impl Future<Output = Answer>) -> Response {
    let admitted = admit(node, parts).await;
    let answer = match admitted {
        Ok(verdict) => work.await.map(|mut response| {
            if let Some(verdict) = verdict {
                quota::write(&verdict, response.headers_mut());
            }
            response
        }),
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Problem::into_answer)
}

/// Who has the key is counted by it; whoever has not, by the address, so that guessing is slow.
async fn admit(node: &Node, parts: &Parts) -> Result<Option<limits::Verdict>, Problem> {
    let known = node.config.monitoring.api_key.as_ref();
    let mut given = parts.headers.get_all(KEY_HEADER).iter();
    let text = given.next().and_then(|value| value.to_str().ok()).filter(|_| given.next().is_none());
    let is_known = known.zip(text).is_some_and(|(known, text)| equal_in_constant_time(known.expose(), text));
    if is_known {
        let subject =
            Subject { counted: Counted::Key, scope: None, name: limits::Name::Bytes(b"monitoring") };
        return quota::count_monitoring(node, subject).await;
    }
    let peer = Client::of(parts, &node.config.server.trusted_proxies).address;
    quota::check_address(node, peer, None).await?;
    quota::count_address(node, peer).await?;
    Err(Problem::plain(&code::MONITORING_KEY_REQUIRED).at("X-API-Key"))
}

async fn how_it_is(node: &Node) -> Answer {
    let database = node.health.database().await;
    let database = Part { status: word(database.is_ok()), error: database.err() };
    let known = node.payments.provider_health(database.error.is_none()).await;
    let providers: BTreeMap<_, _> = known.into_iter().map(|(name, is_well)| (name, word(is_well))).collect();
    let summary = node.pulse.summary(node.clock.monotonic());
    let all_well = database.error.is_none() && providers.values().all(|status| *status == word(true));
    let failed = summary.server_errors * 10_000;
    json(
        StatusCode::OK,
        &MonitoringHealth {
            status: if all_well { "healthy" } else { "degraded" },
            timestamp: At(node.clock.now()),
            database,
            ai_service: Part { status: "not_configured", error: None },
            providers,
            error_rates: ErrorRates {
                window_seconds: pulse::MINUTES as u64 * 60,
                requests: summary.requests,
                client_errors: summary.client_errors,
                server_errors: summary.server_errors,
                server_errors_per_10000: failed.checked_div(summary.requests).unwrap_or(0),
            },
            processing_times: ProcessingTimes {
                mean_us: summary.mean_us,
                p50_ms: summary.p50_ms,
                p95_ms: summary.p95_ms,
                p99_ms: summary.p99_ms,
            },
        },
    )
}

const fn word(is_healthy: bool) -> &'static str {
    if is_healthy { "healthy" } else { "unhealthy" }
}

fn what_went_wrong(node: &Node) -> MonitoringErrors {
    let counts = incidents::counts();
    let known = incidents::recent();
    let since = node.clock.now().minus(std::time::Duration::from_secs(SUMMED_SECONDS));
    let mut by_message = BTreeMap::new();
    for incident in known.iter().filter(|incident| incident.at >= since) {
        *by_message.entry(incident.message.clone()).or_insert(0) += 1;
    }
    MonitoringErrors {
        summary: Summary {
            errors: counts.errors,
            warnings: counts.warnings,
            window_seconds: SUMMED_SECONDS,
            by_message,
        },
        recent: known.into_iter().take(SHOWN).map(IncidentObject::of).collect(),
    }
}

impl IncidentObject {
    fn of(incident: Incident) -> Self {
        let Incident { at, is_error, message, place, mut fields } = incident;
        Self {
            at: At(at),
            level: if is_error { "error" } else { "warning" },
            message,
            place,
            trace_id: fields.remove("trace_id"),
            request_id: fields.remove("request_id"),
            details: fields,
        }
    }
}
