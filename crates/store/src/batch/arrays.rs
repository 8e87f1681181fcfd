//! A batch as arrays by table and operation, sorted by key: what one statement takes.

use std::borrow::Cow;
use std::time::Duration;

use kernel::{Cell, ColumnType, LedgerAccount, Scope};

use uuid::Uuid;

use super::balance::Balances;
use super::prepare::Prepared;
use crate::Schema;
use crate::schema::place;

/// One operation on one table. The order of the variants and then of the tables is the order in which
/// every batch writes, and so locks: fences first, the hot rows of the balances last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    /// Leases that must still be held.
    Require,
    /// Jobs that are done.
    Finish,
    /// Promised jobs that become due earlier, because a test merchant moved its clock.
    Hasten,
    /// Claims first: most commits that lose, lose here.
    Claim,
    /// Claims that get their answers.
    Answer,
    /// Rows that go, of the table at this place in the schema.
    Remove(usize),
    /// Next versions.
    Update(usize),
    /// New rows.
    Insert(usize),
    /// Balances of flagged accounts, with their floors.
    Flagged,
    /// Balances of ordinary accounts.
    Balance,
}

/// One value of an array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value<'b> {
    Null,
    Bytes(&'b [u8]),
    Scope([u8; 17]),
    Text(Cow<'b, str>),
    Int(i64),
    /// After the time of the commit.
    After(Duration),
    Uuid(Uuid),
}

impl<'b> From<&'b Cell> for Value<'b> {
    fn from(cell: &'b Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Uuid(uuid) => Self::Uuid(*uuid),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::Text(text) => Self::from(text.as_str()),
            Cell::Int(number) => Self::Int(*number),
            Cell::Time(instant) => Self::Int(instant.as_micros()),
            Cell::After(duration) => Self::After(*duration),
        }
    }
}

impl<'b> From<&'b str> for Value<'b> {
    fn from(text: &'b str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// One array parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Array<'b> {
    pub(crate) kind: ColumnType,
    pub(crate) values: Vec<Value<'b>>,
}

/// One operation's arrays, all of one length, sorted by the rows' keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'b> {
    pub(crate) operation: Operation,
    pub(crate) arrays: Vec<Array<'b>>,
}

/// The types of an operation's arrays, in order.
pub(crate) fn signature(schema: &Schema, operation: Operation) -> Vec<ColumnType> {
    use ColumnType::{Bytes, Int, Text, Uuid};
    let of = |place: usize| schema.tables().get(place).copied();
    let key = |place| of(place).into_iter().flat_map(|table| table.key).map(|column| column.kind);
    let content = |place| {
        let columns = of(place).into_iter().flat_map(|table| table.columns).map(|column| column.kind);
        columns.chain(of(place).filter(|table| table.has_state).map(|_| Bytes))
    };
    let version = |place| of(place).filter(|table| table.versioned).map(|_| Int);
    match operation {
        Operation::Require => vec![Text, Int],
        Operation::Finish => vec![Bytes, Uuid, Int],
        Operation::Hasten => vec![Bytes, Int],
        Operation::Claim => signature(schema, Operation::Insert(place::CLAIM)),
        Operation::Answer => vec![Bytes, Text, Text, Bytes],
        Operation::Remove(place) => [Bytes].into_iter().chain(key(place)).chain(version(place)).collect(),
        Operation::Update(place) => {
            [Bytes].into_iter().chain(key(place)).chain(content(place)).chain(version(place)).collect()
        }
        Operation::Insert(place) => [Bytes].into_iter().chain(key(place)).chain(content(place)).collect(),
        Operation::Flagged | Operation::Balance => vec![Bytes, Text, Text, Int, Int, Int, Int, Int],
    }
}

/// Splits a batch. Ordinary balances go to `stripe`. In the slow path claims are written apart.
pub(crate) fn split<'b>(
    schema: &Schema,
    batch: &[&'b Prepared],
    balances: &'b Balances,
    stripe: i64,
) -> Vec<Part<'b>> {
    let mut rows: Vec<(Operation, Vec<Value<'b>>)> = Vec::with_capacity(batch.len() * 6);
    for prepared in batch {
        rows_of(prepared, &mut rows);
    }
    for (account, change, floor) in balances.iter() {
        let flagged = account.name.is_flagged();
        let operation = if flagged { Operation::Flagged } else { Operation::Balance };
        rows.push((
            operation,
            vec![
                Value::Scope(account.scope),
                name(&account.name),
                Value::from(account.currency),
                if flagged { floor.map_or(Value::Null, Value::Int) } else { Value::Int(stripe) },
                Value::Int(change.debits_posted),
                Value::Int(change.credits_posted),
                Value::Int(change.debits_pending),
                Value::Int(change.credits_pending),
            ],
        ));
    }
    // The key's values come first in each row, so this is the order of keys within each operation.
    rows.sort_unstable();
    let mut parts: Vec<Part<'b>> = Vec::new();
    for (operation, values) in rows {
        if parts.last().is_none_or(|part| part.operation != operation) {
            let kinds = signature(schema, operation);
            let arrays =
                kinds.into_iter().map(|kind| Array { kind, values: Vec::with_capacity(batch.len()) });
            parts.push(Part { operation, arrays: arrays.collect() });
        }
        if let Some(part) = parts.last_mut() {
            for (array, value) in part.arrays.iter_mut().zip(values) {
                array.values.push(value);
            }
        }
    }
    parts
}

fn name<'b>(account: &LedgerAccount) -> Value<'b> {
    Value::Text(Cow::Owned(account.to_string()))
}

fn rows_of<'b>(prepared: &'b Prepared, rows: &mut Vec<(Operation, Vec<Value<'b>>)>) {
    if let Some(lease) = &prepared.require {
        rows.push((Operation::Require, vec![Value::from(lease.name.as_str()), Value::Int(lease.epoch)]));
    }
    if let Some((scope, id, epoch)) = &prepared.finish {
        let row = vec![Value::Scope(scope.to_bytes()), Value::Uuid(*id), Value::Int(*epoch)];
        rows.push((Operation::Finish, row));
    }
    if let Some((scope, by)) = &prepared.hasten {
        rows.push((Operation::Hasten, vec![Value::Scope(scope.to_bytes()), Value::Int(*by)]));
    }
    for answer in &prepared.answers {
        rows.push((
            Operation::Answer,
            vec![
                Value::Scope(answer.scope.to_bytes()),
                Value::from(answer.key.as_str()),
                answer.operation.as_deref().map_or(Value::Null, Value::from),
                answer.answer.as_deref().map_or(Value::Null, Value::Bytes),
            ],
        ));
    }
    for placed in &prepared.removes {
        let row = &placed.row;
        let mut values = keyed(row.scope, &row.key, 1);
        values.extend(row.table.versioned.then_some(Value::Int(row.expected)));
        rows.push((Operation::Remove(placed.table), values));
    }
    for placed in &prepared.updates {
        let row = &placed.row.row;
        let mut values = keyed(row.scope, &row.key, row.columns.len() + 2);
        values.extend(row.columns.iter().map(Value::from));
        values.extend(row.table.has_state.then_some(Value::Bytes(&row.state)));
        values.push(Value::Int(placed.row.expected));
        rows.push((Operation::Update(placed.table), values));
    }
    for placed in &prepared.inserts {
        let row = &placed.row;
        let mut values = keyed(row.scope, &row.key, row.columns.len() + 1);
        values.extend(row.columns.iter().map(Value::from));
        values.extend(row.table.has_state.then_some(Value::Bytes(&row.state)));
        let claim = placed.table == place::CLAIM;
        rows.push((if claim { Operation::Claim } else { Operation::Insert(placed.table) }, values));
    }
}

fn keyed(scope: Scope, key: &[Cell], more: usize) -> Vec<Value<'_>> {
    let mut values = Vec::with_capacity(1 + key.len() + more);
    values.push(Value::Scope(scope.to_bytes()));
    values.extend(key.iter().map(Value::from));
    values
}
