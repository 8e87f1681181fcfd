//! The keys of both worlds.

use kernel::Mode;

use crate::{Keys, ServerSecret, VaultError};

/// The keys of the test worlds, and those of the live worlds if there is a secret fit for them.
#[derive(Debug)]
pub struct Vault {
    test: Keys,
    live: Option<Keys>,
}

impl Vault {
    /// One secret for both worlds. Their keys still differ.
    pub fn new(secret: &ServerSecret) -> Result<Self, VaultError> {
        Self::of(secret, Some(secret))
    }

    /// A secret for each world; without one for the live worlds, these are refused.
    pub fn of(test: &ServerSecret, live: Option<&ServerSecret>) -> Result<Self, VaultError> {
        Ok(Self {
            test: Keys::derive(test, Mode::Test)?,
            live: live.map(|secret| Keys::derive(secret, Mode::Live)).transpose()?,
        })
    }

    /// The keys of a world. [`VaultError::NoLiveSecret`] while live worlds have none.
    pub fn keys(&self, mode: Mode) -> Result<&Keys, VaultError> {
        match mode {
            Mode::Test => Ok(&self.test),
            Mode::Live => self.live.as_ref().ok_or(VaultError::NoLiveSecret),
        }
    }

    /// Whether live keys and payments are possible.
    pub const fn has_live(&self) -> bool {
        self.live.is_some()
    }
}
