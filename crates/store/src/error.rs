//! Why a store does not open.

use thiserror::Error;

/// A store cannot be opened. Nothing was changed unless a migration had already committed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The declarations contradict each other; a fault of the build, never of the data.
    #[error("the declared tables are wrong: {0}")]
    Declaration(String),
    /// The database is older than this build and migrating was not allowed.
    #[error("the database is at migration {found}, this build needs {needed}; run `florin migrate`")]
    OlderSchema {
        /// The newest migration that the database has.
        found: u32,
        /// The newest one of this build.
        needed: u32,
    },
    /// The database has a migration that this build does not know.
    #[error("the database has migration {0}, which this build does not know: it was written by a newer one")]
    NewerSchema(u32),
    /// A migration failed; it was rolled back.
    #[error("migration {number} ({name}) failed: {reason}")]
    Migration {
        /// Its number.
        number: u32,
        /// Its name.
        name: &'static str,
        /// What the database said.
        reason: String,
    },
    /// The address of the database cannot be read.
    #[error("the database address cannot be used: {0}")]
    Address(String),
    /// The write-ahead log was damaged in front of commits that were confirmed. Nothing was changed.
    #[error(
        "{path} is damaged at frame {frame}, and confirmed commits stand behind it that can no longer be \
         read: the disk or something else changed the file. Nothing was changed now. Keep a copy of the \
         folder and restore it from a backup"
    )]
    DamagedLog {
        /// The log.
        path: String,
        /// The first frame that does not fit, from 1; 0 is the log's header.
        frame: u64,
    },
    /// The database does not answer, or answers with an error.
    #[error("the database cannot be opened: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}
