//! What comes of requests to providers: counted, timed, and folded into each provider's health; and how
//! many are under way. It calls nobody by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Id, Monotonic, Request};
use metrics::{Counter, Histogram};
use parking_lot::Mutex;
use provider_kit::{Account, ProviderAccount};
use tracing::Instrument as _;

use crate::service::TRACE;

/// How many outcomes of an account are remembered.
const REMEMBERED: u32 = 20;
/// Fewer say nothing.
const ENOUGH: u32 = 3;
/// Older outcomes say nothing.
const LIFE: Duration = Duration::from_mins(5);

/// The newest outcomes of one account, the newest in the lowest bit: 1 is a failure.
#[derive(Clone, Copy, Debug)]
struct Recent {
    failures: u32,
    count: u32,
    newest: Monotonic,
}

impl Recent {
    fn add(&mut self, failed: bool, now: Monotonic) {
        if now.0.saturating_sub(self.newest.0) > LIFE {
            *self = Self { failures: 0, count: 0, newest: now };
        }
        self.failures = ((self.failures << 1) | u32::from(failed)) & ((1 << REMEMBERED) - 1);
        self.count = (self.count + 1).min(REMEMBERED);
        self.newest = now;
    }

    /// Most of what is remembered failed, the newest included.
    fn is_bad(&self, now: Monotonic) -> bool {
        let failed = self.failures.count_ones();
        now.0.saturating_sub(self.newest.0) <= LIFE
            && self.count >= ENOUGH
            && self.failures & 1 == 1
            && failed * 2 > self.count
    }
}

/// The health of providers as this node sees it.
pub(crate) struct Watch {
    clock: Arc<dyn Clock>,
    accounts: Mutex<BTreeMap<(String, Id<Account>), Recent>>,
    /// Calls under way by account: an account that is opened anew finds its number here.
    calls: Mutex<BTreeMap<Id<Account>, Arc<AtomicUsize>>>,
    under_way: AtomicUsize,
}

impl Watch {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, accounts: Mutex::default(), calls: Mutex::default(), under_way: AtomicUsize::new(0) }
    }

    /// How many calls of this account are under way, now and later.
    pub(crate) fn calls_of(&self, account: Id<Account>) -> Arc<AtomicUsize> {
        Arc::clone(self.calls.lock().entry(account).or_default())
    }

    /// How many calls are under way, of all accounts.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Whether an account of this provider gets no answers.
    pub(crate) fn is_unhealthy(&self, provider: &str) -> bool {
        let now = self.clock.monotonic();
        self.accounts.lock().iter().any(|((name, _), recent)| name == provider && recent.is_bad(now))
    }

    fn note(&self, account: &ProviderAccount, failed: bool, now: Monotonic) {
        let mut accounts = self.accounts.lock();
        let key = (account.provider.clone(), account.id);
        let recent = accounts.entry(key).or_insert(Recent { failures: 0, count: 0, newest: now });
        recent.add(failed, now);
    }
}

/// An exchange whose outcomes are watched.
pub(crate) struct Watched {
    pub(crate) inner: Arc<dyn Exchange>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) account: ProviderAccount,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) figures: Figures,
}

/// What is recorded of each request to one provider.
pub(crate) struct Figures {
    answered: Counter,
    failed: Counter,
    not_sent: Counter,
    maybe_sent: Counter,
    duration: Histogram,
}

impl Figures {
    pub(crate) fn of(provider: &str) -> Self {
        let requests = |result: &'static str| {
            let (name, provider) = ("provider_requests_total", provider.to_owned());
            metrics::counter!(name, "provider" => provider, "result" => result)
        };
        Self {
            answered: requests("answered"),
            failed: requests("failed"),
            not_sent: requests("not_sent"),
            maybe_sent: requests("maybe_sent"),
            duration: metrics::histogram!(
                "provider_request_duration_seconds",
                "provider" => provider.to_owned()
            ),
        }
    }
}

/// One call that is under way.
struct UnderWay<'a>([&'a AtomicUsize; 2]);

impl<'a> UnderWay<'a> {
    fn count(counts: [&'a AtomicUsize; 2]) -> Self {
        for count in counts {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Self(counts)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        for count in self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Exchange for Watched {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(async move {
            let began = self.watch.clock.monotonic();
            let span = tracing::trace_span!(
                target: TRACE,
                "gateway_request",
                provider = self.account.provider,
                step = request.step,
                result = tracing::field::Empty,
            );
            let _under_way = UnderWay::count([&self.calls, &self.watch.under_way]);
            let exchanging = self.inner.exchange(request, credentials, deadline);
            let exchanged = exchanging.instrument(span.clone()).await;
            let ended = self.watch.clock.monotonic();
            let (result, counter) = match &exchanged {
                Exchanged::Replied(reply) if reply.status < 500 => ("answered", &self.figures.answered),
                Exchanged::Replied(_) => ("failed", &self.figures.failed),
                Exchanged::NotSent(_) => ("not_sent", &self.figures.not_sent),
                Exchanged::MaybeSent(_) => ("maybe_sent", &self.figures.maybe_sent),
            };
            span.record("result", result);
            self.watch.note(&self.account, result != "answered", ended);
            counter.increment(1);
            self.figures.duration.record(ended.0.saturating_sub(began.0));
            exchanged
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn after(outcomes: &str) -> Recent {
        let mut recent = Recent { failures: 0, count: 0, newest: at(0) };
        for (second, outcome) in (0..).zip(outcomes.chars()) {
            recent.add(outcome == 'x', at(second));
        }
        recent
    }

    #[test]
    fn most_of_the_newest_must_fail() {
        for (outcomes, is_bad) in [
            ("", false),
            ("xx", false),
            ("xxx", true),
            ("xxx.", false),
            ("xxx.x", true),
            ("....x", false),
            ("....xxxx", false),
            ("....xxxxx", true),
            ("xxxxxxxxxxxxxxxxxxxx.", false),
            ("....................xxxxxxxxxxx", true),
        ] {
            assert_eq!(after(outcomes).is_bad(at(40)), is_bad, "{outcomes}");
        }
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut recent = after("xxxxx");
        assert!(recent.is_bad(at(60)));
        assert!(!recent.is_bad(at(400)));
        recent.add(true, at(400));
        assert!(!recent.is_bad(at(400)), "one failure says nothing");
    }
}
