//! The outermost layer: gives each request its id, renders problems with it, and turns a panic into
//! a 500.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use kernel::{Id, Ids, Kind};

use crate::problem::{Problem, catalogue as code};

/// Names the request in answers and in the log.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Marks ids of requests.
enum RequestMark {}

impl Kind for RequestMark {
    const PREFIX: &'static str = "req";
}

/// Runs the request within.
pub(crate) async fn outermost(State(ids): State<Arc<dyn Ids>>, request: Request, next: Next) -> Response {
    let id = request_id(&request, ids.as_ref());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| Problem::internal("a handler panicked").into_answer());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(id.to_str().unwrap_or_default());
    }
    response.headers_mut().insert(X_REQUEST_ID, id);
    response
}

/// The caller's own id if it is fit to stand in a log, else a new one.
fn request_id(request: &Request, ids: &dyn Ids) -> HeaderValue {
    let fits = |value: &&HeaderValue| {
        let fine = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        (8..=128).contains(&value.len()) && value.as_bytes().iter().all(fine)
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
