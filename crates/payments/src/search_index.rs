//! Filling the search tables: read the journal from where the last pass ended, load what it is about,
//! write the rows and the new place in one commit.
//!
//! One leader at a time, fenced by its lease. A pass that is repeated writes nothing twice: a row knows
//! how many events of its payment it has seen. After downtime it goes on where it was; a new form of
//! the rows, or an operator's wish, begins at the journal's beginning.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use kernel::{
    Cell, Changes, Column, ColumnType, Comparison, Filter, Id, Insert, JOURNAL, Lane, Lease, Mode, Outcome,
    Query, Row, Scope, Table, Update,
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

impl Payments {
    /// One pass of the search's background work: reads at most `limit` rows of the journal and writes
    /// what they change. Answers how many it read. Refused, and nothing is written, once the lease is
    /// somebody else's.
    pub async fn index_search(&self, lease: &Lease, limit: u32) -> Result<usize, PaymentsError> {
        let place = self.search_place().await?;
        let query = Query::everywhere(&JOURNAL, limit)
            .with(Filter::compare("position", Comparison::Above, place.position))
            .order_by("position");
        let rows = self.store.find(query).await?;
        let Some(last) = rows.last() else { return Ok(0) };
        let end = |row: &Row| {
            let int = |at: usize| row.columns.get(at).and_then(Cell::as_int).unwrap_or(0);
            int(1).saturating_add(int(0)).saturating_sub(1)
        };
        let next = Place { position: end(last), ..place };
        let rebuilds = place.position < place.rebuild_until;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.require = Some(lease.clone());
        let told = told(&rows);
        let writes = told.iter().map(|(subject, sequence)| self.row_changes(*subject, *sequence, rebuilds));
        for (insert, version) in try_join_all(writes).await?.into_iter().flatten() {
            put(&mut changes, insert, version);
        }
        next.write(&mut changes);
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => Ok(rows.len()),
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
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => Ok(()),
            other => Err(crate::service::refused(other)),
        }
    }

    async fn search_place(&self) -> Result<Place, PaymentsError> {
        let row = self.store.get(&SEARCH_CURSOR, nobody(), vec![NAME.into()]).await?;
        Ok(Place::read(row.as_ref()).in_our_form())
    }

    /// The rows that a payment's newest event changes, each with the version that was read.
    async fn row_changes(
        &self,
        (scope, subject): (Scope, Uuid),
        sequence: i64,
        rebuilds: bool,
    ) -> Result<Vec<(Insert, i64)>, PaymentsError> {
        let known = self.store.get(&PAYMENT_SEARCH, scope, vec![subject.into()]).await?;
        let read = known.as_ref().and_then(PaymentRow::read);
        if !rebuilds && read.as_ref().is_some_and(|row| row.events >= sequence) {
            return Ok(Vec::new());
        }
        let id = Id::<PaymentKind>::from_uuid(subject);
        // Customers and merchants have events, too, and no row here.
        let Some(payment) = self.store.of(scope).get::<Payment>(vec![id.into()]).await? else {
            return Ok(Vec::new());
        };
        let row = PaymentRow::of(&payment.record, self.vault.keys(scope.mode).ok());
        let mut changed = Vec::new();
        if read.as_ref() != Some(&row) {
            changed.push((row.insert(scope), known.map_or(0, |known| known.version)));
        }
        if !payment.record.refunds.is_empty() {
            self.refund_changes(scope, id, &mut changed).await?;
        }
        Ok(changed)
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
            let known = self.store.get(&REFUND_SEARCH, scope, row.key.clone()).await?;
            if known.as_ref().is_none_or(|known| known.columns != row.columns) {
                changed.push((row, known.map_or(0, |known| known.version)));
            }
        }
        Ok(())
    }
}

/// The subjects that these rows tell of, each with its newest event's number.
fn told(rows: &[Row]) -> BTreeMap<(Scope, Uuid), i64> {
    let mut told = BTreeMap::new();
    for row in rows {
        let (Some(subject), Some(first)) =
            (row.key.first().and_then(Cell::as_uuid), row.key.get(1).and_then(Cell::as_int))
        else {
            continue;
        };
        let count = row.columns.first().and_then(Cell::as_int).unwrap_or(1);
        let newest = first.saturating_add(count).saturating_sub(1);
        let known = told.entry((row.scope, subject)).or_insert(newest);
        *known = newest.max(*known);
    }
    told
}
