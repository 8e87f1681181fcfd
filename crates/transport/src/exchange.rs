//! One exchange, from a request to what is certain afterwards.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::http;
use kernel::{Credentials, Deadline, Exchanged, Reply, Request, Secret};

use crate::connect::ConnectError;
use crate::deadline::{is_over, remaining, within};
use crate::outgoing::message;
use crate::pool::Connection;
use crate::signature;
use crate::target::{Host, Target};
use crate::transport::Transport;

/// Why there is no reply.
enum Failure {
    /// Nothing was sent, and the host is not to blame.
    Refused(String),
    /// Nothing was sent, because of the host.
    Unreachable(String),
    /// Something may have been sent.
    Broken(String),
}

/// How sending on one connection ended.
enum Sent {
    /// A whole reply.
    Replied(Reply),
    /// Not one byte left.
    Nothing { reason: String, late: bool },
    /// Some of it may have left.
    Broken(String),
}

impl Transport {
    /// Sends one request with its own authentication, or with `token` where that is by one.
    pub(crate) async fn run(
        &self,
        request: &Request,
        credentials: &Credentials,
        token: Option<&Secret<String>>,
        deadline: Deadline,
    ) -> Exchanged {
        let prepared = Target::parse(&request.url).and_then(|target| {
            let mut message = message(request, credentials, &target, token)?;
            signature::sign(&mut message, request, credentials, self.shared.clock.now())?;
            Ok((target, message))
        });
        let (target, message) = match prepared {
            Ok(prepared) => prepared,
            Err(reason) => return Exchanged::NotSent(reason),
        };
        let clock = &self.shared.clock;
        let Some(permit) = self.shared.breakers.admit(&target.host, clock.monotonic()) else {
            return Exchanged::NotSent(format!("{} has not been answering; it is left alone", target.host));
        };
        match self.send(&target.host, message, &deadline).await {
            Ok(reply) => {
                permit.replied();
                Exchanged::Replied(reply)
            }
            Err(Failure::Refused(reason)) => Exchanged::NotSent(reason),
            Err(Failure::Unreachable(reason)) => {
                permit.failed(clock.monotonic());
                Exchanged::NotSent(reason)
            }
            Err(Failure::Broken(reason)) => {
                permit.failed(clock.monotonic());
                Exchanged::MaybeSent(reason)
            }
        }
    }

    /// Sends on a pooled connection or a new one. A pooled connection that turns out to be closed before
    /// a byte of this request left is no send at all: the next one is taken.
    async fn send(
        &self,
        host: &Host,
        message: http::Request<Full<Bytes>>,
        deadline: &Deadline,
    ) -> Result<Reply, Failure> {
        let key = (self.guard, host.clone());
        loop {
            let pooled = self.shared.pool.take(&key, self.shared.clock.monotonic());
            let was_pooled = pooled.is_some();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => self.connect(host, deadline).await?,
            };
            if is_over(deadline, self.shared.clock.as_ref()) {
                self.shared.pool.keep(key, connection, self.shared.clock.monotonic());
                return Err(too_late());
            }
            match self.send_on(&mut connection, message.clone(), *deadline).await {
                Sent::Replied(reply) => {
                    self.shared.pool.keep(key, connection, self.shared.clock.monotonic());
                    return Ok(reply);
                }
                Sent::Broken(reason) => return Err(Failure::Broken(reason)),
                Sent::Nothing { late: true, .. } => return Err(too_late()),
                Sent::Nothing { .. } if was_pooled => {}
                Sent::Nothing { reason, .. } => return Err(Failure::Unreachable(reason)),
            }
        }
    }

    async fn connect(&self, host: &Host, deadline: &Deadline) -> Result<Connection, Failure> {
        let clock = self.shared.clock.as_ref();
        let left = remaining(deadline, clock);
        if left.is_zero() {
            return Err(too_late());
        }
        let limit = left.min(self.shared.settings.connect_within);
        match within(clock, limit, self.shared.connector.connect(host, self.guard)).await {
            Some(Ok(connection)) => Ok(connection),
            Some(Err(ConnectError::Refused(reason))) => Err(Failure::Refused(reason)),
            Some(Err(ConnectError::Unreachable(reason))) => Err(Failure::Unreachable(reason)),
            None => Err(Failure::Unreachable("no connection in time".to_owned())),
        }
    }

    /// Sends the message and reads its reply. Dropped midway it takes the connection along, for nobody
    /// else may use it then.
    async fn send_on(
        &self,
        connection: &mut Connection,
        message: http::Request<Full<Bytes>>,
        deadline: Deadline,
    ) -> Sent {
        let body_limit = self.shared.settings.body_limit_bytes;
        connection.gate().arm(deadline);
        let sending = connection.sender().send_request(message);
        let work = async {
            match sending.await {
                Ok(response) => read(response, body_limit).await,
                Err(error) => Err(error.to_string()),
            }
        };
        let ended = self.await_reply(connection, work, deadline.reply_within).await;
        let late = connection.gate().was_late();
        let passed = connection.gate().shut();
        match ended {
            Some(Ok(reply)) if passed => Sent::Replied(reply),
            // Some servers announce that they close an idle connection: that answers no request.
            Some(Ok(_)) => Sent::Nothing { reason: "the server spoke first".to_owned(), late },
            Some(Err(reason)) if passed => Sent::Broken(reason),
            Some(Err(reason)) => Sent::Nothing { reason, late },
            None if passed => Sent::Broken("no whole reply in time".to_owned()),
            None => Sent::Nothing { reason: "the connection took no byte in time".to_owned(), late },
        }
    }

    /// Drives the connection until the work is done; `None` when the reply's time, counted from the
    /// first byte, is over.
    async fn await_reply<T>(
        &self,
        connection: &mut Connection,
        work: impl Future<Output = T>,
        reply_within: Duration,
    ) -> Option<T> {
        let clock = self.shared.clock.as_ref();
        let mut work = std::pin::pin!(work);
        let mut limit = reply_within;
        loop {
            if let Some(result) = within(clock, limit, connection.drive(work.as_mut())).await {
                return Some(result);
            }
            // The first byte may have left later than the wait began.
            let left = connection.gate().opened_at().map_or(Duration::ZERO, |opened| {
                reply_within.saturating_sub(clock.monotonic().0.saturating_sub(opened.0))
            });
            if left.is_zero() {
                return None;
            }
            limit = left;
        }
    }
}

async fn read(response: http::Response<Incoming>, body_limit: usize) -> Result<Reply, String> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, body_limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            format!("the reply is larger than {body_limit} bytes")
        } else {
            format!("the reply is not whole: {error}")
        }
    })?;
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let (status, headers) = (head.status.as_u16(), headers.collect());
    Ok(Reply { status, headers, body: body.to_bytes().into() })
}

fn too_late() -> Failure {
    Failure::Refused("the deadline was over before anything was sent".to_owned())
}
