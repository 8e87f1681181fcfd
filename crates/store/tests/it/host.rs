//! The small ports, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{BoxFuture, Clock, Ids, Monotonic, Tasks, Timestamp};
use uuid::Uuid;

/// The wall clock, which a test may set forward.
pub(crate) struct TestClock {
    ahead_micros: AtomicI64,
    began: Instant,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { ahead_micros: AtomicI64::new(0), began: Instant::now() })
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_micros.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let micros = i64::try_from(since.as_micros()).unwrap();
        Timestamp::from_micros(micros + self.ahead_micros.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.began.elapsed())
    }
    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

/// Ids that never come twice, in the order of asking.
pub(crate) struct TestIds(AtomicU64, u64);

impl TestIds {
    pub(crate) fn new() -> Arc<Self> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Arc::new(Self(
            AtomicU64::new(1),
            u64::try_from(since.as_nanos()).unwrap() ^ u64::from(std::process::id()),
        ))
    }
}

impl Ids for TestIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u64_pair(self.1, self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Tasks of the test's runtime.
pub(crate) struct TestTasks;

impl Tasks for TestTasks {
    fn spawn(&self, _: &'static str, work: BoxFuture<'static, ()>) {
        drop(tokio::spawn(work));
    }
}
