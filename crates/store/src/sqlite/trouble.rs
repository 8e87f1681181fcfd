//! A disk that does not take what is written.
//!
//! A full disk is the plain case: SQLite says so before the commit stands anywhere, the batch is rolled
//! back, and the next one that fits is written. A commit that fails on the disk in any other way (a sync
//! that fails, a quota, no room for the log's index) may stand in the log all the same: a crash at this
//! moment would bring it back. So nothing is accepted, and its callers wait, until a commit of ours
//! stands in its place; then it is certain that it never happened.

use std::time::Duration;

use kernel::Outcome;
use rusqlite::{Connection, ErrorCode};
use tracing::{error, info};

use super::Shared;
use crate::batch::Ticket;

/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(100);
/// How long callers of the failed batch wait to be told what became of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether there is no room on the disk.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Whether a failed commit may stand in the log nevertheless.
pub(super) fn is_unclear(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// What a batch that was rolled back for this error is answered.
pub(super) fn not_written(error: &rusqlite::Error) -> Outcome {
    if is_full(error) { Outcome::StorageFull } else { Outcome::NotCommitted(error.to_string()) }
}

/// Puts a commit of ours in the place of one that failed on the disk, and answers the batch. `false` if
/// the store was closed before that succeeded: then only the next opening of the file decides.
pub(super) fn overwrite(
    shared: &Shared,
    connection: &Connection,
    batch: Vec<Ticket>,
    reason: &rusqlite::Error,
) -> bool {
    error!(
        %reason,
        commits = batch.len(),
        "a commit failed on the disk: nothing is accepted until the disk takes writes again"
    );
    let clock = &shared.options.clock;
    let began = clock.monotonic();
    let mut batch = Some(batch);
    let mut answer = |outcome: &Outcome| {
        for ticket in batch.take().into_iter().flatten() {
            ticket.answer(outcome.clone());
        }
    };
    loop {
        let failed = match write_in_its_place(connection) {
            Ok(()) => {
                info!("the disk takes writes again");
                answer(&not_written(reason));
                return true;
            }
            Err(failed) => failed,
        };
        if shared.intake.is_closing() {
            answer(&Outcome::Indeterminate);
            return false;
        }
        if clock.monotonic().0.saturating_sub(began.0) >= PATIENCE {
            answer(&Outcome::Indeterminate);
        }
        for ticket in shared.intake.drain() {
            ticket.answer(not_written(&failed));
        }
        std::thread::park_timeout(AGAIN);
    }
}

/// The smallest commit that there is: it writes the first page as it is.
fn write_in_its_place(connection: &Connection) -> rusqlite::Result<()> {
    super::writer::transact(connection, |connection| {
        let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        connection.pragma_update(None, "user_version", version)
    })
}
