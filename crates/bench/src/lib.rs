//! The load generator behind `florin bench`.
//!
//! A closed loop: a fixed number of clients, each with a keep-alive connection of its own, send the next
//! request when the answer to the last one is there. It speaks plain HTTP/1.1 through a client of its
//! own that does little more than copy prepared bytes, because on a small machine the generator shares
//! its cores with the server it measures.
//!
//! It knows the API as a merchant knows it and nothing of how the server is built. The exception is
//! [`fill`], which writes a store full of history for it to be measured on. It measures the real clock
//! (`clock.rs` is the one place that reads it) and it draws no random numbers, so that two runs send the
//! same requests in the same order.
//!
//! The entry is [`run()`]; what to do is [`Options`], what came of it is a [`Report`]. With a journal
//! ([`Options::journal`]) it is also the witness of crash tests: every answer is a line there, under the
//! key it was asked with, and what got no answer is asked again under the same key.

mod client;
mod clock;
mod connection;
mod error;
pub mod fill;
mod journal;
mod options;
mod payments;
mod progress;
mod recorder;
mod render;
mod report;
mod request;
mod response;
mod run;
mod scan;
mod verdict;

pub use error::BenchError;
pub use options::{ApiKey, Method, Mix, Operation, Options, Stop, Target};
pub use progress::{Phase, Progress};
pub use report::{BrokenReport, Ended, ErrorReport, LatencyReport, OperationReport, Report, SecondReport};
pub use run::run;
