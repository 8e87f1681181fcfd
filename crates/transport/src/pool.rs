//! Connections, and the ones that wait for their next request.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kernel::Monotonic;
use parking_lot::Mutex;

use crate::gate::{Gate, Gated};
use crate::guard::Guard;
use crate::target::Host;

type Driver = http1::Connection<TokioIo<Gated>, Full<Bytes>>;

/// One connection. It moves only while somebody drives it.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once it ended.
    driver: Option<Driver>,
    gate: Arc<Gate>,
}

impl Connection {
    pub(crate) const fn new(
        sender: http1::SendRequest<Full<Bytes>>,
        driver: Driver,
        gate: Arc<Gate>,
    ) -> Self {
        Self { sender, driver: Some(driver), gate }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) const fn sender(&mut self) -> &mut http1::SendRequest<Full<Bytes>> {
        &mut self.sender
    }

    /// Whether the next request may go out on it: the server did not close it, and the last exchange
    /// is over on the wire.
    fn is_usable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.poll(&mut cx);
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Runs `work`, which waits for this connection, and the connection with it.
    pub(crate) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if let Poll::Ready(result) = work.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            self.poll(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        // How it ended is for the exchange to learn, from the request that it waits for.
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }
}

/// Whom a connection was made for. Connections to a host that only the operator may reach are never
/// lent to a merchant's URL.
pub(crate) type Key = (Guard, Host);

struct Idle {
    connection: Connection,
    since: Monotonic,
}

struct Shelves {
    by_key: HashMap<Key, Vec<Idle>>,
    swept_at: Monotonic,
    closed: bool,
}

/// Idle connections by host, the latest used first.
pub(crate) struct Pool {
    shelves: Mutex<Shelves>,
    idle_limit: Duration,
    per_host: usize,
}

impl Pool {
    pub(crate) fn new(idle_limit: Duration, per_host: usize) -> Self {
        let shelves = Shelves { by_key: HashMap::new(), swept_at: Monotonic(Duration::ZERO), closed: false };
        Self { shelves: Mutex::new(shelves), idle_limit, per_host }
    }

    /// A connection on which nothing is going on and which the server, as far as is known here, did
    /// not close.
    pub(crate) fn take(&self, key: &Key, now: Monotonic) -> Option<Connection> {
        loop {
            let idle = self.shelves.lock().by_key.get_mut(key)?.pop()?;
            let mut connection = idle.connection;
            if age(idle.since, now) < self.idle_limit && connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request, if it is good for one.
    pub(crate) fn keep(&self, key: Key, mut connection: Connection, now: Monotonic) {
        if !connection.is_usable() {
            return;
        }
        let mut shelves = self.shelves.lock();
        if shelves.closed {
            return;
        }
        if age(shelves.swept_at, now) >= self.idle_limit {
            shelves.swept_at = now;
            let limit = self.idle_limit;
            for shelf in shelves.by_key.values_mut() {
                shelf.retain(|idle| age(idle.since, now) < limit);
            }
            shelves.by_key.retain(|_, shelf| !shelf.is_empty());
        }
        let idle = shelves.by_key.entry(key).or_default();
        if idle.len() < self.per_host {
            idle.push(Idle { connection, since: now });
        }
    }

    /// Closes what is idle and keeps nothing from now on.
    pub(crate) fn close(&self) {
        let mut shelves = self.shelves.lock();
        shelves.closed = true;
        shelves.by_key.clear();
    }
}

fn age(since: Monotonic, now: Monotonic) -> Duration {
    now.0.saturating_sub(since.0)
}
