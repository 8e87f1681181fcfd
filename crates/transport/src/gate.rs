//! The gate in front of a connection: what makes "not sent" a proof.
//!
//! Every byte of a request passes here on its way to the socket. The gate is shut while no exchange
//! uses the connection; an exchange arms it with its deadline; the first byte opens it, unless the
//! deadline is over at that very moment. Whoever gives an exchange up asks the gate what is true.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use kernel::{Clock, Deadline, Monotonic};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::deadline::is_over;
use crate::stream::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No exchange: nothing passes.
    Shut,
    /// An exchange waits; its first byte passes before this deadline.
    Armed(Deadline),
    /// A byte passed, first at this moment.
    Open(Monotonic),
    /// The first byte came too late and was held back; nothing passes any more.
    Late,
}

/// Shared by the exchange and the connection.
pub(crate) struct Gate {
    phase: Mutex<Phase>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { phase: Mutex::new(Phase::Shut), clock })
    }

    /// Lets the next request pass if its first byte comes before the deadline.
    pub(crate) fn arm(&self, deadline: Deadline) {
        *self.phase.lock() = Phase::Armed(deadline);
    }

    /// When the first byte passed; `None` if none did.
    pub(crate) fn opened_at(&self) -> Option<Monotonic> {
        if let Phase::Open(at) = *self.phase.lock() { Some(at) } else { None }
    }

    /// Whether the first byte was held back because the deadline was over.
    pub(crate) fn was_late(&self) -> bool {
        *self.phase.lock() == Phase::Late
    }

    /// Ends the exchange. Answers whether a byte of it passed; none will after this.
    pub(crate) fn shut(&self) -> bool {
        matches!(std::mem::replace(&mut *self.phase.lock(), Phase::Shut), Phase::Open(_))
    }

    /// Runs a write behind the gate.
    fn pass(
        &self,
        write_error_proves_nothing: bool,
        write: impl FnOnce() -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut phase = self.phase.lock();
        match *phase {
            Phase::Open(_) => write(),
            Phase::Shut => Poll::Ready(Err(io::Error::other("nothing may be sent outside of an exchange"))),
            Phase::Late => Poll::Ready(Err(late())),
            Phase::Armed(deadline) if is_over(&deadline, self.clock.as_ref()) => {
                *phase = Phase::Late;
                Poll::Ready(Err(late()))
            }
            Phase::Armed(_) => {
                let written = write();
                let passed = match &written {
                    Poll::Ready(Ok(count)) => *count > 0,
                    Poll::Ready(Err(_)) => write_error_proves_nothing,
                    Poll::Pending => false,
                };
                if passed {
                    *phase = Phase::Open(self.clock.monotonic());
                }
                written
            }
        }
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the deadline was over before the first byte")
}

/// A stream behind its gate.
pub(crate) struct Gated {
    stream: Stream,
    gate: Arc<Gate>,
}

impl Gated {
    pub(crate) const fn new(stream: Stream, gate: Arc<Gate>) -> Self {
        Self { stream, gate }
    }
}

impl AsyncRead for Gated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gated {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, gate } = self.get_mut();
        // Over TCP a failed write took no byte. TLS may have sent a part before it failed.
        gate.pass(stream.is_tls(), || Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, gate } = self.get_mut();
        gate.pass(stream.is_tls(), || Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use kernel::{BoxFuture, Timestamp};

    use super::*;

    struct Seconds(AtomicU64);

    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0).plus(self.monotonic().0)
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic(Duration::from_secs(self.0.load(Ordering::Relaxed)))
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    fn at(seconds: u64) -> (Arc<Seconds>, Arc<Gate>) {
        let clock = Arc::new(Seconds(AtomicU64::new(seconds)));
        (clock.clone(), Gate::new(clock))
    }

    const DEADLINE: Deadline = Deadline {
        monotonic: Monotonic(Duration::from_secs(10)),
        wall: Timestamp::from_micros(10_000_000),
        reply_within: Duration::from_secs(1),
    };

    fn wrote() -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(1))
    }

    fn broke() -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn never() -> Poll<io::Result<usize>> {
        unreachable!("nothing may pass")
    }

    #[test]
    fn nothing_passes_a_gate_that_is_shut() {
        let (_, gate) = at(0);
        assert!(matches!(gate.pass(false, never), Poll::Ready(Err(_))));
        gate.arm(DEADLINE);
        assert!(matches!(gate.pass(false, wrote), Poll::Ready(Ok(1))));
        assert!(gate.shut(), "a byte passed");
        assert!(matches!(gate.pass(false, never), Poll::Ready(Err(_))));
        assert!(!gate.shut());
    }

    #[test]
    fn the_first_byte_must_be_in_time_and_the_others_need_not() {
        let (clock, gate) = at(9);
        gate.arm(DEADLINE);
        assert!(matches!(gate.pass(false, wrote), Poll::Ready(Ok(1))));
        assert_eq!(gate.opened_at(), Some(Monotonic(Duration::from_secs(9))));
        clock.0.store(11, Ordering::Relaxed);
        assert!(matches!(gate.pass(false, wrote), Poll::Ready(Ok(1))));
        assert!(gate.shut() && !gate.was_late());

        clock.0.store(10, Ordering::Relaxed);
        gate.arm(DEADLINE);
        for _ in 0..2 {
            assert!(matches!(gate.pass(false, never), Poll::Ready(Err(_))));
        }
        assert!(gate.was_late());
        assert!(!gate.shut(), "none passed");
    }

    #[test]
    fn a_write_that_took_nothing_leaves_it_armed() {
        let (_, gate) = at(0);
        gate.arm(DEADLINE);
        assert!(gate.pass(true, || Poll::Pending).is_pending());
        assert!(matches!(gate.pass(false, broke), Poll::Ready(Err(_))));
        assert_eq!(gate.opened_at(), None);
        // Below TLS a part may have left before the error.
        assert!(matches!(gate.pass(true, broke), Poll::Ready(Err(_))));
        assert!(gate.shut());
    }
}
