//! The bank from outside: requests in, replies and notices out.

#![expect(clippy::disallowed_methods, reason = "tests that race on purpose spawn on their own")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is a failed test")]

mod charges;
mod disk;
mod faults;
mod in_process;
mod notices;
mod pages;
mod shop;
mod upi;
