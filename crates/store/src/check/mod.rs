//! Holds declarations against the schema that migrations made: the statements are generated from the
//! declarations, so a difference is a fault that only this check finds before a user does.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use kernel::{Column, ColumnType, Table};

pub use postgres::check_postgres_schema;
pub use sqlite::check_schema;

/// A column as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FoundColumn {
    name: String,
    kind: String,
    nullable: bool,
}

/// An index as the database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FoundIndex {
    columns: Vec<String>,
    unique: bool,
    /// `due_at IS NOT NULL`, without parentheses; empty if it holds all rows.
    condition: String,
}

/// A table as the database describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    columns: Vec<FoundColumn>,
    key: Vec<String>,
    indexes: BTreeMap<String, FoundIndex>,
    /// PostgreSQL alone.
    fillfactor: Option<u8>,
}

/// What a declaration demands, in a dialect whose types are called `name`.
fn expected(table: &Table, name: fn(ColumnType) -> &'static str, fillfactor: bool) -> Found {
    let column = |column: &Column| FoundColumn {
        name: column.name.to_owned(),
        kind: name(column.kind).to_owned(),
        nullable: column.nullable,
    };
    let own = |column_name, kind| column(&Column::new(column_name, kind));
    let mut columns = vec![own("scope", ColumnType::Bytes)];
    columns.extend(table.key.iter().map(column));
    columns.extend(table.versioned.then(|| own("version", ColumnType::Int)));
    columns.extend(table.columns.iter().map(column));
    columns.extend(table.has_state.then(|| own("state", ColumnType::Bytes)));
    let key = std::iter::once("scope").chain(table.key.iter().map(|column| column.name));
    let indexes = table.indexes.iter().map(|index| {
        let present = index.where_present.map(|column| format!("{column} IS NOT NULL"));
        let absent = index.where_absent.map(|column| format!("{column} IS NULL"));
        let conditions: Vec<String> = present.into_iter().chain(absent).collect();
        let found = FoundIndex {
            columns: index.columns.iter().map(|column| (*column).to_owned()).collect(),
            unique: index.unique,
            condition: conditions.join(" AND "),
        };
        (index.name.to_owned(), found)
    });
    Found {
        columns,
        key: key.map(str::to_owned).collect(),
        indexes: indexes.collect(),
        fillfactor: fillfactor.then_some(table.fillfactor),
    }
}

/// One line per difference.
fn differences(table: &Table, expected: &Found, found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    let mut differs = |what: &str, expected: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
        lines.push(format!("`{}`: {what}: declared {expected:?}, found {found:?}", table.name));
    };
    for column in &expected.columns {
        let same = found.columns.iter().find(|other| other.name == column.name);
        if same != Some(column) {
            differs("column", column, &same);
        }
    }
    for column in &found.columns {
        if !expected.columns.iter().any(|other| other.name == column.name) {
            differs("column", &None::<()>, column);
        }
    }
    if expected.key != found.key {
        differs("primary key", &expected.key, &found.key);
    }
    for (name, index) in &expected.indexes {
        if found.indexes.get(name) != Some(index) {
            differs(name, index, &found.indexes.get(name));
        }
    }
    for (name, index) in &found.indexes {
        if !expected.indexes.contains_key(name) {
            differs(name, &None::<()>, index);
        }
    }
    if expected.fillfactor != found.fillfactor {
        differs("fillfactor", &expected.fillfactor, &found.fillfactor);
    }
    lines
}

/// A condition without the parentheses and quotes that a database adds.
fn plain(condition: &str) -> String {
    let bare: String = condition.chars().filter(|character| !matches!(character, '(' | ')' | '"')).collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}
