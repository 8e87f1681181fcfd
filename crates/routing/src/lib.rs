//! Routing: which provider account charges, and which one after it.
//!
//! A pure crate: a file of rules is read and checked ([`Routes`]); of the facts of a payment and the
//! accounts that could charge it a [`Decision`] is made, with the reason of each account in it. What is
//! learned meanwhile ([`Rates`], [`Health`]) is plain state that whoever decides keeps in memory. Here is
//! no payment, no clock, no randomness, no file and no database: they are handed in.

mod cost;
mod decide;
mod error;
mod facts;
mod fallback;
mod health;
mod parse;
mod rates;
mod reach;
mod replay;
mod rule;
mod source;
mod words;

pub use cost::Cost;
pub use decide::{Because, Candidate, Decision, Ranked, decide};
pub use error::RoutesError;
pub use facts::{Facts, bin_number};
pub use fallback::{Ended, Fallback};
pub use health::{Gate, Health, HealthRules};
pub use rates::Rates;
pub use replay::{AccountShare, CostSum, Past, Replay, Report};
pub use rule::{BinRange, Routes, Rule, Strategy, When};
