//! Limits on how much a merchant takes: per payment, per day and per month (UTC).
//!
//! Each limited period has a counter: a flagged account of the ledger, which a reserve can never bring
//! below zero, whoever else reserves at the same moment on whatever node. The limit is *granted* to it
//! from the merchant's pool; the reserve of a charge takes from it, in its own commit; the settle of a
//! charge that ended without money gives back to the period that it took from. A limit that changes is
//! one more grant, up or down, exactly once for all nodes: the record of what is granted is the guard.
//!
//! Until money of several currencies can be compared, each currency counts for itself.

use std::sync::Arc;

use kernel::{
    AccountKind, BALANCE, Cell, Changes, Clock, Column, ColumnType, Currency, Duplicate, Id, Kind, Lane,
    LedgerAccount, Money, Outcome, Phase, PostingKind, Record, RowKey, Scope, Table, Timestamp, Transfer,
};
use ledger::Posting;
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::draft::Draft;
use crate::operation::{Counted, OperationId, OperationKind};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, refused};
use crate::settings::MerchantSettings;

/// How often a grant is decided anew after another node made one.
const TRIES: u32 = 6;
/// The cause of a grant's transfers.
const GRANT: &str = "grant";

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Of one payment.
    Transaction,
    /// Of a day.
    Daily,
    /// Of a month.
    Monthly,
}

impl Limit {
    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "max_transaction_amount",
            Self::Daily => "daily_volume_limit",
            Self::Monthly => "monthly_volume_limit",
        }
    }
}

/// Marks the ids under which the transfers of grants stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum GrantMark {}

impl Kind for GrantMark {
    const PREFIX: &'static str = "vgr";
}

/// What is granted to the counter of one currency and period.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    /// Currency and period: `USD 2026-11-21`.
    name: String,
    /// Under which its transfers stand.
    subject: Id<GrantMark>,
    /// Minor units.
    granted: i64,
    /// The version of the settings that said so.
    settings: i64,
    /// Its transfers so far; numbers the next one.
    postings: i64,
}

/// One row for each limited currency and period of a merchant's world.
pub(crate) static VOLUME_GRANT: Table = Table {
    name: "volume_grant",
    key: &[Column::new("name", ColumnType::Text)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

impl Record for Grant {
    const TABLE: &'static Table = &VOLUME_GRANT;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.name.as_str().into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

/// What this node knows to be granted: the settings' version that said so, and how much.
pub(crate) struct Granted(Cache<(Scope, String), (i64, i64)>);

impl Granted {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Cache::new(clock))
    }
}

impl Payments {
    /// Takes a new charge, or an increment of one, from the limits that its merchant has, in the commit
    /// that reserves it.
    pub(crate) async fn count_volume(
        &self,
        draft: &mut Draft,
        charge: OperationId,
        merchant: &MerchantSettings,
    ) -> Result<(), PaymentsError> {
        let limits = &merchant.limits;
        if limits.is_empty() {
            return Ok(());
        }
        let Some(amount) = draft.operation(charge).map(|operation| operation.amount) else { return Ok(()) };
        let currency = amount.currency;
        // An increment adds to what the payment is for already.
        let adds = charge.kind == OperationKind::Increment;
        let before = if adds { draft.payment.amount.minor } else { 0 };
        if let Some(most) = limits.max_transaction_amount.get(&currency)
            && before.saturating_add(amount.minor) > *most
        {
            let left = most.saturating_sub(before).max(0);
            return Err(Rejection::LimitExceeded { limit: Limit::Transaction, currency, left }.into());
        }
        let (day, month) = periods(draft.now);
        // The month first: whatever else a commit takes from, it queues where the month's counter does.
        let limited = [(month, limits.monthly_volume), (day, limits.daily_volume)];
        let mut counted = Vec::new();
        for (period, limit) in limited.into_iter().filter_map(|(period, limit)| Some((period, limit?))) {
            if amount.minor > 0 {
                self.grant(draft.scope, currency, &period, limit, merchant.version).await?;
                counted.push(period);
            }
        }
        if !counted.is_empty() {
            draft.post(charge, counted.iter().map(|period| taken(period, amount)).collect());
            if let Some(operation) = draft.operation_mut(charge) {
                operation.volume = Some(Counted { periods: counted, released: false });
            }
        }
        Ok(())
    }

    /// What a reserve that did not stand means to its caller: a counter without room is a limit.
    pub(crate) async fn refused_charge(
        &self,
        scope: Scope,
        currency: Currency,
        outcome: Outcome,
    ) -> PaymentsError {
        let Outcome::Overdrawn(account) = &outcome else { return refused(outcome) };
        if account.kind != AccountKind::Volume {
            return refused(outcome);
        }
        let limit = if account.part.len() > "2026-11".len() { Limit::Daily } else { Limit::Monthly };
        match self.left(scope, account, currency).await {
            Ok(left) => Rejection::LimitExceeded { limit, currency, left: left.max(0) }.into(),
            Err(error) => error,
        }
    }

    /// What a counter has left.
    async fn left(
        &self,
        scope: Scope,
        account: &LedgerAccount,
        currency: Currency,
    ) -> Result<i64, PaymentsError> {
        let key = vec![account.to_string().into(), currency.code().into(), Cell::Int(0)];
        let Some(row) = self.store.get(&BALANCE, scope, key).await? else { return Ok(0) };
        let sum = |place: usize| row.columns.get(place).and_then(Cell::as_int).unwrap_or(0);
        Ok(sum(1).saturating_sub(sum(0)).saturating_sub(sum(2)))
    }

    /// Sees to it that the counter was granted `limit`, no more and no less.
    async fn grant(
        &self,
        scope: Scope,
        currency: Currency,
        period: &str,
        limit: i64,
        settings: i64,
    ) -> Result<(), PaymentsError> {
        let name = format!("{} {period}", currency.code());
        let key = (scope, name.clone());
        let is_in_force = |(said_by, granted): (i64, i64)| said_by > settings || granted == limit;
        if self.granted.0.get(&key).is_some_and(is_in_force) {
            return Ok(());
        }
        for _ in 0..TRIES {
            let stored = self.store.of(scope).get::<Grant>(vec![name.as_str().into()]).await?;
            let (mut grant, version) = if let Some(stored) = stored {
                (stored.record, Some(stored.version))
            } else {
                let (name, subject) = (name.clone(), Id::from_uuid(self.ids.uuid()));
                (Grant { name, subject, granted: 0, settings, postings: 0 }, None)
            };
            let known = (grant.settings, grant.granted);
            if version.is_some() && is_in_force(known) {
                self.granted.0.keep(key, known);
                return Ok(());
            }
            let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
            changes.subject =
                Some(RowKey { table: VOLUME_GRANT.name, scope, key: vec![name.as_str().into()] });
            if let Some(transfer) = regrant(scope, &grant, period, Money::new(limit, currency)) {
                grant.postings += 1;
                changes.post.push(transfer);
            }
            (grant.granted, grant.settings) = (limit, settings);
            match version {
                Some(version) => changes.update(scope, &grant, version)?,
                None => changes.insert(scope, &grant)?,
            }
            match self.store.commit(changes).await {
                Outcome::Committed { .. } => {
                    self.granted.0.keep(key, (settings, limit));
                    return Ok(());
                }
                // Another node granted it meanwhile: read what it said.
                Outcome::Conflict | Outcome::Duplicate(Duplicate::Row { .. }) => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }
}

/// A charge ended without money: its periods have it back, once.
pub(crate) fn release(draft: &mut Draft, charge: OperationId) {
    let Some(operation) = draft.operation_mut(charge) else { return };
    let amount = operation.amount;
    let Some(counted) = operation.volume.as_mut().filter(|counted| !counted.released) else { return };
    counted.released = true;
    let back = counted.periods.iter().map(|period| turned(taken(period, amount))).collect();
    draft.post(charge, back);
}

/// Another charge of the payment follows one that just gave its amount back, in the same commit: it
/// takes what that one had, and cannot be refused for it.
pub(crate) fn hand_on(draft: &mut Draft, ended: OperationId) {
    let counted = draft.operation(ended).and_then(|operation| operation.volume.clone());
    let Some(periods) = counted.map(|counted| counted.periods) else { return };
    let Some(next) = draft.payment.open_charge().map(|open| open.id) else { return };
    let Some(operation) = draft.operation_mut(next) else { return };
    let amount = operation.amount;
    let again = periods.iter().map(|period| taken(period, amount)).collect();
    operation.volume = Some(Counted { periods, released: false });
    draft.post(next, again);
}

/// A charge that had ended without money stands after all: it counts again, and may bring its periods
/// below zero, for the money was taken.
pub(crate) fn count_again(draft: &mut Draft, charge: OperationId) {
    let Some(operation) = draft.operation_mut(charge) else { return };
    let amount = operation.amount;
    let Some(counted) = operation.volume.as_mut().filter(|counted| counted.released) else { return };
    counted.released = false;
    let again = counted.periods.iter().map(|period| taken(period, amount)).collect();
    draft.post(charge, again);
}

/// The day and the month in UTC.
fn periods(now: Timestamp) -> (String, String) {
    let (year, month, day) = now.civil_date();
    (format!("{year:04}-{month:02}-{day:02}"), format!("{year:04}-{month:02}"))
}

fn counter(period: &str) -> LedgerAccount {
    LedgerAccount::part(AccountKind::Volume, period)
}

fn taken(period: &str, amount: Money) -> Posting {
    Posting {
        kind: PostingKind::Volume,
        debit: counter(period),
        credit: LedgerAccount::part(AccountKind::Volume, LedgerAccount::POOL),
        amount,
        phase: Phase::Posted,
    }
}

fn turned(posting: Posting) -> Posting {
    Posting { debit: posting.credit, credit: posting.debit, ..posting }
}

/// The transfer that makes what is granted `limit`; none if it is.
fn regrant(scope: Scope, grant: &Grant, period: &str, limit: Money) -> Option<Transfer> {
    let more = limit.minor.checked_sub(grant.granted).filter(|more| *more != 0)?;
    let amount = Money::new(more.checked_abs()?, limit.currency);
    let posting = if more > 0 { turned(taken(period, amount)) } else { taken(period, amount) };
    Some(posting.transfer(scope, grant.subject.uuid(), GRANT, grant.postings))
}
