//! Where everything is kept: memory, SQLite and PostgreSQL behind the kernel's [`kernel::Store`].
//!
//! A commit waits in a lane, a committer drains what waits into a batch, writes the batch as one
//! transaction and answers each caller. Batches arise because a commit takes time; there is no timer
//! and no artificial delay. What a batch is (order, merged balances, who waits for whom) is decided
//! in `batch`, purely and for all backends; how it reaches the disk is each backend's own.
//!
//! This crate makes every statement from the declarations ([`kernel::Table`]) that it is handed in a
//! [`Schema`], and owns the tables of its own contract: claim, journal, transfer, balance, job,
//! lease, batch. It knows no feature.

mod batch;
mod check;
mod error;
mod intake;
mod measure;
mod memory;
mod options;
mod postgres;
mod schema;
mod sql;
mod sqlite;

pub use check::{check_postgres_schema, check_schema};
pub use error::OpenError;
pub use memory::{Fault, Memory, open_memory, open_memory_with};
pub use options::{Options, Synchronous};
pub use postgres::{PostgresFacts, examine_postgres, open_postgres};
pub use schema::{MIGRATIONS, Schema};
pub use sqlite::{SqliteFacts, examine_sqlite, open_sqlite};
