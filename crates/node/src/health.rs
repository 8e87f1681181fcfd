//! Whether this node can serve: asked of the database at most once a second, whoever asks how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use kernel::{Clock, Monotonic, Store};
use tokio::sync::Mutex;

/// How long the database may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer counts.
const LIFE: Duration = Duration::from_secs(1);

/// What a database that cannot be used is said to be. The reason is in the log: it names hosts.
type Fault = &'static str;

/// The checks of one node.
pub struct Health {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stopping: AtomicBool,
    /// Held while the database is asked: all who come meanwhile get the same answer.
    known: Mutex<Option<(Monotonic, Result<(), Fault>)>>,
}

impl Health {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, stopping: AtomicBool::new(false), known: Mutex::new(None) }
    }

    /// Whether the database answers.
    pub async fn database(&self) -> Result<(), &'static str> {
        let mut known = self.known.lock().await;
        let now = self.clock.monotonic();
        if let Some((asked_at, answer)) = *known
            && now.0.saturating_sub(asked_at.0) < LIFE
        {
            return answer;
        }
        let answer = match select(self.store.now(), self.clock.sleep(ANSWER_WITHIN)).await {
            Either::Left((Ok(_), _)) => Ok(()),
            Either::Left((Err(error), _)) => {
                tracing::warn!(%error, "the database failed its health check");
                Err("the database cannot be used")
            }
            Either::Right(_) => {
                tracing::warn!("the database did not answer its health check in time");
                Err("the database does not answer")
            }
        };
        *known = Some((self.clock.monotonic(), answer));
        answer
    }

    /// Whether requests should be sent here.
    pub async fn is_ready(&self) -> Result<(), &'static str> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err("the server is stopping");
        }
        self.database().await
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}
