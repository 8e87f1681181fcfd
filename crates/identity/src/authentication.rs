//! From the text of a key to who is calling.

use kernel::{Comparison, Filter, Id, Query, Scope, StoreError};
use thiserror::Error;
use vault::Purpose;

pub use crate::cache::CACHE_LIFE;
use crate::cache::{Known, Looked};
use crate::key::Hash;
use crate::{API_KEY, ApiKey, ApiKeyMark, Identity, KeyKind, key_text};

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The world that the key opens.
    pub scope: Scope,
    /// The key.
    pub key: Id<ApiKeyMark>,
    /// What it may be used for.
    pub kind: KeyKind,
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
        known.map_err(|denied| match denied {
            Denied::Unknown => AuthenticationError::Unknown,
            Denied::Revoked => AuthenticationError::Revoked,
        })
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
                let ApiKey { id, scope, kind, .. } = key.record;
                Ok(Principal { scope, key: id, kind })
            }
        };
        self.cache.keep(hash, known, read_at);
        Ok(known)
    }
}
