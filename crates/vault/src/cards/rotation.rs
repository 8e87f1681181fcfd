//! Rotation of the key-encryption key, while everything runs.
//!
//! One commit makes a new key the current one. From then on new cards are under it, and passes wrap the
//! data keys of the others anew; a card is readable before, during and after, because a data key says
//! what wraps it. Every step is one guarded commit: it may be done twice, by several nodes, and after a
//! crash it goes on where it was. The old key is called retired when nothing was under it long after any
//! node could still have used it, and stays in the keystore until an operator destroys it.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::{Changes, Filter, Lane, Query, RowKey, Scope, Timestamp, Versioned};

use super::encryption::KekId;
use super::keyring;
use super::record::{Hex, Kept, Keyring, RetiredKey, StoredCard, VAULT_CARD, VAULT_KEYRING, data_key_place};
use super::service::{CardVault, TRIES, card_key};
use crate::{INSTALLATION, VaultError};

/// How long after a new key became current the one before it may be called unused. Nodes believe a
/// keyring for five seconds; a commit that took minutes is the reason for the rest.
pub const SETTLE: Duration = Duration::from_mins(10);
/// How far a status counts what is left.
const COUNT_LIMIT: u32 = 1_000;
/// How many retired keys are remembered.
const RETIRED_LIMIT: usize = 100;

/// What a request for a rotation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// This key is the current one now; passes wrap the rest anew.
    Begun(KekId),
    /// One is under way already, to this key. Two at the same time would only wrap twice.
    UnderWay(KekId),
}

/// The keys, and how far a rotation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultStatus {
    /// What new cards are under.
    pub current: KekId,
    /// Since when.
    pub since: Timestamp,
    /// Older keys that something may still be under, each with how many cards are; counted up to 1000.
    pub retiring: Vec<(KekId, u32)>,
    /// Keys that nothing is under any more.
    pub retired: Vec<RetiredKey>,
    /// Keys of the keystore that were never used here.
    pub unused: Vec<KekId>,
}

/// What a pass of a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// So many cards were wrapped anew.
    pub cards: usize,
    /// So many keys were found unused and retired.
    pub retired: usize,
}

impl CardVault {
    /// Makes a new key of the keystore, without using it: for keystores that must reach every node first.
    pub async fn prepare(&self) -> Result<KekId, VaultError> {
        self.ports.keys.make().await
    }

    /// Makes a newer key the current one: one that the keystore has already and that was never used
    /// (prepared, or left by a rotation that crashed), else a new one.
    pub async fn rotate(&self) -> Result<Rotation, VaultError> {
        for _ in 0..TRIES {
            let Versioned { record: keyring, version, .. } = self.stored_keyring().await?;
            if keyring.retiring().next().is_some() {
                return Ok(Rotation::UnderWay(keyring.current));
            }
            let next = match self.unused(&keyring).await?.last() {
                Some(newest) => *newest,
                None => self.ports.keys.make().await?,
            };
            let turned = keyring.turned(&self.ports, next).await?;
            if self.write_keyring(&turned, version).await? {
                self.refresh().await?;
                return Ok(Rotation::Begun(next));
            }
        }
        Err(VaultError::Busy)
    }

    /// One pass of a rotation: wraps up to `limit` data keys anew, or retires what nothing is under. Does
    /// nothing while none is under way.
    pub async fn rewrap(&self, limit: u32, settle: Duration) -> Result<Rewrapped, VaultError> {
        let Versioned { record: keyring, version, .. } = self.stored_keyring().await?;
        let mut done = Rewrapped::default();
        let mut unused = Vec::new();
        for old in keyring.retiring() {
            let query = Query::everywhere(&VAULT_CARD, limit).with(Filter::equal("kek", old));
            let found = self.ports.store.find_everywhere::<StoredCard>(query).await?;
            if found.is_empty() {
                unused.push(old);
                continue;
            }
            let wrapping =
                found.into_iter().map(|(scope, card)| self.rewrap_one(scope, card, keyring.current));
            for one in join_all(wrapping).await {
                done.cards += usize::from(one?);
            }
        }
        let now = self.ports.store.now().await?;
        if done.cards == 0 && !unused.is_empty() && now.since(keyring.changed_at) >= settle {
            let mut turned = keyring.clone();
            turned.keys.retain(|key| !unused.contains(&key.id));
            turned.retired.extend(unused.iter().map(|id| RetiredKey { id: *id, at: now }));
            let surplus = turned.retired.len().saturating_sub(RETIRED_LIMIT);
            turned.retired.drain(..surplus);
            if self.write_keyring(&turned, version).await? {
                done.retired = unused.len();
            }
        }
        Ok(done)
    }

    /// Destroys a retired key in the keystore: copies of the vault that were made while it was used can
    /// never be read again. Refused for any other key.
    pub async fn destroy_retired(&self, key: KekId) -> Result<bool, VaultError> {
        let keyring = self.stored_keyring().await?.record;
        let query = Query::everywhere(&VAULT_CARD, 1).with(Filter::equal("kek", key));
        let is_retired = keyring.retired.iter().any(|retired| retired.id == key);
        if !is_retired || !self.ports.store.find(query).await?.is_empty() {
            return Ok(false);
        }
        self.ports.keys.destroy(key).await?;
        Ok(true)
    }

    /// The keys, and how far a rotation is.
    pub async fn status(&self) -> Result<VaultStatus, VaultError> {
        let keyring = self.stored_keyring().await?.record;
        let mut retiring = Vec::new();
        for id in keyring.retiring() {
            let query = Query::everywhere(&VAULT_CARD, COUNT_LIMIT).with(Filter::equal("kek", id));
            let left = self.ports.store.find(query).await?.len();
            retiring.push((id, u32::try_from(left).unwrap_or(u32::MAX)));
        }
        let unused = self.unused(&keyring).await?;
        let Keyring { current, changed_at: since, retired, .. } = keyring;
        Ok(VaultStatus { current, since, retiring, retired, unused })
    }

    /// Keys that are newer than the current one and were never used, oldest first.
    async fn unused(&self, keyring: &Keyring) -> Result<Vec<KekId>, VaultError> {
        let keys = self.ports.keys.keys().await?;
        Ok(keys.into_iter().filter(|id| *id > keyring.current).collect())
    }

    async fn stored_keyring(&self) -> Result<Versioned<Keyring>, VaultError> {
        let found = keyring::read(&self.ports).await?;
        found.ok_or(VaultError::Damaged("the keyring of the vault"))
    }

    async fn write_keyring(&self, keyring: &Keyring, version: i64) -> Result<bool, VaultError> {
        let mut changes = Changes::new(self.ports.ids.uuid(), Lane::Background);
        let key = vec![Keyring::NAME.into()];
        changes.subject = Some(RowKey { table: VAULT_KEYRING.name, scope: INSTALLATION, key });
        changes.update(INSTALLATION, keyring, version)?;
        self.write(changes).await
    }

    /// Whether it was this pass that wrapped it; a card that somebody else changed is met again.
    async fn rewrap_one(
        &self,
        scope: Scope,
        card: Versioned<StoredCard>,
        current: KekId,
    ) -> Result<bool, VaultError> {
        let Versioned { record: mut card, version, .. } = card;
        let Some(kept) = &card.kept else { return Ok(false) };
        let data_key = self.data_key(scope, card.id, kept).await?;
        let wrapped =
            self.ports.keys.wrap(current, &data_key_place(scope, card.id, current), &data_key).await?;
        card.kept = Some(Kept { kek: current, data_key: Hex::of(&wrapped), ..kept.clone() });
        let mut changes = Changes::new(self.ports.ids.uuid(), Lane::Background);
        changes.subject = Some(card_key(scope, card.id));
        changes.update(scope, &card, version)?;
        self.write(changes).await
    }
}
