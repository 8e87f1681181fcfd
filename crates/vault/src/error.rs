//! What can go wrong with the secret, in words for whoever starts the server.

use std::path::PathBuf;

use kernel::{Mode, RecordError, StoreError};
use thiserror::Error;

use crate::cards::KekId;

/// Why the vault cannot be opened, or cannot do what was asked. No variant quotes a secret.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The configured text is no secret: correct it.
    #[error("a server secret is 32 bytes: 64 hexadecimal digits, base64 of 32 bytes, or 32 ASCII characters")]
    Form,
    /// The key file cannot be read or made: correct the folder or its permissions.
    #[error("the key file {path}: {reason}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Others than its owner can read the key file: tighten its permissions.
    #[error("the key file {path} has mode {mode:04o}, so others may read it: run `chmod 600 {path}`")]
    KeyFileExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The store was written with another secret: start with that one.
    #[error("this store's {} world was written with another server secret; start with that one", .0.as_str())]
    OtherSecret(Mode),
    /// The store was written with a secret, and none is given: give it.
    #[error("this store's {} world was written with a server secret, and none is given", .0.as_str())]
    MissingSecret(Mode),
    /// Live worlds need a configured secret: set one.
    #[error("live keys and payments need a server secret of your own: set ENCRYPTION_KEY")]
    NoLiveSecret,
    /// A sealed value was made by another secret, for another place, or was altered.
    #[error("a sealed value cannot be opened")]
    Sealed,
    /// The crypto library refused; it never does for inputs of these sizes.
    #[error("the crypto library refused to {0}")]
    Crypto(&'static str),
    /// The passphrase is too short to make a keystore with.
    #[error("a keystore's passphrase has 12 characters or more")]
    Passphrase,
    /// The keystore is sealed by something else than what is configured.
    #[error("the keystore is sealed by {0}: configure that")]
    OtherUnlock(&'static str),
    /// The passphrase or key file is another than the keystore was made with.
    #[error("the {what} does not open the keystore {path}: it was made with another one")]
    WrongUnlock {
        /// The keystore.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
    },
    /// The key file of a keystore is lost: restore it.
    #[error("there is no key file {0}, and the keystore opens with no other: restore it from its copy")]
    NoKeyFile(PathBuf),
    /// The keystore is lost: restore it.
    #[error("there is no keystore {0}, and cards are kept under its keys: restore it from its copy")]
    NoKeystore(PathBuf),
    /// A keystore is configured and was never made: make it.
    #[error("there is no keystore {0} yet: make it with `florin vault init`, or copy it from another node")]
    NotMade(PathBuf),
    /// Cards are kept, and no keystore is configured.
    #[error("cards are kept in this vault, and no keystore is configured: set vault.keystore")]
    NotConfigured,
    /// The keystore has not got a key that data was written with: restore the one that has.
    #[error("the keystore has no key {0}, and cards are kept under it: restore the keystore that has it")]
    NoKey(KekId),
    /// The keystore has another key under an id that data was written with.
    #[error("key {0} of the keystore is not the one that cards are kept under: restore the right keystore")]
    OtherKey(KekId),
    /// What was read is not what this build writes.
    #[error("{0} cannot be read")]
    Damaged(&'static str),
    /// Others kept changing the same card, or the keys: try again.
    #[error("the vault is busy: others change the same at the same time")]
    Busy,
    /// The vault's store did not take a write; the reason is for the log.
    #[error("the vault cannot be written: {0}")]
    Unavailable(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store could not be written; the reason is for the log.
    #[error("the check value of the server secret cannot be written: {0}")]
    NotWritten(String),
}

impl VaultError {
    /// Whether the keystore of the card vault is what is wrong.
    pub const fn is_of_keystore(&self) -> bool {
        matches!(
            self,
            Self::OtherUnlock(_)
                | Self::WrongUnlock { .. }
                | Self::NoKeyFile(_)
                | Self::NoKeystore(_)
                | Self::NotMade(_)
                | Self::NotConfigured
                | Self::NoKey(_)
                | Self::OtherKey(_)
                | Self::Passphrase
        )
    }
}

impl From<RecordError> for VaultError {
    fn from(error: RecordError) -> Self {
        Self::Store(StoreError::Record(error))
    }
}
