//! How this node's answers were in the last minutes: counts and times, in a few hundred counters that a
//! request adds to without waiting for another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::Monotonic;

/// How far back it looks, this minute included.
pub const MINUTES: usize = 15;
/// Upper bounds of the times that are told apart, in milliseconds; behind them all that took longer.
const BOUNDS_MS: [u64; 15] = [1, 2, 3, 5, 10, 20, 35, 50, 100, 200, 500, 1000, 2500, 5000, 10_000];

/// Counters of the last minutes.
#[derive(Debug, Default)]
pub struct Pulse([Minute; MINUTES]);

/// One minute. The first request of a new one takes over the counters of the oldest; what is counted at
/// that moment may be lost, and nobody decides anything by it.
#[derive(Debug, Default)]
struct Minute {
    /// Which minute since the start, and one more; 0 for none yet.
    number: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    took_us: AtomicU64,
    times: [AtomicU64; BOUNDS_MS.len() + 1],
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PulseSummary {
    /// Requests.
    pub requests: u64,
    /// Of those, answered 400 to 499.
    pub client_errors: u64,
    /// Of those, answered 500 or more.
    pub server_errors: u64,
    /// The mean of their times, in microseconds.
    pub mean_us: u64,
    /// Within how many milliseconds half of them were answered; the next bound that is told apart.
    pub p50_ms: u64,
    /// 95 of a hundred.
    pub p95_ms: u64,
    /// 99 of a hundred.
    pub p99_ms: u64,
}

impl Pulse {
    /// Counts an answered request.
    pub fn record(&self, now: Monotonic, status: u16, took: Duration) {
        let number = minute(now);
        let place = usize::try_from(number).unwrap_or(0) % MINUTES;
        let Some(minute) = self.0.get(place) else { return };
        let known = minute.number.load(Ordering::Acquire);
        if known != number
            && minute.number.compare_exchange(known, number, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            minute.clear();
        }
        let add = |counter: &AtomicU64, count| counter.fetch_add(count, Ordering::Relaxed);
        match status {
            400..=499 => _ = add(&minute.client_errors, 1),
            500.. => _ = add(&minute.server_errors, 1),
            _ => {}
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(&minute.took_us, micros);
        let bucket = BOUNDS_MS.iter().position(|bound| micros <= bound * 1000).unwrap_or(BOUNDS_MS.len());
        if let Some(counter) = minute.times.get(bucket) {
            add(counter, 1);
        }
    }

    /// What was counted in the last minutes.
    pub fn summary(&self, now: Monotonic) -> PulseSummary {
        let newest = minute(now);
        let oldest = newest.saturating_sub(MINUTES as u64 - 1).max(1);
        let mut summary = PulseSummary::default();
        let (mut took_us, mut times) = (0_u64, [0_u64; BOUNDS_MS.len() + 1]);
        for minute in &self.0 {
            if !(oldest..=newest).contains(&minute.number.load(Ordering::Acquire)) {
                continue;
            }
            summary.client_errors += minute.client_errors.load(Ordering::Relaxed);
            summary.server_errors += minute.server_errors.load(Ordering::Relaxed);
            took_us = took_us.saturating_add(minute.took_us.load(Ordering::Relaxed));
            for (sum, counter) in times.iter_mut().zip(&minute.times) {
                *sum += counter.load(Ordering::Relaxed);
            }
        }
        summary.requests = times.iter().sum();
        summary.mean_us = took_us.checked_div(summary.requests).unwrap_or(0);
        let within = |percent: u64| {
            let wanted = (summary.requests * percent).div_ceil(100);
            let mut seen = 0;
            let bounds = BOUNDS_MS.iter().chain(BOUNDS_MS.last());
            let found = times.iter().zip(bounds).find(|(count, _)| {
                seen += **count;
                seen >= wanted.max(1)
            });
            found.map_or(0, |(_, bound)| *bound)
        };
        (summary.p50_ms, summary.p95_ms, summary.p99_ms) = (within(50), within(95), within(99));
        summary
    }
}

impl Minute {
    fn clear(&self) {
        for counter in
            [&self.client_errors, &self.server_errors, &self.took_us].into_iter().chain(&self.times)
        {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// From 1 on.
const fn minute(now: Monotonic) -> u64 {
    now.0.as_secs() / 60 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[test]
    fn counts_and_times_of_the_last_minutes() {
        let pulse = Pulse::default();
        assert_eq!(pulse.summary(at(0)), PulseSummary::default());
        for _ in 0..98 {
            pulse.record(at(30), 200, Duration::from_micros(800));
        }
        pulse.record(at(61), 404, Duration::from_millis(40));
        pulse.record(at(61), 503, Duration::from_millis(700));
        let summary = pulse.summary(at(70));
        let (requests, client_errors, server_errors) = (100, 1, 1);
        let expected = PulseSummary {
            requests,
            client_errors,
            server_errors,
            mean_us: (98 * 800 + 40_000 + 700_000) / 100,
            p50_ms: 1,
            p95_ms: 1,
            p99_ms: 50,
        };
        assert_eq!(summary, expected);
        assert_eq!(pulse.summary(at(15 * 60)).requests, 2, "the first minute is too long ago");
        assert_eq!(pulse.summary(at(16 * 60)).requests, 0);
        pulse.record(at(15 * 60), 200, Duration::ZERO);
        assert_eq!(pulse.summary(at(15 * 60)).requests, 3, "its counters were taken over");
    }
}
