//! Copies the write-ahead log into the database file, beside the writer.
//!
//! SQLite by itself checkpoints on the connection that made the log long: every commit that waits then
//! waits for thousands of scattered pages to be written. Here a thread with a connection of its own
//! does that while the writer goes on. Only when little is left does the writer copy the rest between
//! two batches: with nothing left over, its next commit begins the log anew, so that the log stays
//! bounded under load without end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tracing::warn;

/// Between two looks at the log; a page that is written often is copied once in that time.
const PAUSE: Duration = Duration::from_secs(1);

/// Pages of 4 KiB in the log, from which on it is to begin anew.
const LONG_PAGES: i64 = 8192;

/// Between the writer, which makes the log, and the thread that copies it.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// Something was written since the last look.
    written: AtomicBool,
    /// Little is left to copy: the writer may do it and begin the log anew.
    nearly_done: AtomicBool,
    closed: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpoints {
    /// Starts the thread. `connection` becomes its own.
    pub(super) fn start(self: &std::sync::Arc<Self>, connection: Connection) -> std::io::Result<()> {
        let checkpoints = std::sync::Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || checkpoints.run(&connection))?;
        self.thread.lock().replace(thread);
        Ok(())
    }

    /// Called by the writer after each batch.
    pub(super) fn after_batch(&self, writer: &Connection) {
        self.written.store(true, Ordering::Relaxed);
        if self.nearly_done.swap(false, Ordering::Relaxed) {
            copy(writer);
        }
    }

    /// Ends the thread; the writer's last checkpoint follows.
    pub(super) fn stop(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            drop(thread.join());
        }
    }

    fn run(&self, connection: &Connection) {
        loop {
            std::thread::park_timeout(PAUSE);
            if self.closed.load(Ordering::Relaxed) {
                return;
            }
            if !self.written.swap(false, Ordering::Relaxed) {
                continue;
            }
            let pages = copy(connection);
            if pages >= LONG_PAGES {
                // What came meanwhile, so that as little as possible is left for the writer.
                copy(connection);
                self.nearly_done.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// Copies what it can without waiting for anybody. Answers how many pages the log has.
fn copy(connection: &Connection) -> i64 {
    let pages = connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut statement| statement.query_row((), |row| row.get(1)));
    pages.unwrap_or_else(|error| {
        // The log keeps everything: only its length suffers, until the next look.
        warn!(%error, "the log could not be copied into the database file");
        0
    })
}
