//! The verbs: load, decide, commit.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Actor, Cell, Changes, Claim, Clock, Duplicate, Id, Ids, Lane, Mode, Outcome, Query, Random, Record,
    RowKey, Scope, Secret, Store, Versioned,
};
use uuid::Uuid;
use vault::{Purpose, Vault};

use crate::cache::Cache;
use crate::claimed::answered;
use crate::event::Source;
use crate::key::event_body;
use crate::merchant::home;
use crate::{
    API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED, ApiKey, ApiKeyMark, IdentityError, KeyKind, KeyStatus,
    MERCHANT, MERCHANT_CREATED, Merchant, NewKey, key_text,
};

/// How often a verb decides anew after somebody else changed the same record.
const ATTEMPTS: usize = 5;
const PAGE: u32 = 100;

/// Merchants and their keys over one store. Cheap to share; all methods may run at the same time.
pub struct Identity {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    random: Arc<dyn Random>,
    pub(crate) cache: Cache,
}

/// What the first start of an installation finds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made once in the life of an installation")]
pub enum FirstStart {
    /// This node made the merchant; its test key is shown now and never again.
    Created {
        /// The merchant.
        merchant: Merchant,
        /// Its key.
        key: ApiKey,
        /// The key's text.
        text: Secret<String>,
    },
    /// There was a merchant already; this is the first.
    Found(Merchant),
}

/// What a rotation made.
#[derive(Debug)]
pub struct Rotated {
    /// The new key.
    pub key: ApiKey,
    /// Its text, shown now and never again.
    pub text: Secret<String>,
    /// The old key, with its end.
    pub old: ApiKey,
}

impl Identity {
    /// Over these ports.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { store, vault, clock, ids, random, cache: Cache::default() }
    }

    /// Creates a merchant. Names need not differ.
    pub async fn create_merchant(
        &self,
        name: &str,
        actor: &Actor,
        claim: Option<Claim>,
    ) -> Result<Merchant, IdentityError> {
        let merchant = Merchant::new(Id::from_uuid(self.ids.uuid()), name, self.clock.now())?;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
        self.add_merchant(&mut changes, &merchant, actor)?;
        changes.claim = claim
            .map(|claim| answered(claim, "created", merchant.id.to_string(), 1, &merchant))
            .transpose()?;
        self.write(changes).await?;
        Ok(merchant)
    }

    /// Creates a key that opens `scope`. Its text is in the answer and nowhere else, ever.
    pub async fn create_key(
        &self,
        scope: Scope,
        wanted: impl Into<NewKey> + Send,
        actor: &Actor,
        claim: Option<Claim>,
    ) -> Result<(ApiKey, Secret<String>), IdentityError> {
        let wanted = wanted.into();
        wanted.check()?;
        self.merchant(scope.merchant).await?;
        let (key, text) = self.draw_key(scope, wanted)?;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
        self.add_key(&mut changes, &key, actor)?;
        changes.claim =
            claim.map(|claim| answered(claim, "created", key.id.to_string(), 1, &key)).transpose()?;
        self.write(changes).await?;
        // Somebody may have tried the text before: it is no stranger any more.
        self.cache.forget(key.hash());
        Ok((key, text))
    }

    /// Makes a key that can do what the key `id` of `merchant` can, and ends that one after `overlap`,
    /// or earlier if it ended earlier anyway. Both are one commit: there is never a moment without a
    /// key that works. Every other node knows of the end within [`crate::CACHE_LIFE`].
    pub async fn rotate_key(
        &self,
        merchant: Id<kernel::Merchant>,
        id: Id<ApiKeyMark>,
        overlap: Duration,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<Rotated, IdentityError> {
        for _ in 0..ATTEMPTS {
            let Versioned { record, version, .. } = self.key_of(merchant, id).await?;
            let now = self.clock.now();
            if record.status(now) != KeyStatus::Active {
                return Err(IdentityError::KeyEnded);
            }
            let (mut key, text) = self.draw_key(record.scope, record.successor())?;
            key.replaces = Some(id);
            let old = record.ending(now.plus(overlap));
            let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
            changes.subject = Some(row_key::<ApiKey>(home(merchant), old.key()));
            changes.update(home(merchant), &old, version)?;
            let source = self.source(home(merchant), actor);
            changes.emit.push(source.event(id.uuid(), version + 1, API_KEY_ROTATED, event_body(&old)));
            self.add_key(&mut changes, &key, actor)?;
            changes.claim = claim
                .map(|claim| answered(claim.clone(), "rotated", key.id.to_string(), 1, &key))
                .transpose()?;
            match self.write(changes).await {
                Err(IdentityError::Busy) => continue,
                other => other?,
            }
            self.cache.forget(key.hash());
            self.cache.forget(old.hash());
            return Ok(Rotated { key, text, old });
        }
        Err(IdentityError::Busy)
    }

    /// Revokes a key of `merchant`: dead on this node at once, on every node within
    /// [`crate::CACHE_LIFE`]. A key that was revoked before stays as it is.
    pub async fn revoke_key(
        &self,
        merchant: Id<kernel::Merchant>,
        id: Id<ApiKeyMark>,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<ApiKey, IdentityError> {
        for _ in 0..ATTEMPTS {
            let Versioned { record, version, .. } = self.key_of(merchant, id).await?;
            let was_revoked = record.revoked_at.is_some();
            let key = record.revoked(self.clock.now());
            let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
            changes.subject = Some(row_key::<ApiKey>(home(merchant), key.key()));
            let mut new_version = version;
            if !was_revoked {
                new_version += 1;
                changes.update(home(merchant), &key, version)?;
                let source = self.source(home(merchant), actor);
                let event = source.event(id.uuid(), new_version, API_KEY_REVOKED, event_body(&key));
                changes.emit.push(event);
            }
            changes.claim = claim
                .map(|claim| answered(claim.clone(), "revoked", id.to_string(), new_version, &key))
                .transpose()?;
            if !was_revoked || changes.claim.is_some() {
                match self.write(changes).await {
                    Err(IdentityError::Busy) => continue,
                    other => other?,
                }
            }
            self.cache.forget(key.hash());
            return Ok(key);
        }
        Err(IdentityError::Busy)
    }

    /// A merchant by its id.
    pub async fn merchant(&self, id: Id<kernel::Merchant>) -> Result<Merchant, IdentityError> {
        let found = self.store.of(home(id)).get::<Merchant>(vec![id.into()]).await?;
        found.map(|found| found.record).ok_or(IdentityError::UnknownMerchant)
    }

    /// A key of a merchant.
    pub async fn key(
        &self,
        merchant: Id<kernel::Merchant>,
        id: Id<ApiKeyMark>,
    ) -> Result<ApiKey, IdentityError> {
        self.key_of(merchant, id).await.map(|found| found.record)
    }

    async fn key_of(
        &self,
        merchant: Id<kernel::Merchant>,
        id: Id<ApiKeyMark>,
    ) -> Result<Versioned<ApiKey>, IdentityError> {
        let found = self.store.of(home(merchant)).get::<ApiKey>(vec![id.into()]).await?;
        found.ok_or(IdentityError::UnknownKey)
    }

    /// All merchants, oldest first. For operators: it crosses scopes.
    pub async fn merchants(&self) -> Result<Vec<Merchant>, IdentityError> {
        let mut all = Vec::new();
        let mut beyond: Option<Uuid> = None;
        loop {
            let mut query = Query::everywhere(&MERCHANT, PAGE);
            if let Some(id) = beyond {
                query = query.with(kernel::Filter::compare("id", kernel::Comparison::Above, id));
            }
            let page = self.store.find_everywhere::<Merchant>(query).await?;
            beyond = page.last().map(|(_, found)| found.record.id.uuid());
            let whole = page.len() == PAGE as usize;
            all.extend(page.into_iter().map(|(_, found)| found.record));
            if !whole {
                return Ok(all);
            }
        }
    }

    /// All keys of a merchant, of both worlds, oldest first.
    pub async fn keys(&self, merchant: Id<kernel::Merchant>) -> Result<Vec<ApiKey>, IdentityError> {
        let mut all: Vec<ApiKey> = Vec::new();
        loop {
            let after = all.last().map(Record::key);
            let query = Query::oldest(&crate::API_KEY, home(merchant), PAGE).after(after);
            let page = self.store.of(home(merchant)).find::<ApiKey>(query).await?;
            let whole = page.len() == PAGE as usize;
            all.extend(page.into_iter().map(|found| found.record));
            if !whole {
                return Ok(all);
            }
        }
    }

    /// The merchant of an installation that has none yet, with a secret test key: made exactly once,
    /// whichever node is first, and not at all once an operator has created one.
    pub async fn first_start(&self, name: &str) -> Result<FirstStart, IdentityError> {
        if let Some(merchant) = self.first_merchant().await? {
            return Ok(FirstStart::Found(merchant));
        }
        // The same id on every node of this installation: the second insert collides.
        let merchant = Merchant::new(self.first_merchant_id()?, name, self.clock.now())?;
        let (key, text) = self.draw_key(merchant.scope(Mode::Test), KeyKind::Secret.into())?;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        self.add_merchant(&mut changes, &merchant, &Actor::Node)?;
        self.add_key(&mut changes, &key, &Actor::Node)?;
        match self.write(changes).await {
            Ok(()) => Ok(FirstStart::Created { merchant, key, text }),
            Err(IdentityError::Busy) => {
                let first = self.first_merchant().await?;
                first.map(FirstStart::Found).ok_or(IdentityError::Busy)
            }
            Err(error) => Err(error),
        }
    }

    async fn first_merchant(&self) -> Result<Option<Merchant>, IdentityError> {
        let query = Query::everywhere(&MERCHANT, 1);
        let found = self.store.find_everywhere::<Merchant>(query).await?;
        Ok(found.into_iter().next().map(|(_, found)| found.record))
    }

    /// A UUIDv7 of the epoch's first moment, so that it sorts before all others, with a MAC for its
    /// random part: equal on the nodes of one installation, different between installations.
    fn first_merchant_id(&self) -> Result<Id<kernel::Merchant>, IdentityError> {
        let mac = self.vault.keys(Mode::Test)?.mac(Purpose::ApiKey, &[b"id of the first merchant"]);
        let mut bytes = [0; 16];
        for (place, byte) in bytes.iter_mut().skip(6).zip(mac) {
            *place = byte;
        }
        let random = u128::from_be_bytes(bytes);
        let version = 7 << 76;
        let variant = 2 << 62;
        let id = random & !(0xF << 76) & !(3 << 62) | version | variant;
        Ok(Id::from_uuid(Uuid::from_u128(id)))
    }

    fn draw_key(&self, scope: Scope, wanted: NewKey) -> Result<(ApiKey, Secret<String>), IdentityError> {
        let keys = self.vault.keys(scope.mode)?;
        let text = key_text::draw(self.random.as_ref(), wanted.kind, scope.mode);
        let hash = keys.mac(Purpose::ApiKey, &[text.expose().as_bytes()]);
        let id = Id::from_uuid(self.ids.uuid());
        Ok((ApiKey::new(id, scope, wanted, text.expose(), hash, self.clock.now()), text))
    }

    fn add_merchant(
        &self,
        changes: &mut Changes,
        merchant: &Merchant,
        actor: &Actor,
    ) -> Result<(), IdentityError> {
        changes.insert(home(merchant.id), merchant)?;
        // Not the name: it may be a person's, and an event outlives its erasure.
        let body = serde_json::json!({ "merchant_id": merchant.id });
        let source = self.source(home(merchant.id), actor);
        changes.emit.push(source.event(merchant.id.uuid(), 1, MERCHANT_CREATED, body));
        Ok(())
    }

    fn add_key(&self, changes: &mut Changes, key: &ApiKey, actor: &Actor) -> Result<(), IdentityError> {
        let scope = home(key.scope.merchant);
        changes.insert(scope, key)?;
        let source = self.source(scope, actor);
        changes.emit.push(source.event(key.id.uuid(), 1, API_KEY_CREATED, event_body(key)));
        Ok(())
    }

    fn source<'a>(&'a self, scope: Scope, actor: &'a Actor) -> Source<'a> {
        Source { scope, now: self.clock.now(), actor, random: self.random.as_ref() }
    }

    async fn write(&self, changes: Changes) -> Result<(), IdentityError> {
        match self.store.commit(changes).await {
            Outcome::Committed { .. } => Ok(()),
            Outcome::Duplicate(Duplicate::Claim) => Err(IdentityError::Claimed),
            Outcome::Conflict | Outcome::Duplicate(Duplicate::Row { .. }) | Outcome::Overloaded => {
                Err(IdentityError::Busy)
            }
            Outcome::Indeterminate => Err(IdentityError::Indeterminate),
            Outcome::Overdrawn(_) => Err(IdentityError::NotWritten("a balance moved".to_owned())),
            Outcome::StorageFull => Err(IdentityError::NotWritten("the disk is full".to_owned())),
            Outcome::Refused(reason) | Outcome::NotCommitted(reason) => {
                Err(IdentityError::NotWritten(reason))
            }
        }
    }
}

const fn row_key<R: Record>(scope: Scope, key: Vec<Cell>) -> RowKey {
    RowKey { table: R::TABLE.name, scope, key }
}
