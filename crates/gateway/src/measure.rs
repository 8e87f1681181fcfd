//! Figures of the HTTP edge. Routes are templates and methods are those of the table, so that no caller
//! can make new ones.

use std::time::Duration;

use axum::http::{Method, StatusCode};

/// One request that is being answered.
pub(crate) struct InFlight;

impl InFlight {
    pub(crate) fn begin() -> Self {
        metrics::gauge!("http_requests_in_flight").increment(1);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("http_requests_in_flight").decrement(1);
    }
}

/// Counts an answered request.
pub(crate) fn answered(route: &str, method: &Method, status: StatusCode, took: Duration) {
    let (route, method) = (route.to_owned(), word(method));
    if status == StatusCode::TOO_MANY_REQUESTS {
        metrics::counter!("http_rate_limited_total").increment(1);
    }
    metrics::histogram!("http_request_duration_seconds", "route" => route.clone(), "method" => method)
        .record(took);
    let status = status.as_str().to_owned();
    metrics::counter!("http_requests_total", "route" => route, "method" => method, "status" => status)
        .increment(1);
}

const fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
