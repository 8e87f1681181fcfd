//! Writes one commit into the maps, or says why it loses and takes back what it wrote.

use kernel::{Cell, ClaimUpdate, Duplicate, Insert, Lane, Outcome, Remove, Timestamp, Update};

use super::world::{Key, Stored, Undo, World};
use crate::batch::{Placed, Prepared};
use crate::schema::place;

/// All or nothing; the order of checks is the one of the other backends.
pub(super) fn apply(world: &mut World, prepared: &Prepared, now: Timestamp) -> Result<(), Outcome> {
    let mut undo = Undo::new();
    let written = write(world, prepared, now, &mut undo);
    if written.is_err() {
        world.take_back(undo);
    }
    written
}

/// The instant of a relative time.
pub(super) fn resolve(cell: &Cell, now: Timestamp) -> Cell {
    if let Cell::After(duration) = cell { Cell::Time(now.plus(*duration)) } else { cell.clone() }
}

fn write(world: &mut World, prepared: &Prepared, now: Timestamp, undo: &mut Undo) -> Result<(), Outcome> {
    let (claims, others): (Vec<_>, Vec<_>) =
        prepared.inserts.iter().partition(|insert| insert.table == place::CLAIM);
    for placed in claims {
        insert(world, placed, now, undo)?;
    }
    if prepared.require.as_ref().is_some_and(|lease| !world.holds(lease)) {
        return Err(Outcome::Conflict);
    }
    if let Some((scope, id, epoch)) = prepared.finish {
        let key = (scope.to_bytes(), vec![Cell::Uuid(id)]);
        let job = stored(world, place::JOB, &key).ok_or(Outcome::Conflict)?;
        if job.columns.get(3) != Some(&Cell::Int(epoch)) {
            return Err(Outcome::Conflict);
        }
        put(world, place::JOB, key, None, undo, "job")?;
    }
    if let Some((scope, by)) = prepared.hasten {
        hasten(world, scope.to_bytes(), by, now, undo)?;
    }
    for placed in &prepared.removes {
        remove(world, placed, undo)?;
    }
    for placed in &prepared.updates {
        update(world, placed, now, undo)?;
    }
    for given in &prepared.answers {
        answer(world, given, undo)?;
    }
    for placed in others {
        insert(world, placed, now, undo)?;
    }
    post(world, prepared, undo)
}

fn stored(world: &World, table: usize, key: &Key) -> Option<Stored> {
    world.tables.get(table).and_then(|rows| rows.get(key)).cloned()
}

fn put(
    world: &mut World,
    table: usize,
    key: Key,
    stored: Option<Stored>,
    undo: &mut Undo,
    name: &'static str,
) -> Result<(), Outcome> {
    let put = world.put(table, key, stored, undo);
    put.map_err(|()| Outcome::Duplicate(Duplicate::Row { table: name }))
}

fn content(row: &Insert, version: i64, now: Timestamp) -> Stored {
    let columns = row.columns.iter().map(|cell| resolve(cell, now)).collect();
    Stored { version, columns, state: row.state.clone() }
}

fn insert(
    world: &mut World,
    placed: &Placed<Insert>,
    now: Timestamp,
    undo: &mut Undo,
) -> Result<(), Outcome> {
    let row = &placed.row;
    let key = (row.scope.to_bytes(), row.key.clone());
    if stored(world, placed.table, &key).is_some() {
        return Err(Outcome::Duplicate(if placed.table == place::CLAIM {
            Duplicate::Claim
        } else {
            Duplicate::Row { table: row.table.name }
        }));
    }
    let content = content(row, i64::from(row.table.versioned), now);
    put(world, placed.table, key, Some(content), undo, row.table.name)
}

fn update(
    world: &mut World,
    placed: &Placed<Update>,
    now: Timestamp,
    undo: &mut Undo,
) -> Result<(), Outcome> {
    let Update { row, expected } = &placed.row;
    let key = (row.scope.to_bytes(), row.key.clone());
    let before = stored(world, placed.table, &key).ok_or(Outcome::Conflict)?;
    if before.version != *expected {
        return Err(Outcome::Conflict);
    }
    let content = content(row, expected.saturating_add(1), now);
    put(world, placed.table, key, Some(content), undo, row.table.name)
}

fn remove(world: &mut World, placed: &Placed<Remove>, undo: &mut Undo) -> Result<(), Outcome> {
    let row = &placed.row;
    let key = (row.scope.to_bytes(), row.key.clone());
    let before = stored(world, placed.table, &key).ok_or(Outcome::Conflict)?;
    if row.table.versioned && before.version != row.expected {
        return Err(Outcome::Conflict);
    }
    put(world, placed.table, key, None, undo, row.table.name)
}

fn answer(world: &mut World, answer: &ClaimUpdate, undo: &mut Undo) -> Result<(), Outcome> {
    let key = (answer.scope.to_bytes(), vec![Cell::Text(answer.key.clone())]);
    let mut claim = stored(world, place::CLAIM, &key).ok_or(Outcome::Conflict)?;
    let [_, _, operation, body, _] = &mut claim.columns[..] else { return Err(Outcome::Conflict) };
    if *body != Cell::Null {
        return Err(Outcome::Conflict);
    }
    *operation = answer.operation.clone().into();
    *body = answer.answer.clone().into();
    put(world, place::CLAIM, key, Some(claim), undo, "claim")
}

/// Promised jobs become due earlier, but not before `now`.
fn hasten(
    world: &mut World,
    scope: [u8; 17],
    by: i64,
    now: Timestamp,
    undo: &mut Undo,
) -> Result<(), Outcome> {
    for key in world.promised(scope, now) {
        let Some(mut job) = stored(world, place::JOB, &key) else { continue };
        if let Some(Cell::Time(due_at)) = job.columns.get_mut(1) {
            *due_at = Timestamp::from_micros(due_at.as_micros().saturating_sub(by)).max(now);
        }
        put(world, place::JOB, key, Some(job), undo, "job")?;
    }
    Ok(())
}

fn post(world: &mut World, prepared: &Prepared, undo: &mut Undo) -> Result<(), Outcome> {
    for (account, change) in &prepared.balances {
        let (key, mut sums) = world.balance(account);
        let changes =
            [change.debits_posted, change.credits_posted, change.debits_pending, change.credits_pending];
        for (sum, change) in sums.iter_mut().zip(changes) {
            let together = sum.checked_add(change);
            *sum = together.ok_or_else(|| Outcome::Refused("a balance beyond 64 bits".to_owned()))?;
        }
        let [debits_posted, credits_posted, debits_pending, _] = sums;
        let taken = change.available().is_none_or(|taken| taken < 0);
        if prepared.lane == Lane::Reserve && account.name.is_flagged() && taken {
            let left =
                credits_posted.checked_sub(debits_posted).and_then(|left| left.checked_sub(debits_pending));
            if left.is_none_or(|left| left < 0) {
                return Err(Outcome::Overdrawn(account.name.clone()));
            }
        }
        let columns = sums.into_iter().map(Cell::Int).collect();
        let row = Stored { version: 0, columns, state: Vec::new() };
        put(world, place::BALANCE, key, Some(row), undo, "balance")?;
    }
    Ok(())
}
