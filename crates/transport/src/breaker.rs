//! Leaving a host alone that does not answer: what is refused here was certainly not sent.

use std::collections::HashMap;
use std::time::Duration;

use kernel::Monotonic;
use parking_lot::Mutex;

use crate::settings::BreakerSettings;
use crate::target::Host;

/// Beyond so many hosts in trouble the oldest knowledge is not worth its memory.
const HOSTS_LIMIT: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests pass; so many in a row got no reply.
    Closed { failures: u32 },
    /// Nothing passes until then.
    Open { until: Monotonic },
    /// One request is finding out.
    Probing,
}

/// The breakers of all hosts. A host without an entry has no failure to its name.
pub(crate) struct Breakers {
    states: Mutex<HashMap<Host, State>>,
    settings: BreakerSettings,
}

/// Leave to send one request; says what came of it. Dropped without a word, it changes nothing but
/// lets another probe.
pub(crate) struct Permit<'a> {
    breakers: &'a Breakers,
    host: &'a Host,
    is_probe: bool,
}

impl Breakers {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self { states: Mutex::default(), settings }
    }

    /// Leave to send to this host now; `None` while its breaker is open.
    pub(crate) fn admit<'a>(&'a self, host: &'a Host, now: Monotonic) -> Option<Permit<'a>> {
        let mut states = self.states.lock();
        let is_probe = match states.get_mut(host) {
            None | Some(State::Closed { .. }) => false,
            Some(State::Probing) => return None,
            Some(State::Open { until }) if now < *until => return None,
            Some(state) => {
                *state = State::Probing;
                true
            }
        };
        Some(Permit { breakers: self, host, is_probe })
    }
}

impl Permit<'_> {
    /// The host replied, whatever it said.
    pub(crate) fn replied(mut self) {
        self.is_probe = false;
        self.breakers.states.lock().remove(self.host);
    }

    /// The host did not reply.
    pub(crate) fn failed(mut self, now: Monotonic) {
        let settings = self.breakers.settings;
        if settings.failures == 0 {
            return;
        }
        let mut states = self.breakers.states.lock();
        if states.len() >= HOSTS_LIMIT && !states.contains_key(self.host) {
            states.clear();
        }
        let state = states.entry(self.host.clone()).or_insert(State::Closed { failures: 0 });
        let opens = match state {
            State::Closed { failures } => {
                *failures = failures.saturating_add(1);
                *failures >= settings.failures
            }
            // Only the probe decides; others are stragglers of before.
            State::Open { .. } | State::Probing => self.is_probe,
        };
        if opens {
            *state = State::Open { until: Monotonic(now.0.saturating_add(settings.open_for)) };
        }
        self.is_probe = false;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe
            && let Some(state) = self.breakers.states.lock().get_mut(self.host)
            && *state == State::Probing
        {
            *state = State::Open { until: Monotonic(Duration::ZERO) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn host(name: &str) -> Host {
        Host { tls: true, name: name.to_owned(), port: 443 }
    }

    fn breakers() -> Breakers {
        Breakers::new(BreakerSettings { failures: 3, open_for: Duration::from_secs(5) })
    }

    fn fail(breakers: &Breakers, times: u32, now: Monotonic) {
        for _ in 0..times {
            breakers.admit(&host("a"), now).into_iter().for_each(|permit| permit.failed(now));
        }
    }

    #[test]
    fn opens_after_failures_in_a_row_for_that_host_alone() {
        let breakers = breakers();
        fail(&breakers, 2, at(0));
        assert!(breakers.admit(&host("a"), at(0)).is_some(), "two are not three");
        breakers.admit(&host("a"), at(0)).into_iter().for_each(Permit::replied);
        fail(&breakers, 2, at(0));
        assert!(breakers.admit(&host("a"), at(0)).is_some(), "a reply between them");
        fail(&breakers, 1, at(0));
        assert!(breakers.admit(&host("a"), at(4)).is_none());
        assert!(breakers.admit(&host("b"), at(4)).is_some());
    }

    #[test]
    fn one_probe_decides() {
        let breakers = breakers();
        fail(&breakers, 3, at(0));
        let (a, straggler) = (host("a"), host("a"));
        let probe = breakers.admit(&a, at(5));
        assert!(probe.is_some());
        assert!(breakers.admit(&straggler, at(5)).is_none(), "one at a time");
        drop(probe);
        assert!(breakers.admit(&a, at(5)).is_some(), "a probe that never was is free again");
        fail(&breakers, 1, at(5));
        assert!(breakers.admit(&a, at(9)).is_none(), "one failed probe opens it again");
        breakers.admit(&a, at(10)).into_iter().for_each(Permit::replied);
        fail(&breakers, 2, at(10));
        assert!(breakers.admit(&a, at(10)).is_some(), "counted from zero after a reply");
    }

    #[test]
    fn zero_failures_never_open() {
        let breakers = Breakers::new(BreakerSettings { failures: 0, open_for: Duration::from_secs(5) });
        fail(&breakers, 100, at(0));
        assert!(breakers.admit(&host("a"), at(0)).is_some());
    }
}
