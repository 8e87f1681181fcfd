//! From the text of a key to who is calling.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{Comparison, Filter, Id, Network, Query, Scope, StoreError, Timestamp};
use thiserror::Error;
use vault::Purpose;

pub use crate::cache::CACHE_LIFE;
use crate::cache::{Known, Looked};
use crate::key::Hash;
use crate::{API_KEY, AccessScopes, ApiKey, ApiKeyMark, Identity, KeyKind, key_text};

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The world that the key opens.
    pub scope: Scope,
    /// The key.
    pub key: Id<ApiKeyMark>,
    /// What it may be used for.
    pub kind: KeyKind,
    /// What it may do.
    pub scopes: AccessScopes,
    /// From where alone it may be used; `None`: from everywhere. Whoever knows the caller's address
    /// asks [`Principal::admits`].
    pub allowed_ips: Option<Arc<[Network]>>,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// Whether the key may be used from `address`. An unknown address is nobody's.
    pub fn admits(&self, address: Option<IpAddr>) -> bool {
        match (&self.allowed_ips, address) {
            (None, _) => true,
            (Some(networks), Some(address)) => networks.iter().any(|network| network.contains(address)),
            (Some(_), None) => false,
        }
    }
}

/// Why nobody is calling. Tell a caller no more than that the key is not valid, or was revoked.
#[derive(Debug, Error)]
pub enum AuthenticationError {
    /// The text has not the form of a key.
    #[error("this is no API key; keys begin with `sk_test_` or `sk_live_`")]
    Form,
    /// No such key.
    #[error("no such API key")]
    Unknown,
    /// It was revoked.
    #[error("this API key was revoked")]
    Revoked,
    /// Its time has passed.
    #[error("this API key has expired")]
    Expired,
    /// A live key, and this installation has no secret for live worlds.
    #[error("live keys need a server secret; set ENCRYPTION_KEY")]
    NoLive,
    /// The key could not be looked up: answer 503, not 401.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key that was looked up opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    Unknown,
    Revoked,
}

impl Identity {
    /// Who holds this key. What it answers was true at most [`CACHE_LIFE`] ago; without a read, a MAC
    /// is all that it costs.
    pub async fn authenticate(&self, text: &str) -> Result<Principal, AuthenticationError> {
        let (_, mode) = key_text::recognise(text).ok_or(AuthenticationError::Form)?;
        let keys = self.vault.keys(mode).map_err(|_| AuthenticationError::NoLive)?;
        let hash = keys.mac(Purpose::ApiKey, &[text.as_bytes()]);
        let now = self.clock.monotonic();
        let known = match self.cache.look(&hash, now) {
            Looked::Fresh(known) => known,
            // While the store does not answer, what is known serves to the end of its life.
            Looked::Refresh(known) => self.look_up(hash).await.unwrap_or(known),
            Looked::Absent => self.look_up(hash).await?,
        };
        let principal = known.map_err(|denied| match denied {
            Denied::Unknown => AuthenticationError::Unknown,
            Denied::Revoked => AuthenticationError::Revoked,
        })?;
        // Judged here and not when it was read: an end is exact, however old the entry.
        match principal.expires_at {
            Some(end) if self.clock.now() >= end => Err(AuthenticationError::Expired),
            _ => Ok(principal),
        }
    }

    /// Whether this node knows the key to be valid without asking the store.
    pub fn remembers(&self, text: &str) -> bool {
        let Some((_, mode)) = key_text::recognise(text) else { return false };
        let Ok(keys) = self.vault.keys(mode) else { return false };
        let hash = keys.mac(Purpose::ApiKey, &[text.as_bytes()]);
        self.cache.remembers(&hash, self.clock.monotonic())
    }

    /// Reads a key by its hash: the one read without a scope, for it is what finds the scope.
    async fn look_up(&self, hash: Hash) -> Result<Known, StoreError> {
        let read_at = self.clock.monotonic();
        let query =
            Query::everywhere(&API_KEY, 1).with(Filter::compare("hash", Comparison::Equal, hash.to_vec()));
        let found = self.store.find_everywhere::<ApiKey>(query).await?;
        let known = match found.into_iter().next() {
            None => Err(Denied::Unknown),
            Some((_, key)) if key.record.revoked_at.is_some() => Err(Denied::Revoked),
            Some((_, key)) => {
                let ApiKey { id, scope, kind, scopes, allowed_ips, expires_at, .. } = key.record;
                let allowed_ips = Some(allowed_ips).filter(|networks| !networks.is_empty()).map(Arc::from);
                Ok(Principal { scope, key: id, kind, scopes, allowed_ips, expires_at })
            }
        };
        self.cache.keep(hash, known.clone(), read_at);
        Ok(known)
    }
}
