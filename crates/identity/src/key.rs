//! An API key, as it is stored: without its text.

use std::time::Duration;

use kernel::{Cell, Id, Kind, Network, Record, Scope, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{API_KEY, AccessScopes, IdentityError};

/// How many ranges of addresses a key may be bound to.
const NETWORKS_LIMIT: usize = 20;
/// The longest life of a key that ends by itself: ten years.
const LIFE_LIMIT: Duration = Duration::from_hours(24 * 3653);

/// Marks ids of API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiKeyMark {}

impl Kind for ApiKeyMark {
    const PREFIX: &'static str = "key";
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Everything of its world; stays on the merchant's servers.
    Secret,
    /// What a browser may do; may be public.
    Publishable,
}

impl KeyKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Publishable => "publishable",
        }
    }
}

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What it may be used for.
    pub kind: KeyKind,
    /// What it may do; for secret keys alone.
    pub scopes: AccessScopes,
    /// After which it opens nothing; `None`: never.
    pub expires_in: Option<Duration>,
    /// From where alone it may be used; empty: from everywhere.
    pub allowed_ips: Vec<Network>,
}

impl From<KeyKind> for NewKey {
    fn from(kind: KeyKind) -> Self {
        Self { kind, scopes: AccessScopes::UNRESTRICTED, expires_in: None, allowed_ips: Vec::new() }
    }
}

impl NewKey {
    /// Refuses what no key can be.
    pub(crate) fn check(&self) -> Result<(), IdentityError> {
        if self.kind == KeyKind::Publishable && !self.scopes.is_unrestricted() {
            return Err(IdentityError::Invalid {
                field: "scopes",
                reason: "a publishable key has no scopes: it can tokenize, and confirm a payment \
                         whose client secret it comes with",
            });
        }
        if self.expires_in.is_some_and(|life| life.is_zero() || life > LIFE_LIMIT) {
            return Err(IdentityError::Invalid {
                field: "expires_in",
                reason: "a key lives longer than nothing and at most ten years (or for ever, without this)",
            });
        }
        if self.allowed_ips.len() > NETWORKS_LIMIT {
            return Err(IdentityError::Invalid {
                field: "allowed_ips",
                reason: "a key is bound to at most 20 addresses or ranges",
            });
        }
        Ok(())
    }
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: Id<ApiKeyMark>,
    /// The world that it opens.
    pub scope: Scope,
    /// What it may be used for.
    pub kind: KeyKind,
    /// The last four characters of its text, by which people tell keys apart.
    pub last4: String,
    /// MAC of its text.
    hash: KeyHash,
    /// What it may do.
    pub scopes: AccessScopes,
    /// From where alone it may be used; empty: from everywhere.
    pub allowed_ips: Vec<Network>,
    /// How long it was made to live; `None`: for ever.
    life: Option<Duration>,
    /// The key that this one follows.
    pub replaces: Option<Id<ApiKeyMark>>,
    /// Since when.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
    /// Since when it opens nothing, by somebody's decision.
    pub revoked_at: Option<Timestamp>,
}

/// Whether a key opens its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// It does.
    Active,
    /// Its time has passed.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl KeyStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// The MAC of a key's text.
pub(crate) type Hash = [u8; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct KeyHash(Hash);

impl ApiKey {
    /// A new key that opens `scope`.
    pub(crate) fn new(
        id: Id<ApiKeyMark>,
        scope: Scope,
        wanted: NewKey,
        text: &str,
        hash: Hash,
        now: Timestamp,
    ) -> Self {
        let last4 = text.get(text.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        Self {
            id,
            scope,
            kind: wanted.kind,
            last4,
            hash: KeyHash(hash),
            scopes: wanted.scopes,
            allowed_ips: wanted.allowed_ips,
            life: wanted.expires_in,
            replaces: None,
            created_at: now,
            expires_at: wanted.expires_in.map(|life| now.plus(life)),
            revoked_at: None,
        }
    }

    /// Whether it opens its world at `now`.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|end| now >= end) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }

    /// What a key must be to follow this one: the same, and a life as long as this one's was.
    pub(crate) fn successor(&self) -> NewKey {
        NewKey {
            kind: self.kind,
            scopes: self.scopes,
            // A key that was rotated before would hand its overlap on; its own life was not that.
            expires_in: self.life,
            allowed_ips: self.allowed_ips.clone(),
        }
    }

    /// The key as it opens nothing any more. Unchanged if it was revoked before.
    #[must_use]
    pub(crate) fn revoked(mut self, now: Timestamp) -> Self {
        self.revoked_at.get_or_insert(now);
        self
    }

    /// The key as it ends at `end`, or earlier if it did so anyway.
    #[must_use]
    pub(crate) fn ending(mut self, end: Timestamp) -> Self {
        self.expires_at = Some(self.expires_at.map_or(end, |before| before.min(end)));
        self
    }

    pub(crate) const fn hash(&self) -> &Hash {
        &self.hash.0
    }
}

impl Record for ApiKey {
    const TABLE: &'static Table = &API_KEY;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.hash.0.to_vec().into()]
    }
}

/// What an event of a key says.
pub(crate) fn event_body(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({
        "api_key_id": key.id,
        "merchant_id": key.scope.merchant,
        "mode": key.scope.mode,
        "kind": key.kind,
        "scopes": key.scopes,
        "expires_at": key.expires_at.map(|end| end.to_string()),
        "replaces": key.replaces,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use kernel::{Mode, decode_state, encode_state};

    #[test]
    fn stored_form_and_back_and_never_the_text() {
        let merchant = "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let id = "key_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let scope = Scope { merchant, mode: Mode::Live };
        let now = Timestamp::from_micros(5);
        let key = ApiKey::new(id, scope, KeyKind::Secret.into(), "sk_live_abcdefgh", [9; 32], now);
        assert_eq!(key.last4, "efgh");
        let state = encode_state(&key).unwrap();
        assert_eq!(decode_state::<ApiKey>(&state).unwrap(), key);
        assert!(!String::from_utf8(state).unwrap().contains("abcdefgh"));
        let revoked = key.clone().revoked(Timestamp::from_micros(7));
        assert_eq!(revoked.clone().revoked(Timestamp::from_micros(8)), revoked, "once");
    }

    #[test]
    fn a_key_ends_at_its_moment_and_its_successor_lives_as_long() {
        let merchant = "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let id = "key_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        let scope = Scope { merchant, mode: Mode::Live };
        let wanted = NewKey { expires_in: Some(Duration::from_secs(10)), ..KeyKind::Secret.into() };
        let key = ApiKey::new(id, scope, wanted.clone(), "sk_live_abcdefgh", [9; 32], Timestamp::default());
        let at = |seconds| Timestamp::default().plus(Duration::from_secs(seconds));
        assert_eq!(key.status(at(9)), KeyStatus::Active);
        assert_eq!(key.status(at(10)), KeyStatus::Expired);
        assert_eq!(key.clone().ending(at(20)).expires_at, Some(at(10)), "never later");
        let rotated = key.ending(at(3));
        assert_eq!(rotated.status(at(3)), KeyStatus::Expired);
        assert_eq!(rotated.successor(), wanted);
        assert_eq!(rotated.revoked(at(1)).status(at(9)), KeyStatus::Revoked);
    }

    #[test]
    fn what_no_key_can_be_is_refused() {
        let new = |kind: KeyKind| NewKey::from(kind);
        let scopes: AccessScopes = [crate::AccessScope::PaymentsRead].into_iter().collect();
        let field = |wanted: NewKey| match wanted.check() {
            Ok(()) => "",
            Err(IdentityError::Invalid { field, .. }) => field,
            Err(_) => "another",
        };
        assert_eq!(field(NewKey { scopes, ..new(KeyKind::Secret) }), "");
        assert_eq!(field(NewKey { scopes, ..new(KeyKind::Publishable) }), "scopes");
        for (life, refused) in [(0, "expires_in"), (1, ""), (11 * 366 * 86_400, "expires_in")] {
            let expires_in = Some(Duration::from_secs(life));
            assert_eq!(field(NewKey { expires_in, ..new(KeyKind::Secret) }), refused, "{life}");
        }
        let allowed_ips = vec!["10.0.0.0/8".parse().unwrap(); 21];
        assert_eq!(field(NewKey { allowed_ips, ..new(KeyKind::Secret) }), "allowed_ips");
    }
}
