//! Calls out: a request as data, who sends it, and what is certain afterwards.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::port::{BoxFuture, Monotonic};
use crate::{Secret, Timestamp};

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A header: lower-case name, value.
pub type Header = (String, String);

/// What sending a request does at the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// The same key repeats it safely.
    Repeatable,
    /// A second send may do it twice.
    Once,
}

/// How the transport proves who is calling; attached at sending, never part of a recording. The
/// texts name entries of [`Credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Nothing.
    None,
    /// `Authorization: Bearer <secret>`.
    Bearer(&'static str),
    /// `Authorization: Basic <user:password>`.
    Basic(&'static str, &'static str),
    /// `Authorization: Bearer <token>`, with a token that the transport gets from `token_url` by client
    /// credentials (RFC 6749, section 4.4) and keeps for as long as it is good. Where no token is
    /// given out, that answer is the answer to the request.
    OAuth {
        /// Names the client's id.
        client_id: &'static str,
        /// Names the client's secret.
        client_secret: &'static str,
        /// Where tokens are given out: an absolute URL.
        token_url: String,
    },
    /// An HTTP Message Signature (RFC 9421, `hmac-sha256`) over method, path, body and the request's key,
    /// under this secret. The key is sent as `Idempotency-Key`, too.
    Signed(&'static str),
}

/// The opened secrets of one provider account, in memory only.
#[derive(Clone, Debug, Default)]
pub struct Credentials(Vec<(String, Secret<String>)>);

impl Credentials {
    /// From names and values.
    pub const fn new(entries: Vec<(String, Secret<String>)>) -> Self {
        Self(entries)
    }

    /// The secret of this name.
    pub fn get(&self, name: &str) -> Option<&Secret<String>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, secret)| secret)
    }
}

/// One request to a provider, without its authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The step of the call that it is.
    pub step: &'static str,
    /// Its idempotency key at the provider: the operation's reference and the step.
    pub key: String,
    /// What sending it does.
    pub effect: Effect,
    /// The method.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Headers beside those that the transport adds.
    pub headers: Vec<Header>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// How it is authenticated.
    pub auth: Auth,
    /// Carries a card number or a CVC: never recorded, never MACed, never repeated.
    pub carries_card: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies and headers can hold personal data: neither is ever printed.
        f.debug_struct("Request")
            .field("step", &self.step)
            .field("key", &self.key)
            .field("method", &self.method.as_str())
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A provider's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<Header>,
    /// The raw body, at most a few megabytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What is worth keeping of a reply: stored with the operation, and all that the next step sees,
/// live as after a crash. No secret, no card number.
///
/// It is one JSON text, made once: what reads the operation, and what writes it, carries it as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Distilled {
    /// The step that was answered.
    pub step: String,
    facts: Box<RawValue>,
}

impl Distilled {
    /// Of what a provider's mapping kept. What cannot be written as JSON is kept as `null`, which
    /// [`Distilled::read`] refuses like any other form that is not the mapping's.
    pub fn of<T: Serialize>(step: &str, kept: &T) -> Self {
        let facts = serde_json::value::to_raw_value(kept).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { step: step.to_owned(), facts }
    }

    /// What was kept. An error where it has another form than `T`: an older build may have kept it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.facts.get())
    }

    /// The JSON of what was kept.
    pub const fn facts(&self) -> &RawValue {
        &self.facts
    }
}

/// Of what is written: two texts of one meaning differ.
impl PartialEq for Distilled {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step && self.facts.get() == other.facts.get()
    }
}

impl Eq for Distilled {}

/// Until when a request may be sent, and how long its answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Nothing is sent from this moment of the monotonic clock on.
    pub monotonic: Monotonic,
    /// Nor from this moment of the wall clock on.
    pub wall: Timestamp,
    /// From the first byte sent to the whole answer read.
    pub reply_within: Duration,
}

/// What is certain after a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanged {
    /// The other side answered.
    Replied(Reply),
    /// Not one byte of the request left: past the deadline, no connection, an open breaker. The
    /// reason is for the log.
    NotSent(String),
    /// Some of it may have left, and no whole answer came.
    MaybeSent(String),
}

/// Sends requests. Never follows a redirect, never retries, but for one thing: a request that was answered
/// 401 under a token of [`Auth::OAuth`] which was had before is sent once more under a new one. Checks the
/// deadline after connecting and just before the first byte. Many calls may run at the same time.
pub trait Exchange: Send + Sync + 'static {
    /// Sends one request.
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged>;
}
