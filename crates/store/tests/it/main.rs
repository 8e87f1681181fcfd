//! The store's conformance suite: one set of cases over memory, SQLite and PostgreSQL.
//!
//! Each rule of part A of the protocol is a case, named after what it demands. PostgreSQL is the
//! server at `FLORIN_TEST_DATABASE_URL`; without it those cases say so and pass.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed, and these race on purpose, by the real clock"
)]

mod bench;
mod clock;
mod commit;
mod faults;
mod host;
mod lanes;
mod log;
mod money;
mod postgres;
mod query;
mod shape;
mod work;

/// Runs each case on each backend.
macro_rules! on_every_store {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::bench::Bench::memory()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::bench::Bench::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(bench) = crate::bench::Bench::postgres().await {
                    super::$case(bench).await;
                }
            })*
        }
    };
}
pub(crate) use on_every_store;
