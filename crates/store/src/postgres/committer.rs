//! A committer: one connection, one batch at a time, one round trip a batch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Outcome, Timestamp};
use tokio::sync::Notify;
use tokio_postgres::{Client, Error, Statement};
use tracing::{error, warn};
use uuid::Uuid;

use super::Shared;
use super::connect::Use;
use super::encode::{Parameter, array_type, single_type};
use super::functions::{GUARD, NOW, OVERDRAWN};
use super::stripe::Stripe;
use super::sweep::Sweep;
use crate::batch::{Balances, Operation, Part, Prepared, Ticket, Value, signature, split};
use crate::intake::{Found, Intake};

/// How long a batch may take before its connection is given up. Then its fate is asked for.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// `disk_full`: the transaction was rolled back.
const DISK_FULL: &str = "53100";
/// Between two attempts to connect.
const BACK_OFF: [u64; 6] = [0, 50, 100, 250, 500, 1000];

/// One committer's state; owned by its task.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) intake: Arc<Intake<std::convert::Infallible>>,
    pub(super) wake: Arc<Notify>,
    pub(super) session: Option<Session>,
    pub(super) stripe: Stripe,
    /// One committer of a process forgets old batches.
    sweep: Option<Sweep>,
    failures: usize,
}

/// A connection and what is prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    shapes: HashMap<(bool, Vec<Operation>), Statement>,
}

/// What became of one attempt at a batch.
#[derive(Debug)]
pub(super) enum Attempt {
    Committed(Timestamp),
    /// Rolled back; somebody in it loses.
    Loser,
    /// Rolled back; the same batch may succeed.
    Again,
    /// Certainly not written: the database says so, or nothing was sent.
    Not(String),
    /// Certainly not written: the server's disk is full.
    Full,
    /// The answer was lost.
    Lost,
}

impl Committer {
    pub(super) fn new(
        shared: Arc<Shared>,
        intake: Arc<Intake<std::convert::Infallible>>,
        wake: Arc<Notify>,
        sweeps: bool,
    ) -> Self {
        let stripe = Stripe::new(shared.options.ids.uuid());
        Self { shared, intake, wake, session: None, stripe, sweep: sweeps.then(Sweep::default), failures: 0 }
    }

    /// Runs until the store is closed and everything that waited is answered.
    pub(super) async fn run(mut self) {
        loop {
            match self.intake.take(self.shared.options.batch_limit) {
                Found::Work(next, _) => {
                    for (ticket, outcome) in next.stale {
                        ticket.answer(outcome);
                    }
                    if !next.batch.is_empty() {
                        self.write(next.batch).await;
                    }
                }
                Found::Nothing => self.wake.notified().await,
                Found::Closed => break,
            }
        }
    }

    /// Writes a batch, whatever it takes, and answers it.
    async fn write(&mut self, batch: Vec<Ticket>) {
        if let Err(reason) = self.ensure_session().await {
            warn!(%reason, commits = batch.len(), "the database cannot be reached");
            return answer_all(batch, &Outcome::NotCommitted(reason));
        }
        let began = self.shared.options.clock.monotonic();
        let mut tries: u32 = 0;
        loop {
            tries += 1;
            let id = self.shared.options.ids.uuid();
            let attempt = self.attempt(id, &batch).await;
            match attempt {
                Attempt::Committed(at) => {
                    let took = self.shared.options.clock.monotonic().0.saturating_sub(began.0);
                    self.shared.measures.batch(batch.len(), self.intake.waiting(), took);
                    return self.answer(batch, Vec::new(), at);
                }
                Attempt::Loser => return self.write_without_losers(batch).await,
                Attempt::Again if tries < 20 => {}
                Attempt::Again => {
                    let reason = "the database kept choosing it as a deadlock's victim".to_owned();
                    return answer_all(batch, &Outcome::NotCommitted(reason));
                }
                Attempt::Full => return answer_all(batch, &Outcome::StorageFull),
                Attempt::Not(reason) => {
                    warn!(%reason, commits = batch.len(), "a batch was not written");
                    return answer_all(batch, &Outcome::NotCommitted(reason));
                }
                Attempt::Lost => match self.find_out(id).await {
                    Some(Some(at)) => return self.answer(batch, Vec::new(), at),
                    // It can never commit now: it goes again under another id.
                    Some(None) => {}
                    None => return answer_all(batch, &Outcome::Indeterminate),
                },
            }
            if let Err(reason) = self.ensure_session().await {
                return answer_all(batch, &Outcome::NotCommitted(reason));
            }
        }
    }

    /// The slow path, again until it is known what became of it.
    async fn write_without_losers(&mut self, batch: Vec<Ticket>) {
        for _ in 0..20 {
            if let Err(reason) = self.ensure_session().await {
                return answer_all(batch, &Outcome::NotCommitted(reason));
            }
            let id = self.shared.options.ids.uuid();
            let (attempt, losers) = self.decide(id, &batch).await;
            match attempt {
                Attempt::Committed(at) => return self.answer(batch, losers, at),
                Attempt::Loser | Attempt::Again => {}
                Attempt::Full => return answer_all(batch, &Outcome::StorageFull),
                Attempt::Not(reason) => return answer_all(batch, &Outcome::NotCommitted(reason)),
                Attempt::Lost => match self.find_out(id).await {
                    Some(Some(at)) => return self.answer(batch, losers, at),
                    Some(None) => {}
                    None => return answer_all(batch, &Outcome::Indeterminate),
                },
            }
        }
        answer_all(batch, &Outcome::NotCommitted("the database did not settle on an answer".to_owned()));
    }

    /// Answers a committed batch: `losers` by position, or none.
    fn answer(&self, batch: Vec<Ticket>, losers: Vec<Option<Outcome>>, at: Timestamp) {
        let mut losers = losers;
        losers.resize(batch.len(), None);
        let winners = batch.iter().zip(&losers).filter(|(_, lost)| lost.is_none());
        self.intake.committed(winners.map(|(ticket, _)| ticket));
        let mut enqueued = false;
        for (ticket, lost) in batch.into_iter().zip(losers) {
            enqueued |= lost.is_none() && ticket.prepared.enqueues;
            ticket.answer(lost.unwrap_or(Outcome::Committed { at }));
        }
        if enqueued {
            self.shared.wake_workers();
        }
    }

    /// One attempt: one statement.
    async fn attempt(&mut self, id: Uuid, batch: &[Ticket]) -> Attempt {
        let mut balances = Balances::default();
        for ticket in batch {
            balances.add(ticket.prepared.lane, &ticket.prepared.balances);
        }
        let stripe = self.stripe.number();
        let prepared: Vec<&Prepared> = batch.iter().map(|ticket| &*ticket.prepared).collect();
        let parts = split(&self.shared.schema, &prepared, &balances, stripe);
        let shared = Arc::clone(&self.shared);
        let Some(session) = &mut self.session else { return Attempt::Not("no connection".to_owned()) };
        let attempt = session.execute(&shared, id, parts).await;
        if matches!(attempt, Attempt::Lost) {
            self.session = None;
        }
        attempt
    }

    /// Connects if there is no connection, and keeps the stripe.
    pub(super) async fn ensure_session(&mut self) -> Result<(), String> {
        if self.session.as_ref().is_some_and(|session| session.client.is_closed()) {
            self.session = None;
        }
        if self.session.is_none() {
            let wait = BACK_OFF.get(self.failures.min(BACK_OFF.len() - 1)).copied().unwrap_or(1000);
            self.shared.options.clock.sleep(Duration::from_millis(wait)).await;
            match self.shared.connector.connect(Use::Commit).await {
                Ok(client) => self.session = Some(Session { client, shapes: HashMap::new() }),
                Err(error) => {
                    self.failures += 1;
                    return Err(super::text(&error));
                }
            }
            self.failures = 0;
        }
        if let Some(session) = &self.session {
            let now = self.shared.options.clock.monotonic();
            self.stripe.keep(&session.client, now).await;
            if let Some(sweep) = &mut self.sweep {
                sweep.keep(&self.shared, now);
            }
        }
        Ok(())
    }
}

pub(super) fn answer_all(batch: Vec<Ticket>, outcome: &Outcome) {
    for ticket in batch {
        ticket.answer(outcome.clone());
    }
}

impl Session {
    /// Runs the functions of `parts` and commits, as one statement that also writes the batch's row.
    async fn execute(&mut self, shared: &Shared, id: Uuid, parts: Vec<Part<'_>>) -> Attempt {
        let statement = match self.statement(shared, true, &parts).await {
            Ok(statement) => statement,
            // Nothing of the batch was sent yet.
            Err(error) if error.as_db_error().is_none() => return Attempt::Again,
            Err(error) => return Attempt::Not(super::text(&error)),
        };
        let arrays = parts.into_iter().flat_map(|part| part.arrays).map(Parameter::Array);
        let first = std::iter::once(Parameter::One(Value::Uuid(id)));
        let parameters: Vec<Parameter<'_>> = first.chain(arrays).collect();
        match tokio::time::timeout(ANSWER_WITHIN, run(&self.client, &statement, &parameters)).await {
            Ok(Ok(at)) => Attempt::Committed(at),
            Ok(Err(error)) => judge(&error),
            Err(_) => Attempt::Lost,
        }
    }

    /// Runs the functions of `parts` inside the transaction that is open.
    pub(super) async fn execute_inside(
        &mut self,
        shared: &Shared,
        parts: Vec<Part<'_>>,
    ) -> Result<(), Error> {
        let statement = self.statement(shared, false, &parts).await?;
        let arrays = parts.into_iter().flat_map(|part| part.arrays).map(Parameter::Array);
        let parameters: Vec<Parameter<'_>> = arrays.collect();
        run(&self.client, &statement, &parameters).await.map(|_| ())
    }

    /// The statement of a shape: which functions, and whether the batch's row is written with them.
    async fn statement(
        &mut self,
        shared: &Shared,
        row: bool,
        parts: &[Part<'_>],
    ) -> Result<Statement, Error> {
        let shape: (bool, Vec<Operation>) = (row, parts.iter().map(|part| part.operation).collect());
        if let Some(statement) = self.shapes.get(&shape) {
            return Ok(statement.clone());
        }
        let mut text = "SELECT ".to_owned();
        let mut types = Vec::new();
        if row {
            text.push_str(&shared.functions.row());
            text.push_str("($1), ");
            types.push(single_type(kernel::ColumnType::Uuid));
        }
        for part in parts {
            text.push_str(&shared.functions.name(&shared.schema, part.operation));
            let kinds = signature(&shared.schema, part.operation);
            let first = types.len() + 1;
            types.extend(kinds.into_iter().map(array_type));
            let marks: Vec<_> = (first..=types.len()).map(|number| format!("${number}")).collect();
            text.push('(');
            text.push_str(&marks.join(", "));
            text.push_str("), ");
        }
        text.push_str(NOW);
        let statement = self.client.prepare_typed(&text, &types).await?;
        self.shapes.insert(shape, statement.clone());
        Ok(statement)
    }
}

/// The rows end when the server is ready again: after the commit, not after the last function.
async fn run(
    client: &Client,
    statement: &Statement,
    parameters: &[Parameter<'_>],
) -> Result<Timestamp, Error> {
    let rows = client.query_raw(statement, parameters.iter()).await?;
    let rows: Vec<tokio_postgres::Row> = futures_util::TryStreamExt::try_collect(rows).await?;
    let at = rows.first().and_then(|row| row.try_get(row.len().saturating_sub(1)).ok());
    Ok(Timestamp::from_micros(at.unwrap_or(0)))
}

/// What an error of a batch means.
pub(super) fn judge(error: &Error) -> Attempt {
    let Some(database) = error.as_db_error() else {
        // The connection broke, or spoke nonsense: it may have committed.
        return Attempt::Lost;
    };
    if matches!(database.severity(), "FATAL" | "PANIC") {
        // The session ended; a commit that was under way may have finished.
        return Attempt::Lost;
    }
    let code = database.code().code();
    match code.get(..2).unwrap_or_default() {
        _ if code == GUARD || code == OVERDRAWN => Attempt::Loser,
        _ if code == DISK_FULL => {
            error!(message = database.message(), "PostgreSQL's disk is full: make room on it");
            Attempt::Full
        }
        "40" => Attempt::Again,
        // Data that cannot be written, broken constraints, limits of the program: somebody's own fault.
        "21" | "22" | "23" | "44" | "54" => Attempt::Loser,
        _ => {
            error!(code, message = database.message(), "the database refused a batch");
            Attempt::Not(super::text(error))
        }
    }
}
