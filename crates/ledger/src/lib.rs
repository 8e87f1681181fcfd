//! The books: how money is posted, whether what is stored adds up, and what it adds up to.
//!
//! [`rules`] is the one table that says which accounts an event debits and credits. [`Check`] reads
//! stored transfers and balances and names every row that does not fit. [`Sheet`] shows a merchant's
//! accounts in one currency.
//!
//! Pure: whoever checks hands the rows in. What is deliberately absent: anything that knows a
//! payment. That a payment's amounts equal its postings is checked by `payments`, which knows both.

mod check;
mod compare;
mod error;
mod finding;
mod fold;
mod row;
pub mod rules;
mod sheet;

pub use check::{Check, Report};
pub use error::LedgerError;
pub use finding::{Column, Finding, TransferKey};
pub use rules::{Posting, RULES, Rule, Side, normal_side};
pub use sheet::{Line, Sheet};
