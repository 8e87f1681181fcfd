//! Answers that are no problems.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::problem::Problem;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

/// A typical payment has about this many bytes.
const BYTES_EXPECTED: usize = 1536;

/// A wire object as the answer's body.
pub(crate) fn json(status: StatusCode, object: &impl Serialize) -> Answer {
    let mut bytes = Vec::with_capacity(BYTES_EXPECTED);
    serde_json::to_writer(&mut bytes, object)
        .map_err(|error| Problem::internal(format!("an answer cannot be written: {error}")))?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
