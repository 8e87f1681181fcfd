//! The events of this crate.

use kernel::{Actor, Event, EventKind, Random, Scope, Timestamp};
use uuid::Uuid;

/// A merchant exists.
pub const MERCHANT_CREATED: EventKind = EventKind::Borrowed("merchant.created");
/// A key opens a world.
pub const API_KEY_CREATED: EventKind = EventKind::Borrowed("api_key.created");
/// A key opens nothing any more.
pub const API_KEY_REVOKED: EventKind = EventKind::Borrowed("api_key.revoked");
/// A key ends soon, for another one follows it.
pub const API_KEY_ROTATED: EventKind = EventKind::Borrowed("api_key.rotated");

/// All of them: this crate's part of the catalogue.
pub const EVENT_KINDS: [EventKind; 4] = [MERCHANT_CREATED, API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED];

/// What every event of one commit shares.
pub(crate) struct Source<'a> {
    pub(crate) scope: Scope,
    pub(crate) now: Timestamp,
    pub(crate) actor: &'a Actor,
    pub(crate) random: &'a dyn Random,
}

impl Source<'_> {
    /// An event about a record whose every version has exactly one: its number is the version.
    pub(crate) fn event(
        &self,
        subject: Uuid,
        version: i64,
        kind: EventKind,
        body: serde_json::Value,
    ) -> Event {
        let mut salt = [0; 32];
        self.random.fill(&mut salt);
        Event {
            scope: self.scope,
            subject,
            sequence: version,
            kind,
            occurred_at: self.now,
            actor: self.actor.clone(),
            body,
            salt,
            trace_id: None,
        }
    }
}
