//! A circuit breaker for each provider account and method, from what came of the calls to it.
//!
//! Routing only orders accounts by it: an account that is left alone comes last, and is charged all the
//! same if there is no other. It is memory of this process, and learns anew after a start.

use std::collections::HashMap;
use std::time::Duration;

use kernel::{Id, Monotonic};
use provider_kit::{Account, MethodKind};

/// How many outcomes are remembered.
const REMEMBERED: u32 = 20;

/// When an account is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthRules {
    /// Fewer outcomes say nothing.
    pub calls_min: u32,
    /// Of the newest outcomes, so many per cent must have failed.
    pub failed_percent: u32,
    /// How long it is left alone before one payment finds out again.
    pub open_for: Duration,
}

impl Default for HealthRules {
    fn default() -> Self {
        Self { calls_min: 5, failed_percent: 50, open_for: Duration::from_secs(30) }
    }
}

/// Whether an account may be charged with a method, for all that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing speaks against it.
    Closed,
    /// It failed, and is left alone.
    Open,
    /// It was left alone long enough: the next payment may find out.
    Ready,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The newest outcomes, the newest in the lowest bit: 1 is a failure.
    Closed { failures: u32, count: u32 },
    /// Left alone until then; then one payment finds out, and for as long again no other does. What began
    /// before it was opened is no news.
    Open { opened: Monotonic, until: Monotonic },
}

/// The breakers of all accounts and methods.
#[derive(Clone, Debug, Default)]
pub struct Health {
    states: HashMap<(Id<Account>, MethodKind), State>,
}

impl Health {
    /// Whether an account may be charged with a method now.
    pub fn gate(&self, account: Id<Account>, method: MethodKind, now: Monotonic) -> Gate {
        match self.states.get(&(account, method)) {
            None | Some(State::Closed { .. }) => Gate::Closed,
            Some(State::Open { until, .. }) if now < *until => Gate::Open,
            Some(State::Open { .. }) => Gate::Ready,
        }
    }

    /// A payment is about to find out whether an account that was left alone answers again: until it
    /// says so, or for `open_for`, no other does.
    pub fn probe(&mut self, account: Id<Account>, method: MethodKind, now: Monotonic, rules: &HealthRules) {
        if let Some(State::Open { until, .. }) = self.states.get_mut(&(account, method))
            && now >= *until
        {
            *until = Monotonic(now.0 + rules.open_for);
        }
    }

    /// Notes what came of a call that `began` then: it failed if no answer came, or none that says what
    /// became of it. A decline is an answer. A call that began before the breaker opened tells of that
    /// time: it neither closes it nor keeps it open.
    pub fn note(
        &mut self,
        account: Id<Account>,
        method: MethodKind,
        failed: bool,
        began: Monotonic,
        now: Monotonic,
        rules: &HealthRules,
    ) {
        let state = self.states.get(&(account, method)).copied();
        let next = match state {
            None => after(0, 0, failed, now, rules),
            Some(State::Closed { failures, count }) => after(failures, count, failed, now, rules),
            Some(State::Open { opened, .. }) if began < opened => return,
            Some(State::Open { opened, .. }) if failed => {
                State::Open { opened, until: Monotonic(now.0 + rules.open_for) }
            }
            // It answers again: what it did before says nothing any more.
            Some(State::Open { .. }) => State::Closed { failures: 0, count: 1 },
        };
        self.states.insert((account, method), next);
    }
}

fn after(failures: u32, count: u32, failed: bool, now: Monotonic, rules: &HealthRules) -> State {
    let failures = ((failures << 1) | u32::from(failed)) & ((1 << REMEMBERED) - 1);
    let count = (count + 1).min(REMEMBERED);
    let is_bad = failed
        && count >= rules.calls_min.min(REMEMBERED)
        && failures.count_ones() * 100 >= count * rules.failed_percent;
    if is_bad {
        State::Open { opened: now, until: Monotonic(now.0 + rules.open_for) }
    } else {
        State::Closed { failures, count }
    }
}
