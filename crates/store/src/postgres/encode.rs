//! Values to PostgreSQL and back, in the binary format of the protocol.

use bytes::{BufMut, BytesMut};
use kernel::{Cell, Column, ColumnType, Row, Scope, StoreError, Table, Timestamp};
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::batch::{Array, Value};

type Anything = Box<dyn std::error::Error + Sync + Send>;

/// A relative time travels as a number that no instant is: this far below zero, plus its length in
/// microseconds. The batch's functions turn what lies below [`RELATIVE_END`] into database time.
pub(super) const RELATIVE_BASE: i64 = -9_000_000_000_000_000_000;
/// Above every relative time, below every instant between the years −250,000 and 290,000.
pub(super) const RELATIVE_END: i64 = -8_000_000_000_000_000_000;

/// A type's name in SQL.
pub(crate) const fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Uuid => "uuid",
        ColumnType::Bytes => "bytea",
        ColumnType::Text => "text",
        ColumnType::Int | ColumnType::Time => "bigint",
    }
}

/// A type as a parameter's element.
const fn element(kind: ColumnType) -> Type {
    match kind {
        ColumnType::Uuid => Type::UUID,
        ColumnType::Bytes => Type::BYTEA,
        ColumnType::Text => Type::TEXT,
        ColumnType::Int | ColumnType::Time => Type::INT8,
    }
}

/// A type as an array parameter.
pub(super) const fn array_type(kind: ColumnType) -> Type {
    match kind {
        ColumnType::Uuid => Type::UUID_ARRAY,
        ColumnType::Bytes => Type::BYTEA_ARRAY,
        ColumnType::Text => Type::TEXT_ARRAY,
        ColumnType::Int | ColumnType::Time => Type::INT8_ARRAY,
    }
}

/// A type as a single parameter.
pub(super) const fn single_type(kind: ColumnType) -> Type {
    element(kind)
}

/// A parameter of the statements that are made from declarations.
#[derive(Debug)]
pub(super) enum Parameter<'b> {
    Array(Array<'b>),
    One(Value<'b>),
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match self {
            Self::One(Value::Null) => return Ok(IsNull::Yes),
            Self::One(value) => put(value, out),
            Self::Array(array) => put_array(array, out)?,
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        // The statements are prepared with the declared types.
        true
    }

    to_sql_checked!();
}

/// Source: `array_recv` of PostgreSQL: dimensions, whether there are nulls, the element's type, then
/// length and lower bound of the one dimension, then each element behind its length.
fn put_array(array: &Array<'_>, out: &mut BytesMut) -> Result<(), Anything> {
    let nulls = array.values.contains(&Value::Null);
    out.put_i32(1);
    out.put_i32(i32::from(nulls));
    out.put_u32(element(array.kind).oid());
    out.put_i32(i32::try_from(array.values.len())?);
    out.put_i32(1);
    for value in &array.values {
        if *value == Value::Null {
            out.put_i32(-1);
            continue;
        }
        let before = out.len();
        out.put_i32(0);
        put(value, out);
        let length = i32::try_from(out.len() - before - 4)?;
        if let Some(place) = out.get_mut(before..before + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

fn put(value: &Value<'_>, out: &mut BytesMut) {
    match value {
        Value::Null => {}
        Value::Bytes(bytes) => out.put_slice(bytes),
        Value::Scope(bytes) => out.put_slice(bytes),
        Value::Text(text) => out.put_slice(text.as_bytes()),
        Value::Int(number) => out.put_i64(*number),
        Value::Uuid(uuid) => out.put_slice(uuid.as_bytes()),
        Value::After(duration) => {
            let micros = i64::try_from(duration.as_micros()).unwrap_or(0);
            out.put_i64(RELATIVE_BASE.saturating_add(micros));
        }
    }
}

/// A column's raw bytes, whatever its type.
struct Raw<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Anything> {
        Ok(Self(Some(raw)))
    }
    fn from_sql_null(_: &Type) -> Result<Self, Anything> {
        Ok(Self(None))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a row whose columns, from `first` on, come in the order of [`crate::sql::column_names`].
pub(super) fn row(
    table: &'static Table,
    from: &tokio_postgres::Row,
    first: usize,
) -> Result<Row, StoreError> {
    let raw = |at: usize| from.try_get::<_, Raw<'_>>(at).ok().and_then(|raw| raw.0);
    let scope = raw(first).and_then(Scope::from_bytes).ok_or_else(|| damaged(table, "scope"))?;
    let mut next = first + 1;
    let mut cells = |columns: &[Column]| {
        let read = columns.iter().map(|column| {
            let cell = raw(next).map_or(Some(Cell::Null), |raw| cell(column.kind, raw));
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
    let state =
        if table.has_state { raw(next).ok_or_else(|| damaged(table, "state"))?.to_vec() } else { Vec::new() };
    Ok(Row { scope, key, version, columns, state })
}

fn cell(kind: ColumnType, raw: &[u8]) -> Option<Cell> {
    Some(match kind {
        ColumnType::Uuid => Cell::Uuid(Uuid::from_slice(raw).ok()?),
        ColumnType::Bytes => Cell::Bytes(raw.to_vec()),
        ColumnType::Text => Cell::Text(std::str::from_utf8(raw).ok()?.to_owned()),
        ColumnType::Int => Cell::Int(i64::from_be_bytes(raw.try_into().ok()?)),
        ColumnType::Time => Cell::Time(Timestamp::from_micros(i64::from_be_bytes(raw.try_into().ok()?))),
    })
}

fn damaged(table: &'static Table, column: &str) -> StoreError {
    let reason = format!("its column `{column}` holds another type");
    kernel::RecordError::Damaged { table: table.name, reason }.into()
}
