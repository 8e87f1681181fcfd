//! Cross-origin requests of browsers (<https://fetch.spec.whatwg.org/#http-cors-protocol>), to the routes
//! that a publishable key may use and from the origins of `server.allowed_origins`, and from nowhere else.
//!
//! No cookie is ever accepted, so that credentials need not be allowed. What is not allowed is answered as
//! if this did not exist: the browser keeps the answer from the page.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::router::{Access, Route};

/// What a page may send.
const SENDS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, x-request-id, traceparent");
/// What a page may read beside the body.
const READS: HeaderValue = HeaderValue::from_static(
    "x-request-id, idempotent-replayed, location, retry-after, ratelimit-limit, ratelimit-remaining, \
     ratelimit-reset",
);
/// How long a browser may remember a preflight, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
const VARIES: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

/// Who may call what from a page.
#[derive(Clone)]
pub(crate) struct Cors(Arc<Allowed>);

struct Allowed {
    origins: Vec<String>,
    /// The methods that browsers may use, by path.
    methods: HashMap<String, Vec<Method>>,
}

impl Cors {
    /// `None` if no origin is allowed.
    pub(crate) fn new(origins: &[String], routes: &[Route]) -> Option<Self> {
        if origins.is_empty() {
            return None;
        }
        let mut methods = HashMap::<String, Vec<Method>>::new();
        for route in routes {
            if matches!(route.access, Access::Publishable(_) | Access::ClientSecret(_)) {
                methods.entry(route.path.clone()).or_default().push(route.method.clone());
            }
        }
        Some(Self(Arc::new(Allowed { origins: origins.to_vec(), methods })))
    }

    /// The origin, if it is one that is allowed.
    fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.0.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

/// Answers preflights, and lets pages read what their requests are answered.
pub(crate) async fn cors(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let Some(methods) = path.and_then(|path| cors.0.methods.get(path)).cloned() else {
        return next.run(request).await;
    };
    let origin = cors.origin(request.headers());
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD);
    if let (Some(origin), Some(_), &Method::OPTIONS) = (&origin, asked, request.method()) {
        return preflight(origin.clone(), &methods);
    }
    let is_for_browsers = methods.contains(request.method());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(VARY, VARIES);
    if let Some(origin) = origin.filter(|_| is_for_browsers) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READS);
    }
    response
}

fn preflight(origin: HeaderValue, methods: &[Method]) -> Response {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if let Ok(names) = HeaderValue::try_from(names.join(", ")) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, names);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENDS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    headers.insert(VARY, VARIES);
    response
}
