//! Keeping, revealing and releasing cards.

use std::sync::Arc;

use kernel::{
    CardNumber, Changes, Clock, Comparison, Duplicate, Filter, Id, Ids, Lane, Outcome, Query, Random, RowKey,
    Scope, Store, Versioned,
};
use parking_lot::Mutex;

use super::encryption::KeyEncryption;
use super::keyring::{self, Held};
use super::record::{
    CardToken, Hex, Holder, HolderId, Kept, StoredCard, VAULT_CARD, VAULT_HOLDER, data_key_place,
    number_place,
};
use crate::VaultError;
use crate::cipher::DataKey;

/// How often a change that met another one is decided again.
pub(crate) const TRIES: u32 = 32;
/// How many numbers are kept at the same time by one node; equal ones take turns.
const TURNS: usize = 256;

/// What the card vault is made of.
#[derive(Clone)]
pub struct VaultPorts {
    /// Its own store.
    pub store: Arc<dyn Store>,
    /// Where the key-encryption keys are.
    pub keys: Arc<dyn KeyEncryption>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// New tokens.
    pub ids: Arc<dyn Ids>,
    /// Data keys and nonces.
    pub random: Arc<dyn Random>,
}

/// The card vault of this node.
///
/// A card has holders, the payment methods that were made of it, and is destroyed with the last one.
/// Adding and releasing a holder both write the card's row, so that they cannot miss each other.
pub struct CardVault {
    pub(crate) ports: VaultPorts,
    pub(crate) held: Mutex<Arc<Held>>,
    /// By fingerprint: without turns, many that keep one number (a test card) would only conflict. Between
    /// nodes the card's version decides.
    turns: Vec<futures_util::lock::Mutex<()>>,
}

/// A holder that nobody confirmed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Whose it is.
    pub scope: Scope,
    /// The holder.
    pub holder: HolderId,
    /// What it holds.
    pub card: CardToken,
}

impl CardVault {
    /// Opens the vault. Its first start makes the keyring; every later one finds each key that cards may
    /// be under, and proves it, or answers which one is missing or wrong.
    pub async fn open(ports: VaultPorts) -> Result<Arc<Self>, VaultError> {
        let held = keyring::open(&ports).await?;
        let turns = (0..TURNS).map(|_| futures_util::lock::Mutex::new(())).collect();
        Ok(Arc::new(Self { ports, held: Mutex::new(Arc::new(held)), turns }))
    }

    /// Keeps a card for a holder; one number of one scope is kept once, under one token. Durable when it
    /// answers. Asked again for the same holder and number it answers the same.
    ///
    /// The holder must be confirmed within the hour, or is asked about ([`CardVault::unconfirmed`]).
    pub async fn keep(
        &self,
        scope: Scope,
        holder: HolderId,
        number: &CardNumber,
    ) -> Result<CardToken, VaultError> {
        let _turn = self.turn(&self.held().await?.fingerprint(scope, number)).await;
        for _ in 0..TRIES {
            let held = self.held().await?;
            let fingerprint = held.fingerprint(scope, number);
            let mut changes = Changes::new(self.ports.ids.uuid(), Lane::Reserve);
            let token = if let Some(known) = self.by_fingerprint(scope, &fingerprint).await? {
                // What the index says is believed only once the card itself says it.
                let kept = known.record.kept.as_ref().ok_or(VaultError::Sealed)?;
                if self.open_number(scope, known.record.id, kept).await? != *number {
                    return Err(VaultError::Sealed);
                }
                changes.update(scope, &known.record, known.version)?;
                known.record.id
            } else {
                let card = self.seal(scope, &held, fingerprint, number).await?;
                changes.insert(scope, &card)?;
                card.id
            };
            changes.subject = Some(card_key(scope, token));
            let made_at = self.ports.clock.now();
            changes.insert(scope, &Holder { id: holder, card: token, confirmed: false, made_at })?;
            match self.ports.store.commit(changes).await {
                Outcome::Committed { .. } => return Ok(token),
                Outcome::Duplicate(Duplicate::Row { table }) if table == VAULT_HOLDER.name => {
                    let known = self.holder(scope, holder).await?.ok_or(VaultError::Busy)?;
                    return Ok(known.record.card);
                }
                Outcome::Conflict | Outcome::Duplicate(_) => {}
                other => return Err(VaultError::Unavailable(format!("{other:?}"))),
            }
        }
        Err(VaultError::Busy)
    }

    /// The number of a card, for the one call that needs it; `None` if the holder has it no more. It is
    /// asked by holder and token, so that neither alone opens a card.
    pub async fn reveal(
        &self,
        scope: Scope,
        holder: HolderId,
        token: CardToken,
    ) -> Result<Option<CardNumber>, VaultError> {
        let holds = self.holder(scope, holder).await?.is_some_and(|found| found.record.card == token);
        if !holds {
            return Ok(None);
        }
        let Some(found) = self.card(scope, token).await? else { return Ok(None) };
        let Some(kept) = &found.record.kept else { return Ok(None) };
        self.open_number(scope, token, kept).await.map(Some)
    }

    /// The main store has the holder: it is not asked about any more. Confirming twice, or one that was
    /// released meanwhile, does nothing.
    pub async fn confirm(&self, scope: Scope, holder: HolderId) -> Result<(), VaultError> {
        for _ in 0..TRIES {
            let Some(found) = self.holder(scope, holder).await? else { return Ok(()) };
            if found.record.confirmed {
                return Ok(());
            }
            let mut changes = Changes::new(self.ports.ids.uuid(), Lane::Background);
            changes.update(scope, &Holder { confirmed: true, ..found.record }, found.version)?;
            if self.write(changes).await? {
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    /// Holders that nobody confirmed within the hour, longest first. Each is to be confirmed or released.
    pub async fn unconfirmed(&self, limit: u32) -> Result<Vec<Unconfirmed>, VaultError> {
        let now = self.ports.store.now().await?;
        let query = Query::everywhere(&VAULT_HOLDER, limit)
            .with(Filter::compare("check_at", Comparison::AtMost, now))
            .order_by("check_at");
        let found = self.ports.store.find_everywhere::<Holder>(query).await?;
        let unconfirmed = found.into_iter().map(|(scope, holder)| Unconfirmed {
            scope,
            holder: holder.record.id,
            card: holder.record.card,
        });
        Ok(unconfirmed.collect())
    }

    /// Takes a card from a holder. With its last holder the card's data key is destroyed: its row stays
    /// as the proof, without number, key and fingerprint. Releasing again does nothing.
    pub async fn release(&self, scope: Scope, holder: HolderId) -> Result<(), VaultError> {
        for _ in 0..TRIES {
            let Some(found) = self.holder(scope, holder).await? else { return Ok(()) };
            let token = found.record.card;
            let card = self.card(scope, token).await?.ok_or(VaultError::Damaged("a card"))?;
            let query = Query::oldest(&VAULT_HOLDER, scope, 2).with(Filter::equal("card", token));
            let holders = self.ports.store.of(scope).find::<Holder>(query).await?;
            let is_last = holders.iter().all(|other| other.record.id == holder);
            let Versioned { record: mut card, version, .. } = card;
            if is_last {
                card.destroy(self.ports.clock.now());
            }
            let mut changes = Changes::new(self.ports.ids.uuid(), Lane::Background);
            changes.subject = Some(card_key(scope, token));
            changes.update(scope, &card, version)?;
            changes.remove::<Holder>(scope, vec![holder.into()], found.version);
            if self.write(changes).await? {
                return Ok(());
            }
        }
        Err(VaultError::Busy)
    }

    async fn open_number(
        &self,
        scope: Scope,
        token: CardToken,
        kept: &Kept,
    ) -> Result<CardNumber, VaultError> {
        let data_key = self.data_key(scope, token, kept).await?;
        let place = number_place(scope, token, &kept.fingerprint);
        let digits = data_key.open(&place, &kept.number.bytes()?)?;
        let text = std::str::from_utf8(&digits).map_err(|_| VaultError::Damaged("a card"))?;
        CardNumber::parse(text).map_err(|_| VaultError::Damaged("a card"))
    }

    /// A data key, opened.
    pub(crate) async fn data_key(
        &self,
        scope: Scope,
        token: CardToken,
        kept: &Kept,
    ) -> Result<DataKey, VaultError> {
        let place = data_key_place(scope, token, kept.kek);
        self.ports.keys.unwrap(kept.kek, &place, &kept.data_key.bytes()?).await
    }

    /// Whether it was written; `false` if somebody else changed the same.
    pub(crate) async fn write(&self, changes: Changes) -> Result<bool, VaultError> {
        match self.ports.store.commit(changes).await {
            Outcome::Committed { .. } => Ok(true),
            Outcome::Conflict => Ok(false),
            other => Err(VaultError::Unavailable(format!("{other:?}"))),
        }
    }

    async fn turn(&self, fingerprint: &str) -> Option<futures_util::lock::MutexGuard<'_, ()>> {
        let place = fingerprint.get(..2).and_then(|digits| usize::from_str_radix(digits, 16).ok());
        Some(self.turns.get(place?)?.lock().await)
    }

    async fn seal(
        &self,
        scope: Scope,
        held: &Held,
        fingerprint: String,
        number: &CardNumber,
    ) -> Result<StoredCard, VaultError> {
        let random = self.ports.random.as_ref();
        let (id, kek) = (Id::from_uuid(self.ports.ids.uuid()), held.keyring.current);
        let data_key = DataKey::generate(random);
        let digits = number.digits().expose().as_bytes();
        let place = number_place(scope, id, &fingerprint);
        let number = Hex::of(&data_key.seal(random, &place, digits)?);
        let wrapped = self.ports.keys.wrap(kek, &data_key_place(scope, id, kek), &data_key).await?;
        Ok(StoredCard {
            id,
            kept: Some(Kept { fingerprint, kek, data_key: Hex::of(&wrapped), number }),
            made_at: self.ports.clock.now(),
            destroyed_at: None,
        })
    }

    async fn card(
        &self,
        scope: Scope,
        token: CardToken,
    ) -> Result<Option<Versioned<StoredCard>>, VaultError> {
        Ok(self.ports.store.of(scope).get::<StoredCard>(vec![token.into()]).await?)
    }

    async fn by_fingerprint(
        &self,
        scope: Scope,
        fingerprint: &str,
    ) -> Result<Option<Versioned<StoredCard>>, VaultError> {
        let query = Query::oldest(&VAULT_CARD, scope, 1).with(Filter::equal("fingerprint", fingerprint));
        Ok(self.ports.store.of(scope).find::<StoredCard>(query).await?.into_iter().next())
    }

    async fn holder(&self, scope: Scope, holder: HolderId) -> Result<Option<Versioned<Holder>>, VaultError> {
        Ok(self.ports.store.of(scope).get::<Holder>(vec![holder.into()]).await?)
    }
}

impl std::fmt::Debug for CardVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardVault")
    }
}

/// Changes of one card are serial.
pub(crate) fn card_key(scope: Scope, token: CardToken) -> RowKey {
    RowKey { table: VAULT_CARD.name, scope, key: vec![token.into()] }
}
