//! A clock for fakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Monotonic, Timestamp};

/// A clock that leaps: whoever sleeps has slept already.
pub(crate) struct LeapingClock(AtomicI64);

impl LeapingClock {
    pub(crate) fn new() -> Arc<Self> {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        Arc::new(Self(AtomicI64::new(start.as_micros())))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_micros(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap()))
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        self.advance(length);
        Box::pin(std::future::ready(()))
    }
}
