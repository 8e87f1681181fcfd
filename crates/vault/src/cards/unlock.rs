//! What opens a keystore file: a key file, or a passphrase through Argon2id (RFC 9106).

use std::fmt;
use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use kernel::{Random, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cipher::DataKey;
use crate::secret::{from_hex, to_hex};
use crate::{ServerSecret, VaultError, key_file};

/// The shortest passphrase that a keystore is made with, in characters.
pub const PASSPHRASE_SHORTEST: usize = 12;

/// What opens a keystore.
#[derive(Clone)]
pub enum Unlock {
    /// 32 bytes in a file of mode 0600, made with the keystore if there is none.
    KeyFile(PathBuf),
    /// What an operator knows.
    Passphrase(Secret<String>),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Unlock {
    /// Its name in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::KeyFile(_) => "key file",
            Self::Passphrase(_) => "passphrase",
        }
    }
}

/// How the keys in a keystore file are sealed; stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Seal {
    KeyFile,
    Passphrase(Argon2id),
}

/// Cost and salt of a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Argon2id {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Argon2id {
    /// The second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
    fn new(random: &dyn Random) -> Self {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 4, salt: to_hex(&salt) }
    }

    /// What is no cost of ours is refused: a file that somebody changed must not make a start cheap to
    /// guess or endless.
    fn derive(&self, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let in_bounds = (19 * 1024..=1024 * 1024).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes);
        let salt = from_hex(&self.salt).filter(|salt| in_bounds && salt.len() == 16);
        let salt = salt.ok_or(VaultError::Damaged("the passphrase's cost and salt"))?;
        let failed = |_| VaultError::Crypto("derive a key from a passphrase");
        let cost = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut())
            .map_err(failed)?;
        Ok(key)
    }
}

impl Seal {
    /// How a new keystore is sealed. A passphrase shorter than [`PASSPHRASE_SHORTEST`] is refused.
    pub(crate) fn new(unlock: &Unlock, random: &dyn Random) -> Result<Self, VaultError> {
        match unlock {
            Unlock::KeyFile(_) => Ok(Self::KeyFile),
            Unlock::Passphrase(text) if text.expose().chars().count() < PASSPHRASE_SHORTEST => {
                Err(VaultError::Passphrase)
            }
            Unlock::Passphrase(_) => Ok(Self::Passphrase(Argon2id::new(random))),
        }
    }

    /// The key that seals the keys of this keystore. Takes a good part of a second with a passphrase.
    pub(crate) fn open(&self, unlock: &Unlock, keystore: &[u8]) -> Result<DataKey, VaultError> {
        match (self, unlock) {
            (Self::KeyFile, Unlock::KeyFile(path)) => {
                let secret = key_file::load(path)?;
                let secret: ServerSecret = secret.ok_or_else(|| VaultError::NoKeyFile(path.clone()))?;
                expand(secret.bytes(), keystore)
            }
            (Self::Passphrase(cost), Unlock::Passphrase(text)) => {
                expand(cost.derive(text.expose())?.as_ref(), keystore)
            }
            (Self::KeyFile, Unlock::Passphrase(_)) => Err(VaultError::OtherUnlock("a key file")),
            (Self::Passphrase(_), Unlock::KeyFile(_)) => Err(VaultError::OtherUnlock("a passphrase")),
        }
    }
}

/// The length of the key that is derived.
struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

/// One key file may serve several keystores: each has a key of its own.
fn expand(secret: &[u8], keystore: &[u8]) -> Result<DataKey, VaultError> {
    let failed = |_| VaultError::Crypto("derive a key");
    let root = Salt::new(HKDF_SHA256, b"florin keystore").extract(secret);
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[keystore], Length).and_then(|key_of| key_of.fill(key.as_mut())).map_err(failed)?;
    DataKey::from_slice(key.as_ref()).ok_or(VaultError::Crypto("derive a key"))
}
