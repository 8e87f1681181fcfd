//! The software keystore: key-encryption keys in a file, each sealed by what opens the file.
//!
//! Which of its keys is used for what stands with the data, not here: a keystore only grows, until an
//! operator destroys keys that nothing is under any more.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{BoxFuture, Clock, Id, Ids, Random, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::encryption::{KekId, KeyEncryption};
use super::unlock::{Seal, Unlock};
use crate::VaultError;
use crate::cipher::{DataKey, place_of};
use crate::private_file::{self, failure, sibling};
use crate::secret::{from_hex, to_hex};

/// Far more than the keys of a century of monthly rotations.
const LENGTH_LIMIT: u64 = 1024 * 1024;

/// What a keystore needs of its host.
#[derive(Clone)]
pub struct KeystorePorts {
    /// When keys were made.
    pub clock: Arc<dyn Clock>,
    /// Their ids.
    pub ids: Arc<dyn Ids>,
    /// The keys themselves.
    pub random: Arc<dyn Random>,
}

/// The file as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    florin_keystore: u32,
    id: String,
    seal: Seal,
    /// An empty text, sealed: tells a wrong key from a damaged file.
    check: String,
    keys: Vec<SealedKey>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedKey {
    id: KekId,
    made_at: Timestamp,
    sealed: String,
}

/// The one form so far.
const FORM: u32 = 1;

/// A keystore in a file of mode 0600.
pub struct SoftwareKeystore {
    path: PathBuf,
    ports: KeystorePorts,
    sealing: DataKey,
    /// Of this file: a key does not open in another one.
    id: Vec<u8>,
    /// As last read. A key that is not among them is looked for in the file.
    held: Mutex<Vec<(KekId, Arc<DataKey>)>>,
}

impl SoftwareKeystore {
    /// Opens the keystore at `path`; `None` if there is no file.
    ///
    /// [`VaultError::WrongUnlock`] if the passphrase or key file is another than it was made with.
    pub fn open(path: &Path, unlock: &Unlock, ports: KeystorePorts) -> Result<Option<Self>, VaultError> {
        let Some(written) = read(path)? else { return Ok(None) };
        let id = from_hex(&written.id).ok_or_else(|| damaged(path))?;
        let sealing = written.seal.open(unlock, &id)?;
        let check = from_hex(&written.check).ok_or_else(|| damaged(path))?;
        sealing
            .open(&place_of(&[b"keystore check", &id]), &check)
            .map_err(|_| VaultError::WrongUnlock { path: path.to_owned(), what: unlock.name() })?;
        let keystore = Self { path: path.to_owned(), ports, sealing, id, held: Mutex::default() };
        keystore.take_in(&written)?;
        Ok(Some(keystore))
    }

    /// Makes a keystore with a first key; of two that are made at the same time one stays, and both open
    /// it. A key file is made with it if there is none.
    pub fn open_or_create(path: &Path, unlock: &Unlock, ports: KeystorePorts) -> Result<Self, VaultError> {
        if let Some(keystore) = Self::open(path, unlock, ports.clone())? {
            return Ok(keystore);
        }
        let random = ports.random.as_ref();
        let seal = Seal::new(unlock, random)?;
        if let Unlock::KeyFile(key_file) = unlock {
            crate::key_file::load_or_create(key_file, random)?;
        }
        let mut id = [0; 16];
        random.fill(&mut id);
        let sealing = seal.open(unlock, &id)?;
        let check = sealing.seal(random, &place_of(&[b"keystore check", &id]), b"")?;
        let draft = Self {
            path: path.to_owned(),
            ports: ports.clone(),
            sealing,
            id: id.to_vec(),
            held: Mutex::default(),
        };
        let written = Written {
            florin_keystore: FORM,
            id: to_hex(&id),
            seal,
            check: to_hex(&check),
            keys: vec![draft.new_key()?],
        };
        private_file::create(path, &text(&written)?, random)?;
        // Whoever won, the file decides.
        let opened = Self::open(path, unlock, ports)?;
        opened.ok_or_else(|| failure(path, "vanished while it was made"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn new_key(&self) -> Result<SealedKey, VaultError> {
        let (id, random) = (Id::from_uuid(self.ports.ids.uuid()), self.ports.random.as_ref());
        let key = DataKey::generate(random);
        let sealed = self.sealing.seal(random, &self.place(id), key.expose())?;
        Ok(SealedKey { id, made_at: self.ports.clock.now(), sealed: to_hex(&sealed) })
    }

    fn place(&self, id: KekId) -> Vec<u8> {
        place_of(&[b"keystore key", &self.id, id.uuid().as_bytes()])
    }

    /// Keeps the file's keys in memory.
    fn take_in(&self, written: &Written) -> Result<(), VaultError> {
        if from_hex(&written.id).as_deref() != Some(self.id.as_slice()) {
            return Err(failure(&self.path, "is another keystore than the one that was opened"));
        }
        let open = |key: &SealedKey| {
            let sealed = from_hex(&key.sealed)?;
            let opened = self.sealing.open(&self.place(key.id), &sealed).ok()?;
            Some((key.id, Arc::new(DataKey::from_slice(&opened)?)))
        };
        let keys = written.keys.iter().map(|key| open(key).ok_or_else(|| damaged(&self.path)));
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        keys.sort_unstable_by_key(|(id, _)| *id);
        *self.held.lock() = keys;
        Ok(())
    }

    fn read_again(&self) -> Result<Written, VaultError> {
        let written = read(&self.path)?.ok_or_else(|| VaultError::NoKeystore(self.path.clone()))?;
        self.take_in(&written)?;
        Ok(written)
    }

    fn key(&self, id: KekId) -> Result<Arc<DataKey>, VaultError> {
        let held = || {
            let held = self.held.lock();
            held.iter().find(|(known, _)| *known == id).map(|(_, key)| Arc::clone(key))
        };
        if let Some(key) = held() {
            return Ok(key);
        }
        self.read_again()?;
        held().ok_or(VaultError::NoKey(id))
    }

    /// Changes the file: read, changed and written under a lock that other processes honour.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<SealedKey>) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let _lock = lock(&self.path)?;
        let mut written = self.read_again()?;
        let answer = change(&mut written.keys)?;
        private_file::replace(&self.path, &text(&written)?, self.ports.random.as_ref())?;
        self.take_in(&written)?;
        Ok(answer)
    }
}

impl std::fmt::Debug for SoftwareKeystore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareKeystore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl KeyEncryption for SoftwareKeystore {
    fn keys(&self) -> BoxFuture<'_, Result<Vec<KekId>, VaultError>> {
        Box::pin(async move {
            self.read_again()?;
            Ok(self.held.lock().iter().map(|(id, _)| *id).collect())
        })
    }

    fn wrap<'a>(
        &'a self,
        key: KekId,
        place: &'a [u8],
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<Vec<u8>, VaultError>> {
        Box::pin(async move { self.key(key)?.seal(self.ports.random.as_ref(), place, data_key.expose()) })
    }

    fn unwrap<'a>(
        &'a self,
        key: KekId,
        place: &'a [u8],
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<DataKey, VaultError>> {
        Box::pin(async move {
            let opened = self.key(key)?.open(place, wrapped)?;
            DataKey::from_slice(&opened).ok_or(VaultError::Sealed)
        })
    }

    fn make(&self) -> BoxFuture<'_, Result<KekId, VaultError>> {
        Box::pin(async move {
            self.change(|keys| {
                let key = self.new_key()?;
                let id = key.id;
                keys.push(key);
                Ok(id)
            })
        })
    }

    fn destroy(&self, key: KekId) -> BoxFuture<'_, Result<(), VaultError>> {
        Box::pin(async move {
            self.change(|keys| {
                keys.retain(|known| known.id != key);
                Ok(())
            })
        })
    }
}

/// Held until dropped; the system releases it with the process.
fn lock(path: &Path) -> Result<File, VaultError> {
    let path = sibling(path, "lock");
    let failed = |error: std::io::Error| failure(&path, &error.to_string());
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

fn read(path: &Path) -> Result<Option<Written>, VaultError> {
    let Some(text) = private_file::read(path, LENGTH_LIMIT)? else { return Ok(None) };
    let written: Written = serde_json::from_str(&text).map_err(|_| damaged(path))?;
    if written.florin_keystore == FORM {
        Ok(Some(written))
    } else {
        Err(failure(path, "was written by a newer build"))
    }
}

fn text(written: &Written) -> Result<String, VaultError> {
    serde_json::to_string_pretty(written).map_err(|_| VaultError::Damaged("a keystore"))
}

fn damaged(path: &Path) -> VaultError {
    failure(path, "is no keystore, or is damaged: restore a copy of it")
}
