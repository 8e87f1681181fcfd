//! A process's ports: the clock, tasks, ids and randomness of a simulated machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Monotonic, Tasks, Timestamp};

use crate::executor::{Executor, Life};

/// 2026-11-21T10:00:00Z.
const BEGINNING_MICROS: i64 = 1_795_255_200_000_000;

/// Pauses up to this long are those of loops that look again: they grow when nothing happens any more.
const IDLE_MAX: Duration = Duration::from_millis(500);
const IDLE_CALM: Duration = Duration::from_secs(11);

/// A machine's clocks. The monotonic one is the executor's; the wall clock may be wrong.
pub(crate) struct MachineClock {
    executor: Executor,
    ahead_micros: AtomicI64,
    calm: Arc<AtomicBool>,
}

impl MachineClock {
    /// A clock that is right; `calm` says that loops may look less often.
    pub(crate) fn new(executor: Executor, calm: Arc<AtomicBool>) -> Self {
        Self { executor, ahead_micros: AtomicI64::new(0), calm }
    }

    /// Puts the wall clock ahead by this, or back.
    pub(crate) fn jump(&self, by_millis: i64) {
        self.ahead_micros.fetch_add(by_millis.saturating_mul(1000), Ordering::Relaxed);
    }
}

/// The wall clock of a machine that is right.
pub(crate) fn wall(executor: &Executor) -> Timestamp {
    Timestamp::from_micros(BEGINNING_MICROS).plus(executor.now())
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead_micros.load(Ordering::Relaxed);
        Timestamp::from_micros(wall(&self.executor).as_micros().saturating_add(ahead))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.executor.now())
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        let idle = length <= IDLE_MAX && length >= Duration::from_millis(200);
        let length = if idle && self.calm.load(Ordering::Relaxed) { IDLE_CALM } else { length };
        Box::pin(self.executor.sleep(length))
    }
}

/// Tasks of one process.
pub(crate) struct ProcessTasks {
    /// Where they run.
    pub(crate) executor: Executor,
    /// Whose they are.
    pub(crate) life: Life,
}

impl Tasks for ProcessTasks {
    fn spawn(&self, _name: &'static str, work: BoxFuture<'static, ()>) {
        self.executor.spawn(self.life, work);
    }
}
