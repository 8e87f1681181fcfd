//! The server secret, and the keys that everything else derives from it; and the card vault
//! ([`cards`]), whose keys are others.
//!
//! One secret of 32 bytes ([`ServerSecret`]) comes from the configuration, from a key file beside an
//! embedded store, or (test worlds alone) from the database. [`open`] finds it, holds it against the
//! check value of the store, and answers a [`Vault`]: for each world its own [`Keys`], one key per
//! [`Purpose`], so that a MAC made for one thing is worth nothing for another. [`Keys`] makes MACs,
//! card fingerprints, and sealed credentials.
//!
//! A leaked database shows no API key, no idempotency body and no provider credential without the
//! secret; a lost secret makes sealed credentials unreadable for ever, which is its point.

pub mod cards;
mod cipher;
mod error;
pub mod key_file;
mod keys;
mod open;
mod private_file;
mod secret;
mod stored;
mod vault;

pub use cipher::DataKey;
pub use error::VaultError;
pub use keys::{Keys, Purpose};
pub use open::{Opened, SecretSource, TestSecret, open};
pub use secret::ServerSecret;
pub use stored::{INSTALLATION, MIGRATIONS, SERVER_SECRET, TABLES};
pub use vault::Vault;
