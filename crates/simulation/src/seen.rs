//! A process's store, watched: every commit is held against what must be true after it.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Insert, Lease, Outcome, Query, Row, Scope, Store, StoreError, Table, TakenJob,
    Timestamp,
};
use store::Memory;
use uuid::Uuid;

use crate::machine::Process;
use crate::world::World;

/// The store as a process has it.
pub(crate) struct Seen {
    /// What it is part of.
    pub(crate) world: Arc<World>,
    /// Whose it is.
    pub(crate) process: Process,
    /// The real one.
    pub(crate) door: Arc<Memory>,
}

impl Seen {
    fn reach(&self) -> Result<(), StoreError> {
        if self.world.is_out_of_reach(self.process.machine) {
            return Err(StoreError::Unavailable("the database does not answer".to_owned()));
        }
        Ok(())
    }

    async fn write(&self, changes: Changes) -> Outcome {
        let (world, process) = (&self.world, &self.process);
        if self.reach().is_err() {
            world.log.mark("store: out of reach");
            return Outcome::NotCommitted("the database does not answer".to_owned());
        }
        let nth = world.next_commit(process.machine);
        if world.crashes_at_commit(process, nth, false) {
            std::future::pending::<()>().await;
        }
        let note = Note::of(&changes);
        let outcome = self.door.commit(changes).await;
        world.line(process, || format!("commit {nth}: {} -> {}", note.words(), brief(&outcome)));
        world.watch.committed(world, process, &note, &outcome);
        if world.crashes_at_commit(process, nth, true) {
            std::future::pending::<()>().await;
        }
        outcome
    }
}

/// What a commit is about.
pub(crate) struct Note {
    /// Operations that it writes, as they become, with their versions.
    pub(crate) operations: Vec<(Insert, i64)>,
    /// Payments that it writes.
    pub(crate) payments: Vec<Insert>,
    /// Whether it ends a job.
    pub(crate) finishes: bool,
    /// The kinds of its events.
    pub(crate) events: Vec<String>,
    tables: Vec<&'static str>,
}

impl Note {
    fn of(changes: &Changes) -> Self {
        let rows = || changes.insert.iter().chain(changes.update.iter().map(|update| &update.row));
        let of = |name: &str| rows().filter(|row| row.table.name == name).cloned().collect();
        let new = changes.insert.iter().map(|row| (row, 1));
        let next = changes.update.iter().map(|update| (&update.row, update.expected + 1));
        let versions = new.chain(next).filter(|(row, _)| row.table.name == "operation");
        Self {
            operations: versions.map(|(row, version)| (row.clone(), version)).collect(),
            payments: of("payment"),
            finishes: changes.finish.is_some(),
            events: changes.emit.iter().map(|event| event.kind.to_string()).collect(),
            tables: rows().map(|row| row.table.name).collect(),
        }
    }

    fn words(&self) -> String {
        if !self.events.is_empty() {
            return self.events.join(", ");
        }
        let job = if self.finishes { " ends its job" } else { "" };
        format!("{}{job}", self.tables.join(", "))
    }
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Committed { .. } => "written".to_owned(),
        other => format!("{other:?}"),
    }
}

impl Store for Seen {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        Box::pin(self.write(changes))
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.world.breathe().await;
            self.door.get(table, scope, key).await
        })
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.world.breathe().await;
            self.door.find(query).await
        })
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.door.take_jobs(kinds, limit, lease).await
        })
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.door.return_job(job, delay).await
        })
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.door.lease(name, holder, length).await
        })
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.world.breathe().await;
            self.door.sequence(lease, limit).await
        })
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.door.forget_claims(lease, older_than, limit).await
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        Box::pin(async move {
            self.reach()?;
            self.door.now().await
        })
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        self.door.enqueued()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.door.close()
    }
}
