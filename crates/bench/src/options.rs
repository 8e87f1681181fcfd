//! What a run is to do. Plain values and `FromStr`: a command line of any kind can fill them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::BenchError;

/// Payments that each client makes before it begins when its mix makes none.
const PREFILL_WITHOUT_CREATE: usize = 64;
/// More clients than this is a mistake in the number, or a machine that runs out of ports.
const CONCURRENCY_MAX: usize = 20_000;

/// Everything that [`crate::run()`] needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the servers are; the clients are dealt to them in turn.
    pub targets: Vec<Target>,
    /// The merchant's secret key.
    pub api_key: ApiKey,
    /// How many clients run at once, each with one connection and one request in flight.
    pub concurrency: usize,
    /// How many threads the clients are dealt to.
    pub threads: usize,
    /// How long the clients run before anything is measured.
    pub warm_up: Duration,
    /// How long is measured.
    pub duration: Duration,
    /// How the requests are mixed.
    pub mix: Mix,
    /// What the created payments are paid with.
    pub method: Method,
    /// The amount of each payment in minor units (cents; paise for UPI).
    pub amount_minor: u64,
    /// How many payments each client makes before the warm-up, so that there is something to get and to
    /// refund. A mix that creates nothing makes at least 64.
    pub prefill: usize,
    /// How long one send waits for its answer before the connection is given up and the request sent
    /// again.
    pub request_timeout: Duration,
    /// How long requests that are in flight at the end may still be answered or sent again.
    pub drain: Duration,
    /// A file to which every answer is appended as one line of JSON, warm-up and prefill included.
    pub journal: Option<PathBuf>,
    /// Whether the first answer that is not what was asked for ends the run.
    pub stop_on_error: bool,
    /// Lets somebody else end the run early; keep a clone.
    pub stop: Stop,
}

impl Options {
    /// The defaults: 64 clients on one thread, 10 s after a warm-up of 2 s, card payments of 10.00,
    /// creates alone.
    pub fn new(targets: Vec<Target>, api_key: ApiKey) -> Self {
        Self {
            targets,
            api_key,
            concurrency: 64,
            threads: 1,
            warm_up: Duration::from_secs(2),
            duration: Duration::from_secs(10),
            mix: Mix::default(),
            method: Method::Card,
            amount_minor: 1_000,
            prefill: 0,
            request_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(30),
            journal: None,
            stop_on_error: false,
            stop: Stop::default(),
        }
    }

    /// How many payments each client makes before the warm-up.
    pub(crate) fn prefill_per_client(&self) -> usize {
        if self.mix.weight(Operation::Create) == 0 {
            self.prefill.max(PREFILL_WITHOUT_CREATE)
        } else {
            self.prefill
        }
    }

    /// Refuses what cannot be meant; the relations between options included.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        let refuse = |text: &str| Err(BenchError::Option(text.to_owned()));
        if self.targets.is_empty() {
            return refuse("no target: name at least one server, such as http://127.0.0.1:8000");
        }
        if !self.api_key.0.bytes().all(|byte| byte.is_ascii_graphic()) || self.api_key.0.is_empty() {
            return refuse("the API key must be visible ASCII characters without blanks");
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return refuse("the concurrency must be between 1 and 20000 clients");
        }
        if !(1..=self.concurrency).contains(&self.threads) {
            return refuse("the threads must be at least 1 and at most as many as the clients");
        }
        if self.duration.is_zero() {
            return refuse("the duration must be longer than zero");
        }
        if self.request_timeout.is_zero() {
            return refuse("the time-out of a request must be longer than zero");
        }
        if self.amount_minor == 0 || i64::try_from(self.amount_minor).is_err() {
            return refuse("the amount must be at least 1 minor unit and less than 2^63");
        }
        let for_cards = [Operation::Refund, Operation::Authorize, Operation::Capture, Operation::Void];
        if self.method == Method::Upi && for_cards.iter().any(|operation| self.mix.weight(*operation) > 0) {
            return refuse(
                "a UPI payment is paid later, by the payer: only create and get can be mixed with it",
            );
        }
        Ok(())
    }
}

/// A merchant's secret key. It does not print.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Wraps the key, `sk_test_…`.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for the request's header.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for ApiKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

/// Ends a run early, from another thread (Ctrl-C). What is in flight is still awaited, nothing is sent
/// again. A run asks it by itself when it cannot go on. It cannot be taken back: another run needs another
/// one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// `POST /api/v1/payments`, confirmed at once.
    Create,
    /// `GET /api/v1/payments/{id}` of a payment that the same client made.
    Get,
    /// `POST /api/v1/payments/{id}/refund` of a tenth of such a payment.
    Refund,
    /// `POST /api/v1/payments` that only holds the amount.
    Authorize,
    /// `POST /api/v1/payments/{id}/capture` of all that such a payment holds; it can be refunded then.
    Capture,
    /// `POST /api/v1/payments/{id}/cancel` of a payment that holds its amount.
    Void,
}

impl Operation {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Get, Self::Refund, Self::Authorize, Self::Capture, Self::Void];

    /// The name, as in a [`Mix`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::Refund => "refund",
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How often each operation comes, as weights: `create=8,get=1,refund=1`; a name alone weighs one.
///
/// What needs a payment that is not there (a capture or a void when nothing is held) makes one in its
/// place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix([(Operation, u32); Operation::ALL.len()]);

impl Default for Mix {
    fn default() -> Self {
        Self(Operation::ALL.map(|operation| (operation, u32::from(operation == Operation::Create))))
    }
}

impl Mix {
    /// The weight of one operation.
    pub fn weight(self, operation: Operation) -> u32 {
        self.0.iter().find(|(known, _)| *known == operation).map_or(0, |(_, weight)| *weight)
    }
}

impl FromStr for Mix {
    type Err = BenchError;

    fn from_str(text: &str) -> Result<Self, BenchError> {
        let refuse = |what: String| {
            BenchError::Option(format!("the mix {text:?} {what}; it looks like create=8,get=1,refund=1"))
        };
        let mut weights = Operation::ALL.map(|operation| (operation, None));
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let weight: u32 = weight
                .trim()
                .parse()
                .map_err(|_| refuse(format!("gives {weight:?} as a weight, which is no whole number")))?;
            let name = name.trim();
            let Some((_, place)) = weights.iter_mut().find(|(operation, _)| operation.name() == name) else {
                let known = Operation::ALL.map(Operation::name).join(", ");
                return Err(refuse(format!("names {name:?}, and there are {known}")));
            };
            if place.replace(weight).is_some() {
                return Err(refuse(format!("names {name} twice")));
            }
        }
        let mix = Self(weights.map(|(operation, weight)| (operation, weight.unwrap_or(0))));
        if mix.0.iter().all(|(_, weight)| *weight == 0) {
            return Err(refuse("has no weight above zero".to_owned()));
        }
        Ok(mix)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for operation in Operation::ALL {
            let weight = self.weight(operation);
            if weight > 0 {
                write!(f, "{separator}{operation}={weight}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

/// What the created payments are paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A card that always succeeds, in USD: the answer must say `paid`.
    Card,
    /// A UPI collect request in INR: the answer must have an id; the payer approves later.
    Upi,
}

impl FromStr for Method {
    type Err = BenchError;

    fn from_str(text: &str) -> Result<Self, BenchError> {
        match text {
            "card" => Ok(Self::Card),
            "upi" => Ok(Self::Upi),
            other => Err(BenchError::Option(format!("the method {other:?} is neither card nor upi"))),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Card => "card",
            Self::Upi => "upi",
        })
    }
}

/// A server's base URL, `http://host:port` with an optional path in front of `/api/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host and port for the `Host` header, as they were given.
    authority: String,
    host: String,
    port: u16,
    /// Empty, or a path that begins with a slash and does not end with one.
    prefix: String,
}

impl Target {
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Host and port as the resolver wants them.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl FromStr for Target {
    type Err = BenchError;

    fn from_str(text: &str) -> Result<Self, BenchError> {
        let refuse = |what: &str| {
            BenchError::Option(format!("the target {text:?} {what}; it looks like http://127.0.0.1:8000"))
        };
        if text.starts_with("https://") {
            return Err(refuse("asks for TLS, which the load generator does not speak"));
        }
        let rest = text.strip_prefix("http://").ok_or_else(|| refuse("does not begin with http://"))?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains(['?', '#', '@']) {
            return Err(refuse("has more in it than host, port and path"));
        }
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        // An IPv6 address stands in brackets, and its colons are not the port's.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| refuse("has a port that is no number up to 65535"))?)
            }
            _ => (authority, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(refuse("has no host"));
        }
        let path = path.trim_end_matches('/');
        Ok(Self {
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            prefix: if path.is_empty() { String::new() } else { format!("/{path}") },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_mix_is_read_and_shown() {
        for (text, shown) in [
            ("create=1", "create=1"),
            ("create=8,get=1,refund=1", "create=8,get=1,refund=1"),
            (" refund = 2 , create = 3 ", "create=3,refund=2"),
            ("get", "get=1"),
            ("create,get=0", "create=1"),
            ("void,capture=2,authorize=3", "authorize=3,capture=2,void=1"),
        ] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn a_mix_that_cannot_be_meant_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "names \"\""),
            ("pay=1", "names \"pay\""),
            ("create=x", "\"x\" as a weight"),
            ("create=-1", "\"-1\" as a weight"),
            ("create=1,create=2", "names create twice"),
            ("create=0", "no weight above zero"),
        ] {
            let said = text.parse::<Mix>().unwrap_err().to_string();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }

    #[test]
    fn a_target_is_taken_apart() {
        for (text, host, port, prefix) in [
            ("http://127.0.0.1:8000", "127.0.0.1", 8000, ""),
            ("http://127.0.0.1:8000/", "127.0.0.1", 8000, ""),
            ("http://pay.example.com", "pay.example.com", 80, ""),
            ("http://[::1]:8000/florin/", "::1", 8000, "/florin"),
            ("http://[::1]", "::1", 80, ""),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(
                (target.address(), target.prefix(), target.to_string().as_str()),
                ((host, port), prefix, text.trim_end_matches('/')),
            );
        }
        for text in
            ["https://127.0.0.1", "127.0.0.1:8000", "http://", "http://a:b", "http://u@h", "http://h/a b"]
        {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_held_against_each_other() {
        let good = || Options::new(vec!["http://127.0.0.1:8000".parse().unwrap()], ApiKey::new("sk_test_1"));
        good().check().unwrap();
        let bad: [fn(&mut Options); 10] = [
            |options| options.targets.clear(),
            |options| options.api_key = ApiKey::new("sk test"),
            |options| options.api_key = ApiKey::new(""),
            |options| options.concurrency = 0,
            |options| options.threads = 65,
            |options| options.duration = Duration::ZERO,
            |options| options.request_timeout = Duration::ZERO,
            |options| options.amount_minor = 0,
            |options| {
                options.method = Method::Upi;
                options.mix = "create=1,refund=1".parse().unwrap();
            },
            |options| {
                options.method = Method::Upi;
                options.mix = "authorize=1".parse().unwrap();
            },
        ];
        for (number, change) in bad.into_iter().enumerate() {
            let mut options = good();
            change(&mut options);
            assert!(options.check().is_err(), "case {number}");
        }
    }

    #[test]
    fn the_key_does_not_print() {
        let options = Options::new(vec![], ApiKey::new("sk_test_visible"));
        assert!(!format!("{options:?}").contains("visible"));
    }
}
