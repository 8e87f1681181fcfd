//! What is counted of requests, where, and how a refusal reads.
//!
//! Of a request without a valid key its address is counted, so that guessing is slow and no key is
//! slowed by others. Of one with a key the key is counted, and of a publishable key, which all
//! browsers share, the key at each address. Attempts to charge are counted by order, customer and
//! payer. Test worlds are left alone unless the configuration says otherwise.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use identity::{KeyKind, Principal};
use kernel::{Mode, Scope};
use limits::{Counted, Rate, Subject, Verdict};
use node::Node;

use crate::problem::{Problem, catalogue as code};

/// The header triple of draft-ietf-httpapi-ratelimit-headers up to -06. Later drafts fold it into
/// structured fields that hardly any client reads; these three are what the libraries know.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// An attempt to charge, as far as it is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempt<'a> {
    /// The order, or the payment where there is none.
    pub(crate) order: Option<&'a str>,
    /// The customer: by the merchant's own name where there is one, else by our id.
    pub(crate) customer: Option<&'a str>,
    /// From where the payer came.
    pub(crate) payer: Option<IpAddr>,
    /// A repeat of the same request is the same attempt.
    pub(crate) idempotency_key: Option<&'a str>,
}

/// Writes what is left of a limit into an answer.
pub(crate) fn write(verdict: &Verdict, headers: &mut HeaderMap) {
    headers.insert(LIMIT, HeaderValue::from(verdict.limit));
    headers.insert(REMAINING, HeaderValue::from(verdict.remaining));
    headers.insert(RESET, HeaderValue::from(whole_seconds(verdict.reset_after)));
}

/// Refuses an address that has used up what comes without a valid key, unless the key that comes now
/// is known to be valid: asking the store about each guess would be what the guesser wants.
pub(crate) async fn check_address(
    node: &Node,
    address: Option<IpAddr>,
    key: Option<&str>,
) -> Result<(), Problem> {
    let (Some(rate), Some(address)) = (of_everybody(node, node.config.rate_limit.api), address) else {
        return Ok(());
    };
    let subject = Subject::of_address(Counted::Address, address);
    let verdict = node.limits.look(subject, rate, node.clock.monotonic()).await;
    if verdict.allowed || key.is_some_and(|key| node.identity.remembers(key)) {
        return Ok(());
    }
    Err(refusal("requests without a valid key from your address", rate, verdict))
}

/// Counts a request without a valid key.
pub(crate) async fn count_address(node: &Node, address: Option<IpAddr>) -> Result<(), Problem> {
    let rate = of_everybody(node, node.config.rate_limit.api);
    let subject = address.map(|address| Subject::of_address(Counted::Address, address));
    take(node, subject, rate, "requests without a valid key from your address").await.map(|_| ())
}

/// Counts a provider's notice for an account of `scope`, or for no account at all.
pub(crate) async fn count_notice(
    node: &Node,
    address: Option<IpAddr>,
    scope: Option<Scope>,
) -> Result<(), Problem> {
    let rate = match scope {
        Some(scope) => of_world(node, scope, node.config.rate_limit.webhooks),
        None => of_everybody(node, node.config.rate_limit.webhooks),
    };
    let subject = address.map(|address| Subject::of_address(Counted::Notices, address));
    take(node, subject, rate, "notices from your address").await.map(|_| ())
}

/// Counts a request with the monitoring key.
pub(crate) async fn count_monitoring(node: &Node, subject: Subject<'_>) -> Result<Option<Verdict>, Problem> {
    let rate = of_everybody(node, node.config.rate_limit.monitoring);
    take(node, Some(subject), rate, "requests with the monitoring key").await
}

/// Counts a request with a key.
pub(crate) async fn count_key(
    node: &Node,
    principal: &Principal,
    address: Option<IpAddr>,
) -> Result<Option<Verdict>, Problem> {
    let rate = of_world(node, principal.scope, node.config.rate_limit.api);
    if rate.is_none() {
        return Ok(None);
    }
    let mut name = principal.key.uuid().as_bytes().to_vec();
    if let (KeyKind::Publishable, Some(address)) = (principal.kind, address) {
        name.extend(address.to_string().into_bytes());
    }
    let subject = Subject::of_world(Counted::Key, principal.scope, &name);
    take(node, Some(subject), rate, "requests with this key").await
}

/// Whether attempts are counted in a world at all.
pub(crate) fn counts_attempts(node: &Node, scope: Scope) -> bool {
    let rates = &node.config.rate_limit;
    [rates.order, rates.customer, rates.payer].into_iter().any(|rate| of_world(node, scope, rate).is_some())
}

/// Counts an attempt to charge. A repeat of a request that was let through is let through: it gets the
/// first one's answer, and takes no second attempt.
pub(crate) async fn count_attempt(node: &Node, scope: Scope, attempt: Attempt<'_>) -> Result<(), Problem> {
    if !counts_attempts(node, scope) {
        return Ok(());
    }
    let now = node.clock.monotonic();
    let repeat = attempt.idempotency_key.zip(Rate::new(1, Duration::from_hours(1)));
    let repeat = repeat.map(|(key, once)| (Subject::of_world(Counted::Repeats, scope, key.as_bytes()), once));
    if let Some((subject, once)) = repeat
        && !node.limits.look(subject, once, now).await.allowed
    {
        return Ok(());
    }
    let rates = &node.config.rate_limit;
    let order = attempt.order.map(|name| Subject::of_world(Counted::OrderAttempts, scope, name.as_bytes()));
    let customer = attempt.customer;
    let customer = customer.map(|name| Subject::of_world(Counted::CustomerAttempts, scope, name.as_bytes()));
    let payer = attempt.payer.map(|address| Subject::of_payer(scope, address));
    for (subject, rate, what) in [
        (order, rates.order, "attempts to charge this order"),
        (customer, rates.customer, "attempts to charge this customer"),
        (payer, rates.payer, "attempts to pay from this address"),
    ] {
        take(node, subject, of_world(node, scope, rate), what).await?;
    }
    if let Some((subject, once)) = repeat {
        node.limits.take(subject, once, now).await;
    }
    Ok(())
}

/// Where no world is known yet.
fn of_everybody(node: &Node, rate: Option<Rate>) -> Option<Rate> {
    rate.filter(|_| node.config.rate_limit.enabled)
}

fn of_world(node: &Node, scope: Scope, rate: Option<Rate>) -> Option<Rate> {
    let is_counted = scope.mode == Mode::Live || node.config.rate_limit.test_mode;
    of_everybody(node, rate).filter(|_| is_counted)
}

async fn take(
    node: &Node,
    subject: Option<Subject<'_>>,
    rate: Option<Rate>,
    what: &str,
) -> Result<Option<Verdict>, Problem> {
    let (Some(subject), Some(rate)) = (subject, rate) else { return Ok(None) };
    let verdict = node.limits.take(subject, rate, node.clock.monotonic()).await;
    if verdict.allowed { Ok(Some(verdict)) } else { Err(refusal(what, rate, verdict)) }
}

fn refusal(what: &str, rate: Rate, verdict: Verdict) -> Problem {
    let seconds = whole_seconds(verdict.retry_after).max(1);
    let detail = format!("Too many {what}: {rate} are allowed. Wait {seconds} s.");
    Problem::new(&code::RATE_LIMITED, detail).retry_after(seconds).quota(verdict)
}

/// Rounded up, so that whoever waits so long has waited long enough.
fn whole_seconds(length: Duration) -> u32 {
    let rounded = length.as_secs() + u64::from(length.subsec_nanos() > 0);
    u32::try_from(rounded).unwrap_or(u32::MAX)
}
