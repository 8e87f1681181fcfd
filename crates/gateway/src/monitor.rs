//! What monitoring asks: `/health`, `/ready`, `/metrics`. None needs a key and none costs anything when
//! it is asked too often.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use node::{Metrics, Node};
use schemars::JsonSchema;
use serde::Serialize;

use crate::client::Peer;
use crate::problem::{Problem, catalogue as code};
use crate::reply::json;
use crate::wire::At;

/// Put in by whatever forwards requests of others.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// What works and what does not.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// `healthy` or `degraded`.
    status: &'static str,
    /// When it was asked.
    timestamp: At,
    /// By part.
    checks: BTreeMap<&'static str, Check>,
}

/// One part.
#[derive(Serialize, JsonSchema)]
struct Check {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl From<Result<(), &'static str>> for Check {
    fn from(checked: Result<(), &'static str>) -> Self {
        let status = if checked.is_ok() { "healthy" } else { "unhealthy" };
        Self { status, error: checked.err() }
    }
}

/// Whether requests should be sent here.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ready {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// What works and what does not; 200 as long as this node can say so.
pub(crate) async fn health(State(node): State<Arc<Node>>) -> Response {
    let database = node.health.database().await;
    let asks = database.is_ok();
    let mut checks = BTreeMap::from([("database", Check::from(database))]);
    for (provider, is_healthy) in node.payments.provider_health(asks).await {
        let checked = if is_healthy { Ok(()) } else { Err("most of its newest answers failed") };
        checks.insert(provider, Check::from(checked));
    }
    let is_healthy = checks.values().all(|check| check.error.is_none());
    let status = if is_healthy { "healthy" } else { "degraded" };
    let health = Health { status, timestamp: At(node.clock.now()), checks };
    json(StatusCode::OK, &health).unwrap_or_else(Problem::into_answer)
}

/// Whether requests should be sent here: 503 without a database and while the server stops.
pub(crate) async fn ready(State(node): State<Arc<Node>>) -> Response {
    let (status, ready) = match node.health.is_ready().await {
        Ok(()) => (StatusCode::OK, Ready { status: "ready", error: None }),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, Ready { status: "not_ready", error: Some(reason) }),
    };
    json(status, &ready).unwrap_or_else(Problem::into_answer)
}

/// The figures, as a page of the API's port: only if they have no port of their own, and only for who
/// comes from nearby without a proxy between.
pub(crate) async fn metrics(State(node): State<Arc<Node>>, request: Request) -> Response {
    match &node.metrics {
        Some(metrics) if node.config.metrics.port.is_none() => {
            if comes_from_nearby(&request) {
                shown(metrics)
            } else {
                Problem::plain(&code::METRICS_NOT_HERE).into_answer()
            }
        }
        _ => Problem::plain(&code::ROUTE_NOT_FOUND).into_answer(),
    }
}

/// The figures on a port of their own.
pub fn metrics_router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(move || std::future::ready(shown(&metrics))))
}

fn shown(metrics: &Metrics) -> Response {
    let mut response = Response::new(Body::from(metrics.render()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// This machine or a private network, and nobody between who could be passing on a stranger.
fn comes_from_nearby(request: &Request) -> bool {
    let is_near = match request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical()) {
        None => true,
        Some(std::net::IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(std::net::IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    };
    is_near && !is_forwarded(request.headers())
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}
