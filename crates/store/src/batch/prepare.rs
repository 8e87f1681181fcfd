//! From a [`Changes`] to checked rows: what needs no database to be refused is refused here.

use std::time::Duration;

use kernel::{
    Advance, BALANCE, CLAIM, CLOCK, CLOCK_NAME, Cell, Changes, ClaimUpdate, Column, ColumnType, Event,
    Insert, JOB, JOURNAL, Job, Lane, Lease, Mode, Remove, RowKey, Scope, TRANSFER, Table, Transfer, Update,
};
use uuid::Uuid;

use super::balance::{self, Account, Change};
use super::rows::{Effect, Touch, Want, hash_row};
use crate::Schema;
use crate::schema::place;

/// A row to write and the place of its table in the schema.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    pub(crate) table: usize,
    pub(crate) row: T,
}

/// A commit as the committers see it: only rows, all checked against their declarations.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: Uuid,
    pub(crate) lane: Lane,
    /// Whose turn it takes among the reserves.
    pub(crate) merchant: Uuid,
    /// Decides the committer.
    pub(crate) route: u64,
    pub(crate) touches: Vec<Touch>,
    /// In the order in which a duplicate is reported: the claim first.
    pub(crate) inserts: Vec<Placed<Insert>>,
    pub(crate) updates: Vec<Placed<Update>>,
    pub(crate) removes: Vec<Placed<Remove>>,
    pub(crate) answers: Vec<ClaimUpdate>,
    pub(crate) finish: Option<(Scope, Uuid, i64)>,
    pub(crate) require: Option<Lease>,
    /// By how many microseconds a scope's promised jobs become due earlier.
    pub(crate) hasten: Option<(Scope, i64)>,
    pub(crate) balances: Vec<(Account, Change)>,
    pub(crate) enqueues: bool,
}

impl Prepared {
    /// What is known of its rows once it is committed.
    pub(crate) fn effects(&self) -> impl Iterator<Item = (super::RowHash, Effect)> {
        let removed = self.removes.len();
        self.touches.iter().enumerate().map(move |(index, touch)| {
            // Removes come first among the touches; see `prepare`.
            let effect = match touch.want {
                _ if index < removed => Effect::Gone,
                Want::Absent(_) => Effect::Exists(1),
                Want::Version(version) => Effect::Exists(version.saturating_add(1)),
                Want::Present => Effect::Changed,
            };
            (touch.row, effect)
        })
    }
}

/// Checks and reshapes `changes`; the error is the reason of a refusal.
pub(crate) fn prepare(schema: &Schema, changes: Changes) -> Result<Prepared, String> {
    let route = route(&changes);
    let merchant = merchant(&changes);
    let Changes {
        id,
        lane,
        claim,
        answer: answers,
        insert,
        update,
        remove,
        emit,
        post,
        enqueue,
        finish,
        require,
        advance,
        ..
    } = changes;
    let enqueues = !enqueue.is_empty() || advance.is_some();
    let balances = check_transfers(&post)?;

    let mut inserts = Vec::with_capacity(insert.len() + enqueue.len() + post.len() + 2);
    if let Some(claim) = claim {
        check_text(&claim.key)?;
        inserts.push(Placed { table: place::CLAIM, row: claim_row(claim) });
    }
    for row in insert {
        let table = placed(schema, &row)?;
        inserts.push(Placed { table, row });
    }
    inserts.extend(journal_rows(emit)?.into_iter().map(|row| Placed { table: place::JOURNAL, row }));
    inserts.extend(post.into_iter().map(|row| Placed { table: place::TRANSFER, row: transfer_row(row) }));
    inserts.extend(enqueue.into_iter().map(|job| Placed { table: place::JOB, row: job_row(job) }));
    let mut updates = Vec::with_capacity(update.len());
    for row in update {
        let table = placed(schema, &row.row)?;
        if !row.row.table.versioned {
            return Err(format!("`{}` is never updated", row.row.table.name));
        }
        updates.push(Placed { table, row });
    }
    let hasten = advance.map(|advance| hastened(advance, &mut inserts, &mut updates)).transpose()?;
    let mut removes = Vec::with_capacity(remove.len());
    for row in remove {
        let table = feature_table(schema, row.table)?;
        check_cells(row.table.key, &row.key)?;
        removes.push(Placed { table, row });
    }
    check_own(&inserts)?;
    let mut prepared = Prepared {
        id,
        lane,
        merchant,
        route,
        touches: Vec::new(),
        inserts,
        updates,
        removes,
        answers,
        finish,
        require,
        hasten,
        balances,
        enqueues,
    };
    prepared.touches = touches(&prepared)?;
    Ok(prepared)
}

fn touches(prepared: &Prepared) -> Result<Vec<Touch>, String> {
    let Prepared { inserts, updates, removes, answers, finish, require, .. } = prepared;
    let mut touches = Vec::with_capacity(inserts.len() + updates.len() + removes.len() + 3);
    for Placed { row, .. } in removes {
        let hash = hash_row(row.table.name, Some(row.scope), &row.key);
        touches.push(Touch { row: hash, want: Want::Version(row.expected) });
    }
    for Placed { row, .. } in updates {
        let hash = hash_row(row.row.table.name, Some(row.row.scope), &row.row.key);
        touches.push(Touch { row: hash, want: Want::Version(row.expected) });
    }
    for Placed { table, row } in inserts {
        let hash = hash_row(row.table.name, Some(row.scope), &row.key);
        touches.push(Touch { row: hash, want: Want::Absent(*table) });
    }
    for answer in answers {
        check_text(&answer.key)?;
        let key = [Cell::Text(answer.key.clone())];
        touches.push(Touch { row: hash_row(CLAIM.name, Some(answer.scope), &key), want: Want::Present });
    }
    if let Some((scope, id, _)) = finish {
        let row = hash_row(JOB.name, Some(*scope), &[Cell::Uuid(*id)]);
        touches.push(Touch { row, want: Want::Present });
    }
    if let Some(lease) = require {
        let row = hash_row("lease", None, &[Cell::Text(lease.name.clone())]);
        touches.push(Touch { row, want: Want::Present });
    }
    for (index, touch) in touches.iter().enumerate() {
        if touches.iter().take(index).any(|earlier| earlier.row == touch.row) {
            return Err("it changes a row twice".to_owned());
        }
    }
    Ok(touches)
}

/// A flagged account that it posts to, else its claim, else its subject, else itself.
fn route(changes: &Changes) -> u64 {
    let posted = changes.post.iter().flat_map(|transfer| {
        [&transfer.debit, &transfer.credit].map(|account| (transfer.scope, transfer.amount.currency, account))
    });
    for (scope, currency, account) in posted {
        if account.is_flagged() {
            let key = [Cell::Text(account.to_string()), Cell::from(currency.code())];
            return hash_row(BALANCE.name, Some(scope), &key).number();
        }
    }
    if let Some(claim) = &changes.claim {
        return hash_row(CLAIM.name, Some(claim.scope), &[Cell::Text(claim.key.clone())]).number();
    }
    if let Some(RowKey { table, scope, key }) = &changes.subject {
        return hash_row(table, Some(*scope), key).number();
    }
    hash_row("", None, &[Cell::Uuid(changes.id)]).number()
}

fn merchant(changes: &Changes) -> Uuid {
    let scope = changes
        .subject
        .as_ref()
        .map(|subject| subject.scope)
        .or_else(|| changes.claim.as_ref().map(|claim| claim.scope))
        .or_else(|| changes.insert.first().map(|row| row.scope))
        .or_else(|| changes.update.first().map(|row| row.row.scope));
    scope.map_or(Uuid::nil(), |scope| scope.merchant.uuid())
}

fn feature_table(schema: &Schema, table: &Table) -> Result<usize, String> {
    match schema.place(table) {
        Some(place) if place > place::LAST => Ok(place),
        Some(_) => Err(format!("`{}` is written by the store alone", table.name)),
        None => Err(format!("`{}` is not declared", table.name)),
    }
}

fn placed(schema: &Schema, row: &Insert) -> Result<usize, String> {
    let place = feature_table(schema, row.table)?;
    check_cells(row.table.key, &row.key)?;
    check_cells(row.table.columns, &row.columns)?;
    if row.state.is_empty() == row.table.has_state {
        return Err(format!("a row of `{}` has the wrong shape: its state", row.table.name));
    }
    Ok(place)
}

/// The rows that the store makes itself hold texts from outside, too.
fn check_own(inserts: &[Placed<Insert>]) -> Result<(), String> {
    for Placed { row, .. } in inserts.iter().filter(|placed| placed.table <= place::LAST) {
        check_cells(row.table.key, &row.key)?;
        check_cells(row.table.columns, &row.columns)?;
    }
    Ok(())
}

fn check_cells(columns: &[Column], cells: &[Cell]) -> Result<(), String> {
    if columns.len() != cells.len() {
        return Err(format!("{} cells for {} columns", cells.len(), columns.len()));
    }
    for (column, cell) in columns.iter().zip(cells) {
        let fits = match (column.kind, cell) {
            (_, Cell::Null) => column.nullable,
            (ColumnType::Text, Cell::Text(text)) => return_if_nul(column, text)?,
            (ColumnType::Time, Cell::After(duration)) => *duration < THIRTY_YEARS,
            (ColumnType::Uuid, Cell::Uuid(_))
            | (ColumnType::Bytes, Cell::Bytes(_))
            | (ColumnType::Int, Cell::Int(_))
            | (ColumnType::Time, Cell::Time(_)) => true,
            _ => false,
        };
        if !fits {
            return Err(format!("column `{}` cannot hold what is written to it", column.name));
        }
    }
    Ok(())
}

/// The longest [`Cell::After`]; see there.
const THIRTY_YEARS: Duration = Duration::from_hours(30 * 365 * 24);

fn return_if_nul(column: &Column, text: &str) -> Result<bool, String> {
    if text.contains('\0') {
        Err(format!("column `{}`: the text contains NUL", column.name))
    } else {
        Ok(true)
    }
}

fn check_text(text: &str) -> Result<(), String> {
    if text.contains('\0') { Err("the key contains NUL".to_owned()) } else { Ok(()) }
}

fn check_transfers(transfers: &[Transfer]) -> Result<Vec<(Account, Change)>, String> {
    if transfers.iter().any(|transfer| transfer.amount.minor <= 0) {
        return Err("a transfer of nothing, or of less".to_owned());
    }
    balance::changes(transfers).ok_or_else(|| "a sum of transfers beyond 64 bits".to_owned())
}

fn claim_row(claim: kernel::Claim) -> Insert {
    Insert {
        table: &CLAIM,
        scope: claim.scope,
        key: vec![Cell::Text(claim.key)],
        columns: vec![
            Cell::Text(claim.route.into_owned()),
            Cell::Bytes(claim.mac),
            claim.operation.into(),
            claim.answer.into(),
            Cell::After(Duration::ZERO),
        ],
        state: Vec::new(),
    }
}

fn transfer_row(transfer: Transfer) -> Insert {
    Insert {
        table: &TRANSFER,
        scope: transfer.scope,
        key: vec![Cell::Uuid(transfer.subject), Cell::Text(transfer.operation), Cell::Int(transfer.ordinal)],
        columns: vec![
            Cell::Text(transfer.debit.to_string()),
            Cell::Text(transfer.credit.to_string()),
            Cell::from(transfer.amount.currency.code()),
            Cell::Int(transfer.amount.minor),
            Cell::from(transfer.kind.as_str()),
            Cell::Text(transfer.phase.to_string()),
            Cell::After(Duration::ZERO),
        ],
        state: Vec::new(),
    }
}

fn job_row(job: Job) -> Insert {
    Insert {
        table: &JOB,
        scope: job.scope,
        key: vec![Cell::Uuid(job.id)],
        columns: vec![
            Cell::from(job.kind),
            job.due,
            Cell::Int(0),
            Cell::Int(0),
            Cell::Bytes(job.payload),
            Cell::Int(i64::from(job.promised)),
        ],
        state: Vec::new(),
    }
}

/// The clock's own row as it becomes, and what its move takes off the due times of jobs.
fn hastened(
    advance: Advance,
    inserts: &mut Vec<Placed<Insert>>,
    updates: &mut Vec<Placed<Update>>,
) -> Result<(Scope, i64), String> {
    let Advance { scope, by, from } = advance;
    let offset = from.offset.checked_add(by).filter(|offset| *offset < THIRTY_YEARS);
    let micros = |length: Duration| i64::try_from(length.as_micros()).ok();
    let Some((offset, by)) = offset.and_then(micros).zip(micros(by).filter(|by| *by > 0)) else {
        return Err("a clock is moved forward, and less than thirty years in all".to_owned());
    };
    if scope.mode == Mode::Live {
        return Err("the clock of a live world is not moved".to_owned());
    }
    let key = vec![Cell::from(CLOCK_NAME)];
    let row = Insert { table: &CLOCK, scope, key, columns: vec![Cell::Int(offset)], state: Vec::new() };
    match from.version {
        None => inserts.push(Placed { table: place::CLOCK, row }),
        Some(expected) => updates.push(Placed { table: place::CLOCK, row: Update { row, expected } }),
    }
    Ok((scope, by))
}

/// One row per subject, in order of first mention.
fn journal_rows(events: Vec<Event>) -> Result<Vec<Insert>, String> {
    // One commit tells of few subjects, and mostly of one.
    let mut groups: Vec<((Scope, Uuid), Vec<Event>)> = Vec::with_capacity(1);
    for event in events {
        let subject = (event.scope, event.subject);
        let Some((_, group)) = groups.iter_mut().rev().find(|(known, _)| *known == subject) else {
            groups.push((subject, vec![event]));
            continue;
        };
        if group.last().is_some_and(|last| event.sequence != last.sequence.saturating_add(1)) {
            return Err("the events of a subject have a gap".to_owned());
        }
        group.push(event);
    }
    let mut rows = Vec::with_capacity(groups.len());
    for ((scope, subject), group) in groups {
        let first = group.first().map_or(0, |event| event.sequence);
        if first < 1 {
            return Err("the events of a subject begin at 1".to_owned());
        }
        let state = serde_json::to_vec(&group).map_err(|error| format!("an event: {error}"))?;
        rows.push(Insert {
            table: &JOURNAL,
            scope,
            key: vec![Cell::Uuid(subject), Cell::Int(first)],
            columns: vec![
                Cell::Int(i64::try_from(group.len()).unwrap_or(i64::MAX)),
                Cell::Null,
                Cell::After(Duration::ZERO),
            ],
            state,
        });
    }
    Ok(rows)
}
