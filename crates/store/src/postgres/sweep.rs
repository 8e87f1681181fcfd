//! Forgets the rows of old batches.

use std::sync::Arc;
use std::time::Duration;

use kernel::Monotonic;
use tracing::warn;

use super::Shared;
use super::connect::Use;
use super::functions::NOW;

/// Nobody asks about a batch for longer than this.
const KEEP_MICROS: i64 = 24 * 3600 * 1_000_000;
const EVERY: Duration = Duration::from_mins(1);
/// Rows per sweep: more than a busy minute leaves behind.
const LIMIT: i64 = 100_000;

/// Remembers when it last swept.
#[derive(Default)]
pub(super) struct Sweep(Option<Monotonic>);

impl Sweep {
    /// Sweeps if it is time, on a connection of its own and beside the committer.
    pub(super) fn keep(&mut self, shared: &Arc<Shared>, now: Monotonic) {
        if self.0.is_some_and(|last| now.0.saturating_sub(last.0) < EVERY) {
            return;
        }
        self.0 = Some(now);
        let sweeping = Arc::clone(shared);
        shared.options.tasks.spawn(
            "store-sweep",
            Box::pin(async move {
                if let Err(error) = sweep(&sweeping).await {
                    warn!(error = super::text(&error), "old batches were not swept");
                }
            }),
        );
    }
}

async fn sweep(shared: &Shared) -> Result<(), tokio_postgres::Error> {
    let client = shared.connector.connect(Use::Read).await?;
    let text = format!(
        "DELETE FROM batch WHERE id IN \
         (SELECT id FROM batch WHERE recorded_at < {NOW} - {KEEP_MICROS} LIMIT {LIMIT})"
    );
    client.batch_execute(&text).await
}
