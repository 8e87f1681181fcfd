//! Reads: inline on the caller's thread, on one of a few read-only connections.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Cell, Query, Row, Scope, StoreError, Table, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;
use uuid::Uuid;

use super::bind::{Bound, row};
use super::unavailable;
use crate::OpenError;
use crate::sql::{Dialect, column_names, select};

/// The pool.
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, OpenError> {
        let connections = (0..count.max(1)).map(|_| super::connect_reader(path).map(Mutex::new));
        Ok(Self { connections: connections.collect::<Result<_, _>>()?, next: AtomicUsize::new(0) })
    }

    /// A free connection, or the next one's turn.
    fn connection(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len().max(1);
        let (after, before) = (self.connections.iter().skip(start), self.connections.iter().take(start));
        if let Some(free) = after.chain(before).find_map(|connection| connection.try_lock()) {
            return Ok(free);
        }
        let connection = self.connections.get(start);
        connection
            .map(|connection| connection.lock())
            .ok_or_else(|| StoreError::Unavailable("no connection for reads".to_owned()))
    }

    pub(super) fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: &[Cell],
    ) -> Result<Option<Row>, StoreError> {
        let connection = self.connection()?;
        let mut text =
            format!("SELECT {} FROM {} WHERE scope = ?1", column_names(table).join(", "), table.name);
        for (index, column) in table.key.iter().enumerate() {
            let _ = write!(text, " AND {} = ?{}", column.name, index + 2);
        }
        let mut statement = connection.prepare_cached(&text).map_err(|error| unavailable(&error))?;
        let bind = statement.raw_bind_parameter(1, &scope.to_bytes()[..]);
        let bind = bind.and_then(|()| {
            let now = Timestamp::default();
            let mut cells = key.iter().enumerate();
            cells.try_for_each(|(index, cell)| statement.raw_bind_parameter(index + 2, Bound(cell, now)))
        });
        bind.map_err(|error| unavailable(&error))?;
        let mut rows = statement.raw_query();
        let found = rows.next().map_err(|error| unavailable(&error))?;
        found.map(|found| row(table, found)).transpose()
    }

    pub(super) fn find(&self, query: &Query, now: Timestamp) -> Result<Vec<Row>, StoreError> {
        let select = select(query, Dialect::Sqlite)?;
        let connection = self.connection()?;
        let mut statement = connection.prepare_cached(&select.text).map_err(|error| unavailable(&error))?;
        for (index, (_, cell)) in select.parameters.iter().enumerate() {
            let bound = statement.raw_bind_parameter(index + 1, Bound(cell, now));
            bound.map_err(|error| unavailable(&error))?;
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(next) = rows.next().map_err(|error| unavailable(&error))? {
            found.push(row(query.table, next)?);
        }
        Ok(found)
    }

    pub(super) fn any_due(&self, kinds: &[&str], now: Timestamp) -> Result<bool, StoreError> {
        let connection = self.connection()?;
        let any = kinds.iter().try_fold(false, |any, kind| {
            let mut statement =
                connection.prepare_cached("SELECT 1 FROM job WHERE kind = ?1 AND due_at <= ?2 LIMIT 1")?;
            Ok(any || statement.exists((kind, now.as_micros()))?)
        });
        any.map_err(|error: rusqlite::Error| unavailable(&error))
    }

    pub(super) fn any_unsequenced(&self) -> Result<bool, StoreError> {
        self.exists("SELECT 1 FROM journal WHERE position IS NULL LIMIT 1", ())
    }

    /// Whether the oldest claim is older than this.
    pub(super) fn any_claim_before(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM (SELECT created_at FROM claim ORDER BY rowid LIMIT 1) WHERE created_at < ?1",
            (before.as_micros(),),
        )
    }

    pub(super) fn held_by_another(
        &self,
        name: &str,
        holder: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.exists(
            "SELECT 1 FROM lease WHERE name = ?1 AND holder <> ?2 AND expires_at > ?3",
            (name, &holder.as_bytes()[..], now.as_micros()),
        )
    }

    pub(super) fn ping(&self) -> Result<(), StoreError> {
        self.exists("SELECT 1", ()).map(|_| ())
    }

    fn exists(&self, text: &str, parameters: impl rusqlite::Params) -> Result<bool, StoreError> {
        let connection = self.connection()?;
        let found = connection.prepare_cached(text).and_then(|mut statement| statement.exists(parameters));
        found.map_err(|error| unavailable(&error))
    }
}
