//! Deadlines by both clocks, and waiting no longer than allowed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use kernel::{Clock, Deadline};

/// Whether nothing may be sent any more: either clock says so. A machine that slept is seen by the
/// wall clock, a wall clock that was set back by the monotonic one.
pub(crate) fn is_over(deadline: &Deadline, clock: &dyn Clock) -> bool {
    clock.monotonic() >= deadline.monotonic || clock.now() >= deadline.wall
}

/// How long until it is over by the clock that says so first.
pub(crate) fn remaining(deadline: &Deadline, clock: &dyn Clock) -> Duration {
    let monotonic = deadline.monotonic.0.saturating_sub(clock.monotonic().0);
    monotonic.min(deadline.wall.since(clock.now()))
}

/// The work's result, or `None` if it takes longer than `limit`; it is dropped then.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut sleep = clock.sleep(limit);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}
