//! How often somebody may do something: rates, subjects, and counters that a flood cannot grow.
//!
//! A [`Rate`] allows so many in so long; a [`Subject`] is who is counted, for what; a [`Limiter`] is
//! the port that counts. [`MemoryLimiter`] counts within one process. What is counted, and what a
//! refusal is answered with, is the caller's: nothing here knows HTTP.

mod limiter;
mod memory;
mod rate;
mod subject;

pub use limiter::{Limiter, Verdict};
pub use memory::MemoryLimiter;
pub use rate::{Rate, RateError};
pub use subject::{Counted, Name, Subject};
