//! The writer thread: batches, and the calls that must write.

use kernel::Outcome;
use rusqlite::Connection;
use tracing::{error, warn};

use super::apply::{Application, Statements, Stop};
use super::{Call, Shared, trouble};
use crate::batch::{Next, Ticket};
use crate::intake::Found;

/// Runs until the store is closed and everything that waited is answered.
pub(super) fn run(shared: &Shared, connection: &Connection) {
    let mut statements = match Statements::prepare(connection, &shared.schema) {
        Ok(statements) => statements,
        Err(reason) => {
            error!(%reason, "the store's statements do not fit its tables");
            return refuse_all(shared, &reason.to_string());
        }
    };
    loop {
        match shared.intake.take(shared.options.batch_limit) {
            Found::Work(next, calls) => {
                if !write(shared, connection, &mut statements, next) {
                    return refuse_all(shared, "the store is closed");
                }
                for call in calls {
                    let call: Call = call;
                    call(connection);
                }
                shared.checkpoints.after_batch(connection);
            }
            Found::Nothing => std::thread::park(),
            Found::Closed => break,
        }
    }
    shared.checkpoints.stop();
    // Leaves one file behind instead of three, if no other process has it open.
    drop(connection.pragma_query(None, "wal_checkpoint", |_| Ok(())));
}

fn refuse_all(shared: &Shared, reason: &str) {
    shared.checkpoints.stop();
    shared.intake.close();
    for ticket in shared.intake.drain() {
        ticket.answer(Outcome::NotCommitted(reason.to_owned()));
    }
}

/// Writes one batch and answers it. `false` if the store closed over a disk that takes nothing.
fn write(shared: &Shared, connection: &Connection, statements: &mut Statements<'_>, next: Next) -> bool {
    for (ticket, outcome) in next.stale {
        ticket.answer(outcome);
    }
    let batch = next.batch;
    if batch.is_empty() {
        return true;
    }
    let now = shared.now();
    let (began, commits) = (shared.options.clock.monotonic(), batch.len());
    let mut written = attempt(connection, statements, &batch, now, false);
    if matches!(written, Err(Failed::Loser)) {
        written = attempt(connection, statements, &batch, now, true);
    }
    match written {
        Ok(losers) => {
            let took = shared.options.clock.monotonic().0.saturating_sub(began.0);
            shared.measures.batch(commits, shared.intake.waiting(), took);
            answer(shared, batch, losers, now);
            true
        }
        Err(Failed::Loser) => true,
        Err(Failed::Unbookable(outcome)) if batch.len() == 1 => {
            for ticket in batch {
                ticket.answer(outcome.clone());
            }
            true
        }
        Err(Failed::Unbookable(_)) => batch.into_iter().all(|ticket| {
            write(shared, connection, statements, Next { batch: vec![ticket], stale: Vec::new() })
        }),
        Err(Failed::Certainly(reason)) => {
            if trouble::is_full(&reason) {
                error!(commits = batch.len(), "the disk is full: make room where the database's file is");
            } else {
                warn!(%reason, commits = batch.len(), "a batch was not written");
            }
            for ticket in batch {
                ticket.answer(trouble::not_written(&reason));
            }
            true
        }
        Err(Failed::AtCommit(reason)) => trouble::overwrite(shared, connection, batch, &reason),
    }
}

fn answer(shared: &Shared, batch: Vec<Ticket>, losers: Vec<Option<Outcome>>, now: kernel::Timestamp) {
    let winners = batch.iter().zip(&losers).filter(|(_, lost)| lost.is_none());
    shared.intake.committed(winners.map(|(ticket, _)| ticket));
    let mut enqueued = false;
    for (ticket, lost) in batch.into_iter().zip(losers) {
        enqueued |= lost.is_none() && ticket.prepared.enqueues;
        ticket.answer(lost.unwrap_or(Outcome::Committed { at: now }));
    }
    if enqueued {
        shared.wake_workers();
    }
}

enum Failed {
    /// The sums of the batch do not fit: one of its commits can never be written.
    Unbookable(Outcome),
    /// Somebody loses: to be written again with savepoints.
    Loser,
    /// Rolled back.
    Certainly(rusqlite::Error),
    /// The commit itself failed on the disk.
    AtCommit(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Certainly(error)
    }
}

/// One transaction over the whole batch; answers with each loser's outcome.
fn attempt(
    connection: &Connection,
    statements: &mut Statements<'_>,
    batch: &[Ticket],
    now: kernel::Timestamp,
    careful: bool,
) -> Result<Vec<Option<Outcome>>, Failed> {
    let begin = |sql: &str| connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
    begin("BEGIN IMMEDIATE")?;
    let losers = fill(connection, statements, batch, now, careful);
    let committed = losers.and_then(|losers| match begin("COMMIT") {
        Ok(_) => Ok(losers),
        Err(error) if trouble::is_unclear(&error) => Err(Failed::AtCommit(error)),
        Err(error) => Err(Failed::Certainly(error)),
    });
    if committed.is_err() && !connection.is_autocommit() {
        begin("ROLLBACK")?;
    }
    committed
}

fn fill(
    connection: &Connection,
    statements: &mut Statements<'_>,
    batch: &[Ticket],
    now: kernel::Timestamp,
    careful: bool,
) -> Result<Vec<Option<Outcome>>, Failed> {
    let savepoint =
        |sql: &str| connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
    let mut application = Application::new(statements, now);
    let mut losers = Vec::with_capacity(batch.len());
    for ticket in batch {
        if careful {
            savepoint("SAVEPOINT one")?;
        }
        let lost = match application.apply(&ticket.prepared) {
            Ok(()) => None,
            Err(Stop::Fault(error)) => return Err(error.into()),
            Err(Stop::Loses(_)) if !careful => return Err(Failed::Loser),
            Err(Stop::Loses(outcome)) => {
                savepoint("ROLLBACK TO one")?;
                Some(outcome)
            }
        };
        if careful {
            savepoint("RELEASE one")?;
        }
        losers.push(lost);
    }
    match application.finish() {
        Ok(()) => Ok(losers),
        Err(Stop::Fault(error)) => Err(error.into()),
        Err(Stop::Loses(outcome)) => {
            // A balance beyond 64 bits. Whose fault it is shows when each commit stands alone.
            warn!(?outcome, "the balances of a batch cannot be written");
            Err(Failed::Unbookable(outcome))
        }
    }
}

/// Runs `work` in a transaction of its own.
pub(super) fn transact<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = work(connection).and_then(|value| connection.execute_batch("COMMIT").map(|()| value));
    if done.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    done
}
