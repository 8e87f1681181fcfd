//! The outermost layer: gives each request its id and its trace, renders problems with them, turns a
//! panic into a 500, counts the request and writes its line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use kernel::{Clock, Id, Ids, Kind, Random};
use node::Node;
use node::config::LogLevel;
use node::pulse::Pulse;
use tracing::Instrument as _;

use crate::admission::{self, Admission};
use crate::measure::{InFlight, answered};
use crate::problem::{Problem, catalogue as code};
use crate::trace::TraceId;

/// Names the request in answers and in the log.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is asked so often that its lines would hide all others.
const UNLOGGED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// Marks ids of requests.
enum RequestMark {}

impl Kind for RequestMark {
    const PREFIX: &'static str = "req";
}

/// What the layer stands on.
#[derive(Clone)]
pub(crate) struct Outermost {
    ids: Arc<dyn Ids>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    level: LogLevel,
    admission: Admission,
    pulse: Arc<Pulse>,
}

impl Outermost {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            ids: Arc::clone(&node.ids),
            random: Arc::clone(&node.random),
            clock: Arc::clone(&node.clock),
            level: node.config.log.requests,
            pulse: Arc::clone(&node.pulse),
            admission: Admission::new(node.config.server.requests_at_once, Arc::clone(&node.payments)),
        }
    }
}

/// Runs the request within.
pub(crate) async fn outermost(
    State(outermost): State<Outermost>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = outermost.clock.monotonic();
    let _in_flight = InFlight::begin();
    let id = request_id(&request, outermost.ids.as_ref());
    let id_text = id.to_str().unwrap_or_default().to_owned();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!(
        target: node::traces::TARGET,
        "request",
        request_id = id_text,
        trace_id = tracing::field::Empty,
        method = method.as_str(),
        route,
        status = tracing::field::Empty,
    );
    let trace = TraceId::of(&span, request.headers(), outermost.random.as_ref());
    span.record("trace_id", trace.as_str());
    let trace_text = trace.as_str().to_owned();
    let line = Line { level: outermost.level, route, tx_id: masked_id(request.uri().path()) };
    request.extensions_mut().insert(trace);

    let admitted = outermost.admission.enter(route, &method);
    let work = async {
        let mut response = if admitted.is_some() {
            let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            answered.unwrap_or_else(|_| Problem::internal("a handler panicked").into_answer())
        } else {
            admission::shed()
        };
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            response = problem.render(&id_text, &trace_text);
        }
        response
    };
    let mut response = work.instrument(span.clone()).await;
    response.headers_mut().insert(X_REQUEST_ID, id);
    let ended = outermost.clock.monotonic();
    let took = ended.0.saturating_sub(began.0);
    answered(route, &method, response.status(), took);
    outermost.pulse.record(ended, response.status().as_u16(), took);
    span.record("status", response.status().as_u16());
    span.in_scope(|| line.write(method.as_str(), response.status(), took));
    response
}

/// The one line that each request leaves.
struct Line<'a> {
    level: LogLevel,
    route: &'a str,
    tx_id: Option<String>,
}

impl Line<'_> {
    fn write(&self, method: &str, status: StatusCode, took: Duration) {
        if UNLOGGED.contains(&self.route) {
            return;
        }
        // A level is part of a place in the code: each has its own.
        macro_rules! write_at {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    method,
                    route = self.route,
                    status = status.as_u16(),
                    processing_time_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                    tx_id = self.tx_id.as_deref(),
                    "request answered"
                )
            };
        }
        match self.level {
            LogLevel::Off => {}
            LogLevel::Error => write_at!(tracing::Level::ERROR),
            LogLevel::Warn => write_at!(tracing::Level::WARN),
            LogLevel::Info => write_at!(tracing::Level::INFO),
            LogLevel::Debug => write_at!(tracing::Level::DEBUG),
            LogLevel::Trace => write_at!(tracing::Level::TRACE),
        }
    }
}

/// The id of ours in a path, masked: its kind and its last four characters.
fn masked_id(path: &str) -> Option<String> {
    path.split('/').find_map(|part| {
        let (kind, rest) = part.split_once('_')?;
        let is_id = (2..=4).contains(&kind.len()) && rest.len() == 26 && rest.is_ascii();
        let last = rest.get(22..).filter(|_| is_id)?;
        Some(format!("{kind}_****{last}"))
    })
}

/// The caller's own id if it is fit to stand in a log, else a new one.
fn request_id(request: &Request, ids: &dyn Ids) -> HeaderValue {
    let fits = |value: &&HeaderValue| {
        let fine = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let text = value.to_str().unwrap_or_default();
        (8..=128).contains(&text.len())
            && text.as_bytes().iter().all(fine)
            && !kernel::contains_card_number(text)
    };
    if let Some(given) = request.headers().get(X_REQUEST_ID).filter(fits) {
        return given.clone();
    }
    let id = Id::<RequestMark>::from_uuid(ids.uuid()).to_string();
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("req"))
}

/// What is served at no route.
pub(crate) async fn route_not_found() -> Response {
    Problem::plain(&code::ROUTE_NOT_FOUND).into_answer()
}

/// A route without this method; `Allow` is added by the router, which knows the others.
pub(crate) async fn method_not_allowed() -> Response {
    Problem::plain(&code::METHOD_NOT_ALLOWED).into_answer()
}
