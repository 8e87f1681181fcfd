//! End to end: the real binary over HTTP, on SQLite and, where FLORIN_TEST_DATABASE_URL names a
//! server, on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::format_collect,
    clippy::naive_bytecount,
    clippy::print_stderr,
    reason = "a failing test may panic, and it watches a process that keeps the real time"
)]

mod bank;
mod cards;
mod clock;
mod cluster;
mod crash;
mod customers;
mod database;
mod database_tls;
mod deploy;
mod disk;
mod doctor;
mod first_start;
mod http;
mod monitor;
mod nodes;
mod once;
mod overload;
mod reference;
mod routed;
mod sandbox;
mod secrets;
mod seed;
mod server;
mod tls;
mod tools;
mod traces;
mod upi;
mod vault;
mod witness;

/// Runs a test of a [`server::Place`] on both stores.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&$crate::server::Place::sqlite(stringify!($name))); })+
        }
        mod postgres {
            $(#[test] fn $name() {
                if let Some(place) = $crate::server::Place::postgres(stringify!($name)) {
                    super::$name(&place);
                }
            })+
        }
    };
}
use on_both_stores;
