//! Jobs, leases and the sequencer: one statement each.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Lease, Scope, TakenJob, Timestamp};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::functions::NOW;

/// Database time at this moment, not at the start of the statement: what waited for a lock must not
/// judge by an old clock.
const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX / 4)
}

pub(super) async fn take_jobs(
    client: &Client,
    kinds: &[&str],
    limit: u32,
    lease: Duration,
) -> Result<Vec<TakenJob>, Error> {
    let text = format!(
        "WITH due AS (SELECT scope, id FROM job WHERE kind = ANY($1) AND due_at <= {NOW} \
         ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) \
         UPDATE job SET due_at = {NOW} + $3, attempts = attempts + 1, epoch = epoch + 1 \
         FROM due WHERE job.scope = due.scope AND job.id = due.id \
         RETURNING job.scope, job.id, job.kind, job.attempts, job.epoch, job.payload"
    );
    let rows = client.query(&text, &[&kinds, &i64::from(limit), &micros(lease)]).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        // A row that cannot be read comes again when its lease runs out, and its attempts count it.
        let Some(scope) = Scope::from_bytes(row.try_get(0)?) else { continue };
        jobs.push(TakenJob {
            scope,
            id: row.try_get(1)?,
            kind: row.try_get(2)?,
            attempts: row.try_get(3)?,
            epoch: row.try_get(4)?,
            payload: row.try_get(5)?,
        });
    }
    Ok(jobs)
}

pub(super) async fn return_job(client: &Client, job: &TakenJob, delay: Duration) -> Result<(), Error> {
    let text = format!("UPDATE job SET due_at = {NOW} + $1 WHERE scope = $2 AND id = $3 AND epoch = $4");
    let scope = job.scope.to_bytes();
    client.execute(&text, &[&micros(delay), &&scope[..], &job.id, &job.epoch]).await?;
    Ok(())
}

pub(super) async fn take_lease(
    client: &Client,
    name: &str,
    holder: Uuid,
    length: Duration,
) -> Result<Option<Lease>, Error> {
    let text = format!(
        "INSERT INTO lease AS held (name, holder, epoch, expires_at) VALUES ($1, $2, 1, {CLOCK} + $3) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = {CLOCK} + $3, \
         epoch = held.epoch + (held.holder <> excluded.holder)::int \
         WHERE held.holder = excluded.holder OR held.expires_at <= {CLOCK} RETURNING epoch"
    );
    let row = client.query_opt(&text, &[&name, &holder, &micros(length)]).await?;
    let epoch = row.map(|row| row.try_get(0)).transpose()?;
    Ok(epoch.map(|epoch| Lease { name: name.to_owned(), epoch }))
}

/// Numbers journal rows in the order of their keys, so that a subject's rows are in its own order.
///
/// The lease's row is locked first: of two that number at once, the second sees what the first did,
/// because each statement of a function sees what was committed before it. The function is part of
/// the store's, see `functions`.
pub(super) async fn sequence(
    client: &Client,
    function: &str,
    lease: &Lease,
    limit: u32,
) -> Result<u64, Error> {
    let text = format!("SELECT {function}($1, $2, $3)");
    let row = client.query_one(&text, &[&lease.name, &lease.epoch, &i64::from(limit)]).await?;
    let numbered: i64 = row.try_get(0)?;
    Ok(u64::try_from(numbered).unwrap_or(0))
}

/// Blocks of the claims' table that one statement looks through.
const CLAIM_BLOCKS: i64 = 1_024;
/// In so many calls the whole table is looked through: by one a minute, in a day.
const CLAIM_CALLS: i64 = 24 * 60;

/// Deletes answered claims that are old. The lease's row is held until it is done.
///
/// Claims come in no order that an index could keep for nothing: their keys are random, and a page that was
/// freed takes new ones among old. So each call looks through a stretch of the table, however few it finds,
/// and `place` is the block where the next one goes on.
pub(super) async fn forget_claims(
    client: &Client,
    lease: &Lease,
    older_than: Duration,
    limit: u32,
    place: &AtomicI64,
) -> Result<u64, Error> {
    let size = "SELECT pg_relation_size('claim') / current_setting('block_size')::bigint";
    let blocks: i64 = client.query_one(size, &[]).await?.try_get(0)?;
    let (mut left, mut forgotten) = (blocks.min((blocks / CLAIM_CALLS).max(CLAIM_BLOCKS)), 0);
    while left > 0 && forgotten < u64::from(limit) {
        let from = place.load(Ordering::Relaxed);
        let from = if from < blocks { from } else { 0 };
        let to = blocks.min(from + CLAIM_BLOCKS.min(left));
        let text = format!(
            "WITH held AS (SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE), \
             old AS (SELECT c.ctid AS place FROM claim c WHERE c.ctid >= '({from},0)' \
             AND c.ctid < '({to},0)' AND c.created_at < {NOW} - $3 AND c.answer IS NOT NULL \
             LIMIT $4 FOR UPDATE SKIP LOCKED) \
             DELETE FROM claim AS t USING old WHERE t.ctid = old.place AND EXISTS (SELECT 1 FROM held)"
        );
        let most = i64::from(limit).saturating_sub(i64::try_from(forgotten).unwrap_or(i64::MAX));
        let age = micros(older_than);
        forgotten += client.execute(&text, &[&lease.name, &lease.epoch, &age, &most]).await?;
        if forgotten < u64::from(limit) {
            place.store(to, Ordering::Relaxed);
        }
        left -= to - from;
    }
    Ok(forgotten)
}

pub(super) async fn now(client: &Client) -> Result<Timestamp, Error> {
    let row = client.query_one(&format!("SELECT {CLOCK}"), &[]).await?;
    Ok(Timestamp::from_micros(row.try_get(0)?))
}
