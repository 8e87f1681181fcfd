//! Why something about merchants and keys cannot be done.

use kernel::{RecordError, StoreError};
use thiserror::Error;
use vault::VaultError;

/// Why a verb of [`crate::Identity`] was not carried out. Nothing was written, unless it says so.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Choose another name: 1 to 200 characters, no control characters, no card number.
    #[error("a name has 1 to 200 characters, no control characters and no card number")]
    Name,
    /// A key cannot be like this.
    #[error("{reason}")]
    Invalid {
        /// What about it.
        field: &'static str,
        /// What is allowed.
        reason: &'static str,
    },
    /// The key has ended already: make a new one.
    #[error("the key was revoked or has expired; make a new one")]
    KeyEnded,
    /// There is no such merchant; also what another merchant's is answered with.
    #[error("no such merchant")]
    UnknownMerchant,
    /// There is no such key; also what another merchant's is answered with.
    #[error("no such API key")]
    UnknownKey,
    /// The new key could do what the key that asks cannot.
    #[error("{reason}")]
    BeyondOwn {
        /// What about it.
        field: &'static str,
        /// What is allowed.
        reason: &'static str,
    },
    /// The key that asks would end itself, at once or nearly so.
    #[error("a key does not end itself: use another one, or the command line")]
    OwnEnd,
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    Claimed,
    /// The idempotency key was used before, with another request.
    #[error("the idempotency key was used before with another request")]
    KeyReused,
    /// Try again in a moment: others keep changing the same record, or the queue is full.
    #[error("the server is busy; try again")]
    Busy,
    /// It may or may not have been written: the store closed before it knew.
    #[error("the outcome of the write is not known")]
    Indeterminate,
    /// The store refused the write; the reason is for the log.
    #[error("not written: {0}")]
    NotWritten(String),
    /// The secret for this world is missing.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordError> for IdentityError {
    fn from(error: RecordError) -> Self {
        Self::Store(StoreError::Record(error))
    }
}
