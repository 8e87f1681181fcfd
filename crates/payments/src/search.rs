//! What lists filter by and search finds: narrow rows beside the payments, written from the journal in
//! the background ([`crate::search_index`]).
//!
//! A payment's own row changes with every settle and has few indexes, because each would cost every
//! payment. Here are the others: a row is written once or twice a payment, off its path, and may be a
//! second behind. Whoever reads a page from here reads the payments themselves afterwards and shows
//! nothing that does not match any more.

use kernel::{Cell, Column, ColumnType, Id, Index, Row, Scope, Table, Timestamp};
use vault::{Keys, Purpose};

use crate::customer::CustomerKind;
use crate::payment::{MethodSummary, Payment, PaymentKind};
use crate::refund::{Refund, RefundKind};

use ColumnType::{Int, Text, Time, Uuid};

const fn index(name: &'static str, columns: &'static [&'static str]) -> Index {
    Index { name, columns, unique: false, where_present: None, where_absent: None }
}

const fn index_of_present(name: &'static str, columns: &'static [&'static str; 3]) -> Index {
    Index { name, columns, unique: false, where_present: Some(columns[1]), where_absent: None }
}

/// One row a payment. Every index is `(scope, what is asked for, id)`: a page is read in the order of
/// ids from one place of it, however many rows there are.
///
/// What they cost, each an entry of some 50 bytes a payment: those by status, currency, method and
/// provider have few values, so that new entries go to few pages that are in memory anyway, and the
/// one by status is written again whenever the status changes. Those by amount, last four digits,
/// network transaction and e-mail are written all over the index, a page each. Customers and orders
/// have theirs on the payment itself. Times need none: ids are made in the order of time.
pub(crate) static PAYMENT_SEARCH: Table = Table {
    name: "payment_search",
    key: &[Column::new("id", Uuid)],
    columns: &[
        Column::new("status", Text),
        Column::new("amount_minor", Int),
        Column::new("currency", Text),
        Column::nullable("customer", Uuid),
        Column::nullable("method", Text),
        Column::nullable("provider", Text),
        Column::nullable("last4", Text),
        Column::new("created_at", Time),
        Column::nullable("network_transaction", Int),
        Column::nullable("email", Int),
        Column::new("events", Int),
    ],
    versioned: true,
    has_state: false,
    indexes: &[
        index("payment_search_status", &["scope", "status", "id"]),
        index("payment_search_amount", &["scope", "amount_minor", "id"]),
        index("payment_search_currency", &["scope", "currency", "id"]),
        index_of_present("payment_search_method", &["scope", "method", "id"]),
        index_of_present("payment_search_provider", &["scope", "provider", "id"]),
        index_of_present("payment_search_last4", &["scope", "last4", "id"]),
        index_of_present("payment_search_network", &["scope", "network_transaction", "id"]),
        index_of_present("payment_search_email", &["scope", "email", "id"]),
    ],
    fillfactor: 90,
};

/// One row a refund; those of one payment are found by the refund's own index.
pub(crate) static REFUND_SEARCH: Table = Table {
    name: "refund_search",
    key: &[Column::new("id", Uuid)],
    columns: &[Column::new("payment", Uuid), Column::new("status", Text), Column::new("created_at", Time)],
    versioned: true,
    has_state: false,
    indexes: &[index("refund_search_status", &["scope", "status", "id"])],
    fillfactor: 90,
};

/// The number of the rows' form: a build that writes them otherwise counts it up, and they are built
/// again from the journal's beginning.
pub(crate) const SEARCH_FORM: i64 = 1;

/// What a payment's row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentRow {
    pub(crate) id: Id<PaymentKind>,
    pub(crate) status: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<Id<CustomerKind>>,
    pub(crate) method: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) last4: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) network_transaction: Option<i64>,
    pub(crate) email: Option<i64>,
    /// How many events the payment had had: what the journal tells up to there is known.
    pub(crate) events: i64,
}

/// A short keyed MAC of a text that is searched for exactly. Short, because whoever finds a row by it
/// compares the payment's own text; keyed, because an e-mail address is personal data.
pub(crate) fn search_mac(keys: &Keys, what: &str, text: &str) -> i64 {
    let mac = keys.mac(Purpose::Search, &[what.as_bytes(), text.as_bytes()]);
    let mut head = [0; 8];
    for (place, byte) in head.iter_mut().zip(mac) {
        *place = byte;
    }
    i64::from_be_bytes(head)
}

/// What the MACs are of.
pub(crate) const NETWORK_TRANSACTION: &str = "network transaction";
pub(crate) const EMAIL: &str = "e-mail";

/// An address as it is compared: without regard to case.
pub(crate) fn email_form(text: &str) -> String {
    text.trim().to_lowercase()
}

impl PaymentRow {
    /// The row of a payment as it stands.
    pub(crate) fn of(payment: &Payment, keys: Option<&Keys>) -> Self {
        let mac = |what: &str, text: &str| keys.map(|keys| search_mac(keys, what, text));
        let network = payment.charge.as_ref().and_then(|charge| charge.network_transaction_id.as_deref());
        Self {
            id: payment.id,
            status: payment.status().as_str().to_owned(),
            amount_minor: payment.amount.minor,
            currency: payment.amount.currency.code().to_owned(),
            customer: payment.customer.as_ref().map(|customer| customer.id),
            method: payment.method.as_ref().map(|method| method.kind().as_str().to_owned()),
            provider: payment.charge.as_ref().map(|charge| charge.provider.clone()),
            last4: last4(payment).map(str::to_owned),
            created_at: payment.created_at,
            network_transaction: network.and_then(|text| mac(NETWORK_TRANSACTION, text)),
            email: payment.email().and_then(|text| mac(EMAIL, &email_form(text))),
            events: payment.events,
        }
    }

    /// Reads a row back; `None` if it is damaged.
    pub(crate) fn read(row: &Row) -> Option<Self> {
        let text = |place: usize| row.columns.get(place).and_then(Cell::as_text).map(str::to_owned);
        let int = |place: usize| row.columns.get(place).and_then(Cell::as_int);
        Some(Self {
            id: Id::from_uuid(row.key.first()?.as_uuid()?),
            status: text(0)?,
            amount_minor: int(1)?,
            currency: text(2)?,
            customer: row.columns.get(3).and_then(Cell::as_uuid).map(Id::from_uuid),
            method: text(4),
            provider: text(5),
            last4: text(6),
            created_at: row.columns.get(7)?.as_time()?,
            network_transaction: int(8),
            email: int(9),
            events: int(10)?,
        })
    }

    /// The row as it is written.
    pub(crate) fn insert(&self, scope: Scope) -> kernel::Insert {
        kernel::Insert {
            table: &PAYMENT_SEARCH,
            scope,
            key: vec![self.id.into()],
            columns: vec![
                self.status.as_str().into(),
                self.amount_minor.into(),
                self.currency.as_str().into(),
                self.customer.into(),
                self.method.clone().into(),
                self.provider.clone().into(),
                self.last4.clone().into(),
                self.created_at.into(),
                self.network_transaction.into(),
                self.email.into(),
                self.events.into(),
            ],
            state: Vec::new(),
        }
    }
}

/// The last four digits of a payment's card.
pub(crate) fn last4(payment: &Payment) -> Option<&str> {
    match payment.method.as_ref()? {
        MethodSummary::Card(card) => card.last4.as_deref(),
        MethodSummary::Upi { .. } | MethodSummary::Paypal | MethodSummary::Hosted { .. } => None,
    }
}

/// A refund's row as it is written.
pub(crate) fn refund_row(scope: Scope, refund: &Refund) -> kernel::Insert {
    kernel::Insert {
        table: &REFUND_SEARCH,
        scope,
        key: vec![refund.id.into()],
        columns: vec![refund.payment.into(), refund.status.as_str().into(), refund.created_at.into()],
        state: Vec::new(),
    }
}

/// The refund that a row is of.
pub(crate) fn refund_of(row: &Row) -> Option<Id<RefundKind>> {
    row.key.first().and_then(Cell::as_uuid).map(Id::from_uuid)
}
