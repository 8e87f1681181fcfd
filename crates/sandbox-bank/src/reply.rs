//! What the bank answers: over HTTP, or as certainty about a silence.

use std::time::Duration;

use kernel::{Header, Method, Reply};

use crate::scenario::Strike;

/// A request as the bank sees it, however it came.
#[derive(Clone, PartialEq, Eq)]
pub struct BankRequest {
    /// The method.
    pub method: Method,
    /// The path below the bank's own root, with its query: `/v1/charges`.
    pub path: String,
    /// Lower-case names.
    pub headers: Vec<Header>,
    /// The body; may be empty.
    pub body: Vec<u8>,
}

impl BankRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What comes back, and when. Whoever serves the bank waits and then does as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankReply {
    /// An answer.
    Answer {
        /// Wait so long before sending it.
        after: Duration,
        /// The answer.
        reply: Reply,
    },
    /// None: hold the connection so long, then close it without a byte.
    Silence(Duration),
}

/// What was done, before faults have their say.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The fault that the card asks for.
    pub(crate) strike: Option<Strike>,
}

impl Answered {
    pub(crate) const fn plain(body: Vec<u8>) -> Self {
        Self { status: 200, body, strike: None }
    }
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The request is not taken on.
    Rejected { status: u16, code: &'static str, message: String },
    /// A fault that comes before anything is done.
    Struck(Strike),
    /// The bank's own disk failed, and nothing was written.
    OutOfOrder,
    /// The bank's own disk failed, and nobody knows whether it was written.
    Unclear,
}

impl Stop {
    pub(crate) fn rejected(status: u16, code: &'static str, message: &str) -> Self {
        Self::Rejected { status, code, message: message.to_owned() }
    }

    pub(crate) const fn bad_request(message: String) -> Self {
        Self::Rejected { status: 400, code: "invalid_request", message }
    }

    pub(crate) fn unprocessable(code: &'static str, message: &str) -> Self {
        Self::rejected(422, code, message)
    }

    pub(crate) fn conflict(code: &'static str, message: &str) -> Self {
        Self::rejected(409, code, message)
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::rejected(404, what, "there is nothing of that name in this account")
    }
}

/// An answer of ours.
pub(crate) fn json(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body }
}

/// An answer of something in front of us that knows no JSON.
pub(crate) fn html(status: u16, title: &str) -> Reply {
    let body = format!("<html><head><title>{status} {title}</title></head><body>{title}</body></html>");
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: body.into_bytes(),
    }
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = serde_json::json!({"error": {"code": code, "message": message}});
    json(status, body.to_string().into_bytes())
}
