//! Brings a database file up to date, one process at a time.

use kernel::{Migration, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use crate::{OpenError, Options, Schema};

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS florin_migration (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";

/// Runs what is missing, in one transaction that holds the write lock: a second process waits.
pub(super) fn migrate(
    connection: &mut Connection,
    schema: &Schema,
    options: &Options,
) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(LEDGER)?;
    let done: Vec<u32> = transaction
        .prepare("SELECT number FROM florin_migration ORDER BY number")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for migration in crate::schema::missing(schema, &done, options.migrate)? {
        run(&transaction, migration, options.clock.now())?;
    }
    transaction.commit()?;
    Ok(())
}

fn run(connection: &Connection, migration: &Migration, now: Timestamp) -> Result<(), OpenError> {
    let Migration { number, name, sqlite, .. } = *migration;
    let failed = |error: rusqlite::Error| OpenError::Migration { number, name, reason: error.to_string() };
    connection.execute_batch(sqlite).map_err(failed)?;
    connection
        .execute(
            "INSERT INTO florin_migration (number, name, applied_at) VALUES (?1, ?2, ?3)",
            (number, name, now.as_micros()),
        )
        .map_err(failed)?;
    Ok(())
}
