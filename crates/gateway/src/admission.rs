//! Shedding: how many requests are worked on at once.
//!
//! A server that takes more than it can do answers everybody late. So what comes beyond a number that
//! keeps its processors busy is answered 503 at once, before its key is looked up or its body read, and
//! what was admitted keeps its latency. Requests that wait for a provider do not count: they cost no
//! processor, and their number has a limit of its own, per account.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Method;
use axum::response::Response;
use payments::Payments;

use crate::problem::{Problem, catalogue as code};

/// Per processor, where the configuration says nothing: on the processors that were measured, about
/// three times what is under way at full speed.
const PER_PROCESSOR: usize = 192;

/// What can be shed: pages and what operators look at cannot.
const API: &str = "/api";
/// Providers' notices finish what was begun.
const NOTICES: &str = "/webhooks/";
/// Long enough for what is under way to be done.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Counts what is worked on.
#[derive(Clone)]
pub(crate) struct Admission {
    under_way: Arc<AtomicUsize>,
    payments: Arc<Payments>,
    most: usize,
}

/// One admitted request.
pub(crate) struct Admitted(Arc<AtomicUsize>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(most: Option<usize>, payments: Arc<Payments>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { under_way: Arc::default(), payments, most: most.unwrap_or(processors * PER_PROCESSOR) }
    }

    /// Admits a request, or sheds it. What changes something is shed first: reads are cheaper, and go on
    /// until twice as much is under way. What belongs to no API route is never shed.
    pub(crate) fn enter(&self, route: &str, method: &Method) -> Option<Admitted> {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let admitted = Admitted(Arc::clone(&self.under_way));
        let adds_work = *method == Method::POST && !route.contains(NOTICES);
        let most = if adds_work { self.most } else { self.most.saturating_mul(2) };
        let worked_on = under_way.saturating_sub(self.payments.calls_under_way());
        (worked_on <= most || !route.starts_with(API)).then_some(admitted)
    }
}

/// What is answered to a request that is not admitted.
pub(crate) fn shed() -> Response {
    metrics::counter!("http_requests_shed_total").increment(1);
    Problem::plain(&code::OVERLOADED).retry_after(RETRY_AFTER_SECONDS).into_answer()
}
