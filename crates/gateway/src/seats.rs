//! Places for connections. When all are taken, a connection that nobody works for makes room, the one
//! that has been waited for longest first: clients who connect and then say nothing, or say it one byte
//! at a time, hold a place for as long as nobody else wants it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::Clock;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The time of a seat whose client is being worked for.
const WORKING: u64 = u64::MAX;

/// All connections of one listener.
pub(crate) struct Seats {
    clock: Arc<dyn Clock>,
    taken: Mutex<(u64, BTreeMap<u64, Arc<Seat>>)>,
}

/// One connection.
pub(crate) struct Seat {
    clock: Arc<dyn Clock>,
    /// Since when its client is waited for, in microseconds of the monotonic clock.
    waited_for_since: AtomicU64,
    leave: Notify,
}

/// A taken place; it is free again when this is dropped.
pub(crate) struct Taken {
    seats: Arc<Seats>,
    number: u64,
    seat: Arc<Seat>,
}

impl Seats {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, taken: Mutex::default() })
    }

    pub(crate) fn take(self: &Arc<Self>) -> Taken {
        let seat = Arc::new(Seat {
            clock: Arc::clone(&self.clock),
            waited_for_since: AtomicU64::new(0),
            leave: Notify::new(),
        });
        seat.waits();
        let mut taken = self.taken.lock();
        let number = taken.0;
        taken.0 += 1;
        taken.1.insert(number, Arc::clone(&seat));
        drop(taken);
        Taken { seats: Arc::clone(self), number, seat }
    }

    /// Asks the connection whose client has been waited for longest to leave. `false` if all are being
    /// worked for.
    pub(crate) fn make_room(&self) -> bool {
        let taken = self.taken.lock();
        let longest = taken.1.values().min_by_key(|seat| seat.waited_for_since.load(Ordering::Relaxed));
        let longest = longest.filter(|seat| !seat.is_worked_for());
        longest.inspect(|seat| seat.leave.notify_one()).is_some()
    }
}

impl Seat {
    /// From now on its client must do something: send a request, or more of one.
    pub(crate) fn waits(&self) {
        let now = u64::try_from(self.clock.monotonic().0.as_micros()).unwrap_or(WORKING - 1);
        self.waited_for_since.store(now, Ordering::Relaxed);
    }

    /// From now on we must do something.
    pub(crate) fn works(&self) {
        self.waited_for_since.store(WORKING, Ordering::Relaxed);
    }

    pub(crate) fn is_worked_for(&self) -> bool {
        self.waited_for_since.load(Ordering::Relaxed) == WORKING
    }

    /// Completes when it is asked to make room while nobody works for it.
    pub(crate) async fn left(&self) {
        loop {
            self.leave.notified().await;
            if !self.is_worked_for() {
                return;
            }
        }
    }
}

impl Taken {
    pub(crate) fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.taken.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use kernel::{BoxFuture, Monotonic, Timestamp};

    use super::*;

    /// Every look at it is a microsecond later.
    struct Counting(AtomicU64);

    impl Clock for Counting {
        fn now(&self) -> Timestamp {
            Timestamp::default()
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic(Duration::from_micros(self.0.fetch_add(1, Ordering::Relaxed)))
        }

        fn sleep(&self, _length: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn who_is_waited_for_longest_leaves_and_nobody_who_is_worked_for() {
        let seats = Seats::new(Arc::new(Counting(AtomicU64::new(0))));
        let [one, two, three] = [(); 3].map(|()| seats.take());
        one.seat.works();
        assert!(seats.make_room());
        assert!(one.seat.left().now_or_never().is_none());
        assert!(three.seat.left().now_or_never().is_none());
        assert!(two.seat.left().now_or_never().is_some());
        drop(two);
        three.seat.works();
        assert!(!seats.make_room());
        one.seat.waits();
        assert!(seats.make_room());
        // It was asked to leave, and got a request before it did.
        one.seat.works();
        assert!(one.seat.left().now_or_never().is_none());
    }
}
