//! The simulator in the ordinary run of the tests.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod mutations;
mod seeds;
