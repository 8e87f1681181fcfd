//! The rows in memory, and reads of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Duration;

use kernel::{
    Cell, Comparison, Direction, Filter, Index, Lease, Query, Row, Scope, StoreError, Table, TakenJob,
    Timestamp,
};
use uuid::Uuid;

use crate::Schema;
use crate::batch::Account;
use crate::schema::place;
use crate::sql::{check_after, known};

/// A row's key with its scope before it.
pub(super) type Key = ([u8; 17], Vec<Cell>);

/// What a row holds beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) version: i64,
    pub(super) columns: Vec<Cell>,
    pub(super) state: Vec<u8>,
}

/// One table's rows by key, and which values its unique indexes hold.
pub(super) struct Rows {
    table: &'static Table,
    by_key: BTreeMap<Key, Stored>,
    unique: Vec<(&'static Index, BTreeMap<Vec<Cell>, Key>)>,
}

struct Held {
    holder: Uuid,
    epoch: i64,
    expires_at: Timestamp,
}

/// Everything.
pub(super) struct World {
    pub(super) tables: Vec<Rows>,
    leases: HashMap<String, Held>,
    unsequenced: BTreeSet<Key>,
    position: i64,
}

impl Rows {
    pub(super) fn get(&self, key: &Key) -> Option<&Stored> {
        self.by_key.get(key)
    }

    /// Puts or takes away a row; answers what was there, or nothing is changed because a unique index
    /// has another row with its values.
    pub(super) fn put(&mut self, key: &Key, stored: Option<Stored>) -> Result<Option<Stored>, ()> {
        let table = self.table;
        if let Some(stored) = &stored {
            let taken = self.unique.iter().any(|(index, values)| {
                let value = index_value(table, index, key, stored);
                value.and_then(|value| values.get(&value)).is_some_and(|other| other != key)
            });
            if taken {
                return Err(());
            }
        }
        for (index, values) in &mut self.unique {
            let before = self.by_key.get(key).and_then(|before| index_value(table, index, key, before));
            if let Some(value) = before {
                values.remove(&value);
            }
            let after = stored.as_ref().and_then(|stored| index_value(table, index, key, stored));
            if let Some(value) = after {
                values.insert(value, key.clone());
            }
        }
        Ok(match stored {
            Some(stored) => self.by_key.insert(key.clone(), stored),
            None => self.by_key.remove(key),
        })
    }
}

/// What a unique index holds of a row; `None` if it leaves the row out, or a value is null.
fn index_value(table: &Table, index: &Index, key: &Key, stored: &Stored) -> Option<Vec<Cell>> {
    let cell = |name: &str| -> Option<Cell> {
        if name == "scope" {
            return Some(Cell::Bytes(key.0.to_vec()));
        }
        let (at, _) = table.column(name)?;
        key.1.iter().chain(&stored.columns).nth(at).cloned()
    };
    let is_null = |name: &str| cell(name).is_none_or(|cell| cell == Cell::Null);
    if index.where_present.is_some_and(is_null) || index.where_absent.is_some_and(|name| !is_null(name)) {
        return None;
    }
    let values: Vec<Cell> = index.columns.iter().filter_map(|name| cell(name)).collect();
    if values.contains(&Cell::Null) { None } else { Some(values) }
}

/// What was there before a change, for taking it back.
pub(super) type Undo = Vec<(usize, Key, Option<Stored>)>;

impl World {
    pub(super) fn new(schema: &Schema) -> Self {
        let tables = schema.tables().iter().map(|table| Rows {
            table,
            by_key: BTreeMap::new(),
            unique: table
                .indexes
                .iter()
                .filter(|index| index.unique)
                .map(|index| (index, BTreeMap::new()))
                .collect(),
        });
        Self { tables: tables.collect(), leases: HashMap::new(), unsequenced: BTreeSet::new(), position: 1 }
    }

    /// Puts a row and remembers what was there; `Err` if a unique index has its values.
    pub(super) fn put(
        &mut self,
        table: usize,
        key: Key,
        stored: Option<Stored>,
        undo: &mut Undo,
    ) -> Result<(), ()> {
        let Some(rows) = self.tables.get_mut(table) else { return Ok(()) };
        let there = stored.is_some();
        let before = rows.put(&key, stored)?;
        if table == place::JOURNAL && there {
            self.unsequenced.insert(key.clone());
        }
        undo.push((table, key, before));
        Ok(())
    }

    pub(super) fn take_back(&mut self, undo: Undo) {
        for (table, key, before) in undo.into_iter().rev() {
            if table == place::JOURNAL {
                self.unsequenced.remove(&key);
            }
            if let Some(rows) = self.tables.get_mut(table) {
                // What was there before collides with nothing.
                let _: Result<_, ()> = rows.put(&key, before);
            }
        }
    }

    pub(super) fn holds(&self, lease: &Lease) -> bool {
        self.leases.get(&lease.name).is_some_and(|held| held.epoch == lease.epoch)
    }

    /// The four sums of an account in stripe 0.
    pub(super) fn balance(&self, account: &Account) -> (Key, [i64; 4]) {
        let key = vec![Cell::Text(account.name.to_string()), Cell::from(account.currency), Cell::Int(0)];
        let key = (account.scope, key);
        let row = self.tables.get(place::BALANCE).and_then(|rows| rows.get(&key));
        let mut sums = [0; 4];
        for (sum, cell) in sums.iter_mut().zip(row.map_or(&[][..], |row| &row.columns)) {
            *sum = cell.as_int().unwrap_or(0);
        }
        (key, sums)
    }

    fn rows(&self, schema: &Schema, table: &Table) -> Result<&Rows, StoreError> {
        let rows = schema.place(table).and_then(|place| self.tables.get(place));
        rows.ok_or_else(|| StoreError::Unavailable(format!("`{}` is not declared", table.name)))
    }

    pub(super) fn get(
        &self,
        schema: &Schema,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> Result<Option<Row>, StoreError> {
        let key = (scope.to_bytes(), key);
        let found = self.rows(schema, table)?.get(&key);
        Ok(found.and_then(|stored| row(&key, stored)))
    }

    pub(super) fn find(
        &self,
        schema: &Schema,
        query: &Query,
        now: Timestamp,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.rows(schema, query.table)?;
        for name in query.filters.iter().map(|filter| &filter.column).chain(&query.order) {
            known(query.table, name)?;
        }
        if let Some(key) = &query.after {
            check_after(query, key)?;
        }
        let from =
            query.scope.map_or(Bound::Unbounded, |scope| Bound::Included((scope.to_bytes(), Vec::new())));
        let rows = rows
            .by_key
            .range((from, Bound::Unbounded))
            .take_while(|((scope, _), _)| query.scope.is_none_or(|wanted| *scope == wanted.to_bytes()))
            .filter(|(key, stored)| {
                let holds = |filter: &Filter| holds(query.table, filter, key, stored, now);
                let beyond = query.after.as_ref().is_none_or(|after| match query.direction {
                    Direction::Ascending => key.1 > *after,
                    Direction::Descending => key.1 < *after,
                });
                beyond && query.filters.iter().all(holds)
            });
        let mut rows: Vec<(&Key, &Stored)> = rows.collect();
        let by_order = |one: &(&Key, &Stored), other: &(&Key, &Stored)| -> Ordering {
            let columns = query.order.iter().map(|name| {
                let cell = |row: &(&Key, &Stored)| cell(query.table, name, row.0, row.1).cloned();
                cell(one).cmp(&cell(other))
            });
            columns.fold(Ordering::Equal, Ordering::then).then_with(|| one.0.cmp(other.0))
        };
        rows.sort_by(by_order);
        if query.direction == Direction::Descending {
            rows.reverse();
        }
        rows.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let mut rows: Vec<Row> = rows.into_iter().filter_map(|(key, stored)| row(key, stored)).collect();
        if !query.with_state {
            for row in &mut rows {
                row.state.clear();
            }
        }
        Ok(rows)
    }

    pub(super) fn take_jobs(
        &mut self,
        kinds: &[&str],
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Vec<TakenJob> {
        let Some(jobs) = self.tables.get_mut(place::JOB) else { return Vec::new() };
        let mut due: Vec<(&Key, &mut Stored)> = jobs
            .by_key
            .iter_mut()
            .filter(|(_, job)| {
                let [Cell::Text(kind), Cell::Time(due_at), ..] = &job.columns[..] else { return false };
                kinds.contains(&kind.as_str()) && *due_at <= now
            })
            .collect();
        due.sort_by_key(|(_, job)| job.columns.get(1).cloned());
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let taken = due.into_iter().filter_map(|((scope, key), job)| {
            let [Cell::Text(kind), due_at, Cell::Int(attempts), Cell::Int(epoch), Cell::Bytes(payload), _] =
                &mut job.columns[..]
            else {
                return None;
            };
            *due_at = Cell::Time(now.plus(lease));
            *attempts += 1;
            *epoch += 1;
            Some(TakenJob {
                scope: Scope::from_bytes(scope)?,
                id: key.first()?.as_uuid()?,
                kind: kind.clone(),
                attempts: *attempts,
                epoch: *epoch,
                payload: payload.clone(),
            })
        });
        taken.collect()
    }

    pub(super) fn return_job(&mut self, job: &TakenJob, due: Timestamp) {
        let key = (job.scope.to_bytes(), vec![Cell::Uuid(job.id)]);
        let row = self.tables.get_mut(place::JOB).and_then(|jobs| jobs.by_key.get_mut(&key));
        if let Some([_, due_at, _, Cell::Int(epoch), ..]) = row.map(|row| &mut row.columns[..])
            && *epoch == job.epoch
        {
            *due_at = Cell::Time(due);
        }
    }

    pub(super) fn lease(
        &mut self,
        name: &str,
        holder: Uuid,
        length: Duration,
        now: Timestamp,
    ) -> Option<Lease> {
        let expires_at = now.plus(length);
        let fresh = || Held { holder, epoch: 1, expires_at };
        let held = self.leases.entry(name.to_owned()).or_insert_with(fresh);
        if held.holder != holder {
            if held.expires_at > now {
                return None;
            }
            held.epoch += 1;
            held.holder = holder;
        }
        held.expires_at = expires_at;
        Some(Lease { name: name.to_owned(), epoch: held.epoch })
    }

    pub(super) fn forget_claims(&mut self, lease: &Lease, before: Timestamp, limit: u32) -> u64 {
        if !self.holds(lease) {
            return 0;
        }
        let Some(claims) = self.tables.get_mut(place::CLAIM) else { return 0 };
        let is_old = |stored: &Stored| {
            let [_, _, _, answer, created_at] = &stored.columns[..] else { return false };
            *answer != Cell::Null && *created_at < Cell::Time(before)
        };
        let old = claims.by_key.iter().filter(|(_, stored)| is_old(stored)).map(|(key, _)| key.clone());
        let old: Vec<Key> = old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        let mut forgotten = 0;
        for key in &old {
            let _: Result<_, ()> = claims.put(key, None);
            forgotten += 1;
        }
        forgotten
    }

    /// The keys of a scope's jobs that were promised and are not due at `now`.
    pub(super) fn promised(&self, scope: [u8; 17], now: Timestamp) -> Vec<Key> {
        let Some(jobs) = self.tables.get(place::JOB) else { return Vec::new() };
        let later = |stored: &Stored| {
            let [_, due_at, _, _, _, promised] = &stored.columns[..] else { return false };
            *promised == Cell::Int(1) && *due_at > Cell::Time(now)
        };
        let of_scope = jobs.by_key.iter().filter(|((owner, _), stored)| *owner == scope && later(stored));
        of_scope.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn sequence(&mut self, lease: &Lease, limit: u32) -> u64 {
        if !self.holds(lease) {
            return 0;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keys: Vec<Key> = self.unsequenced.iter().take(limit).cloned().collect();
        let mut numbered = 0;
        for key in keys {
            self.unsequenced.remove(&key);
            let Some(rows) = self.tables.get_mut(place::JOURNAL) else { break };
            let Some(mut stored) = rows.get(&key).cloned() else { continue };
            let count = stored.columns.first().and_then(Cell::as_int).unwrap_or(0);
            if let Some(position) = stored.columns.get_mut(1) {
                *position = Cell::Int(self.position);
            }
            let _: Result<_, ()> = rows.put(&key, Some(stored));
            self.position += count;
            numbered += 1;
        }
        numbered
    }
}

fn row(key: &Key, stored: &Stored) -> Option<Row> {
    Some(Row {
        scope: Scope::from_bytes(&key.0)?,
        key: key.1.clone(),
        version: stored.version,
        columns: stored.columns.clone(),
        state: stored.state.clone(),
    })
}

fn cell<'r>(table: &Table, name: &str, key: &'r Key, stored: &'r Stored) -> Option<&'r Cell> {
    let (at, _) = table.column(name)?;
    key.1.iter().chain(&stored.columns).nth(at)
}

fn holds(table: &Table, filter: &Filter, key: &Key, stored: &Stored, now: Timestamp) -> bool {
    let Some(cell) = cell(table, filter.column, key, stored) else { return false };
    let wanted = super::apply::resolve(&filter.cell, now);
    let null = *cell == Cell::Null;
    match filter.comparison {
        Comparison::Present => !null,
        Comparison::Absent => null,
        // As in SQL, nothing compares with null.
        _ if null || wanted == Cell::Null => false,
        Comparison::Equal => *cell == wanted,
        Comparison::Below => *cell < wanted,
        Comparison::AtMost => *cell <= wanted,
        Comparison::Above => *cell > wanted,
        Comparison::AtLeast => *cell >= wanted,
    }
}
