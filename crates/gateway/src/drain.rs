//! A request's body whose unread rest is still taken from the wire, within bounds.
//!
//! An answer can be ready before the body came (a wrong key, a body that is too large). A server that
//! then closes lets the client's next write fail, and the client never sees the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use kernel::{Clock, Tasks};

use crate::seats::Seat;

/// How much of the rest is taken.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// And for how long.
const WITHIN: Duration = Duration::from_secs(5);

/// What draining stands on.
#[derive(Clone)]
pub(crate) struct Drain {
    pub(crate) tasks: Arc<dyn Tasks>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The body.
pub(crate) struct Drained {
    inner: Option<Incoming>,
    drain: Drain,
    seat: Arc<Seat>,
}

impl Drain {
    /// `seat` is that of the body's connection: while more of the body is waited for, its client is.
    pub(crate) fn body(&self, inner: Incoming, seat: Arc<Seat>) -> Drained {
        Drained { inner: Some(inner), drain: self.clone(), seat }
    }
}

impl Body for Drained {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = Pin::new(inner).poll_frame(context);
        match &frame {
            Poll::Pending => self.seat.waits(),
            Poll::Ready(_) => self.seat.works(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::new, Body::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(mut rest) = self.inner.take().filter(|inner| !inner.is_end_stream()) else { return };
        let until = self.drain.clock.sleep(WITHIN);
        let taking = async move {
            let mut taken = 0;
            while taken < BYTES_MAX
                && let Some(Ok(frame)) = rest.frame().await
            {
                taken += frame.data_ref().map_or(0, Bytes::len);
            }
        };
        let work = async move {
            select(Box::pin(taking), until).await;
        };
        self.drain.tasks.spawn("drain", Box::pin(work));
    }
}
