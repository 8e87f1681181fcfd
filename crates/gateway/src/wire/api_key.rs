//! The API key object.

use identity::{ApiKey, ApiKeyMark, KeyKind, KeyStatus, Made};
use kernel::{Id, Mode, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::At;
use crate::openapi::form;

/// An API key. Its text is shown once, by what made it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeyObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<ApiKeyMark>")]
    id: Id<ApiKeyMark>,
    /// Always `api_key`.
    object: &'static str,
    /// The world that it opens: that of the key which made it.
    #[schemars(with = "form::ModeWord")]
    mode: Mode,
    /// `secret` for servers, `publishable` for pages.
    #[schemars(with = "form::KeyKindWord")]
    kind: KeyKind,
    /// The key itself: only in the first answer of what made it. Keep it now; it is stored nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// The last four characters of the key.
    last4: &'a str,
    /// What it may do; absent: everything of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<&'static str>,
    /// From where alone it may be used; absent: from everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_ips: Vec<String>,
    /// Whether it opens its world.
    #[schemars(with = "form::KeyStatusWord")]
    status: KeyStatus,
    /// The key that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<ApiKeyMark>>")]
    replaces: Option<Id<ApiKeyMark>>,
    /// When it was made.
    created_at: At,
    /// From when on it opens nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<At>,
    /// Since when it opens nothing, by somebody's decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<At>,
}

impl<'a> ApiKeyObject<'a> {
    /// A key, without its text, as it stands at `now`.
    pub fn of(key: &'a ApiKey, now: Timestamp) -> Self {
        Self {
            id: key.id,
            object: "api_key",
            mode: key.scope.mode,
            kind: key.kind,
            key: None,
            last4: &key.last4,
            scopes: key.scopes.iter().map(identity::AccessScope::as_str).collect(),
            allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect(),
            status: key.status(now),
            replaces: key.replaces,
            created_at: At(key.created_at),
            expires_at: key.expires_at.map(At),
            revoked_at: key.revoked_at.map(At),
        }
    }

    /// A key that was just made, with its text.
    pub fn made(made: &'a Made, now: Timestamp) -> Self {
        let key = made.text.as_ref().map(|text| text.expose().as_str());
        Self { key, ..Self::of(&made.key, now) }
    }
}
