//! Keys that a key makes, follows and ends: those of its own world, and none that can do more than it.

use std::time::Duration;

use kernel::{Actor, Claim, Id, Network, Query, Scope, Secret, Timestamp};
use uuid::Uuid;

use crate::claimed::earlier;
use crate::merchant::home;
use crate::{API_KEY, AccessScope, ApiKey, ApiKeyMark, Identity, IdentityError, KeyKind, NewKey, Principal};

/// How many keys one page reads at most, those of the other world included.
const EXAMINED_MAX: usize = 1000;
const READ_AT_ONCE: u32 = 100;
/// A key that follows itself lives on so long at least: whoever asked must hand the new one out.
pub const OWN_OVERLAP_MIN: Duration = Duration::from_hours(1);

/// A key that was made.
#[derive(Debug)]
pub struct Made {
    /// The key.
    pub key: ApiKey,
    /// Its text; `None` in the answer of a repeated request: it is shown once.
    pub text: Option<Secret<String>>,
    /// Whether the request was answered before, under the same idempotency key.
    pub replayed: bool,
}

/// Keys of one world, newest first.
#[derive(Debug)]
pub struct KeyPage {
    /// This page.
    pub keys: Vec<ApiKey>,
    /// Where the next one goes on, if there is more.
    pub next: Option<Uuid>,
}

impl Made {
    fn again(key: ApiKey) -> Self {
        Self { key, text: None, replayed: true }
    }

    fn now(key: ApiKey, text: Secret<String>) -> Self {
        Self { key, text: Some(text), replayed: false }
    }
}

impl Identity {
    /// Creates a key of the caller's world that can do nothing the caller's own cannot.
    pub async fn own_key_create(
        &self,
        by: &Principal,
        wanted: NewKey,
        actor: &Actor,
        claim: Option<Claim>,
    ) -> Result<Made, IdentityError> {
        if let Some(key) = earlier(&self.store, claim.as_ref()).await? {
            return Ok(Made::again(key));
        }
        check_within(by, &wanted, self.clock.now())?;
        match self.create_key(by.scope, wanted, actor, claim.clone()).await {
            Ok((key, text)) => Ok(Made::now(key, text)),
            Err(error) => self.made_before(claim.as_ref(), error).await,
        }
    }

    /// Makes a key that can do what the key `id` can, if the caller's own can do that too, and ends that
    /// one after `overlap`, as [`Identity::rotate_key`] does.
    pub async fn own_key_rotate(
        &self,
        by: &Principal,
        id: Id<ApiKeyMark>,
        overlap: Duration,
        actor: &Actor,
        claim: Option<Claim>,
    ) -> Result<Made, IdentityError> {
        if let Some(key) = earlier(&self.store, claim.as_ref()).await? {
            return Ok(Made::again(key));
        }
        let key = self.own_key(by.scope, id).await?;
        if id != by.key {
            check_within(by, &key.successor(), self.clock.now())?;
        } else if overlap < OWN_OVERLAP_MIN {
            return Err(IdentityError::OwnEnd);
        }
        match self.rotate_key(by.scope.merchant, id, overlap, actor, claim.as_ref()).await {
            Ok(rotated) => Ok(Made::now(rotated.key, rotated.text)),
            Err(error) => self.made_before(claim.as_ref(), error).await,
        }
    }

    /// Revokes a key of the caller's world, whatever it can do, but never the caller's own: a mistake would
    /// lock the merchant out. Answers whether the request was answered before.
    pub async fn own_key_revoke(
        &self,
        by: &Principal,
        id: Id<ApiKeyMark>,
        actor: &Actor,
        claim: Option<Claim>,
    ) -> Result<(ApiKey, bool), IdentityError> {
        if let Some(key) = earlier(&self.store, claim.as_ref()).await? {
            return Ok((key, true));
        }
        self.own_key(by.scope, id).await?;
        if id == by.key {
            return Err(IdentityError::OwnEnd);
        }
        match self.revoke_key(by.scope.merchant, id, actor, claim.as_ref()).await {
            Ok(key) => Ok((key, false)),
            Err(error) => self.made_before(claim.as_ref(), error).await.map(|made| (made.key, true)),
        }
    }

    /// A key of this world; one of the merchant's other world is not found.
    pub async fn own_key(&self, scope: Scope, id: Id<ApiKeyMark>) -> Result<ApiKey, IdentityError> {
        let key = self.key(scope.merchant, id).await?;
        if key.scope == scope { Ok(key) } else { Err(IdentityError::UnknownKey) }
    }

    /// A page of the keys of this world, newest first, below the id `below`. A page may be short, or empty,
    /// and still have a next one.
    pub async fn own_keys(
        &self,
        scope: Scope,
        below: Option<Uuid>,
        limit: usize,
    ) -> Result<KeyPage, IdentityError> {
        let store = self.store.of(home(scope.merchant));
        let (mut keys, mut below, mut examined): (Vec<ApiKey>, _, _) = (Vec::new(), below, 0);
        loop {
            // A first page, too, is below something, as it is read by the key's own index.
            let place = below.unwrap_or(Uuid::max());
            let query =
                Query::newest(&API_KEY, home(scope.merchant), READ_AT_ONCE).after(Some(vec![place.into()]));
            let page = store.find::<ApiKey>(query).await?;
            let is_whole = page.len() == READ_AT_ONCE as usize;
            examined += page.len();
            for found in page {
                let key = found.record;
                below = Some(key.id.uuid());
                if key.scope != scope {
                    continue;
                }
                if keys.len() == limit {
                    let next = keys.last().map(|key| key.id.uuid());
                    return Ok(KeyPage { keys, next });
                }
                keys.push(key);
            }
            if !is_whole {
                return Ok(KeyPage { keys, next: None });
            }
            if examined >= EXAMINED_MAX {
                return Ok(KeyPage { keys, next: below });
            }
        }
    }

    /// What the same request made while this one was on its way; else what stopped this one.
    async fn made_before(&self, claim: Option<&Claim>, error: IdentityError) -> Result<Made, IdentityError> {
        if !matches!(error, IdentityError::Claimed) {
            return Err(error);
        }
        earlier(&self.store, claim).await?.map(Made::again).ok_or(error)
    }
}

/// Refuses a key that could do what the caller's own cannot: more, from elsewhere, or for longer.
fn check_within(by: &Principal, wanted: &NewKey, now: Timestamp) -> Result<(), IdentityError> {
    let beyond = |field, reason| Err(IdentityError::BeyondOwn { field, reason });
    if !may_all(by, wanted) {
        return beyond(
            "scopes",
            "the key that asks has not all of these scopes, and a key makes none that has",
        );
    }
    let is_within = |network: &Network| {
        by.allowed_ips.as_ref().is_none_or(|own| own.iter().any(|range| range.covers(*network)))
    };
    let is_anywhere = by.allowed_ips.is_some() && wanted.allowed_ips.is_empty();
    if is_anywhere || !wanted.allowed_ips.iter().all(is_within) {
        return beyond(
            "allowed_ips",
            "the key that asks is bound to addresses, and these are not within them",
        );
    }
    let Some(end) = by.expires_at else { return Ok(()) };
    if wanted.expires_in.is_none_or(|life| now.plus(life) > end) {
        return beyond("expires_in", "the key that asks ends earlier, and a key makes none that outlives it");
    }
    Ok(())
}

fn may_all(by: &Principal, wanted: &NewKey) -> bool {
    if by.scopes.is_unrestricted() {
        return true;
    }
    match wanted.kind {
        // What a page does with one is done with these.
        KeyKind::Publishable => {
            let needed =
                [AccessScope::PaymentMethodsWrite, AccessScope::PaymentsRead, AccessScope::PaymentsWrite];
            needed.into_iter().all(|scope| by.scopes.allow(scope))
        }
        KeyKind::Secret => {
            !wanted.scopes.is_unrestricted() && wanted.scopes.iter().all(|scope| by.scopes.allow(scope))
        }
    }
}
