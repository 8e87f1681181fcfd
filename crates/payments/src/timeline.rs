//! A payment's timeline: everything that is written down about it, in the order of time.
//!
//! It is read from where each thing lives: the journal, the operations, the recorded exchanges, the
//! inbox, the books. Nothing is stored for it.

use std::collections::HashMap;

use kernel::{Cell, Event, Filter, Id, JOURNAL, JournalRow, Query, Row, Scope, TRANSFER, Timestamp};

use crate::exchanges::{EXCHANGE, RecordedExchange};
use crate::inbox::{INBOX, StoredDelivery};
use crate::operation::Operation;
use crate::payment::{Payment, PaymentKind};
use crate::rejection::PaymentsError;
use crate::service::{Page, Payments};

/// The most rows of one kind that a timeline shows: more than a payment's 99 operations make.
const ROWS_MAX: u32 = 2_000;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, by the clock that people see.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Step {
    /// A fact, as the journal has it.
    Event(Event),
    /// A try to charge began.
    Attempt(Operation),
    /// An operation was reserved; shown as it stands now.
    Operation(Operation),
    /// Something was sent to the provider.
    Exchange(RecordedExchange),
    /// A delivery came in from the provider.
    Notice(StoredDelivery),
    /// Money moved in the books.
    Posting(TransferRow),
}

/// One transfer of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRow {
    /// The operation that caused it, without its payment: `s01`; or a dispute's id.
    pub cause: String,
    /// Its number among those of its cause.
    pub ordinal: i64,
    /// The account that is debited.
    pub debit: String,
    /// The account that is credited.
    pub credit: String,
    /// The currency's code.
    pub currency: String,
    /// Minor units.
    pub amount: i64,
    /// Why: a word of the ledger.
    pub kind: String,
    /// `posted`, `pending`, or what becomes of a pending one.
    pub phase: String,
}

/// A place in a timeline: below it is everything with a lower key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelineCursor {
    /// When.
    pub at: Timestamp,
    /// The kind of step, in the order in which they belong at one instant.
    pub rank: u8,
    /// Which of its kind.
    pub number: u32,
}

impl Moment {
    /// Its place.
    pub fn cursor(&self) -> TimelineCursor {
        let low = |uuid: uuid::Uuid| u32::try_from(uuid.as_u128() & 0xffff_ffff).unwrap_or(0);
        let of_operation = |operation: &Operation| {
            u32::from(operation.id.ordinal) << 8 | u32::from(operation.id.kind.letter()) & 0xff
        };
        let (rank, number) = match &self.step {
            Step::Event(event) => (0, u32::try_from(event.sequence).unwrap_or(u32::MAX)),
            Step::Attempt(operation) => (1, of_operation(operation)),
            Step::Operation(operation) => (2, of_operation(operation)),
            Step::Exchange(exchange) => (3, low(exchange.id.uuid())),
            Step::Notice(notice) => (4, low(notice.id.uuid())),
            Step::Posting(row) => (5, row.number()),
        };
        TimelineCursor { at: self.at, rank, number }
    }
}

impl TransferRow {
    fn read(row: &Row) -> Option<(Timestamp, Self)> {
        let text = |place: usize| row.columns.get(place).and_then(Cell::as_text).map(str::to_owned);
        let read = Self {
            cause: row.key.get(1)?.as_text()?.to_owned(),
            ordinal: row.key.get(2)?.as_int()?,
            debit: text(0)?,
            credit: text(1)?,
            currency: text(2)?,
            amount: row.columns.get(3)?.as_int()?,
            kind: text(4)?,
            phase: text(5)?,
        };
        Some((row.columns.get(6)?.as_time()?, read))
    }

    /// Cause and ordinal as a number: postings of one instant keep their order.
    fn number(&self) -> u32 {
        let cause = self.cause.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31) ^ u32::from(byte));
        (cause & 0x00ff_ffff) << 8 | u32::try_from(self.ordinal & 0xff).unwrap_or(0)
    }
}

impl Payments {
    /// A payment's timeline, oldest first, after a place in it.
    pub async fn timeline(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
        after: Option<TimelineCursor>,
        limit: u32,
    ) -> Result<Page<Moment, TimelineCursor>, PaymentsError> {
        let payment = self.payment(scope, id).await?.record;
        let mut moments = self.told_and_posted(scope, &payment).await?;
        let operations = self.operations(scope, id).await?;
        for operation in operations {
            let at = operation.created_at;
            if operation.id.kind.is_charge() {
                moments.push(Moment { at, step: Step::Attempt(operation.clone()) });
            }
            moments.push(Moment { at, step: Step::Operation(operation) });
        }
        let query = Query::oldest(&EXCHANGE, scope, ROWS_MAX).with(Filter::equal("payment", id));
        let exchanges = self.store.of(scope).find::<RecordedExchange>(query).await?;
        moments.extend(
            exchanges.into_iter().map(|exchange| Moment {
                at: exchange.record.sent_at,
                step: Step::Exchange(exchange.record),
            }),
        );
        let query = Query::oldest(&INBOX, scope, ROWS_MAX).with(Filter::equal("payment", id));
        let notices = self.store.of(scope).find::<StoredDelivery>(query).await?;
        moments.extend(
            notices
                .into_iter()
                .map(|notice| Moment { at: notice.record.received_at, step: Step::Notice(notice.record) }),
        );
        moments.sort_by_key(Moment::cursor);
        let beyond = moments.into_iter().filter(|moment| after.is_none_or(|after| moment.cursor() > after));
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let items = beyond.take(room.saturating_add(1)).collect();
        Ok(Page::cut(items, limit, Moment::cursor))
    }

    /// Events and postings. A posting has the database's time: in what people see it happened with the
    /// events of its commit.
    async fn told_and_posted(&self, scope: Scope, payment: &Payment) -> Result<Vec<Moment>, PaymentsError> {
        let of = |table| Query::oldest(table, scope, ROWS_MAX).with(Filter::equal("subject", payment.id));
        let rows = self.store.find(of(&JOURNAL)).await?;
        let mut seen_at: HashMap<Timestamp, Timestamp> = HashMap::new();
        let mut moments = Vec::new();
        for row in &rows {
            let Some(told) = JournalRow::read(row) else { continue };
            let recorded_at = row.columns.get(2).and_then(Cell::as_time);
            if let (Some(recorded_at), Some(first)) = (recorded_at, told.events.first()) {
                seen_at.insert(recorded_at, first.occurred_at);
            }
            let events = told.events.into_iter();
            moments.extend(events.map(|event| Moment { at: event.occurred_at, step: Step::Event(event) }));
        }
        for (recorded_at, row) in self.store.find(of(&TRANSFER)).await?.iter().filter_map(TransferRow::read) {
            let at = seen_at.get(&recorded_at).copied().unwrap_or(recorded_at);
            moments.push(Moment { at, step: Step::Posting(row) });
        }
        Ok(moments)
    }
}
