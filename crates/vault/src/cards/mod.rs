//! The card vault: a number in, a token out.
//!
//! Each card has a data key of its own, and each data key is wrapped by a key-encryption key of the
//! [`KeyEncryption`] (a keystore). A leaked vault database alone shows no number; destroying a data key
//! destroys its card in every copy that is made later, destroying a retired key-encryption key also in
//! the copies that were made before.

mod encryption;
mod keyring;
mod keystore;
mod record;
mod rotation;
mod service;
mod unlock;

pub use encryption::{KekId, KeyEncryption, KeyEncryptionKey};
pub use keyring::is_in_use;
pub use keystore::{KeystorePorts, SoftwareKeystore};
pub use record::{CardHolder, CardToken, HolderId, MIGRATIONS, RetiredKey, TABLES, VaultCard};
pub use rotation::{Rewrapped, Rotation, SETTLE, VaultStatus};
pub use service::{CardVault, Unconfirmed, VaultPorts};
pub use unlock::{PASSPHRASE_SHORTEST, Unlock};
