//! Keys that wrap data keys, wherever they are kept: the port of the card vault to its keystore.

use kernel::{BoxFuture, Id, Kind};

use crate::VaultError;
use crate::cipher::DataKey;

/// Marks ids of key-encryption keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyEncryptionKey {}

impl Kind for KeyEncryptionKey {
    const PREFIX: &'static str = "kek";
}

/// The id of a key-encryption key. Ids grow with the time of making.
pub type KekId = Id<KeyEncryptionKey>;

/// A keystore: holds key-encryption keys and never gives them out.
///
/// All methods may run at the same time, also on other nodes over the same keys. A key that another
/// process added to the keystore is found when it is asked for. Nothing is retried by the caller.
pub trait KeyEncryption: Send + Sync + 'static {
    /// The keys that it holds, oldest first.
    fn keys(&self) -> BoxFuture<'_, Result<Vec<KekId>, VaultError>>;

    /// Wraps a data key for a place. [`VaultError::NoKey`] if this key is not here.
    fn wrap<'a>(
        &'a self,
        key: KekId,
        place: &'a [u8],
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<Vec<u8>, VaultError>>;

    /// Opens what [`KeyEncryption::wrap`] made under the same key for the same place;
    /// [`VaultError::Sealed`] for anything else, [`VaultError::NoKey`] if the key is not here.
    fn unwrap<'a>(
        &'a self,
        key: KekId,
        place: &'a [u8],
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<DataKey, VaultError>>;

    /// Makes a new key. It is durable when this answers.
    fn make(&self) -> BoxFuture<'_, Result<KekId, VaultError>>;

    /// Destroys a key for good: nothing that it wrapped can be opened again, in no copy of any store.
    /// Destroying a key that is not here does nothing.
    fn destroy(&self, key: KekId) -> BoxFuture<'_, Result<(), VaultError>>;
}
