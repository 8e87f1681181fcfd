//! An API key, as it is stored: without its text.

use kernel::{Cell, Id, Kind, Record, Scope, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::API_KEY;

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
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it opens nothing.
    pub revoked_at: Option<Timestamp>,
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
        kind: KeyKind,
        text: &str,
        hash: Hash,
        now: Timestamp,
    ) -> Self {
        let last4 = text.get(text.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        Self { id, scope, kind, last4, hash: KeyHash(hash), created_at: now, revoked_at: None }
    }

    /// The key as it opens nothing any more. Unchanged if it was revoked before.
    #[must_use]
    pub(crate) fn revoked(mut self, now: Timestamp) -> Self {
        self.revoked_at.get_or_insert(now);
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
        let key = ApiKey::new(id, scope, KeyKind::Secret, "sk_live_abcdefgh", [9; 32], now);
        assert_eq!(key.last4, "efgh");
        let state = encode_state(&key).unwrap();
        assert_eq!(decode_state::<ApiKey>(&state).unwrap(), key);
        assert!(!String::from_utf8(state).unwrap().contains("abcdefgh"));
        let revoked = key.clone().revoked(Timestamp::from_micros(7));
        assert_eq!(revoked.clone().revoked(Timestamp::from_micros(8)), revoked, "once");
    }
}
