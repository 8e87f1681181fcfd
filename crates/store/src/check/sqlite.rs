//! The schema of SQLite, from a database in memory that all migrations ran on.

use kernel::{ColumnType, Table};
use rusqlite::Connection;

use super::{Found, FoundColumn, FoundIndex, differences, expected, plain};
use crate::{OpenError, Schema};

/// Runs all migrations on an empty SQLite database and answers with one line per difference between
/// it and the declarations. Empty is good.
pub fn check_schema(schema: &Schema) -> Result<Vec<String>, OpenError> {
    let connection = Connection::open_in_memory()?;
    for migration in schema.migrations() {
        connection.execute_batch(migration.sqlite).map_err(|error| OpenError::Migration {
            number: migration.number,
            name: migration.name,
            reason: error.to_string(),
        })?;
    }
    let mut lines = Vec::new();
    for table in schema.tables() {
        lines.extend(differences(table, &expected(table, kind, false), &found(&connection, table)?));
        lines.extend(strictness(&connection, table));
    }
    Ok(lines)
}

const fn kind(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Uuid | ColumnType::Bytes => "BLOB",
        ColumnType::Text => "TEXT",
        ColumnType::Int | ColumnType::Time => "INTEGER",
    }
}

fn strictness(connection: &Connection, table: &Table) -> Option<String> {
    let strict = "SELECT strict FROM pragma_table_list WHERE name = ?1 AND schema = 'main'";
    let strict: Option<i64> = connection.query_row(strict, [table.name], |row| row.get(0)).ok();
    (strict == Some(0)).then(|| format!("`{}` is not STRICT", table.name))
}

fn found(connection: &Connection, table: &Table) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    let mut keys: Vec<(i64, String)> = Vec::new();
    let mut columns = connection.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")?;
    let mut rows = columns.query([table.name])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let place: i64 = row.get(3)?;
        if place > 0 {
            keys.push((place, name.clone()));
        }
        found.columns.push(FoundColumn { name, kind: row.get(1)?, nullable: row.get::<_, i64>(2)? == 0 });
    }
    keys.sort_unstable();
    found.key = keys.into_iter().map(|(_, name)| name).collect();
    let mut indexes =
        connection.prepare("SELECT name, \"unique\" FROM pragma_index_list(?1) WHERE origin <> 'pk'")?;
    let mut rows = indexes.query([table.name])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let columns: Vec<String> = connection
            .prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?
            .query_map([&name], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let text = "SELECT coalesce(sql, '') FROM sqlite_schema WHERE type = 'index' AND name = ?1";
        let text: String = connection.query_row(text, [&name], |row| row.get(0))?;
        let condition =
            text.split_once(" WHERE ").map_or_else(String::new, |(_, condition)| plain(condition));
        found.indexes.insert(name, FoundIndex { columns, unique: row.get::<_, i64>(1)? != 0, condition });
    }
    Ok(found)
}
