//! The real clock: instants, pauses, limits of patience, and what a thread has cost.
#![expect(clippy::disallowed_methods, reason = "a load generator measures the real clock")]

use std::future::Future;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since 1970, which name a run: two runs against one server must not share idempotency
/// keys.
pub(crate) fn run_id() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// Waits on the runtime's timer.
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// The future's value, or `None` when it took longer than `patience`.
pub(crate) async fn within<F: Future>(patience: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(patience, future).await.ok()
}

/// The time that the calling thread has spent on a processor so far. Only Linux says.
pub(crate) fn thread_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_ascii_whitespace().next()?.parse().ok()?))
}
