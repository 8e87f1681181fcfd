//! Pages of payments: newest first by id, so that what is inserted meanwhile moves nothing.
//!
//! Ids are made in the order of time, and a page continues below the last id of the one before. Where a
//! filter has an index of its own, its rows are read from there in that same order; where several have,
//! each is read a little and then the one that came furthest, so that no plan must be guessed.
//!
//! A page reads a bounded number of rows. Where two filters hardly ever meet it may be short, or even
//! empty, and the next one goes on where its rows ended.

use std::cmp::Reverse;
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
/// Rows of sources that one page reads at most: some milliseconds on either store, however many there
/// are. The payments that are shown are read beside them, and a few places are looked for.
pub const EXAMINED_MAX: u32 = 1_000;
/// Rows that a source reads in its first turn: of all sources together, fewer than a page may read.
const TURN_FIRST: u32 = 120;
/// Rows of a narrow range of amounts that are read to be put in order.
const RANGE_MAX: u32 = 280;

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
    /// Rows that its next turn reads.
    turn: u32,
    found: Vec<Id<PaymentKind>>,
    /// Payments that were read on the way, so that they are not read again.
    payments: Vec<Payment>,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing was read yet.
    New,
    /// All matches down to `below` are found.
    Begun,
    /// All that there is was read.
    Ended,
    /// It is of no use.
    GivenUp,
}

impl Reading {
    fn new(source: Source, below: Option<Uuid>, turn: u32) -> Self {
        let (found, payments) = (Vec::new(), Vec::new());
        // A range is read at once or not at all.
        let turn = if matches!(source, Source::Amounts) { RANGE_MAX } else { turn };
        Self { source, below, turn, found, payments, progress: Progress::New }
    }

    /// Goes past a row; `false` where all that follow were made too early.
    fn passes(&mut self, id: Id<PaymentKind>, created_at: Timestamp, wanted: &Wanted) -> bool {
        self.below = Some(id.uuid());
        let too_old = is_too_old(created_at, wanted.filter.created_from);
        if too_old {
            self.progress = Progress::Ended;
        }
        !too_old
    }

    /// How far down it has found everything; the greatest is the furthest.
    fn reach(&self) -> Option<Reverse<Uuid>> {
        match self.progress {
            Progress::New | Progress::GivenUp => None,
            Progress::Begun | Progress::Ended => self.below.map(Reverse),
        }
    }
}

/// Which source is read next, if more may be read: each once, and then the one that came furthest, which
/// has the fewest rows hereabouts.
fn foremost(readings: &mut [Reading], left: u32) -> Option<&mut Reading> {
    if left == 0 {
        return None;
    }
    if let Some(new) = readings.iter().position(|reading| reading.progress == Progress::New) {
        return readings.get_mut(new);
    }
    let begun = readings.iter_mut().filter(|reading| reading.progress == Progress::Begun);
    begun.max_by_key(|reading| reading.reach())
}

/// What was read of a list at a time.
struct Stretch {
    /// Payments whose rows match.
    found: Vec<Payment>,
    /// These are all that match down to here.
    below: Option<Uuid>,
    /// There are no more.
    ended: bool,
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
        let nothing = Page { items: Vec::new(), next: None };
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
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut left, mut items) = (EXAMINED_MAX, Vec::new());
        loop {
            let stretch = self.matching(scope, &wanted, below, limit, &mut left).await?;
            below = stretch.below;
            // A row may be behind its payment: what does not match any more is not shown.
            items.extend(stretch.found.into_iter().filter(|payment| wanted.holds(payment)));
            if items.len() > room || stretch.ended {
                return Ok(Page::cut(items, limit, |payment| payment.id.uuid()));
            }
            if left == 0 {
                return Ok(Page { items, next: below });
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

    /// One payment more than `limit` below an id whose rows match, unless there are fewer or no more rows
    /// may be read.
    async fn matching(
        &self,
        scope: Scope,
        wanted: &Wanted,
        below: Option<Uuid>,
        limit: u32,
        left: &mut u32,
    ) -> Result<Stretch, PaymentsError> {
        let needed = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let first = if wanted.is_residual() { TURN_FIRST } else { limit.saturating_add(1) };
        let sources = sources(wanted);
        let mut readings: Vec<Reading> =
            sources.into_iter().map(|source| Reading::new(source, below, first)).collect();
        while let Some(reading) = foremost(&mut readings, *left) {
            self.turn(scope, wanted, reading, left).await?;
            if reading.progress == Progress::Ended || reading.found.len() >= needed {
                break;
            }
        }
        let best = readings.into_iter().max_by_key(|reading| {
            (reading.progress == Progress::Ended, reading.found.len() >= needed, reading.reach())
        });
        let Some(mut best) = best else { return Ok(Stretch { found: Vec::new(), below, ended: true }) };
        let cut = best.found.len() > needed;
        best.found.truncate(needed);
        let below = if cut { best.found.last().map(|id| id.uuid()) } else { best.below };
        let ended = best.progress == Progress::Ended && !cut;
        Ok(Stretch { found: self.read_found(scope, best).await?, below, ended })
    }

    /// Reads on in a source.
    async fn turn(
        &self,
        scope: Scope,
        wanted: &Wanted,
        reading: &mut Reading,
        left: &mut u32,
    ) -> Result<(), PaymentsError> {
        let turn = reading.turn.min(*left);
        reading.turn = reading.turn.saturating_mul(2);
        let seen = match &reading.source {
            Source::Payments(filter) => {
                let query = page(&PAYMENT, scope, filter.as_ref(), reading.below, turn);
                let rows = self.store.of(scope).find::<Payment>(query).await?;
                let seen = rows.len();
                for payment in rows.into_iter().map(|versioned| versioned.record) {
                    if !reading.passes(payment.id, payment.created_at, wanted) {
                        break;
                    }
                    if wanted.holds(&payment) {
                        reading.found.push(payment.id);
                        reading.payments.push(payment);
                    }
                }
                seen
            }
            Source::Rows(filter) => {
                let query = page(&PAYMENT_SEARCH, scope, filter.as_ref(), reading.below, turn);
                let rows = self.search.find(query).await?;
                for row in rows.iter().filter_map(PaymentRow::read) {
                    if !reading.passes(row.id, row.created_at, wanted) {
                        break;
                    }
                    if wanted.may_hold(&row) {
                        reading.found.push(row.id);
                    }
                }
                rows.len()
            }
            Source::Amounts => self.amounts(scope, wanted, reading, turn).await?,
        };
        if reading.progress == Progress::New {
            reading.progress = Progress::Begun;
        }
        if reading.progress == Progress::Begun && seen < usize::try_from(turn).unwrap_or(usize::MAX) {
            reading.progress = Progress::Ended;
        }
        *left = left.saturating_sub(u32::try_from(seen).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Reads a whole range of amounts, if it is a short one. Answers how many rows it read.
    async fn amounts(
        &self,
        scope: Scope,
        wanted: &Wanted,
        reading: &mut Reading,
        turn: u32,
    ) -> Result<usize, PaymentsError> {
        let filter = &wanted.filter;
        let bound = |comparison, amount: Option<i64>| {
            amount.map(|amount| Filter::compare("amount_minor", comparison, amount))
        };
        let mut query = Query::newest(&PAYMENT_SEARCH, scope, turn).order_by("amount_minor");
        query.filters.extend(bound(Comparison::AtLeast, filter.amount_from));
        query.filters.extend(bound(Comparison::AtMost, filter.amount_to));
        let rows = self.search.find(query).await?;
        if rows.len() >= usize::try_from(turn).unwrap_or(usize::MAX) {
            reading.progress = Progress::GivenUp;
            return Ok(rows.len());
        }
        let matches = rows.iter().filter_map(PaymentRow::read);
        let fits = |row: &PaymentRow| {
            reading.below.is_none_or(|below| row.id.uuid() < below) && wanted.may_hold(row)
        };
        reading.found = matches.filter(fits).map(|row| row.id).collect();
        reading.found.sort_unstable_by(|one, other| other.cmp(one));
        Ok(rows.len())
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

    /// A page of what `read` reads below an id, highest first: what holds.
    pub(crate) async fn narrowed<R, F>(
        &self,
        span: Span,
        read: impl Fn(Option<Uuid>, u32) -> F,
        holds: impl Fn(&R) -> bool,
    ) -> Result<Page<R>, PaymentsError>
    where
        R: Dated,
        F: Future<Output = Result<Vec<R>, PaymentsError>>,
    {
        let Span { mut below, from, limit, at_once } = span;
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut left, mut items) = (EXAMINED_MAX, Vec::new());
        loop {
            let turn = at_once.max(limit.saturating_add(1)).min(left);
            let found = read(below, turn).await?;
            let seen = u32::try_from(found.len()).unwrap_or(u32::MAX);
            let oldest = found.last().map(|oldest| (oldest.uuid(), oldest.created_at()));
            let too_old = oldest.is_some_and(|(_, created_at)| is_too_old(created_at, from));
            below = oldest.map(|(id, _)| id).or(below);
            left = left.saturating_sub(seen);
            items.extend(found.into_iter().filter(|item| holds(item)));
            if items.len() > room || seen < turn || too_old {
                return Ok(Page::cut(items, limit, Dated::uuid));
            }
            if left == 0 {
                return Ok(Page { items, next: below });
            }
        }
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

/// Which part of a list is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Below this id.
    pub(crate) below: Option<Uuid>,
    /// Made then or later.
    pub(crate) from: Option<Timestamp>,
    /// As many as this.
    pub(crate) limit: u32,
    /// At least so many rows at a time, where some do not match.
    pub(crate) at_once: u32,
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
