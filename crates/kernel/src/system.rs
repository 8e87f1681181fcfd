//! Tables of the store's own contract that others may read through [`crate::Query`].
//!
//! Nobody inserts into them directly: the store fills them from the parts of a [`crate::Changes`].

use crate::record::{Column, ColumnType, Index, Table};

use ColumnType::{Bytes, Int, Text, Time, Uuid};

/// Idempotency keys: written by `claim`, changed by `answer`.
pub static CLAIM: Table = Table {
    name: "claim",
    key: &[Column::new("key", Text)],
    columns: &[
        Column::new("route", Text),
        Column::new("mac", Bytes),
        Column::nullable("operation", Text),
        Column::nullable("answer", Bytes),
        Column::new("created_at", Time),
    ],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 10,
};

/// Events: one row per commit and subject; the state is the JSON array of the events.
pub static JOURNAL: Table = Table {
    name: "journal",
    key: &[Column::new("subject", Uuid), Column::new("first_sequence", Int)],
    columns: &[
        Column::new("count", Int),
        Column::nullable("position", Int),
        Column::new("recorded_at", Time),
    ],
    versioned: false,
    has_state: true,
    indexes: &[
        Index {
            name: "journal_unsequenced",
            columns: &["scope", "subject", "first_sequence"],
            unique: false,
            where_present: None,
            where_absent: Some("position"),
        },
        Index {
            name: "journal_position",
            columns: &["position"],
            unique: true,
            where_present: Some("position"),
            where_absent: None,
        },
    ],
    fillfactor: 90,
};

/// Ledger transfers.
pub static TRANSFER: Table = Table {
    name: "transfer",
    key: &[Column::new("subject", Uuid), Column::new("operation", Text), Column::new("ordinal", Int)],
    columns: &[
        Column::new("debit", Text),
        Column::new("credit", Text),
        Column::new("currency", Text),
        Column::new("amount_minor", Int),
        Column::new("kind", Text),
        Column::new("phase", Text),
        Column::new("recorded_at", Time),
    ],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 100,
};

/// Balances: sums of the transfers per account, currency and stripe.
pub static BALANCE: Table = Table {
    name: "balance",
    key: &[Column::new("account", Text), Column::new("currency", Text), Column::new("stripe", Int)],
    columns: &[
        Column::new("debits_posted", Int),
        Column::new("credits_posted", Int),
        Column::new("debits_pending", Int),
        Column::new("credits_pending", Int),
    ],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 50,
};

/// Durable work.
pub static JOB: Table = Table {
    name: "job",
    key: &[Column::new("id", Uuid)],
    columns: &[
        Column::new("kind", Text),
        Column::new("due_at", Time),
        Column::new("attempts", Int),
        Column::new("epoch", Int),
        Column::new("payload", Bytes),
        // 1 if a test merchant's clock moves it, else 0.
        Column::new("promised", Int),
    ],
    versioned: false,
    has_state: false,
    indexes: &[Index {
        name: "job_due",
        columns: &["kind", "due_at"],
        unique: false,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 50,
};

/// How far test merchants' clocks are ahead: a row per scope whose clock was moved.
pub static CLOCK: Table = Table {
    name: "clock",
    key: &[Column::new("name", Text)],
    columns: &[Column::new("offset_micros", Int)],
    versioned: true,
    has_state: false,
    indexes: &[],
    fillfactor: 50,
};

/// All of them.
pub static SYSTEM_TABLES: [&Table; 6] = [&CLAIM, &JOURNAL, &TRANSFER, &BALANCE, &JOB, &CLOCK];
