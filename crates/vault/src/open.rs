//! Finding the secret at start, and holding it against what the store was written with.

use std::path::PathBuf;

use kernel::{Changes, Duplicate, Ids, Lane, Mode, Outcome, Random, Store};

use crate::stored::StoredSecret;
use crate::{INSTALLATION, ServerSecret, Vault, VaultError, key_file};

/// Where the secret comes from.
#[derive(Debug)]
pub enum SecretSource {
    /// The operator set it. Serves both worlds.
    Configured(ServerSecret),
    /// A file of our own beside an embedded store, made at the first start. Serves both worlds.
    KeyFile(PathBuf),
    /// Nobody set one, and the database is shared, so that no file can hold it: the database keeps a
    /// secret for the test worlds, and there are no live ones.
    Database,
}

/// Where the secret of the test worlds is, so that a start can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestSecret {
    /// With the operator or in the key file.
    Given,
    /// In the database: whoever reads the database can forge test keys, and nothing else.
    InDatabase,
}

/// An opened vault.
#[derive(Debug)]
pub struct Opened {
    /// The keys.
    pub vault: Vault,
    /// Where the test worlds' secret is.
    pub test_secret: TestSecret,
}

/// Opens the vault: finds the secret, refuses another one than the store was written with, and writes
/// the check values that are not there yet.
///
/// A secret that is configured later serves the live worlds and leaves the test worlds theirs. Nodes
/// that start together agree: the row of the first decides. Reads and writes files; for the start
/// of a process only.
pub async fn open(
    store: &dyn Store,
    ids: &dyn Ids,
    random: &dyn Random,
    source: &SecretSource,
) -> Result<Opened, VaultError> {
    // Every pass that ends with a lost race finds more rows than the pass before: two are enough.
    for _ in 0..3 {
        let test = read(store, Mode::Test).await?;
        let live = read(store, Mode::Live).await?;
        let given = given(source, random, test.is_none() && live.is_none())?;
        let mut changes = Changes::new(ids.uuid(), Lane::Background);
        let (test_secret, place) = settle_test(test, given.as_ref(), random, &mut changes)?;
        let live_secret = settle_live(live, given.as_ref(), &mut changes)?;
        if changes.insert.is_empty() || write(store, changes).await? {
            let vault = Vault::of(&test_secret, live_secret)?;
            return Ok(Opened { vault, test_secret: place });
        }
    }
    Err(VaultError::NotWritten("other nodes keep changing it".to_owned()))
}

async fn read(store: &dyn Store, world: Mode) -> Result<Option<StoredSecret>, VaultError> {
    let row = store.of(INSTALLATION).get::<StoredSecret>(vec![world.as_str().into()]).await?;
    Ok(row.map(|row| row.record))
}

/// The secret that this process was given. A key file is made only for a store that is still new:
/// beside a written store a missing file is a lost one, and a new one would never open anything.
fn given(
    source: &SecretSource,
    random: &dyn Random,
    store_is_new: bool,
) -> Result<Option<ServerSecret>, VaultError> {
    match source {
        SecretSource::Configured(secret) => Ok(Some(secret.clone())),
        SecretSource::KeyFile(path) if store_is_new => key_file::load_or_create(path, random).map(Some),
        SecretSource::KeyFile(path) => key_file::load(path),
        SecretSource::Database => Ok(None),
    }
}

fn settle_test(
    stored: Option<StoredSecret>,
    given: Option<&ServerSecret>,
    random: &dyn Random,
    changes: &mut Changes,
) -> Result<(ServerSecret, TestSecret), VaultError> {
    let Some(stored) = stored else {
        let secret = given.cloned().unwrap_or_else(|| ServerSecret::generate(random));
        changes.insert(INSTALLATION, &StoredSecret::new(Mode::Test, &secret, given.is_none())?)?;
        let place = if given.is_none() { TestSecret::InDatabase } else { TestSecret::Given };
        return Ok((secret, place));
    };
    if let Some(kept) = stored.kept() {
        let kept = kept?;
        stored.verify(&kept)?;
        return Ok((kept, TestSecret::InDatabase));
    }
    let given = given.ok_or(VaultError::MissingSecret(Mode::Test))?;
    stored.verify(given)?;
    Ok((given.clone(), TestSecret::Given))
}

fn settle_live<'a>(
    stored: Option<StoredSecret>,
    given: Option<&'a ServerSecret>,
    changes: &mut Changes,
) -> Result<Option<&'a ServerSecret>, VaultError> {
    match (stored, given) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(VaultError::MissingSecret(Mode::Live)),
        (Some(stored), Some(given)) => stored.verify(given).map(|()| Some(given)),
        (None, Some(given)) => {
            changes.insert(INSTALLATION, &StoredSecret::new(Mode::Live, given, false)?)?;
            Ok(Some(given))
        }
    }
}

/// Whether it was written; `false` if another node was first.
async fn write(store: &dyn Store, changes: Changes) -> Result<bool, VaultError> {
    match store.commit(changes).await {
        Outcome::Committed { .. } => Ok(true),
        Outcome::Duplicate(Duplicate::Row { .. }) | Outcome::Conflict => Ok(false),
        other => Err(VaultError::NotWritten(format!("{other:?}"))),
    }
}
