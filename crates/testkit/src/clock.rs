//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::time::Duration;

use kernel::{BoxFuture, Clock, Monotonic, Timestamp};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Both clocks move together, by [`ManualClock::advance`] alone; whoever sleeps wakes when his time is
/// reached.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<State>>);

struct State {
    wall: Timestamp,
    monotonic: Duration,
    sleepers: Vec<(Duration, oneshot::Sender<()>)>,
}

impl ManualClock {
    /// A clock that shows `wall`.
    pub fn new(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { wall, monotonic: Duration::ZERO, sleepers: Vec::new() })))
    }

    /// Moves time forward and wakes those whose time it is.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock();
        state.wall = state.wall.plus(by);
        state.monotonic += by;
        let now = state.monotonic;
        let (due, waiting) = std::mem::take(&mut state.sleepers).into_iter().partition(|(at, _)| *at <= now);
        state.sleepers = waiting;
        let due: Vec<(Duration, oneshot::Sender<()>)> = due;
        for (_, sleeper) in due {
            // Whoever stopped sleeping need not be woken.
            let _ = sleeper.send(());
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().wall
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.0.lock().monotonic)
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock();
        let at = state.monotonic + length;
        if length.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        state.sleepers.push((at, sender));
        drop(state);
        Box::pin(async move {
            if receiver.await.is_err() {
                // The clock is gone: nobody will ever move it.
                std::future::pending::<()>().await;
            }
        })
    }
}
