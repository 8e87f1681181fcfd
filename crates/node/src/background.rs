//! Background loops: each does one pass over what is due, again and again, woken by a signal and by a
//! timer; a pass that fails is logged and tried again after a growing pause.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::{BoxFuture, Clock, Lease, Monotonic, Store, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

/// The longest pause after failures in a row.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);
/// After so many failures the pause does not grow any more.
const DOUBLINGS_MAX: u32 = 6;

/// How a node's loops wait and stop.
#[derive(Clone)]
pub(crate) struct Pace {
    /// Whose new work is the signal; without one there is the timer alone.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// What one pass did.
pub(crate) enum Pass {
    /// As much as it may do at once: there is probably more.
    Full,
    /// All there was.
    Done,
    /// Nothing, and the reason is for the log.
    Failed(String),
}

impl Pass {
    /// From how many things were done, of at most `limit`.
    pub(crate) fn of<E: std::fmt::Display>(done: Result<usize, E>, limit: u32) -> Self {
        match done {
            Ok(count) if count >= usize::try_from(limit).unwrap_or(usize::MAX) => Self::Full,
            Ok(_) => Self::Done,
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl Pace {
    /// Runs passes until the node stops. A pass under way is finished first.
    pub(crate) async fn keep<F>(mut self, name: &'static str, pause: Duration, pass: F)
    where
        F: Fn() -> BoxFuture<'static, Pass> + Send,
    {
        let mut failures = 0_u32;
        while !*self.stopping.borrow() {
            // A panic in a pass must not end the loop: what it works on would stay unknown for ever.
            let passed = AssertUnwindSafe(pass()).catch_unwind().await;
            measure(name, &passed, self.clock.now());
            let wait = match passed {
                Ok(Pass::Full) => {
                    failures = 0;
                    continue;
                }
                Ok(Pass::Done) => {
                    failures = 0;
                    pause
                }
                Ok(Pass::Failed(reason)) => {
                    tracing::warn!(job = name, reason, "background work failed and is tried again");
                    back_off(&mut failures)
                }
                Err(_) => {
                    tracing::error!(job = name, "background work panicked and is tried again");
                    back_off(&mut failures)
                }
            };
            self.wait(wait, failures == 0).await;
        }
    }

    /// Until the timer, the node's end or, if `by_signal`, new work.
    async fn wait(&mut self, length: Duration, by_signal: bool) {
        let timer = self.clock.sleep(length);
        let store = self.store.clone().filter(|_| by_signal);
        let signal = async move {
            match store {
                Some(store) => store.enqueued().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // In this order, so that a run over other ports repeats exactly.
            biased;
            () = timer => {}
            () = signal => {}
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// Counts a pass, and notes when the loop last did its work.
fn measure<E>(name: &'static str, passed: &Result<Pass, E>, now: Timestamp) {
    let result = match passed {
        Ok(Pass::Done) => "done",
        Ok(Pass::Full) => "full",
        Ok(Pass::Failed(_)) | Err(_) => "failed",
    };
    metrics::counter!("background_passes_total", "loop" => name, "result" => result).increment(1);
    if result != "failed" {
        let seconds = u64::try_from(now.as_micros()).map_or(Duration::ZERO, Duration::from_micros);
        metrics::gauge!("background_last_success_timestamp_seconds", "loop" => name).set(seconds);
    }
}

fn back_off(failures: &mut u32) -> Duration {
    *failures = failures.saturating_add(1).min(DOUBLINGS_MAX);
    Duration::from_millis(500).saturating_mul(1 << *failures).min(BACK_OFF_MAX)
}

/// Leadership of one piece of work: at most one node does it at a time.
#[derive(Clone)]
pub(crate) struct Leader {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    name: &'static str,
    holder: Uuid,
    /// What the store said last, and when it was asked. Work under a lease is fenced by the store
    /// itself, so that an old answer does no harm.
    said: Arc<Mutex<Option<Said>>>,
}

/// What the store said about a lease, and when it was asked.
struct Said {
    asked_at: Monotonic,
    lease: Option<Lease>,
}

impl Leader {
    const LENGTH: Duration = Duration::from_secs(5);
    /// Renewing is a write of the database's: not at every pass.
    const RENEW_AFTER: Duration = Duration::from_secs(1);

    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        name: &'static str,
        holder: Uuid,
    ) -> Self {
        Self { store, clock, name, holder, said: Arc::default() }
    }

    /// The lease, taken or renewed; `None` while another node leads.
    pub(crate) async fn lease(&self) -> Result<Option<Lease>, String> {
        let now = self.clock.monotonic();
        if let Some(Said { asked_at, lease }) = self.said.lock().as_ref()
            && now.0.saturating_sub(asked_at.0) < Self::RENEW_AFTER
        {
            return Ok(lease.clone());
        }
        let lease = self.store.lease(self.name, self.holder, Self::LENGTH).await;
        let lease = lease.map_err(|error| error.to_string())?;
        *self.said.lock() = Some(Said { asked_at: now, lease: lease.clone() });
        Ok(lease)
    }

    /// Asks the store again at the next pass: work under the lease was refused.
    pub(crate) fn doubt(&self) {
        *self.said.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let mut failures = 0;
        let pauses: Vec<_> = (0..8).map(|_| back_off(&mut failures).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }
}
