//! What a batch is, decided purely and for all backends.
//!
//! `prepare` turns a [`kernel::Changes`] into checked rows; `queue` holds what waits and says which
//! of it goes next; `balance` merges postings; `arrays` splits a batch by table and operation, in
//! the order in which the server locks.

mod arrays;
mod balance;
mod prepare;
mod queue;
mod rows;

pub(crate) use arrays::{Array, Operation, Part, Value, signature, split};
pub(crate) use balance::{Account, Balances};
pub(crate) use prepare::{Placed, Prepared, prepare};
pub(crate) use queue::{Lanes, Next, Ticket, committer_of};
pub(crate) use rows::RowHash;
