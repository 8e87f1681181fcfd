//! Jobs, leases and the sequencer: what the writer does between batches.

use std::time::Duration;

use kernel::{Lease, Scope, TakenJob, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

pub(super) fn take_jobs(
    connection: &Connection,
    kinds: &[&str],
    limit: u32,
    lease: Duration,
    now: Timestamp,
) -> rusqlite::Result<Vec<TakenJob>> {
    let mut due: Vec<(i64, TakenJob)> = Vec::new();
    for kind in kinds {
        let mut statement = connection.prepare_cached(
            "SELECT due_at, scope, id, attempts, epoch, payload FROM job \
             WHERE kind = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3",
        )?;
        let mut rows = statement.query((kind, now.as_micros(), limit))?;
        while let Some(row) = rows.next()? {
            let scope = Scope::from_bytes(row.get_ref(1)?.as_blob().unwrap_or_default());
            let id = Uuid::from_slice(row.get_ref(2)?.as_blob().unwrap_or_default());
            // A row that cannot be read stays where it is: the books' check names it.
            let (Some(scope), Ok(id)) = (scope, id) else { continue };
            let (attempts, epoch): (i64, i64) = (row.get(3)?, row.get(4)?);
            let (attempts, epoch) = (attempts.saturating_add(1), epoch.saturating_add(1));
            let kind = (*kind).to_owned();
            due.push((row.get(0)?, TakenJob { scope, id, kind, attempts, epoch, payload: row.get(5)? }));
        }
    }
    due.sort_by_key(|(due_at, _)| *due_at);
    due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut update = connection.prepare_cached(
        "UPDATE job SET due_at = ?1, attempts = ?2, epoch = ?3 WHERE scope = ?4 AND id = ?5",
    )?;
    for (_, job) in &due {
        let until = now.plus(lease).as_micros();
        let (scope, id) = (job.scope.to_bytes(), job.id.as_bytes());
        update.execute((until, job.attempts, job.epoch, &scope[..], &id[..]))?;
    }
    Ok(due.into_iter().map(|(_, job)| job).collect())
}

pub(super) fn return_job(
    connection: &Connection,
    scope: Scope,
    id: Uuid,
    epoch: i64,
    due: Timestamp,
) -> rusqlite::Result<()> {
    let mut update = connection
        .prepare_cached("UPDATE job SET due_at = ?1 WHERE scope = ?2 AND id = ?3 AND epoch = ?4")?;
    update.execute((due.as_micros(), &scope.to_bytes()[..], &id.as_bytes()[..], epoch))?;
    Ok(())
}

pub(super) fn lease(
    connection: &Connection,
    name: String,
    holder: Uuid,
    length: Duration,
    now: Timestamp,
) -> rusqlite::Result<Option<Lease>> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO lease (name, holder, epoch, expires_at) VALUES (?1, ?2, 1, ?3) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at, \
         epoch = epoch + (holder <> excluded.holder) \
         WHERE holder = excluded.holder OR expires_at <= ?4 RETURNING epoch",
    )?;
    let until = now.plus(length).as_micros();
    let parameters = (&name, &holder.as_bytes()[..], until, now.as_micros());
    let epoch: Option<i64> = statement.query_row(parameters, |row| row.get(0)).optional()?;
    Ok(epoch.map(|epoch| Lease { name, epoch }))
}

/// Deletes answered claims that are old. Claims are in the order of their making, so that a look at the
/// first ones is enough; among them may be a few that wait for an answer.
pub(super) fn forget_claims(
    connection: &Connection,
    lease: &Lease,
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<u64> {
    let mut held = connection.prepare_cached("SELECT 1 FROM lease WHERE name = ?1 AND epoch = ?2")?;
    if !held.exists((&lease.name, lease.epoch))? {
        return Ok(0);
    }
    let old: Vec<i64> = connection
        .prepare_cached(
            "SELECT rowid FROM (SELECT rowid, created_at, answer IS NOT NULL AS answered FROM claim \
             ORDER BY rowid LIMIT ?1 + 1000) WHERE created_at < ?2 AND answered LIMIT ?1",
        )?
        .query_map((limit, before.as_micros()), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut remove = connection.prepare_cached("DELETE FROM claim WHERE rowid = ?1")?;
    let mut forgotten = 0;
    for rowid in old {
        remove.execute((rowid,))?;
        forgotten += 1;
    }
    Ok(forgotten)
}

/// Numbers journal rows that have no position yet, in the order of their keys, so that a subject's rows
/// are in its own order. The writer numbers its own as it inserts them, so there are none.
pub(super) fn sequence(connection: &Connection, lease: &Lease, limit: u32) -> rusqlite::Result<u64> {
    let mut held = connection.prepare_cached("SELECT 1 FROM lease WHERE name = ?1 AND epoch = ?2")?;
    if !held.exists((&lease.name, lease.epoch))? {
        return Ok(0);
    }
    let last: Option<i64> =
        connection.prepare_cached(super::apply::NEXT_POSITION)?.query_row((), |row| row.get(0)).optional()?;
    let waiting: Vec<(i64, i64)> = connection
        .prepare_cached(
            "SELECT rowid, count FROM journal WHERE position IS NULL \
             ORDER BY scope, subject, first_sequence LIMIT ?1",
        )?
        .query_map((limit,), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut position = last.unwrap_or(1);
    let mut update = connection.prepare_cached("UPDATE journal SET position = ?1 WHERE rowid = ?2")?;
    let mut numbered = 0;
    for (rowid, count) in waiting {
        update.execute((position, rowid))?;
        position = position.saturating_add(count);
        numbered += 1;
    }
    Ok(numbered)
}
