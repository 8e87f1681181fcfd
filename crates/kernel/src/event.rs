//! Events: one fact each, numbered per subject, emitted in the commit that made it true.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Scope, Timestamp};

/// Who caused a transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// An API key, by its id.
    Key(String),
    /// An operator at the command line.
    Operator(String),
    /// A provider, by a notice or a look-up, by its account's id.
    Provider(String),
    /// Florin itself: the resolver, an expiry.
    Node,
}

/// The kind of an event: a word of a closed catalogue, `payment.captured`.
pub type EventKind = Cow<'static, str>;

/// One fact about a subject.
///
/// The body is the facts of the transition: ids, amounts, states, codes; no personal data, at most
/// 2 kB. The salt makes the proof log's commitment to the event hide it, so that erasure stays
/// possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Whose world. Stored in the row's key.
    #[serde(skip, default = "nobody")]
    pub scope: Scope,
    /// The record whose version guards the sequence. Stored in the row's key.
    #[serde(skip)]
    pub subject: Uuid,
    /// Number among the subject's events, from 1, without gaps.
    pub sequence: i64,
    /// What happened.
    pub kind: EventKind,
    /// When, by the clock that people see.
    pub occurred_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// The facts.
    pub body: serde_json::Value,
    /// 32 random bytes.
    #[serde(with = "salt")]
    pub salt: [u8; 32],
    /// The trace that caused it; no part of the proof leaf.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<String>,
}

/// The events of one commit about one subject, as one row of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRow {
    /// Place in the order of the whole store, once the sequencer gave it one: the first event has
    /// this position, the next one the next.
    pub position: Option<i64>,
    /// In order.
    pub events: Vec<Event>,
}

impl JournalRow {
    /// Reads a row of [`crate::JOURNAL`]. `None` if it is damaged.
    pub fn read(row: &crate::Row) -> Option<Self> {
        let subject = row.key.first()?.as_uuid()?;
        let mut events: Vec<Event> = serde_json::from_slice(&row.state).ok()?;
        for event in &mut events {
            event.scope = row.scope;
            event.subject = subject;
        }
        Some(Self { position: row.columns.get(1)?.as_int(), events })
    }
}

const fn nobody() -> Scope {
    Scope { merchant: crate::Id::from_uuid(Uuid::nil()), mode: crate::Mode::Test }
}

mod salt {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(salt: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in salt {
            for nibble in [byte >> 4, byte & 15] {
                text.push(DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from));
            }
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut salt = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(de::Error::custom("a salt is 64 hexadecimal digits"));
        }
        for (place, digits) in salt.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(de::Error::custom)?;
            *place = u8::from_str_radix(digits, 16).map_err(de::Error::custom)?;
        }
        Ok(salt)
    }
}
