//! What an operator should know of a database file. Reads, and changes nothing.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteFacts {
    /// What is wrong with the file, as SQLite says it; `None`: nothing.
    pub damage: Option<String>,
    /// The numbers of the migrations that were run; `None`: none ever.
    pub migrations: Option<Vec<u32>>,
}

/// Looks at a database file that exists.
pub fn examine_sqlite(path: &Path) -> Result<SqliteFacts, OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    let has_ledger =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'florin_migration'")?.exists([])?;
    let migrations = if has_ledger {
        let mut statement = connection.prepare("SELECT number FROM florin_migration ORDER BY number")?;
        let numbers = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Some(numbers)
    } else {
        None
    };
    Ok(SqliteFacts { damage: Some(verdict).filter(|verdict| verdict != "ok"), migrations })
}
