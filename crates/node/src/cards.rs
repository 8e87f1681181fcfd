//! The card vault of a node: its keystore, found or made; and its background work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vault::VaultError;
use vault::cards::{
    CardVault, KeyEncryption, KeystorePorts, SETTLE, SoftwareKeystore, Unlock, VaultPorts, is_in_use,
};

use crate::background::{Leader, Pass};
use crate::config::Config;
use crate::stores::Stores;
use crate::{Node, Ports, StartError};

/// The keystore beside an embedded store.
const KEYSTORE_FILE: &str = "vault.keystore";
/// What opens a keystore, beside it.
const KEY_FILE: &str = "vault.key";
/// Who does the vault's background work.
pub(crate) const LEADER: &str = "vault";
/// How many cards a pass wraps anew, or confirms.
const PASS_LIMIT: u32 = 100;

/// Where the keystore is, and what opens it; `None` on PostgreSQL without one.
fn place(config: &Config) -> Option<(PathBuf, Unlock)> {
    let path = match (&config.vault.keystore, &config.database.url) {
        (Some(path), _) => path.clone(),
        (None, None) => config.database.folder.join(KEYSTORE_FILE),
        (None, Some(_)) => return None,
    };
    let unlock = match (&config.vault.passphrase, &config.vault.key_file) {
        (Some(passphrase), _) => Unlock::Passphrase(passphrase.clone()),
        (None, Some(file)) => Unlock::KeyFile(file.clone()),
        (None, None) => Unlock::KeyFile(path.parent().unwrap_or_else(|| Path::new("")).join(KEY_FILE)),
    };
    Some((path, unlock))
}

fn keystore_ports(ports: &Ports) -> KeystorePorts {
    KeystorePorts {
        clock: Arc::clone(&ports.clock),
        ids: Arc::clone(&ports.ids),
        random: Arc::clone(&ports.random),
    }
}

/// Makes the configured keystore and, if that is what opens it, its key file; whichever is there already
/// stays. Answers where it is.
pub fn make_keystore(config: &Config, ports: &Ports) -> Result<PathBuf, StartError> {
    let (path, unlock) = place(config).ok_or(VaultError::NotConfigured)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StartError::Folder {
            folder: folder.display().to_string(),
            reason: error.to_string(),
        })?;
    }
    Ok(SoftwareKeystore::open_or_create(&path, &unlock, keystore_ports(ports))?.path().to_owned())
}

/// Opens the card vault over its store. A new keystore is made for a vault that was never used, beside an
/// embedded store alone; one that was used opens with its own, or the start ends here.
pub(crate) async fn open(
    config: &Config,
    ports: &Ports,
    stores: &Stores,
) -> Result<Option<Arc<CardVault>>, StartError> {
    let Some(store) = &stores.vault else { return Ok(None) };
    let is_used = is_in_use(store.as_ref()).await?;
    let Some((path, unlock)) = place(config) else {
        return if is_used { Err(VaultError::NotConfigured.into()) } else { Ok(None) };
    };
    let found = SoftwareKeystore::open(&path, &unlock, keystore_ports(ports))?;
    let keystore = match found {
        Some(keystore) => keystore,
        None if is_used => return Err(VaultError::NoKeystore(path).into()),
        None if config.vault.keystore.is_some() => return Err(VaultError::NotMade(path).into()),
        None => SoftwareKeystore::open_or_create(&path, &unlock, keystore_ports(ports))?,
    };
    let keys: Arc<dyn KeyEncryption> = Arc::new(keystore);
    let ports = VaultPorts {
        store: Arc::clone(store),
        keys,
        clock: Arc::clone(&ports.clock),
        ids: Arc::clone(&ports.ids),
        random: Arc::clone(&ports.random),
    };
    Ok(Some(CardVault::open(ports).await?))
}

impl Node {
    /// Destroys the cards of methods that went, wraps anew what a rotation left, and asks about cards whose
    /// method nobody confirmed.
    pub(crate) fn keep_cards(self: &Arc<Self>) {
        if self.cards.is_none() {
            return;
        }
        self.keep("card releases", Duration::from_secs(1), |node| {
            Box::pin(async move { Pass::of(node.payments.release_cards(PASS_LIMIT).await, PASS_LIMIT) })
        });
        let leader = self.leader(LEADER);
        self.keep_by_timer("card vault", Duration::from_secs(5), move |node| {
            let leader = leader.clone();
            Box::pin(async move { pass(&leader, &node).await })
        });
    }
}

/// One pass of one node. Two at the same time would do no harm, and twice the work.
async fn pass(leader: &Leader, node: &Node) -> Pass {
    let Some(cards) = &node.cards else { return Pass::Done };
    match leader.lease().await {
        Ok(None) => Pass::Done,
        Ok(Some(_)) => {
            let rewrapped = match cards.rewrap(PASS_LIMIT, SETTLE).await {
                Ok(rewrapped) => rewrapped,
                Err(error) => return Pass::Failed(error.to_string()),
            };
            if rewrapped.cards > 0 {
                tracing::info!(cards = rewrapped.cards, "cards were wrapped under the current key");
            }
            if rewrapped.retired > 0 {
                tracing::info!("nothing is under the older key any more: it is retired");
            }
            let confirmed = node.payments.confirm_cards(PASS_LIMIT).await;
            Pass::of(confirmed.map(|confirmed| confirmed.max(rewrapped.cards)), PASS_LIMIT)
        }
        Err(reason) => Pass::Failed(reason),
    }
}
