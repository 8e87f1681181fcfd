//! Stored objects: what a record declares of itself, and how rows are asked for.

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use uuid::Uuid;

use crate::port::{Store, StoreError};
use crate::{Scope, Timestamp};

/// One value of a key or a promoted column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// No value; only in a nullable column.
    Null,
    /// 128 bits.
    Uuid(Uuid),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// UTF-8 text without NUL.
    Text(String),
    /// A 64-bit integer.
    Int(i64),
    /// An instant.
    Time(Timestamp),
    /// Database time at the commit plus this duration; read back as [`Cell::Time`]. Only in a
    /// [`ColumnType::Time`] column. Shorter than thirty years.
    After(Duration),
}

impl Cell {
    /// The text of a text cell.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number of an integer cell.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The instant of a time cell.
    pub const fn as_time(&self) -> Option<Timestamp> {
        if let Self::Time(instant) = self { Some(*instant) } else { None }
    }

    /// The UUID of a UUID cell.
    pub const fn as_uuid(&self) -> Option<Uuid> {
        if let Self::Uuid(uuid) = self { Some(*uuid) } else { None }
    }

    /// The bytes of a bytes cell.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

impl From<Uuid> for Cell {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}
impl<T> From<crate::Id<T>> for Cell {
    fn from(value: crate::Id<T>) -> Self {
        Self::Uuid(value.uuid())
    }
}
impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<Timestamp> for Cell {
    fn from(value: Timestamp) -> Self {
        Self::Time(value)
    }
}
impl From<Vec<u8>> for Cell {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The type of a column, in both dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `uuid` in PostgreSQL, a 16-byte blob in SQLite.
    Uuid,
    /// `bytea` or `BLOB`.
    Bytes,
    /// `text`, compared byte by byte (`COLLATE "C"` in PostgreSQL).
    Text,
    /// `bigint` or `INTEGER`.
    Int,
    /// Microseconds since the epoch: `bigint` or `INTEGER`.
    Time,
}

/// A column that a table promotes out of the state, because something filters, sorts or joins by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether [`Cell::Null`] may stand in it. Never in a key.
    pub nullable: bool,
}

impl Column {
    /// A column that always has a value.
    pub const fn new(name: &'static str, kind: ColumnType) -> Self {
        Self { name, kind, nullable: false }
    }

    /// A column that may be null.
    pub const fn nullable(name: &'static str, kind: ColumnType) -> Self {
        Self { name, kind, nullable: true }
    }
}

/// A secondary index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// Its name in SQL, unique in the database.
    pub name: &'static str,
    /// Its columns in order; `scope` may be one of them.
    pub columns: &'static [&'static str],
    /// Whether two rows may not share its values.
    pub unique: bool,
    /// It holds only rows where this column is not null.
    pub where_present: Option<&'static str>,
    /// It holds only rows where this column is null.
    pub where_absent: Option<&'static str>,
}

/// The declaration of a table: the store makes every statement from it, and a test holds it against
/// the migrated schema of both dialects.
///
/// The primary key is `scope`, then `key`. Columns in SQL: `scope`, the key's, `version` (if
/// `versioned`), the promoted ones in order, `state` (if `has_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Its name in SQL: the singular noun.
    pub name: &'static str,
    /// The key's columns after the scope.
    pub key: &'static [Column],
    /// Promoted columns.
    pub columns: &'static [Column],
    /// Whether rows are updated; each update then carries the version it read.
    pub versioned: bool,
    /// Whether the row holds a state beside its columns.
    pub has_state: bool,
    /// Secondary indexes.
    pub indexes: &'static [Index],
    /// Percent of a PostgreSQL page filled by inserts; below 100 leaves room for heap-only updates.
    pub fillfactor: u8,
}

impl Table {
    /// The position of a column among the key's and then the promoted ones, and its type.
    pub fn column(&self, name: &str) -> Option<(usize, Column)> {
        let all = self.key.iter().chain(self.columns);
        all.copied().enumerate().find(|(_, column)| column.name == name)
    }
}

/// A stored object.
///
/// The whole state is the serde form of the object (JSON bytes behind a form number); adding a field
/// needs no migration, a new filter does.
pub trait Record: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {
    /// Where it is stored.
    const TABLE: &'static Table;
    /// The number of the stored form that this build writes; it reads this one and all before it.
    const FORM: u16;

    /// The key after the scope.
    fn key(&self) -> Vec<Cell>;

    /// The promoted columns, in declared order.
    fn columns(&self) -> Vec<Cell>;
}

/// A record as it was read, with the version that an update must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<R> {
    /// The record.
    pub record: R,
    /// Counts the commits that wrote this row, from 1.
    pub version: i64,
    /// The promoted columns as stored, with due times as instants of the database.
    pub columns: Vec<Cell>,
}

/// A row as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose it is.
    pub scope: Scope,
    /// The key after the scope.
    pub key: Vec<Cell>,
    /// 1 and up; 0 in a table that is not versioned.
    pub version: i64,
    /// The promoted columns.
    pub columns: Vec<Cell>,
    /// The state; empty in a table without one.
    pub state: Vec<u8>,
}

/// A stored state cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Written by a newer build.
    #[error("a row of `{table}` has form {found}, this build reads up to {known}")]
    NewerForm {
        /// The table.
        table: &'static str,
        /// The form in the row.
        found: u16,
        /// The newest form known here.
        known: u16,
    },
    /// The bytes are no state of this table.
    #[error("a row of `{table}` cannot be read: {reason}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What the parser said; no data.
        reason: String,
    },
}

/// The stored bytes of a record: its form number, then its JSON.
pub fn encode_state<R: Record>(record: &R) -> Result<Vec<u8>, RecordError> {
    let mut bytes = R::FORM.to_string().into_bytes();
    bytes.reserve(512);
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| RecordError::Damaged { table: R::TABLE.name, reason: error.to_string() })?;
    Ok(bytes)
}

/// The JSON of a state, without its form's number.
pub fn state_json(state: &[u8]) -> &[u8] {
    let digits = state.iter().take_while(|byte| byte.is_ascii_digit()).count();
    state.get(digits..).unwrap_or_default()
}

/// Reads what [`encode_state`] wrote.
pub fn decode_state<R: Record>(state: &[u8]) -> Result<R, RecordError> {
    let damaged = |reason: &str| RecordError::Damaged { table: R::TABLE.name, reason: reason.to_owned() };
    let json = state_json(state);
    let form = state.get(..state.len() - json.len()).unwrap_or_default();
    let found: u16 = std::str::from_utf8(form)
        .ok()
        .and_then(|form| form.parse().ok())
        .ok_or_else(|| damaged("no form number"))?;
    if found > R::FORM {
        return Err(RecordError::NewerForm { table: R::TABLE.name, found, known: R::FORM });
    }
    // The category alone: serde's full message can quote data.
    serde_json::from_slice(json)
        .map_err(|error| damaged(&format!("{:?} error at column {}", error.classify(), error.column())))
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Less.
    Below,
    /// Less or equal.
    AtMost,
    /// Greater.
    Above,
    /// Greater or equal.
    AtLeast,
    /// Not null; the filter's cell is ignored.
    Present,
    /// Null; the filter's cell is ignored.
    Absent,
}

/// A condition on a key's or a promoted column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The column.
    pub column: &'static str,
    /// How it compares with `cell`.
    pub comparison: Comparison,
    /// What it is compared with.
    pub cell: Cell,
}

impl Filter {
    /// `column` equals `cell`.
    pub fn equal(column: &'static str, cell: impl Into<Cell>) -> Self {
        Self { column, comparison: Comparison::Equal, cell: cell.into() }
    }

    /// `column` compares with `cell` as `comparison` says.
    pub fn compare(column: &'static str, comparison: Comparison, cell: impl Into<Cell>) -> Self {
        Self { column, comparison, cell: cell.into() }
    }
}

/// Ascending or descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A question to the store about one table.
#[derive(Clone, Debug)]
pub struct Query {
    /// The table.
    pub table: &'static Table,
    /// One world; `None` is for workers and operators alone.
    pub scope: Option<Scope>,
    /// Conditions, all of which hold.
    pub filters: Vec<Filter>,
    /// Columns to order by, before the key (with its scope), which always comes last.
    pub order: Vec<&'static str>,
    /// The direction of the whole order.
    pub direction: Direction,
    /// Only rows beyond this key in the order of the key. Only with an empty `order` and a scope.
    pub after: Option<Vec<Cell>>,
    /// At most so many rows.
    pub limit: u32,
    /// Whether the rows' state is read; else it is empty.
    pub with_state: bool,
}

impl Query {
    /// All of a scope's rows of `table` by key, newest (highest) first, at most `limit`.
    pub const fn newest(table: &'static Table, scope: Scope, limit: u32) -> Self {
        Self {
            table,
            scope: Some(scope),
            filters: Vec::new(),
            order: Vec::new(),
            direction: Direction::Descending,
            after: None,
            limit,
            with_state: true,
        }
    }

    /// All of a scope's rows of `table` by key, lowest first, at most `limit`.
    pub const fn oldest(table: &'static Table, scope: Scope, limit: u32) -> Self {
        let mut query = Self::newest(table, scope, limit);
        query.direction = Direction::Ascending;
        query
    }

    /// Rows of all scopes, lowest first. For workers and operators alone.
    pub const fn everywhere(table: &'static Table, limit: u32) -> Self {
        Self {
            table,
            scope: None,
            filters: Vec::new(),
            order: Vec::new(),
            direction: Direction::Ascending,
            after: None,
            limit,
            with_state: true,
        }
    }

    /// Reads keys and columns alone: what is stored of a journal row is large beside them.
    #[must_use]
    pub fn without_state(mut self) -> Self {
        self.with_state = false;
        self
    }

    /// Adds a condition.
    #[must_use]
    pub fn with(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Orders by this column before the key.
    #[must_use]
    pub fn order_by(mut self, column: &'static str) -> Self {
        self.order.push(column);
        self
    }

    /// Continues beyond this key.
    #[must_use]
    pub fn after(mut self, key: Option<Vec<Cell>>) -> Self {
        self.after = key;
        self
    }
}

/// A store seen from one scope: every read carries it.
#[derive(Clone, Copy)]
pub struct Scoped<'s> {
    store: &'s dyn Store,
    scope: Scope,
}

impl dyn Store {
    /// This store as `scope` sees it.
    pub fn of(&self, scope: Scope) -> Scoped<'_> {
        Scoped { store: self, scope }
    }

    /// Finds records of all scopes. For workers and operators alone.
    pub async fn find_everywhere<R: Record>(
        &self,
        query: Query,
    ) -> Result<Vec<(Scope, Versioned<R>)>, StoreError> {
        let rows = self.find(query).await?;
        rows.into_iter().map(|row| Ok((row.scope, read(row)?))).collect()
    }
}

impl Scoped<'_> {
    /// The scope.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Reads one record by its key.
    pub async fn get<R: Record>(&self, key: Vec<Cell>) -> Result<Option<Versioned<R>>, StoreError> {
        let row = self.store.get(R::TABLE, self.scope, key).await?;
        row.map(read).transpose()
    }

    /// Reads the records that a query of this scope finds.
    pub async fn find<R: Record>(&self, query: Query) -> Result<Vec<Versioned<R>>, StoreError> {
        let rows = self.store.find(Query { scope: Some(self.scope), ..query }).await?;
        rows.into_iter().map(read).collect()
    }
}

fn read<R: Record>(row: Row) -> Result<Versioned<R>, StoreError> {
    let record = decode_state(&row.state)?;
    Ok(Versioned { record, version: row.version, columns: row.columns })
}
