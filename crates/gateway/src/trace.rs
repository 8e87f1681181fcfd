//! The trace that a request belongs to: W3C Trace Context, <https://www.w3.org/TR/trace-context/>.

use axum::http::HeaderMap;
use kernel::Random;
use tracing::Span;
use uuid::Uuid;

/// 32 hexadecimal digits. Stands in the events and log lines of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceId(String);

impl TraceId {
    /// The caller's trace, or a new one; `span` becomes part of it, if traces go anywhere.
    pub(crate) fn of(span: &Span, headers: &HeaderMap, random: &dyn Random) -> Self {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        if let Some(traced) = node::traces::adopt(span, traceparent) {
            return Self(traced);
        }
        let drawn = || {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            Uuid::from_bytes(bytes).simple().to_string()
        };
        Self(traceparent.and_then(node::traces::trace_of).unwrap_or_else(drawn))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
