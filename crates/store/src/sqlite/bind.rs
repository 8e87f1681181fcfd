//! Cells to SQLite and back.

use kernel::{Cell, Column, ColumnType, Row, Scope, StoreError, Table, Timestamp};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Statement, ToSql};

/// A cell as a parameter; `now` is the database time of the commit.
pub(super) struct Bound<'c>(pub(super) &'c Cell, pub(super) Timestamp);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self.0 {
            Cell::Null => ValueRef::Null,
            Cell::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
            Cell::Bytes(bytes) => ValueRef::Blob(bytes),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Time(instant) => ValueRef::Integer(instant.as_micros()),
            Cell::After(duration) => {
                return Ok(ToSqlOutput::Owned(Value::Integer(self.1.plus(*duration).as_micros())));
            }
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// Binds parameters one after the other.
pub(super) struct Binder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    next: usize,
    now: Timestamp,
}

impl<'s, 'c> Binder<'s, 'c> {
    pub(super) const fn new(statement: &'s mut Statement<'c>, now: Timestamp) -> Self {
        Self { statement, next: 1, now }
    }

    pub(super) fn value(mut self, value: impl ToSql) -> rusqlite::Result<Self> {
        self.statement.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(self)
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> rusqlite::Result<Self> {
        self.value(ToSqlOutput::Borrowed(ValueRef::Blob(bytes)))
    }

    pub(super) fn cells(self, cells: &[Cell]) -> rusqlite::Result<Self> {
        let now = self.now;
        cells.iter().try_fold(self, |binder, cell| binder.value(Bound(cell, now)))
    }

    /// Runs it; answers how many rows it changed.
    pub(super) fn execute(self) -> rusqlite::Result<usize> {
        self.statement.raw_execute()
    }
}

/// Reads a row whose columns come in the order of [`crate::sql::column_names`].
pub(super) fn row(table: &'static Table, row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    let scope = blob(&row.get_ref(0)).and_then(Scope::from_bytes).ok_or_else(|| damaged(table, "scope"))?;
    let mut next = 1;
    let mut cells = |columns: &[Column]| {
        let read = columns.iter().map(|column| {
            let cell = row.get_ref(next).ok().and_then(|value| cell(column.kind, value));
            next += 1;
            cell.ok_or_else(|| damaged(table, column.name))
        });
        read.collect::<Result<Vec<Cell>, StoreError>>()
    };
    let key = cells(table.key)?;
    let version = if table.versioned {
        let version = cells(&[Column::new("version", ColumnType::Int)])?;
        version.first().and_then(Cell::as_int).unwrap_or(0)
    } else {
        0
    };
    let columns = cells(table.columns)?;
    let state = if table.has_state {
        blob(&row.get_ref(next)).ok_or_else(|| damaged(table, "state"))?.to_vec()
    } else {
        Vec::new()
    };
    Ok(Row { scope, key, version, columns, state })
}

fn blob<'r>(value: &rusqlite::Result<ValueRef<'r>>) -> Option<&'r [u8]> {
    if let Ok(ValueRef::Blob(bytes)) = *value { Some(bytes) } else { None }
}

fn cell(kind: ColumnType, value: ValueRef<'_>) -> Option<Cell> {
    Some(match (kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (ColumnType::Uuid, ValueRef::Blob(bytes)) => Cell::Uuid(uuid::Uuid::from_slice(bytes).ok()?),
        (ColumnType::Bytes, ValueRef::Blob(bytes)) => Cell::Bytes(bytes.to_vec()),
        (ColumnType::Text, ValueRef::Text(text)) => Cell::Text(std::str::from_utf8(text).ok()?.to_owned()),
        (ColumnType::Int, ValueRef::Integer(number)) => Cell::Int(number),
        (ColumnType::Time, ValueRef::Integer(micros)) => Cell::Time(Timestamp::from_micros(micros)),
        _ => return None,
    })
}

fn damaged(table: &'static Table, column: &str) -> StoreError {
    let reason = format!("its column `{column}` holds another type");
    kernel::RecordError::Damaged { table: table.name, reason }.into()
}
