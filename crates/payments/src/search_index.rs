//! Filling the search tables: read the journal from where the last pass ended, load what it is about,
//! write the rows and the new place in one commit.
//!
//! One leader at a time, fenced by its lease. A pass that is repeated writes nothing twice: a row knows
//! how many events of its payment it has seen. After downtime it goes on where it was; a new form of
//! the rows, or an operator's wish, begins at the journal's beginning.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use kernel::{
    Cell, Changes, Column, ColumnType, Comparison, Filter, Id, Insert, JOURNAL, Lane, Lease, Mode, Outcome,
    Query, QuickMap, Row, Scope, Table, Update,
};
use uuid::Uuid;

use crate::payment::{Payment, PaymentKind};
use crate::refund::{REFUND, Refund};
use crate::rejection::PaymentsError;
use crate::search::{PAYMENT_SEARCH, PaymentRow, REFUND_SEARCH, SEARCH_FORM, refund_row};
use crate::service::Payments;

/// How far the journal was read. One row, of nobody's world.
pub(crate) static SEARCH_CURSOR: Table = Table {
    name: "search_cursor",
    key: &[Column::new("name", ColumnType::Text)],
    columns: &[
        Column::new("position", ColumnType::Int),
        Column::new("form", ColumnType::Int),
        Column::new("rebuild_until", ColumnType::Int),
    ],
    versioned: true,
    has_state: false,
    indexes: &[],
    fillfactor: 50,
};

const NAME: &str = "search";
/// Refunds of one payment that are kept up to date: as many as it can have operations.
const REFUNDS_MAX: u32 = 100;
/// Payments whose rows are one commit: many, so that they share the pages of the indexes that they go to.
const ROWS_AT_ONCE: usize = 4096;

/// Rows that are read at once for it, beside what callers read.
const READS_AT_ONCE: usize = 64;

/// Nobody's world: the cursor is the installation's.
const fn nobody() -> Scope {
    Scope { merchant: Id::from_uuid(Uuid::nil()), mode: Mode::Test }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    position: i64,
    form: i64,
    rebuild_until: i64,
    /// 0: there is no row yet.
    version: i64,
}

impl Place {
    fn read(row: Option<&Row>) -> Self {
        let int = |place: usize| row.and_then(|row| row.columns.get(place)).and_then(Cell::as_int);
        let (position, form) = (int(0).unwrap_or(0), int(1).unwrap_or(SEARCH_FORM));
        let rebuild_until = int(2).unwrap_or(0);
        Self { position, form, rebuild_until, version: row.map_or(0, |row| row.version) }
    }

    /// Rows of another form are written anew, up to where the journal was read.
    const fn in_our_form(self) -> Self {
        if self.form == SEARCH_FORM {
            return self;
        }
        let until = if self.position > self.rebuild_until { self.position } else { self.rebuild_until };
        Self { position: 0, form: SEARCH_FORM, rebuild_until: until, version: self.version }
    }

    fn write(self, changes: &mut Changes) {
        let row = Insert {
            table: &SEARCH_CURSOR,
            scope: nobody(),
            key: vec![NAME.into()],
            columns: vec![self.position.into(), self.form.into(), self.rebuild_until.into()],
            state: Vec::new(),
        };
        put(changes, row, self.version);
    }
}

/// Inserts a row, or updates the one that was read at `version`.
fn put(changes: &mut Changes, row: Insert, version: i64) {
    if version == 0 {
        changes.insert.push(row);
    } else {
        changes.update.push(Update { row, expected: version });
    }
}

/// What the last pass of this node wrote, so that the next one need not read it: most payments have
/// their later events within a second of the first.
#[derive(Default)]
pub(crate) struct LastPass {
    /// Where it ended. While the cursor stands there, nobody else has written since.
    place: Option<Place>,
    /// The rows it wrote: their versions, and how many events of their payment they know.
    rows: QuickMap<(Scope, Uuid), Known>,
}

/// A payment's row as it stands.
#[derive(Clone, Copy, Debug)]
struct Known {
    version: i64,
    events: i64,
}

/// What the journal tells of one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    /// The number of its newest event here.
    newest: i64,
    /// Its first event is among them: it had no row before.
    is_new: bool,
}

impl Payments {
    /// One pass of the search's background work: reads at most `limit` rows of the journal and writes
    /// what they change. Answers how many it read. Refused, and nothing is written, once the lease is
    /// somebody else's. Passes of one node run one after the other.
    ///
    /// The rows are written some thousands a commit, and the place in the journal moves with the last:
    /// what a pass that broke off has written is found, and not written again, by the next.
    pub async fn index_search(&self, lease: &Lease, limit: u32) -> Result<usize, PaymentsError> {
        let mut last_pass = self.last_pass.lock().await;
        self.fresh.want(self.clock.monotonic());
        let last = std::mem::take(&mut *last_pass);
        let place = self.search_place().await?;
        let query = Query::everywhere(&JOURNAL, limit)
            .with(Filter::compare("position", Comparison::Above, place.position))
            .order_by("position")
            .without_state();
        let rows = self.store.find(query).await?;
        let Some(newest) = rows.last() else {
            *last_pass = last;
            return Ok(0);
        };
        let end = |row: &Row| {
            let int = |at: usize| row.columns.get(at).and_then(Cell::as_int).unwrap_or(0);
            int(1).saturating_add(int(0)).saturating_sub(1)
        };
        let rebuilds = place.position < place.rebuild_until;
        let follows = last.place == Some(place) && !rebuilds;
        let told: Vec<_> = told(&rows).into_iter().collect();
        let mut pass = LastPass::default();
        for some in told.chunks(ROWS_AT_ONCE) {
            let writes = some.iter().map(|(subject, told)| {
                let known = last.rows.get(subject).copied().filter(|_| follows);
                let reads = known.is_none() && !(follows && told.is_new);
                self.row_changes(*subject, told.newest, Before { known, reads, rebuilds })
            });
            let writes: Vec<_> = writes.collect();
            let mut changes = self.search_changes(lease);
            let read: Vec<Change> = stream::iter(writes).buffered(READS_AT_ONCE).try_collect().await?;
            for ((subject, _), change) in some.iter().zip(read) {
                pass.rows.extend(change.known.map(|known| (*subject, known)));
                for (row, version) in change.writes {
                    put(&mut changes, row, version);
                }
            }
            self.commit_search(changes).await?;
        }
        let mut changes = self.search_changes(lease);
        let next = Place { position: end(newest), ..place };
        next.write(&mut changes);
        self.commit_search(changes).await?;
        pass.place = Some(Place { version: place.version.saturating_add(1), ..next });
        *last_pass = pass;
        Ok(rows.len())
    }

    fn search_changes(&self, lease: &Lease) -> Changes {
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.require = Some(lease.clone());
        changes
    }

    async fn commit_search(&self, changes: Changes) -> Result<(), PaymentsError> {
        if changes.insert.is_empty() && changes.update.is_empty() {
            return Ok(());
        }
        match self.search.commit(changes).await {
            Outcome::Committed { .. } => Ok(()),
            // Somebody else under the same lease was faster.
            Outcome::Duplicate(_) => Err(PaymentsError::Busy),
            other => Err(crate::service::refused(other)),
        }
    }

    /// Lets the search be built again from the journal's beginning; rows stay and are corrected.
    pub async fn rebuild_search(&self) -> Result<(), PaymentsError> {
        let place = self.search_place().await?;
        let until = place.position.max(place.rebuild_until);
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        Place { position: 0, rebuild_until: until, ..place }.write(&mut changes);
        self.commit_search(changes).await
    }

    async fn search_place(&self) -> Result<Place, PaymentsError> {
        let row = self.search.get(&SEARCH_CURSOR, nobody(), vec![NAME.into()]).await?;
        Ok(Place::read(row.as_ref()).in_our_form())
    }

    /// The rows that a payment's newest event changes, each with the version that it follows.
    async fn row_changes(
        &self,
        (scope, subject): (Scope, Uuid),
        newest: i64,
        before: Before,
    ) -> Result<Change, PaymentsError> {
        let mut known = before.known;
        let mut read = None;
        if before.reads
            && let Some(row) = self.search.get(&PAYMENT_SEARCH, scope, vec![subject.into()]).await?
        {
            read = PaymentRow::read(&row);
            // A damaged row knows nothing, and is written anew.
            known = Some(Known { version: row.version, events: read.as_ref().map_or(0, |read| read.events) });
        }
        if !before.rebuilds && known.is_some_and(|known| known.events >= newest) {
            return Ok(Change { known, writes: Vec::new() });
        }
        let id = Id::<PaymentKind>::from_uuid(subject);
        let (row, has_refunds) = match self.fresh.take((scope, subject), newest) {
            Some(row) if !before.rebuilds => (row, false),
            _ => match self.store.of(scope).get::<Payment>(vec![id.into()]).await? {
                Some(payment) => {
                    let row = PaymentRow::of(&payment.record, self.vault.keys(scope.mode).ok());
                    (row, !payment.record.refunds.is_empty())
                }
                // Customers and merchants have events, too, and no row here.
                None => return Ok(Change::default()),
            },
        };
        let mut change = Change { known, writes: Vec::new() };
        if read.as_ref() != Some(&row) {
            let version = known.map_or(0, |known| known.version);
            change.known = Some(Known { version: version.saturating_add(1), events: row.events });
            change.writes.push((row.insert(scope), version));
        }
        if has_refunds {
            self.refund_changes(scope, id, &mut change.writes).await?;
        }
        Ok(change)
    }

    async fn refund_changes(
        &self,
        scope: Scope,
        payment: Id<PaymentKind>,
        changed: &mut Vec<(Insert, i64)>,
    ) -> Result<(), PaymentsError> {
        let query = Query::oldest(&REFUND, scope, REFUNDS_MAX).with(Filter::equal("payment", payment));
        for refund in self.store.of(scope).find::<Refund>(query).await? {
            let row = refund_row(scope, &refund.record);
            let known = self.search.get(&REFUND_SEARCH, scope, row.key.clone()).await?;
            if known.as_ref().is_none_or(|known| known.columns != row.columns) {
                changed.push((row, known.map_or(0, |known| known.version)));
            }
        }
        Ok(())
    }
}

/// What is known of a payment's row before it is written.
#[derive(Clone, Copy, Debug)]
struct Before {
    known: Option<Known>,
    /// Whether the row must be read, because it may be there.
    reads: bool,
    /// Whether it is written anew even if it knows all events.
    rebuilds: bool,
}

/// What one payment's row and those of its refunds come to.
#[derive(Default)]
struct Change {
    known: Option<Known>,
    writes: Vec<(Insert, i64)>,
}

/// The subjects that these rows tell of, each with its newest event's number.
fn told(rows: &[Row]) -> BTreeMap<(Scope, Uuid), Told> {
    let mut told = BTreeMap::new();
    for row in rows {
        let (Some(subject), Some(first)) =
            (row.key.first().and_then(Cell::as_uuid), row.key.get(1).and_then(Cell::as_int))
        else {
            continue;
        };
        let count = row.columns.first().and_then(Cell::as_int).unwrap_or(1);
        let newest = first.saturating_add(count).saturating_sub(1);
        let known = told.entry((row.scope, subject)).or_insert(Told { newest, is_new: false });
        known.newest = newest.max(known.newest);
        known.is_new |= first <= 1;
    }
    told
}
