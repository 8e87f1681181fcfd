//! What the bank keeps: everything with a reference, and notices that wait to go out.

use kernel::{Cell, Column, ColumnType, Id, Index, Migration, Money, Record, Secret, Table, Timestamp};
use provider_kit::{DeclineCode, Verb};
use serde::{Deserialize, Serialize};

use crate::account::BankAccount;
use crate::charge::{Charge, Dated, FiledId};

/// Something that was done under a reference: at most one thing for each.
///
/// The key is derived from account and reference, so that "a second time under the same reference" is
/// a duplicate key, and either name of it finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filing {
    pub(crate) id: FiledId,
    pub(crate) entry: Entry,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum Entry {
    Charge(Box<Charge>),
    Effect(Effect),
}

/// A capture, void, refund, increment or cancel: what it did stands among the facts of its charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Effect {
    /// The caller's reference; `None` for what was done at the bank itself.
    pub(crate) reference: Option<String>,
    /// Of the request's path and body.
    pub(crate) digest: u64,
    pub(crate) verb: Verb,
    pub(crate) charge: FiledId,
    pub(crate) amount: Money,
    /// It was decided against, and did nothing to its charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) declined: Option<DeclineCode>,
    pub(crate) created_at: Timestamp,
}

/// A notice that waits to go out. Written in the same commit as what it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) id: Id<Event>,
    pub(crate) account: Id<BankAccount>,
    pub(crate) charge: FiledId,
    /// If the charge does not have this fact any more, the notice is dropped.
    pub(crate) fact: Dated,
    pub(crate) due_at: Timestamp,
    /// How often it still goes out.
    pub(crate) copies: u8,
    /// How often in a row nobody took it.
    pub(crate) attempts: u8,
    #[serde(with = "crate::account::kept")]
    pub(crate) secret: Secret<String>,
    pub(crate) url: Option<String>,
}

/// Marks ids of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {}

impl kernel::Kind for Event {
    const PREFIX: &'static str = "evt";
}

/// Everything with a reference.
pub static FILING: Table = Table {
    name: "bank_filing",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    // Charges are updated by what is done to them; room on the page keeps that heap-only.
    fillfactor: 50,
};

/// Notices that wait.
pub static NOTICE: Table = Table {
    name: "bank_notice",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("due_at", ColumnType::Time)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "bank_notice_due",
        columns: &["due_at"],
        unique: false,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 90,
};

/// The bank's tables, for a store of its own.
pub static TABLES: [&Table; 2] = [&FILING, &NOTICE];

/// The steps of its schema.
pub static MIGRATIONS: [Migration; 1] = [Migration {
    number: 900,
    name: "bank",
    sqlite: include_str!("../migrations/sqlite/900_bank.sql"),
    postgres: include_str!("../migrations/postgres/900_bank.sql"),
}];

impl Record for Filing {
    const TABLE: &'static Table = &FILING;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

impl Record for Notice {
    const TABLE: &'static Table = &NOTICE;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.due_at.into()]
    }
}
