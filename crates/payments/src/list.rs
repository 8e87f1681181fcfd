//! Pages of payments: newest first by id, so that what is inserted meanwhile moves nothing.
//!
//! Ids are made in the order of time, and a page continues below the last id of the one before. Where a
//! filter has an index of its own, its rows are read from there in that same order; where several have,
//! they are read in turns and whichever fills the page first wins, so that no plan must be guessed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use kernel::{Cell, Comparison, Filter, Id, Query, Record, Scope, Timestamp};
use uuid::Uuid;

use crate::command::CustomerRef;
use crate::customer::{CUSTOMER, Customer, CustomerKind};
use crate::filter::{PaymentFilter, Wanted};
use crate::payment::{PAYMENT, Payment, PaymentKind};
use crate::rejection::PaymentsError;
use crate::search::{PAYMENT_SEARCH, PaymentRow};
use crate::service::{Page, Payments};

/// Between an id's time and its payment's `created_at` a card may have been tokenized, which takes at
/// most a send deadline and a time-out: so far the two orders may differ.
const SLACK: Duration = Duration::from_mins(1);
/// Rows that a source reads in its first turn, and at most in one turn.
const TURN_FIRST: u32 = 256;
const TURN_MAX: u32 = 4096;
/// Rows of a narrow range of amounts that are read to be put in order.
const RANGE_MAX: u32 = 5_000;

/// Where ids come from, highest first.
enum Source {
    /// The payments themselves, all or those with this value in a column.
    Payments(Option<Filter>),
    /// The search's rows, all or those with this value in a column.
    Rows(Option<Filter>),
    /// The rows of a range of amounts, all at once: worth it only while they are few.
    Amounts,
}

/// A source and how far it was read.
struct Reading {
    source: Source,
    below: Option<Uuid>,
    turn: u32,
    found: Vec<Id<PaymentKind>>,
    /// Payments that were read on the way, so that they are not read again.
    payments: Vec<Payment>,
    /// All that there is was read.
    ended: bool,
    /// It is of no use.
    given_up: bool,
}

impl Reading {
    fn new(source: Source, below: Option<Uuid>, turn: u32) -> Self {
        let (found, payments) = (Vec::new(), Vec::new());
        Self { source, below, turn, found, payments, ended: false, given_up: false }
    }
}

impl Payments {
    /// All payments, newest first, after (below) an id.
    pub async fn list(
        &self,
        scope: Scope,
        after: Option<Id<PaymentKind>>,
        limit: u32,
    ) -> Result<Page<Payment>, PaymentsError> {
        self.list_by(scope, PaymentFilter::default(), after, limit).await
    }

    /// Payments that answer a filter, newest first, after (below) an id. Exact at once unless the filter
    /// names more than customer, order and times: then a payment may be missing for a second after it
    /// changed, and still none is shown that does not match.
    pub async fn list_by(
        &self,
        scope: Scope,
        filter: PaymentFilter,
        after: Option<Id<PaymentKind>>,
        limit: u32,
    ) -> Result<Page<Payment>, PaymentsError> {
        let nothing = Page { items: Vec::new(), has_more: false };
        let customer = match &filter.customer {
            None => None,
            Some(named) => match self.customer_id(scope, named).await? {
                Some(id) => Some(id),
                None => return Ok(nothing),
            },
        };
        let wanted = Wanted { filter, customer };
        let mut below =
            self.start_below::<Payment>(scope, wanted.filter.created_to, after.map(Id::uuid)).await?;
        let (room, mut items) = (usize::try_from(limit).unwrap_or(usize::MAX), Vec::new());
        loop {
            let (found, ended) = self.matching(scope, &wanted, below, limit).await?;
            below = found.last().map(|payment| payment.id.uuid()).or(below);
            let read = found.len();
            // A row may be behind its payment: what does not match any more is not shown.
            items.extend(found.into_iter().filter(|payment| wanted.holds(payment)));
            if items.len() > room || ended || read == 0 {
                let has_more = items.len() > room;
                items.truncate(room);
                return Ok(Page { items, has_more });
            }
        }
    }

    /// Our id of the customer that is named; `None` if there is none.
    pub(crate) async fn customer_id(
        &self,
        scope: Scope,
        named: &CustomerRef,
    ) -> Result<Option<Id<CustomerKind>>, PaymentsError> {
        let reference = match named {
            CustomerRef::Id(id) => return Ok(Some(*id)),
            CustomerRef::Reference(reference) => reference,
        };
        let query = Query::oldest(&CUSTOMER, scope, 1).with(Filter::equal("reference", reference.as_str()));
        let found = self.store.of(scope).find::<Customer>(query).await?;
        Ok(found.first().map(|versioned| versioned.record.id))
    }

    /// At least one payment more than `limit` below an id whose rows match, unless there are fewer;
    /// and whether these are the last.
    async fn matching(
        &self,
        scope: Scope,
        wanted: &Wanted,
        below: Option<Uuid>,
        limit: u32,
    ) -> Result<(Vec<Payment>, bool), PaymentsError> {
        let needed = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let first = if wanted.is_residual() { TURN_FIRST } else { limit.saturating_add(1) };
        let sources = sources(wanted);
        let mut readings: Vec<Reading> =
            sources.into_iter().map(|source| Reading::new(source, below, first)).collect();
        loop {
            for reading in &mut readings {
                if !reading.given_up {
                    self.turn(scope, wanted, reading).await?;
                }
                if reading.ended || reading.found.len() >= needed {
                    let mut won = std::mem::replace(reading, Reading::new(Source::Rows(None), None, 0));
                    let ended = won.ended && won.found.len() <= needed;
                    won.found.truncate(needed);
                    return Ok((self.read_found(scope, won).await?, ended));
                }
            }
        }
    }

    /// Reads on in a source.
    async fn turn(&self, scope: Scope, wanted: &Wanted, reading: &mut Reading) -> Result<(), PaymentsError> {
        match &reading.source {
            Source::Payments(filter) => {
                let query = page(&PAYMENT, scope, filter.as_ref(), reading.below, reading.turn);
                let rows = self.store.of(scope).find::<Payment>(query).await?;
                reading.ended = rows.len() < usize::try_from(reading.turn).unwrap_or(usize::MAX);
                for payment in rows.into_iter().map(|versioned| versioned.record) {
                    reading.below = Some(payment.id.uuid());
                    if is_too_old(payment.created_at, wanted.filter.created_from) {
                        reading.ended = true;
                        break;
                    }
                    if wanted.holds(&payment) {
                        reading.found.push(payment.id);
                        reading.payments.push(payment);
                    }
                }
            }
            Source::Rows(filter) => {
                let query = page(&PAYMENT_SEARCH, scope, filter.as_ref(), reading.below, reading.turn);
                let rows = self.search.find(query).await?;
                reading.ended = rows.len() < usize::try_from(reading.turn).unwrap_or(usize::MAX);
                for row in rows.iter().filter_map(PaymentRow::read) {
                    reading.below = Some(row.id.uuid());
                    if is_too_old(row.created_at, wanted.filter.created_from) {
                        reading.ended = true;
                        break;
                    }
                    if wanted.may_hold(&row) {
                        reading.found.push(row.id);
                    }
                }
            }
            Source::Amounts => self.amounts(scope, wanted, reading).await?,
        }
        reading.turn = reading.turn.saturating_mul(2).min(TURN_MAX);
        Ok(())
    }

    /// Reads a whole range of amounts, if it is a short one.
    async fn amounts(
        &self,
        scope: Scope,
        wanted: &Wanted,
        reading: &mut Reading,
    ) -> Result<(), PaymentsError> {
        let filter = &wanted.filter;
        let bound = |comparison, amount: Option<i64>| {
            amount.map(|amount| Filter::compare("amount_minor", comparison, amount))
        };
        let mut query = Query::newest(&PAYMENT_SEARCH, scope, RANGE_MAX).order_by("amount_minor");
        query.filters.extend(bound(Comparison::AtLeast, filter.amount_from));
        query.filters.extend(bound(Comparison::AtMost, filter.amount_to));
        let rows = self.search.find(query).await?;
        if rows.len() >= usize::try_from(RANGE_MAX).unwrap_or(usize::MAX) {
            reading.given_up = true;
            return Ok(());
        }
        let rows = rows.iter().filter_map(PaymentRow::read);
        let fits = |row: &PaymentRow| {
            reading.below.is_none_or(|below| row.id.uuid() < below) && wanted.may_hold(row)
        };
        reading.found = rows.filter(fits).map(|row| row.id).collect();
        reading.found.sort_unstable_by(|one, other| other.cmp(one));
        reading.ended = true;
        Ok(())
    }

    /// The payments that a source found.
    async fn read_found(&self, scope: Scope, mut won: Reading) -> Result<Vec<Payment>, PaymentsError> {
        if matches!(won.source, Source::Payments(_)) {
            won.payments.truncate(won.found.len());
            return Ok(won.payments);
        }
        self.payments_of(scope, &won.found).await
    }

    /// These payments, as many as there are, in the order of the ids.
    pub(crate) async fn payments_of(
        &self,
        scope: Scope,
        ids: &[Id<PaymentKind>],
    ) -> Result<Vec<Payment>, PaymentsError> {
        let store = Arc::clone(&self.store);
        let reads = ids.iter().map(|id| {
            let store = &store;
            async move { store.of(scope).get::<Payment>(vec![(*id).into()]).await }
        });
        let found = try_join_all(reads).await?;
        Ok(found.into_iter().flatten().map(|versioned| versioned.record).collect())
    }

    /// Below which id a list begins: the cursor, or, where it ends at a time, the first id that may
    /// have been made by then. Where a test clock was moved, `created_at` runs ahead of the ids, and the
    /// place is searched for.
    pub(crate) async fn start_below<R: Dated>(
        &self,
        scope: Scope,
        to: Option<Timestamp>,
        after: Option<Uuid>,
    ) -> Result<Option<Uuid>, PaymentsError> {
        let Some(to) = to else { return Ok(after) };
        // Nothing is older than its id.
        let first = id_at(to.plus(Duration::from_secs(1)));
        let mut high = after.map_or(first, |after| after.min(first));
        if !self.is_late::<R>(scope, high, to).await? {
            return Ok(Some(high));
        }
        let oldest = self.store.of(scope).find::<R>(Query::oldest(R::TABLE, scope, 1)).await?;
        let mut low = oldest.first().map_or(0, |oldest| millis_of(oldest.record.uuid()));
        while millis_of(high).saturating_sub(low) > 1_000 {
            let middle = low + (millis_of(high) - low) / 2;
            let at = id_at(Timestamp::from_micros(i64::try_from(middle).unwrap_or(0).saturating_mul(1_000)));
            if self.is_late::<R>(scope, at, to).await? {
                high = at;
            } else {
                low = middle;
            }
        }
        Ok(Some(high))
    }

    /// Whether the newest one below an id was made later than `to`, by more than the orders may differ.
    async fn is_late<R: Dated>(
        &self,
        scope: Scope,
        below: Uuid,
        to: Timestamp,
    ) -> Result<bool, PaymentsError> {
        let found = self.store.of(scope).find::<R>(page(R::TABLE, scope, None, Some(below), 1)).await?;
        Ok(found.first().is_some_and(|newest| newest.record.created_at() > to.plus(SLACK)))
    }
}

/// What is listed in the order of its making.
pub(crate) trait Dated: Record {
    fn uuid(&self) -> Uuid;
    fn created_at(&self) -> Timestamp;
}

impl Dated for Payment {
    fn uuid(&self) -> Uuid {
        self.id.uuid()
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

impl Wanted {
    /// Whether more than one thing is asked for, so that a source reads rows that do not match.
    fn is_residual(&self) -> bool {
        let filter = &self.filter;
        let asked = [
            filter.status.is_some(),
            filter.amount.is_some(),
            filter.amount_from.is_some() || filter.amount_to.is_some(),
            filter.currency.is_some(),
            self.customer.is_some(),
            filter.order_id.is_some(),
            filter.method.is_some(),
            filter.provider.is_some(),
            filter.last4.is_some(),
        ];
        asked.into_iter().filter(|asked| *asked).count() > 1
            || filter.amount_from.is_some()
            || filter.amount_to.is_some()
    }
}

/// Whether everything further down was made too early.
pub(crate) fn is_too_old(created_at: Timestamp, from: Option<Timestamp>) -> bool {
    from.is_some_and(|from| created_at < from.minus(SLACK))
}

/// Where matching rows may be read from, in order of promise.
fn sources(wanted: &Wanted) -> Vec<Source> {
    let filter = &wanted.filter;
    if let Some(order) = &filter.order_id {
        // An order has few payments.
        return vec![Source::Payments(Some(Filter::equal("order_id", order.as_str())))];
    }
    let customer = wanted.customer.map(|id| Filter::equal("customer", id));
    if !wanted.needs_search() {
        return vec![Source::Payments(customer)];
    }
    let mut sources = Vec::new();
    sources.extend(customer.map(|customer| Source::Payments(Some(customer))));
    let columns: [(&'static str, Option<Cell>); 6] = [
        ("last4", filter.last4.as_deref().map(Cell::from)),
        ("amount_minor", filter.amount.map(Cell::from)),
        ("status", filter.status.map(|status| status.as_str().into())),
        ("provider", filter.provider.as_deref().map(Cell::from)),
        ("method", filter.method.map(|method| method.as_str().into())),
        ("currency", filter.currency.map(|currency| currency.code().into())),
    ];
    let with_value = columns.into_iter().filter_map(|(column, cell)| Some((column, cell?)));
    sources.extend(with_value.map(|(column, cell)| Source::Rows(Some(Filter::equal(column, cell)))));
    if filter.amount.is_none() && (filter.amount_from.is_some() || filter.amount_to.is_some()) {
        sources.extend([Source::Amounts, Source::Rows(None)]);
    }
    sources
}

/// A page of ids below one, highest first.
pub(crate) fn page(
    table: &'static kernel::Table,
    scope: Scope,
    filter: Option<&Filter>,
    below: Option<Uuid>,
    limit: u32,
) -> Query {
    // A first page, too, is below something: without a bound on the id SQLite reads the whole primary key
    // in order rather than the one place of an index, and a rare value costs a scan.
    let below = below.unwrap_or(Uuid::max());
    let mut query = Query::newest(table, scope, limit).after(Some(vec![below.into()]));
    query.filters.extend(filter.cloned());
    query
}

/// The lowest id of an instant (RFC 9562: a UUIDv7 begins with 48 bits of milliseconds).
fn id_at(at: Timestamp) -> Uuid {
    let millis = u128::try_from(at.as_micros().div_euclid(1_000)).unwrap_or(0);
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << 80)
}

fn millis_of(id: Uuid) -> u64 {
    u64::try_from(id.as_u128() >> 80).unwrap_or(0)
}
