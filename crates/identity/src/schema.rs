//! The tables of this crate.

use kernel::{Column, ColumnType, Index, Migration, Table};

/// Merchants, each under its own test scope.
pub static MERCHANT: Table = Table {
    name: "merchant",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

/// API keys of both worlds, under the merchant's test scope. The index serves the one read that has
/// no scope yet: finding it.
pub static API_KEY: Table = Table {
    name: "api_key",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("hash", ColumnType::Bytes)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "api_key_hash",
        columns: &["hash"],
        unique: true,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 100,
};

/// All of them.
pub static TABLES: [&Table; 2] = [&MERCHANT, &API_KEY];

/// Their migrations; this crate's numbers are 100 to 149.
pub static MIGRATIONS: [Migration; 1] = [Migration {
    number: 100,
    name: "identity",
    sqlite: include_str!("../migrations/sqlite/100_identity.sql"),
    postgres: include_str!("../migrations/postgres/100_identity.sql"),
}];
