//! What is written down of an exchange: enough to explain it, nothing that opens anything.

use std::time::Duration;

use kernel::{Exchanged, Header, Method, Reply, Request, Timestamp};

/// Takes recordings. Called once per exchange, when it is over, from the exchange's own task: it must
/// not wait.
pub trait Recorder: Send + Sync + 'static {
    /// Takes one.
    fn record(&self, recording: Recording);
}

/// A redacted exchange. Authentication was never in it; headers that carry a secret by their name, the
/// values of a query, and both bodies of an exchange with card data are taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The step of the call.
    pub step: &'static str,
    /// Its idempotency key: the operation's reference and the step.
    pub key: String,
    /// The method.
    pub method: Method,
    /// The URL, without the values of its query.
    pub url: String,
    /// The request's headers.
    pub headers: Vec<Header>,
    /// The request's body; `None` if it carried a card.
    pub body: Option<Vec<u8>>,
    /// What came of it; of a reply to a card the body is empty.
    pub exchanged: Exchanged,
}

const REDACTED: &str = "[redacted]";

impl Recording {
    pub(crate) fn new(request: &Request, exchanged: &Exchanged, at: Timestamp, took: Duration) -> Self {
        let exchanged = match exchanged {
            Exchanged::Replied(reply) => Exchanged::Replied(Reply {
                status: reply.status,
                headers: redact(&reply.headers),
                body: if request.carries_card { Vec::new() } else { reply.body.clone() },
            }),
            other => other.clone(),
        };
        Self {
            at,
            took,
            step: request.step,
            key: request.key.clone(),
            method: request.method,
            url: without_query_values(&request.url),
            headers: redact(&request.headers),
            body: (!request.carries_card).then(|| request.body.clone()),
            exchanged,
        }
    }
}

fn redact(headers: &[Header]) -> Vec<Header> {
    let shown = |(name, value): &Header| {
        let value = if is_secret(name) { REDACTED.to_owned() } else { value.clone() };
        (name.clone(), value)
    };
    headers.iter().map(shown).collect()
}

/// By its name alone, so rather one too many; an idempotency key is none, and explains a repeat.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["auth", "cookie", "credential", "key", "passw", "secret", "session", "signature", "token"];
    name != "idempotency-key" && words.iter().any(|word| name.contains(word))
}

fn without_query_values(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}={REDACTED}"),
        None => REDACTED.to_owned(),
    });
    format!("{path}?{}", names.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_names() {
        for (url, shown) in [
            ("https://a/b", "https://a/b"),
            ("https://a/b?x=1&secret=2#f", "https://a/b?x=[redacted]&secret=[redacted]"),
            ("https://a/b?4242424242424242", "https://a/b?[redacted]"),
            ("https://a/b#x?y=1", "https://a/b"),
        ] {
            assert_eq!(without_query_values(url), shown);
        }
    }

    #[test]
    fn names_of_secrets_are_known() {
        for name in
            ["X-Api-Key", "cookie", "set-cookie", "x-auth-token", "Stripe-Signature", "x-client-secret"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["content-type", "idempotency-key", "x-request-id", "date"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
