//! The model is checked to the end, each of its rules is seen to matter, and its tables are the code's.
#![expect(clippy::panic, reason = "a failing test may panic")]

mod rules;
mod stories;
mod tables;
