//! The slow path: a batch in which somebody loses, decided once and for all.
//!
//! In one transaction: claims go in where they are free, all rows that the batch changes are locked
//! in the order of the fast path, losers are decided here in order of arrival, the survivors are
//! written by the fast path's functions. If even then a row stands in the way (a value of a unique
//! index, which no lock can announce) each survivor is written behind a savepoint of its own, so that
//! the offender alone loses. One pass always ends.

use std::collections::{BTreeMap, HashMap};

use kernel::{ColumnType, Duplicate, Lane, Outcome, Timestamp};
use tokio_postgres::Error;
use uuid::Uuid;

use super::Shared;
use super::committer::{Attempt, Committer, Session, judge};
use super::encode::{Parameter, array_type};
use super::functions::{GUARD, NOW, OVERDRAWN};
use crate::batch::{Account, Array, Balances, Operation, Prepared, Ticket, Value, signature, split};

/// Why a pass stops: what its transaction comes to.
struct Stopped(Attempt);

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        // Nothing of this transaction was committed: a lost answer before the commit loses nothing.
        Self(match judge(&error) {
            Attempt::Lost | Attempt::Loser => Attempt::Again,
            other => other,
        })
    }
}

/// A row to lock on behalf of one commit.
struct Lock<'b> {
    position: usize,
    key: Vec<Value<'b>>,
    expected: Option<i64>,
}

impl Committer {
    /// One pass; the losers by position with what became of the rest.
    pub(super) async fn decide(&mut self, id: Uuid, batch: &[Ticket]) -> (Attempt, Vec<Option<Outcome>>) {
        let stripe = self.stripe.number();
        let shared = std::sync::Arc::clone(&self.shared);
        let Some(session) = &mut self.session else { return (Attempt::Again, Vec::new()) };
        let batch: Vec<&Prepared> = batch.iter().map(|ticket| &*ticket.prepared).collect();
        let mut pass = Pass { session, shared: &shared, stripe, losers: vec![None; batch.len()], batch };
        let (attempt, losers) = match pass.run(id).await {
            Ok(at) => match pass.session.client.batch_execute("COMMIT").await {
                Ok(()) => (Attempt::Committed(at), pass.losers),
                Err(error) => (judge(&error), pass.losers),
            },
            Err(Stopped(attempt)) => {
                let rolled_back = pass.session.client.batch_execute("ROLLBACK").await.is_ok();
                (attempt, if rolled_back { pass.losers } else { Vec::new() })
            }
        };
        if session.client.is_closed() || matches!(attempt, Attempt::Lost) {
            self.session = None;
        }
        (attempt, losers)
    }
}

struct Pass<'s, 'b> {
    session: &'s mut Session,
    shared: &'s Shared,
    stripe: i64,
    batch: Vec<&'b Prepared>,
    losers: Vec<Option<Outcome>>,
}

impl<'b> Pass<'_, 'b> {
    async fn run(&mut self, id: Uuid) -> Result<Timestamp, Stopped> {
        let begin = format!("BEGIN; SELECT {}('{id}')", self.shared.functions.row());
        self.session.client.batch_execute(&begin).await?;
        let at: i64 = self.session.client.query_one(&format!("SELECT {NOW}"), &[]).await?.try_get(0)?;
        let mut locks = self.locks();
        for operation in [Operation::Require, Operation::Finish] {
            self.lock(operation, locks.remove(&operation).unwrap_or_default()).await?;
        }
        let claimed = self.claim().await?;
        for (operation, rows) in locks {
            self.lock(operation, rows).await?;
        }
        self.check_floors().await?;
        self.write().await?;
        self.unclaim(&claimed).await?;
        Ok(Timestamp::from_micros(at))
    }

    /// A key that was used comes before every other reason, and a conflict before a duplicate row.
    fn loses(&mut self, position: usize, outcome: Outcome) {
        if let Some(slot) = self.losers.get_mut(position) {
            slot.get_or_insert(outcome);
        }
    }

    fn survives(&self, position: usize) -> bool {
        self.losers.get(position).is_some_and(Option::is_none)
    }

    /// Rows to lock, by operation, in the order in which the fast path writes them.
    fn locks(&self) -> BTreeMap<Operation, Vec<Lock<'b>>> {
        let mut locks: BTreeMap<Operation, Vec<Lock<'b>>> = BTreeMap::new();
        for (position, prepared) in self.batch.iter().copied().enumerate() {
            let mut add = |operation, key, expected| {
                locks.entry(operation).or_default().push(Lock { position, key, expected });
            };
            if let Some(lease) = &prepared.require {
                add(Operation::Require, vec![Value::from(lease.name.as_str())], Some(lease.epoch));
            }
            if let Some((scope, id, epoch)) = &prepared.finish {
                let key = vec![Value::Scope(scope.to_bytes()), Value::Uuid(*id)];
                add(Operation::Finish, key, Some(*epoch));
            }
            for answer in &prepared.answers {
                let key = vec![Value::Scope(answer.scope.to_bytes()), Value::from(answer.key.as_str())];
                add(Operation::Answer, key, Some(1));
            }
            for placed in &prepared.removes {
                let row = &placed.row;
                let mut key = vec![Value::Scope(row.scope.to_bytes())];
                key.extend(row.key.iter().map(Value::from));
                let expected = row.table.versioned.then_some(row.expected);
                add(Operation::Remove(placed.table), key, expected);
            }
            for placed in &prepared.updates {
                let row = &placed.row.row;
                let mut key = vec![Value::Scope(row.scope.to_bytes())];
                key.extend(row.key.iter().map(Value::from));
                add(Operation::Update(placed.table), key, Some(placed.row.expected));
            }
        }
        locks
    }

    /// Locks rows in the order of their keys; whose row is gone or has moved loses.
    async fn lock(&mut self, operation: Operation, mut rows: Vec<Lock<'b>>) -> Result<(), Stopped> {
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let tables = self.shared.schema.tables();
        let (table, names, found, strength) = match operation {
            Operation::Require => ("lease", vec!["name"], "s.epoch", "SHARE"),
            Operation::Finish => ("job", vec!["scope", "id"], "s.epoch", "UPDATE"),
            Operation::Answer => ("claim", vec!["scope", "key"], "(s.answer IS NULL)::int::bigint", "UPDATE"),
            Operation::Remove(place) | Operation::Update(place) => {
                let Some(table) = tables.get(place).copied() else { return Ok(()) };
                let mut names = vec!["scope"];
                names.extend(table.key.iter().map(|column| column.name));
                let found = if table.versioned { "s.version" } else { "0::bigint" };
                (table.name, names, found, "UPDATE")
            }
            Operation::Hasten
            | Operation::Claim
            | Operation::Insert(_)
            | Operation::Flagged
            | Operation::Balance => {
                return Ok(());
            }
        };
        let kinds: Vec<ColumnType> =
            signature(&self.shared.schema, operation).into_iter().take(names.len()).collect();
        let keys = rows.iter().map(|row| row.key.clone());
        let found = self.find(table, &names, &kinds, keys, found, strength).await?;
        for (index, row) in rows.iter().enumerate() {
            let there = found.get(&index);
            if there.is_none_or(|there| row.expected.is_some_and(|expected| expected != *there)) {
                self.loses(row.position, Outcome::Conflict);
            }
        }
        Ok(())
    }

    /// Locks the rows of these keys one after the other; answers a number of each that is there.
    async fn find(
        &self,
        table: &str,
        names: &[&str],
        kinds: &[ColumnType],
        keys: impl Iterator<Item = Vec<Value<'b>>>,
        found: &str,
        strength: &str,
    ) -> Result<HashMap<usize, i64>, Stopped> {
        let arrays = columns(kinds, keys);
        let marks: Vec<_> = (1..=kinds.len()).map(|number| format!("${number}")).collect();
        let matches: Vec<_> = names.iter().map(|name| format!("s.{name} = u.{name}")).collect();
        let text = format!(
            "SELECT u.florin_number - 1, x.found FROM unnest({}) WITH ORDINALITY AS u({}, florin_number) \
             CROSS JOIN LATERAL (SELECT {found} AS found FROM {table} s WHERE {} FOR {strength}) AS x",
            marks.join(", "),
            names.join(", "),
            matches.join(" AND ")
        );
        let types: Vec<_> = kinds.iter().copied().map(array_type).collect();
        let statement = self.session.client.prepare_typed(&text, &types).await?;
        let parameters: Vec<Parameter<'_>> = arrays.into_iter().map(Parameter::Array).collect();
        let rows = self.session.client.query_raw(&statement, parameters.iter()).await?;
        let rows: Vec<tokio_postgres::Row> = futures_util::TryStreamExt::try_collect(rows).await?;
        let mut all = HashMap::with_capacity(rows.len());
        for row in rows {
            let number: i64 = row.try_get(0)?;
            all.insert(usize::try_from(number).unwrap_or(usize::MAX), row.try_get(1)?);
        }
        Ok(all)
    }

    /// Puts in the claims whose keys are free; answers by whom. Everybody else's is a duplicate.
    async fn claim(&mut self) -> Result<Vec<usize>, Stopped> {
        let mut claims: Vec<(Vec<Value<'b>>, usize)> = Vec::new();
        for (position, prepared) in self.batch.iter().copied().enumerate() {
            for placed in &prepared.inserts {
                if placed.table == crate::schema::place::CLAIM {
                    let mut row = vec![Value::Scope(placed.row.scope.to_bytes())];
                    row.extend(placed.row.key.iter().chain(&placed.row.columns).map(Value::from));
                    claims.push((row, position));
                }
            }
        }
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        claims.sort_unstable();
        let kinds = signature(&self.shared.schema, Operation::Claim);
        let arrays = columns(&kinds, claims.iter().map(|(row, _)| row.clone()));
        // The time is the transaction's: claims carry no other relative time than now.
        let text = format!(
            "WITH free AS (INSERT INTO claim (scope, key, route, mac, operation, answer, created_at) \
             SELECT u.scope, u.key, u.route, u.mac, u.operation, u.answer, {NOW} \
             FROM unnest($1, $2, $3, $4, $5, $6, $7) \
             AS u(scope, key, route, mac, operation, answer, created_at) \
             ON CONFLICT DO NOTHING RETURNING scope, key) \
             SELECT u.florin_number - 1 FROM unnest($1, $2) WITH ORDINALITY AS u(scope, key, florin_number) \
             JOIN free USING (scope, key)"
        );
        let types: Vec<_> = kinds.iter().copied().map(array_type).collect();
        let statement = self.session.client.prepare_typed(&text, &types).await?;
        let parameters: Vec<Parameter<'_>> = arrays.into_iter().map(Parameter::Array).collect();
        let rows = self.session.client.query_raw(&statement, parameters.iter()).await?;
        let rows: Vec<tokio_postgres::Row> = futures_util::TryStreamExt::try_collect(rows).await?;
        let mut free = Vec::with_capacity(rows.len());
        for row in rows {
            let number: i64 = row.try_get(0)?;
            free.push(usize::try_from(number).unwrap_or(usize::MAX));
        }
        let mut claimed = Vec::new();
        for (index, (_, position)) in claims.iter().enumerate() {
            if free.contains(&index) {
                claimed.push(*position);
            } else if let Some(slot) = self.losers.get_mut(*position) {
                *slot = Some(Outcome::Duplicate(Duplicate::Claim));
            }
        }
        Ok(claimed)
    }

    /// In order of arrival: a reserve that would bring a flagged account below zero loses.
    async fn check_floors(&mut self) -> Result<(), Stopped> {
        let mut accounts: BTreeMap<&Account, i64> = BTreeMap::new();
        for (account, _) in self.batch.iter().flat_map(|prepared| &prepared.balances) {
            if account.name.is_flagged() {
                accounts.insert(account, 0);
            }
        }
        if accounts.is_empty() {
            return Ok(());
        }
        let keys = accounts.keys().map(|account| {
            let name = Value::Text(account.name.to_string().into());
            vec![Value::Scope(account.scope), name, Value::from(account.currency), Value::Int(0)]
        });
        let kinds = [ColumnType::Bytes, ColumnType::Text, ColumnType::Text, ColumnType::Int];
        let names = ["scope", "account", "currency", "stripe"];
        let available = "s.credits_posted - s.debits_posted - s.debits_pending";
        let keys: Vec<Vec<Value<'b>>> = keys.collect();
        let found = self.find("balance", &names, &kinds, keys.into_iter(), available, "UPDATE").await?;
        for (index, left) in accounts.values_mut().enumerate() {
            *left = found.get(&index).copied().unwrap_or(0);
        }
        for (position, prepared) in self.batch.clone().into_iter().enumerate() {
            if !self.survives(position) {
                continue;
            }
            let short = prepared.balances.iter().find(|(account, change)| {
                let change = change.available().unwrap_or(i64::MIN);
                let left = accounts.get(account).map(|left| left.saturating_add(change));
                prepared.lane == Lane::Reserve && change < 0 && left.is_some_and(|left| left < 0)
            });
            if let Some((account, _)) = short {
                self.loses(position, Outcome::Overdrawn(account.name.clone()));
                continue;
            }
            for (account, change) in &prepared.balances {
                if let Some(left) = accounts.get_mut(account) {
                    *left = left.saturating_add(change.available().unwrap_or(0));
                }
            }
        }
        Ok(())
    }

    /// Writes the survivors together, or, if one of them cannot be written, one by one.
    async fn write(&mut self) -> Result<(), Stopped> {
        let survivors: Vec<usize> =
            (0..self.batch.len()).filter(|position| self.survives(*position)).collect();
        match self.write_these(&survivors).await? {
            None => return Ok(()),
            Some(_) if survivors.is_empty() => return Ok(()),
            Some(_) => {}
        }
        for position in survivors {
            if let Some(outcome) = self.write_these(&[position]).await? {
                self.loses(position, outcome);
            }
        }
        Ok(())
    }

    /// Writes some behind a savepoint; answers why not, if the data itself stands in the way.
    async fn write_these(&mut self, positions: &[usize]) -> Result<Option<Outcome>, Stopped> {
        let these: Vec<&Prepared> =
            positions.iter().filter_map(|position| self.batch.get(*position).copied()).collect();
        let mut balances = Balances::default();
        for prepared in &these {
            balances.add(prepared.lane, &prepared.balances);
        }
        let mut parts = split(&self.shared.schema, &these, &balances, self.stripe);
        parts.retain(|part| part.operation != Operation::Claim);
        if parts.is_empty() {
            return Ok(None);
        }
        self.session.client.batch_execute("SAVEPOINT these").await?;
        let Some(error) = self.session.execute_inside(self.shared, parts).await.err() else {
            self.session.client.batch_execute("RELEASE these").await?;
            return Ok(None);
        };
        if !matches!(judge(&error), Attempt::Loser) {
            return Err(error.into());
        }
        self.session.client.batch_execute("ROLLBACK TO these; RELEASE these").await?;
        Ok(Some(reason(&error, &these)))
    }

    /// Takes back the claims of those who lost for another reason.
    async fn unclaim(&mut self, claimed: &[usize]) -> Result<(), Stopped> {
        let lost: Vec<&Prepared> = claimed
            .iter()
            .filter(|position| !self.survives(**position))
            .filter_map(|position| self.batch.get(*position).copied())
            .collect();
        let claims = lost.iter().flat_map(|prepared| &prepared.inserts);
        let claims = claims.filter(|placed| placed.table == crate::schema::place::CLAIM);
        for placed in claims {
            let scope = placed.row.scope.to_bytes();
            let Some(key) = placed.row.key.first().and_then(kernel::Cell::as_text) else { continue };
            let text = "DELETE FROM claim WHERE scope = $1 AND key = $2";
            self.session.client.execute(text, &[&&scope[..], &key]).await?;
        }
        Ok(())
    }
}

/// Rows of values as one array per column.
fn columns<'b>(kinds: &[ColumnType], rows: impl Iterator<Item = Vec<Value<'b>>>) -> Vec<Array<'b>> {
    let mut arrays: Vec<Array<'b>> =
        kinds.iter().map(|kind| Array { kind: *kind, values: Vec::new() }).collect();
    for row in rows {
        for (array, value) in arrays.iter_mut().zip(row) {
            array.values.push(value);
        }
    }
    arrays
}

/// What an error of the data means for the one commit that caused it.
fn reason(error: &Error, these: &[&Prepared]) -> Outcome {
    let Some(database) = error.as_db_error() else { return Outcome::Conflict };
    match database.code().code() {
        GUARD => Outcome::Conflict,
        OVERDRAWN => {
            let flagged = these.iter().flat_map(|prepared| &prepared.balances);
            let mut flagged = flagged.filter(|(account, change)| {
                account.name.is_flagged() && change.available().is_none_or(|change| change < 0)
            });
            flagged.next().map_or(Outcome::Conflict, |(account, _)| Outcome::Overdrawn(account.name.clone()))
        }
        "23505" => {
            let name = database.table().unwrap_or_default();
            let inserts = these.iter().flat_map(|prepared| &prepared.inserts).map(|placed| placed.row.table);
            let updates = these.iter().flat_map(|prepared| &prepared.updates);
            let mut tables = inserts.chain(updates.map(|placed| placed.row.row.table));
            let table = tables.find(|table| table.name == name).map_or("", |table| table.name);
            Outcome::Duplicate(Duplicate::Row { table })
        }
        code => Outcome::Refused(format!("{code}: {}", database.message())),
    }
}
