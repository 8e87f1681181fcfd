//! Figures of the HTTP edge. Routes are templates and methods are those of the table, so that no caller
//! can make new ones.

use std::sync::LazyLock;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use kernel::Memo;
use metrics::{Counter, Gauge, Histogram};

/// What is recorded of every request is looked up among what was made before: to name a figure and its
/// labels each time would be the dearest part of counting.
static IN_FLIGHT: LazyLock<Gauge> = LazyLock::new(|| metrics::gauge!("http_requests_in_flight"));
static ROUTES: LazyLock<Memo<String, Route>> = LazyLock::new(Memo::default);

/// The figures of one route.
#[derive(Default)]
struct Route {
    durations: Memo<&'static str, Histogram>,
    requests: Memo<(&'static str, u16), Counter>,
}

/// One request that is being answered.
pub(crate) struct InFlight;

impl InFlight {
    pub(crate) fn begin() -> Self {
        IN_FLIGHT.increment(1);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.decrement(1);
    }
}

/// Counts an answered request.
pub(crate) fn answered(route: &str, method: &Method, status: StatusCode, took: Duration) {
    if status == StatusCode::TOO_MANY_REQUESTS {
        metrics::counter!("http_rate_limited_total").increment(1);
    }
    let method = word(method);
    ROUTES.with(route, Route::default, |figures| {
        let duration = || {
            let name = "http_request_duration_seconds";
            metrics::histogram!(name, "route" => route.to_owned(), "method" => method)
        };
        figures.durations.with(&method, duration, |histogram| histogram.record(took));
        let requests = || {
            let (name, status) = ("http_requests_total", status.as_str().to_owned());
            metrics::counter!(name, "route" => route.to_owned(), "method" => method, "status" => status)
        };
        figures.requests.with(&(method, status.as_u16()), requests, |counter| counter.increment(1));
    });
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
