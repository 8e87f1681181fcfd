//! Writes one commit inside an open transaction, and says why it cannot be written.

use std::collections::HashMap;
use std::fmt::Write;

use kernel::{Duplicate, Lane, LedgerAccount, Outcome, Timestamp};
use rusqlite::ffi;
use rusqlite::{Connection, Statement};

use super::bind::Binder;
use crate::Schema;
use crate::batch::{Account, Balances, Prepared};
use crate::schema::place;
use crate::sql::column_names;

/// Why a commit was not written: a fact about it, or a fault of the database.
pub(super) enum Stop {
    /// It loses; others may go on.
    Loses(Outcome),
    /// The transaction cannot go on.
    Fault(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        let refused = error.sqlite_error().is_some_and(|inner| {
            matches!(
                inner.code,
                ffi::ErrorCode::ConstraintViolation | ffi::ErrorCode::TypeMismatch | ffi::ErrorCode::TooBig
            )
        });
        if refused { Self::Loses(Outcome::Refused(error.to_string())) } else { Self::Fault(error) }
    }
}

/// The statements of one table.
struct OfTable<'c> {
    insert: Statement<'c>,
    update: Option<Statement<'c>>,
    remove: Option<Statement<'c>>,
}

/// Everything that a writer says, prepared once.
pub(super) struct Statements<'c> {
    tables: Vec<OfTable<'c>>,
    answer: Statement<'c>,
    finish: Statement<'c>,
    hasten: Statement<'c>,
    require: Statement<'c>,
    available: Statement<'c>,
    balance: Statement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection, schema: &Schema) -> rusqlite::Result<Self> {
        let mut tables = Vec::with_capacity(schema.tables().len());
        for (place, table) in schema.tables().iter().enumerate() {
            let own = place <= place::LAST;
            let update = if table.versioned { Some(connection.prepare(&update(table))?) } else { None };
            let remove = if own { None } else { Some(connection.prepare(&remove(table))?) };
            tables.push(OfTable { insert: connection.prepare(&insert(table))?, update, remove });
        }
        Ok(Self {
            tables,
            answer: connection.prepare(
                "UPDATE claim SET operation = ?1, answer = ?2 \
                 WHERE scope = ?3 AND key = ?4 AND answer IS NULL",
            )?,
            finish: connection.prepare("DELETE FROM job WHERE scope = ?1 AND id = ?2 AND epoch = ?3")?,
            hasten: connection.prepare(
                "UPDATE job SET due_at = max(due_at - ?1, ?2) WHERE scope = ?3 AND promised = 1 \
                 AND due_at > ?2",
            )?,
            require: connection.prepare("SELECT 1 FROM lease WHERE name = ?1 AND epoch = ?2")?,
            available: connection.prepare(
                "SELECT credits_posted - debits_posted - debits_pending FROM balance \
                 WHERE scope = ?1 AND account = ?2 AND currency = ?3 AND stripe = 0",
            )?,
            balance: connection.prepare(
                "INSERT INTO balance (scope, account, currency, stripe, \
                 debits_posted, credits_posted, debits_pending, credits_pending) \
                 VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7) \
                 ON CONFLICT (scope, account, currency, stripe) DO UPDATE SET \
                 debits_posted = debits_posted + excluded.debits_posted, \
                 credits_posted = credits_posted + excluded.credits_posted, \
                 debits_pending = debits_pending + excluded.debits_pending, \
                 credits_pending = credits_pending + excluded.credits_pending",
            )?,
        })
    }
}

/// The position after the last event that has one.
pub(super) const NEXT_POSITION: &str =
    "SELECT position + count FROM journal WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1";

fn insert(table: &kernel::Table) -> String {
    // The version is the one column that is not bound: a new row's is 1.
    let names: Vec<_> = column_names(table).into_iter().filter(|name| *name != "version").collect();
    let (version, one) = if table.versioned { (", version", ", 1") } else { ("", "") };
    let mut bound: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
    if table.name == kernel::JOURNAL.name {
        // There is one writer, so the order of commits is the order of positions: the row gets its own
        // at once, and the sequencer finds nothing to do. Numbering it later would write it twice.
        for (value, _) in bound.iter_mut().zip(&names).filter(|(_, name)| **name == "position") {
            *value = format!("coalesce({value}, ({NEXT_POSITION}), 1)");
        }
    }
    let (listed, bound) = (names.join(", "), bound.join(", "));
    format!("INSERT INTO {} ({listed}{version}) VALUES ({bound}{one})", table.name)
}

fn update(table: &kernel::Table) -> String {
    let mut set = "version = version + 1".to_owned();
    let mut number = 0;
    let mut names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    names.extend(table.has_state.then_some("state"));
    for name in names {
        number += 1;
        let _ = write!(set, ", {name} = ?{number}");
    }
    format!(
        "UPDATE {} SET {set} WHERE {} AND version = ?{}",
        table.name,
        by_key(table, &mut number),
        number + 1
    )
}

fn remove(table: &kernel::Table) -> String {
    let mut number = 0;
    let by_key = by_key(table, &mut number);
    let version = if table.versioned { format!(" AND version = ?{}", number + 1) } else { String::new() };
    format!("DELETE FROM {} WHERE {by_key}{version}", table.name)
}

fn by_key(table: &kernel::Table, number: &mut usize) -> String {
    let names = std::iter::once("scope").chain(table.key.iter().map(|column| column.name));
    let conditions = names.map(|name| {
        *number += 1;
        format!("{name} = ?{number}")
    });
    conditions.collect::<Vec<_>>().join(" AND ")
}

/// One batch inside its transaction.
pub(super) struct Application<'s, 'c> {
    statements: &'s mut Statements<'c>,
    now: Timestamp,
    balances: Balances,
    /// What flagged accounts had before the batch.
    available: HashMap<Account, i64>,
}

impl<'s, 'c> Application<'s, 'c> {
    pub(super) fn new(statements: &'s mut Statements<'c>, now: Timestamp) -> Self {
        Self { statements, now, balances: Balances::default(), available: HashMap::new() }
    }

    /// Writes one commit. After `Stop::Loses` the caller takes back what it wrote.
    ///
    /// The order decides which reason is reported if there are several: a key that was used comes
    /// first, then what moved, then what exists, then what is overdrawn.
    pub(super) fn apply(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        let (claims, others): (Vec<_>, Vec<_>) =
            prepared.inserts.iter().partition(|insert| insert.table == place::CLAIM);
        for placed in claims {
            self.insert(placed)?;
        }
        self.fences(prepared)?;
        if let Some((scope, by)) = &prepared.hasten {
            let now = self.now;
            Binder::new(&mut self.statements.hasten, now)
                .value(*by)?
                .value(now.as_micros())?
                .bytes(&scope.to_bytes())?
                .execute()?;
        }
        for placed in &prepared.removes {
            self.remove(placed)?;
        }
        for placed in &prepared.updates {
            self.update(placed)?;
        }
        for answer in &prepared.answers {
            let changed = Binder::new(&mut self.statements.answer, self.now)
                .value(answer.operation.as_deref())?
                .value(answer.answer.as_deref())?
                .bytes(&answer.scope.to_bytes())?
                .value(answer.key.as_str())?
                .execute()?;
            must_change(changed)?;
        }
        for placed in others {
            self.insert(placed)?;
        }
        self.post(prepared)
    }

    fn fences(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        if let Some(lease) = &prepared.require {
            let binder = Binder::new(&mut self.statements.require, self.now);
            binder.value(lease.name.as_str())?.value(lease.epoch)?;
            let held = self.statements.require.raw_query().next()?.is_some();
            must_change(usize::from(held))?;
        }
        if let Some((scope, id, epoch)) = &prepared.finish {
            let binder = Binder::new(&mut self.statements.finish, self.now).bytes(&scope.to_bytes())?;
            must_change(binder.bytes(id.as_bytes())?.value(*epoch)?.execute()?)?;
        }
        Ok(())
    }

    fn insert(&mut self, placed: &crate::batch::Placed<kernel::Insert>) -> Result<(), Stop> {
        let Some(statements) = self.statements.tables.get_mut(placed.table) else { return Ok(()) };
        let row = &placed.row;
        let mut binder = Binder::new(&mut statements.insert, self.now)
            .bytes(&row.scope.to_bytes())?
            .cells(&row.key)?
            .cells(&row.columns)?;
        if row.table.has_state {
            binder = binder.bytes(&row.state)?;
        }
        match binder.execute() {
            Ok(_) => Ok(()),
            Err(error) if is_duplicate(&error) => {
                Err(Stop::Loses(Outcome::Duplicate(if placed.table == place::CLAIM {
                    Duplicate::Claim
                } else {
                    Duplicate::Row { table: row.table.name }
                })))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn update(&mut self, placed: &crate::batch::Placed<kernel::Update>) -> Result<(), Stop> {
        let statement = self.statements.tables.get_mut(placed.table).and_then(|table| table.update.as_mut());
        let Some(statement) = statement else { return Ok(()) };
        let row = &placed.row.row;
        let mut binder = Binder::new(statement, self.now).cells(&row.columns)?;
        if row.table.has_state {
            binder = binder.bytes(&row.state)?;
        }
        let binder = binder.bytes(&row.scope.to_bytes())?.cells(&row.key)?.value(placed.row.expected)?;
        match binder.execute() {
            Ok(changed) => must_change(changed),
            Err(error) if is_duplicate(&error) => {
                Err(Stop::Loses(Outcome::Duplicate(Duplicate::Row { table: row.table.name })))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&mut self, placed: &crate::batch::Placed<kernel::Remove>) -> Result<(), Stop> {
        let statement = self.statements.tables.get_mut(placed.table).and_then(|table| table.remove.as_mut());
        let Some(statement) = statement else { return Ok(()) };
        let row = &placed.row;
        let mut binder = Binder::new(statement, self.now).bytes(&row.scope.to_bytes())?.cells(&row.key)?;
        if row.table.versioned {
            binder = binder.value(row.expected)?;
        }
        must_change(binder.execute()?)
    }

    /// Checks the floors of flagged accounts and remembers the changes for [`Application::finish`].
    fn post(&mut self, prepared: &Prepared) -> Result<(), Stop> {
        for (account, change) in &prepared.balances {
            let taken = change.available().unwrap_or(i64::MIN);
            if prepared.lane != Lane::Reserve || !account.name.is_flagged() || taken >= 0 {
                continue;
            }
            let before = self.available_before(account)?;
            let sum = self.balances.get(account).available().and_then(|sum| sum.checked_add(before));
            if sum.and_then(|sum| sum.checked_add(taken)).is_none_or(|left| left < 0) {
                return Err(Stop::Loses(Outcome::Overdrawn(account.name.clone())));
            }
        }
        if self.balances.add(prepared.lane, &prepared.balances) {
            Ok(())
        } else {
            Err(Stop::Loses(Outcome::Refused("a balance beyond 64 bits".to_owned())))
        }
    }

    fn available_before(&mut self, account: &Account) -> Result<i64, Stop> {
        if let Some(known) = self.available.get(account) {
            return Ok(*known);
        }
        Binder::new(&mut self.statements.available, self.now)
            .bytes(&account.scope)?
            .value(account.name.to_string())?
            .value(account.currency)?;
        let mut rows = self.statements.available.raw_query();
        let found: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        drop(rows);
        self.available.insert(account.clone(), found);
        Ok(found)
    }

    /// Writes the balances of all that was applied: the last thing before the commit.
    pub(super) fn finish(self) -> Result<(), Stop> {
        for (account, change, _) in self.balances.iter() {
            Binder::new(&mut self.statements.balance, self.now)
                .bytes(&account.scope)?
                .value(text(&account.name))?
                .value(account.currency)?
                .value(change.debits_posted)?
                .value(change.credits_posted)?
                .value(change.debits_pending)?
                .value(change.credits_pending)?
                .execute()?;
        }
        Ok(())
    }
}

fn text(account: &LedgerAccount) -> String {
    account.to_string()
}

fn must_change(rows: usize) -> Result<(), Stop> {
    if rows == 1 { Ok(()) } else { Err(Stop::Loses(Outcome::Conflict)) }
}

fn is_duplicate(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|inner| {
        matches!(
            inner.extended_code,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID
        )
    })
}
