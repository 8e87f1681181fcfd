//! The words that all crates speak, and the ports through which effects happen.
//!
//! Nouns: [`Money`], [`Currency`], [`Id`], [`Scope`], [`Record`], [`Changes`], [`Event`], [`Job`],
//! [`Transfer`], [`Request`], [`Reply`]. Ports: [`Store`], [`Exchange`], [`Clock`], [`Ids`],
//! [`Random`], [`Tasks`].
//!
//! Nothing here reads a clock, draws a random number, opens a socket or knows SQL or HTTP routes:
//! whoever composes a node (`node`, the simulator, a test) hands the ports in, so that a run can be
//! repeated exactly. What is plain data here is written by one side and read by the other; the
//! comments of the ports are contracts: what is durable on return, what may run at the same time.

mod card;
mod change;
mod currency;
mod event;
mod exchange;
mod id;
mod job;
mod memo;
mod migration;
mod money;
mod network;
mod port;
mod posting;
mod quick;
mod record;
mod scope;
mod secret;
mod system;
mod test_clock;
mod time;

pub use card::{Brand, CardNumber, CardNumberError, contains_card_number};
pub use change::{
    Answer, Changes, Claim, ClaimUpdate, Duplicate, Insert, Lane, Lease, Outcome, Remove, RowKey, Update,
};
pub use currency::{Currency, UnknownCurrency};
pub use event::{Actor, Event, EventKind, JournalRow};
pub use exchange::{
    Auth, Credentials, Deadline, Distilled, Effect, Exchange, Exchanged, Header, Method, Reply, Request,
};
pub use id::{Id, IdError, IdText, Kind};
pub use job::{Job, TakenJob};
pub use memo::Memo;
pub use migration::Migration;
pub use money::{Money, MoneyError};
pub use network::{Network, NetworkError};
pub use port::{BoxFuture, Clock, Ids, Monotonic, Random, Store, StoreError, Tasks};
pub use posting::{AccountKind, LedgerAccount, Phase, PostingKind, Transfer};
pub use quick::{QuickMap, quick_hash};
pub use record::{
    Cell, Column, ColumnType, Comparison, Direction, Filter, Index, Query, Record, RecordError, Row, Scoped,
    Table, Versioned, decode_state, encode_state, state_json,
};
pub use scope::{Merchant, Mode, Scope};
pub use secret::Secret;
pub use system::{BALANCE, CLAIM, CLOCK, JOB, JOURNAL, SYSTEM_TABLES, TRANSFER};
pub use test_clock::{Advance, CLOCK_NAME, TestClock};
pub use time::{TimeError, Timestamp};
