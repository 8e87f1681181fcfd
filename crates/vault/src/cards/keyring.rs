//! Which keys are in use: found at the start, held against the keystore, and read again while it runs.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use kernel::{CardNumber, Changes, Duplicate, Lane, Monotonic, Outcome, Scope, Store, Versioned};

use super::encryption::{KekId, KeyEncryption};
use super::record::{Hex, Keyring, KnownKey, keyring_place};
use super::service::{CardVault, VaultPorts};
use crate::cipher::DataKey;
use crate::secret::to_hex;
use crate::{INSTALLATION, VaultError};

/// How long a node believes what it read. A rotation waits far longer than that before it calls a key
/// unused.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// The keyring as it was last read, with its fingerprint key opened.
pub(crate) struct Held {
    pub(crate) keyring: Keyring,
    fingerprints: hmac::Key,
    shown: hmac::Key,
    read_at: Monotonic,
}

impl Held {
    /// Which card a number is in this world: useless without the key, and not comparable between worlds.
    pub(crate) fn fingerprint(&self, scope: Scope, number: &CardNumber) -> String {
        let mut context = hmac::Context::with_key(&self.fingerprints);
        context.update(&scope.to_bytes());
        context.update(number.digits().expose().as_bytes());
        to_hex(context.sign().as_ref())
    }

    /// As [`CardVault::shown_fingerprint`] says.
    fn shown_fingerprint(&self, scope: Scope, digits: &str) -> String {
        let mut context = hmac::Context::with_key(&self.shown);
        context.update(&scope.to_bytes());
        context.update(digits.as_bytes());
        to_hex(context.sign().as_ref().get(..16).unwrap_or_default())
    }
}

/// The key of the fingerprints that leave the vault. It follows from the one of those inside, so that it
/// too stays the same for ever, and tells nothing of it.
fn shown_key(fingerprints: &hmac::Key) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(fingerprints, b"shown card fingerprint").as_ref())
}

/// The keyring of the store, made at the first start; every key that it names is in the keystore and is
/// the right one, or the start ends here.
pub(crate) async fn open(ports: &VaultPorts) -> Result<Held, VaultError> {
    // A lost race finds the row of who won.
    for _ in 0..3 {
        if let Some(found) = read(ports).await? {
            return hold(ports, found.record).await;
        }
        let held = ports.keys.keys().await?;
        let current = match held.last() {
            Some(newest) => *newest,
            None => ports.keys.make().await?,
        };
        let fingerprint_key = DataKey::generate(ports.random.as_ref());
        let keyring = Keyring {
            current,
            keys: vec![known(ports, current).await?],
            retired: Vec::new(),
            fingerprint_key: wrap(ports.keys.as_ref(), "fingerprints", current, &fingerprint_key).await?,
            changed_at: ports.store.now().await?,
        };
        let mut changes = Changes::new(ports.ids.uuid(), Lane::Background);
        changes.insert(INSTALLATION, &keyring)?;
        match ports.store.commit(changes).await {
            Outcome::Committed { .. } => return hold(ports, keyring).await,
            Outcome::Duplicate(Duplicate::Row { .. }) => {}
            other => return Err(VaultError::Unavailable(format!("{other:?}"))),
        }
    }
    Err(VaultError::Busy)
}

/// Whether a vault's store was ever used: then it opens with its own keystore and with no other.
pub async fn is_in_use(store: &dyn Store) -> Result<bool, VaultError> {
    Ok(store.of(INSTALLATION).get::<Keyring>(vec![Keyring::NAME.into()]).await?.is_some())
}

/// The keyring as it stands.
pub(crate) async fn read(ports: &VaultPorts) -> Result<Option<Versioned<Keyring>>, VaultError> {
    Ok(ports.store.of(INSTALLATION).get::<Keyring>(vec![Keyring::NAME.into()]).await?)
}

/// Opens the keyring's own keys.
pub(crate) async fn hold(ports: &VaultPorts, keyring: Keyring) -> Result<Held, VaultError> {
    let read_at = ports.clock.monotonic();
    for key in &keyring.keys {
        let place = keyring_place("check", key.id);
        let opened = ports.keys.unwrap(key.id, &place, &key.check.bytes()?).await;
        opened.map_err(|error| match error {
            VaultError::Sealed => VaultError::OtherKey(key.id),
            other => other,
        })?;
    }
    let place = keyring_place("fingerprints", keyring.current);
    let wrapped = keyring.fingerprint_key.bytes()?;
    let key = ports.keys.unwrap(keyring.current, &place, &wrapped).await?;
    let fingerprints = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    Ok(Held { keyring, shown: shown_key(&fingerprints), fingerprints, read_at })
}

/// A key of the keystore with its check value.
pub(crate) async fn known(ports: &VaultPorts, id: KekId) -> Result<KnownKey, VaultError> {
    let random = DataKey::generate(ports.random.as_ref());
    Ok(KnownKey { id, check: wrap(ports.keys.as_ref(), "check", id, &random).await? })
}

async fn wrap(keys: &dyn KeyEncryption, what: &str, kek: KekId, key: &DataKey) -> Result<Hex, VaultError> {
    Ok(Hex::of(&keys.wrap(kek, &keyring_place(what, kek), key).await?))
}

impl Keyring {
    /// The keyring with `next` as its current key: the fingerprint key is wrapped anew, the key before it
    /// stays until nothing is under it.
    pub(crate) async fn turned(&self, ports: &VaultPorts, next: KekId) -> Result<Self, VaultError> {
        let place = keyring_place("fingerprints", self.current);
        let fingerprints = ports.keys.unwrap(self.current, &place, &self.fingerprint_key.bytes()?).await?;
        let mut turned = self.clone();
        turned.keys.push(known(ports, next).await?);
        turned.fingerprint_key = wrap(ports.keys.as_ref(), "fingerprints", next, &fingerprints).await?;
        turned.current = next;
        turned.changed_at = ports.store.now().await?;
        Ok(turned)
    }
}

impl CardVault {
    /// Which card a number is, as a payment shows it: 32 characters, equal for equal digits of one
    /// merchant and mode, not comparable with those of another, nor with what is in the vault. Without the
    /// keystore nobody can try out which number it is.
    ///
    /// No rotation changes its key, so that what was read at the start answers: no payment waits for the
    /// vault's store.
    pub fn shown_fingerprint(&self, scope: Scope, digits: &str) -> String {
        let held = Arc::clone(&self.held.lock());
        held.shown_fingerprint(scope, digits)
    }

    /// The keyring, at most a few seconds old.
    pub(crate) async fn held(&self) -> Result<Arc<Held>, VaultError> {
        let held = Arc::clone(&self.held.lock());
        let age = self.ports.clock.monotonic().0.saturating_sub(held.read_at.0);
        if age < BELIEVED_FOR { Ok(held) } else { self.refresh().await }
    }

    /// The keyring as it stands now. A node that is asked to use a key that its keystore has not got
    /// answers [`VaultError::NoKey`], and goes on as soon as it has.
    pub(crate) async fn refresh(&self) -> Result<Arc<Held>, VaultError> {
        let lost = VaultError::Damaged("the keyring of the vault");
        let held = Arc::new(hold(&self.ports, read(&self.ports).await?.ok_or(lost)?.record).await?);
        *self.held.lock() = Arc::clone(&held);
        Ok(held)
    }
}
