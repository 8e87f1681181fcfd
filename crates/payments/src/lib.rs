//! Payments: charge, capture, void, refund; never twice.
//!
//! Pure model files decide ([`Payment`], [`Operation`], [`Refund`]); the service loads, asks the
//! model, commits, calls out through a provider, and applies what came back. Every operation is
//! committed before it is sent (reserve), sent by whoever holds the right to, and written down again
//! (settle); what may have been sent and is not known is found out by the resolver.
//!
//! Here is no HTTP, no SQL and no provider by name. The rules are `docs/reliability.md`'s.

mod account;
mod apply;
mod cache;
mod capabilities;
mod change;
mod charge;
mod check;
mod claims;
mod climb;
mod clocks;
pub mod command;
mod confirm;
mod consent;
mod customer;
mod customers;
mod decide;
mod dispute;
mod disputes;
mod draft;
mod drive;
mod exchanges;
mod explain;
mod external;
mod filter;
mod find;
mod fresh;
mod give_up;
mod inbox;
mod instrument;
mod list;
mod lock;
mod measure;
mod method;
mod method_summary;
mod methods;
mod moves;
mod next_charge;
mod operation;
mod order_guard;
mod own_settings;
mod past;
mod patch;
mod pay;
mod payer;
mod payment;
mod posting;
mod probe;
mod provider_reference;
mod quarantine;
mod refund;
mod refunds;
mod rejection;
mod resolve;
mod review;
mod route;
mod schedule;
mod search;
mod search_index;
mod service;
mod settings;
mod signed_event;
mod signed_events;
mod simulate;
mod successor;
mod surplus;
mod timeline;
mod unattached;
mod update;
mod vaulted;
mod volume;
mod watch;
mod writing;

use kernel::{Migration, Table};

pub use account::{AccountRecord, Exchanges, NewAccount};
pub use check::{CheckReport, Mismatch, check};
pub use climb::{Climb, Heard, Said, climb, proves};
pub use clocks::CLOCK_JOB;
pub use command::*;
pub use customer::{Customer, CustomerKind, Profile};
pub use customers::{CustomerFilter, CustomerPatch, CustomerView, NewCustomer};
pub use dispute::{Dispute, DisputeKind, DisputeStatus, DisputeSummary};
pub use exchanges::{ExchangeKind, RecordExchanges, RecordedExchange};
pub use explain::Hypothetical;
pub use filter::{PaymentFilter, RefundFilter};
pub use inbox::{DeliveryKind, DeliveryStatus, INBOX_JOB, StoredDelivery, Taken};
pub use list::EXAMINED_MAX;
pub use method::{PaymentMethod, PaymentMethodKind};
pub use methods::{Attaching, MethodView, NewMethod};
pub use operation::{Operation, OperationId, OperationKind, OperationStatus};
pub use own_settings::{OwnSettings, SettingsMark, SettingsPatch};
pub use past::{PastEnd, PastPayment};
pub use patch::{MetadataPatch, Patch};
pub use payer::{Address, Payer};
pub use payment::{
    Amounts, AnswerForm, Attempt, CardSummary, ChargeSummary, CustomerLink, LastError, MethodSummary,
    Payment, PaymentKind, PaymentStatus, Purpose, WaitingFor,
};
pub use quarantine::{Quarantined, SLOTS as QUARANTINE_SLOTS};
pub use refund::{Refund, RefundKind, RefundStatus, RefundSummary};
pub use rejection::{PaymentsError, Rejection};
pub use resolve::{Resolution, Returned};
pub use review::InReview;
pub use schedule::SCHEDULE_JOB;
pub use service::{Page, Payments, PaymentsPorts};
pub use settings::{LateSuccess, MerchantSettings, PaymentsSettings, VolumeLimits};
pub use signed_event::{AHEAD_MAX, EVENTS, EventClaim, EventRefusal, EventSource, SignedEvent, sign_event};
pub use timeline::{Moment, Step, TimelineCursor, TransferRow};
pub use volume::Limit;
pub use writing::Done;

/// The tables of this crate.
pub const TABLES: &[&Table] = &[
    &payment::PAYMENT,
    &operation::OPERATION,
    &refund::REFUND,
    &dispute::DISPUTE,
    &customer::CUSTOMER,
    &method::PAYMENT_METHOD,
    &order_guard::ORDER_GUARD,
    &provider_reference::PROVIDER_REFERENCE,
    &account::PROVIDER_ACCOUNT,
    &settings::PAYMENT_SETTINGS,
    &volume::VOLUME_GRANT,
    &inbox::INBOX,
    &exchanges::EXCHANGE,
    &signed_event::SIGNED_EVENT,
    &quarantine::QUARANTINE,
    &review::OPERATION_REVIEW,
];

/// The tables of the search, for a store of its own: all in them follows from [`TABLES`], and they are
/// filled again when they are lost.
pub const SEARCH_TABLES: &[&Table] =
    &[&search::PAYMENT_SEARCH, &search::REFUND_SEARCH, &search_index::SEARCH_CURSOR];

/// Their schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 200,
        name: "payments",
        sqlite: include_str!("../migrations/sqlite/200_payments.sql"),
        postgres: include_str!("../migrations/postgres/200_payments.sql"),
    },
    Migration {
        number: 202,
        name: "customers",
        sqlite: include_str!("../migrations/sqlite/202_customers.sql"),
        postgres: include_str!("../migrations/postgres/202_customers.sql"),
    },
    Migration {
        number: 203,
        name: "exchanges",
        sqlite: include_str!("../migrations/sqlite/203_exchanges.sql"),
        postgres: include_str!("../migrations/postgres/203_exchanges.sql"),
    },
    Migration {
        number: 204,
        name: "limits",
        sqlite: include_str!("../migrations/sqlite/204_limits.sql"),
        postgres: include_str!("../migrations/postgres/204_limits.sql"),
    },
    Migration {
        number: 205,
        name: "reviews",
        sqlite: include_str!("../migrations/sqlite/205_reviews.sql"),
        postgres: include_str!("../migrations/postgres/205_reviews.sql"),
    },
    Migration {
        number: 220,
        name: "webhooks",
        sqlite: include_str!("../migrations/sqlite/220_webhooks.sql"),
        postgres: include_str!("../migrations/postgres/220_webhooks.sql"),
    },
];

/// The schema of [`SEARCH_TABLES`].
pub const SEARCH_MIGRATIONS: &[Migration] = &[Migration {
    number: 210,
    name: "search",
    sqlite: include_str!("../migrations/sqlite/210_search.sql"),
    postgres: include_str!("../migrations/postgres/210_search.sql"),
}];
