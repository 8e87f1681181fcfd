//! Why a run gave no report. Answers of the server, however bad, are never an error here: they are in
//! the report.

use std::io;

/// What stops a run, or keeps it from starting.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// An option cannot be meant: the text says which and what is allowed.
    #[error("{0}")]
    Option(String),
    /// The target's host name has no address.
    #[error("the target {target} has no address: {source}")]
    Resolve {
        /// The target as it was given.
        target: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody answers at the target, before the first request.
    #[error("cannot connect to {target}: {reason}")]
    Unreachable {
        /// The target as it was given.
        target: String,
        /// What the connection died of.
        reason: String,
    },
    /// The payments that the run needs before it begins could not be made.
    #[error("the payments to begin with could not be made: {0}")]
    Prefill(String),
    /// The journal cannot be written; a crash test without its witness is worth nothing, so the run
    /// ends.
    #[error("the journal {path} cannot be written: {source}")]
    Journal {
        /// The journal's path.
        path: String,
        /// What the file system said.
        source: io::Error,
    },
    /// A thread or its runtime could not be started.
    #[error("a client thread could not be started: {0}")]
    Thread(io::Error),
    /// A thread of clients ended without a result.
    #[error("a client thread died")]
    Died,
    /// The latency histogram could not be made or added up.
    #[error("the latency histogram: {0}")]
    Histogram(String),
}
