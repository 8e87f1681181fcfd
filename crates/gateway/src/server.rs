//! Connections: accepted up to a cap, limited in time, and ended without breaking off an answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kernel::{Clock, Tasks};
use node::Node;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

use crate::client::{mark_encrypted, mark_peer};
use crate::drain::Drain;
use crate::patient::Patient;
use crate::router::router;
use crate::sandbox::HangUp;
use crate::seats::{Seat, Seats};
use crate::tls::Tls;

/// Connections at the same time; more wait in the system's queue until one of those makes room.
const CONNECTIONS_MAX: usize = 8192;
/// Of the files that the process may open, how many are left for the database, the providers and the log:
/// a quarter, and at most so many.
const OTHER_FILES_MAX: usize = 512;
/// After all places were taken, until the next look at who could make room.
const MAKE_ROOM_AGAIN: Duration = Duration::from_millis(20);
/// How long requests in flight are waited for at the end: longer than any of them is answered within.
const DRAIN_WITHIN: Duration = Duration::from_secs(40);
/// After a failed accept (too many open files), until the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why a server ended other than by being asked to.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The socket's own address cannot be read: it is no listening socket.
    #[error("not listening: {0}")]
    Listener(#[from] std::io::Error),
}

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Until a connection is encrypted, where it is to be.
    handshake: Duration,
    /// From one answer to the whole head of the next request: also how long a connection may be idle.
    head: Duration,
    /// Without one byte of an answer taken.
    write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs(30);
        Self { handshake: seconds, head: seconds.saturating_mul(2), write: seconds }
    }
}

/// Serves a node until `stop` completes, encrypted if there is what for. Requests in flight are answered
/// first.
pub async fn serve(
    node: Arc<Node>,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> Result<(), GatewayError> {
    let (tasks, clock) = (Arc::clone(&node.tasks), Arc::clone(&node.clock));
    let server = &node.config.server;
    let patience = Patience {
        handshake: server.read_timeout,
        head: server.read_timeout.saturating_mul(2),
        write: server.write_timeout,
    };
    let service = Service { router: router(node), tls, drain: Drain { tasks, clock }, patience };
    serve_patiently(service, listener, stop).await
}

/// Serves any router in plain HTTP until `stop` completes.
pub async fn serve_router(
    router: Router,
    listener: TcpListener,
    tasks: Arc<dyn Tasks>,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> Result<(), GatewayError> {
    let service = Service { router, tls: None, drain: Drain { tasks, clock }, patience: Patience::default() };
    serve_patiently(service, listener, stop).await
}

/// What every connection is served with.
#[derive(Clone)]
struct Service {
    router: Router,
    tls: Option<Tls>,
    drain: Drain,
    patience: Patience,
}

async fn serve_patiently(
    service: Service,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> Result<(), GatewayError> {
    listener.local_addr()?;
    let drain = service.drain.clone();
    let draining = watch::Sender::new(false);
    let most = connections_max(node::host::open_files_max());
    let (places, seats) = (Arc::new(Semaphore::new(most)), Seats::new(Arc::clone(&drain.clock)));
    let mut stop = pin!(stop);
    loop {
        let place = tokio::select! {
            biased;
            () = &mut stop => break,
            place = free_place(&places, &seats, drain.clock.as_ref()) => place,
        };
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let taken = seats.take();
                let draining = draining.subscribe();
                let connection = drive(service.clone(), (stream, peer), taken.seat(), draining);
                let work = async move {
                    connection.await;
                    drop((place, taken));
                };
                drain.tasks.spawn("connection", Box::pin(work));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                drain.clock.sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    draining.send_replace(true);
    tokio::select! {
        _ = places.acquire_many(u32::try_from(most).unwrap_or(u32::MAX)) => {}
        () = drain.clock.sleep(DRAIN_WITHIN) => {
            tracing::warn!("connections are closed that did not take their answers");
        }
    }
    // A connection without its sender ends as it is.
    drop(draining);
    Ok(())
}

/// How many connections may be open if the process may open so many files.
fn connections_max(files: usize) -> usize {
    let others = (files / 4).min(OTHER_FILES_MAX);
    files.saturating_sub(others).clamp(1, CONNECTIONS_MAX)
}

/// Waits for a place, and has others make room for it where none is left.
async fn free_place(
    places: &Arc<Semaphore>,
    seats: &Seats,
    clock: &dyn Clock,
) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        seats.make_room();
        tokio::select! {
            place = Arc::clone(places).acquire_owned() => return place.ok(),
            () = clock.sleep(MAKE_ROOM_AGAIN) => {}
        }
    }
}

/// One connection, to its end.
async fn drive(
    service: Service,
    (stream, peer): (TcpStream, SocketAddr),
    seat: Arc<Seat>,
    mut draining: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let _open = Open::count();
    let Some(tls) = service.tls.clone() else {
        return converse(service, stream, peer, false, seat, draining).await;
    };
    // Nothing was asked yet, so that whoever ends it here ends no work.
    let encrypted = tokio::select! {
        encrypted = tls.accept(stream) => encrypted,
        () = seat.left() => return,
        _ = draining.changed() => return,
        () = service.drain.clock.sleep(service.patience.handshake) => return,
    };
    match encrypted {
        Ok(stream) => converse(service, stream, peer, true, seat, draining).await,
        Err(error) => tracing::debug!(%error, "a connection was not encrypted"),
    }
}

/// Requests and their answers, over what carries them.
async fn converse(
    service: Service,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    is_encrypted: bool,
    seat: Arc<Seat>,
    mut draining: watch::Receiver<bool>,
) {
    let Service { router, drain, patience, .. } = service;
    let clock = Arc::clone(&drain.clock);
    let served = Arc::clone(&seat);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        mark_peer(&mut request, peer);
        if is_encrypted {
            mark_encrypted(&mut request);
        }
        served.works();
        let seat = Arc::clone(&served);
        let answer = router.clone().call(request.map(|body| drain.body(body, Arc::clone(&seat))));
        async move {
            let answer = may_be_sent(answer.await);
            seat.waits();
            answer
        }
    });
    let stream = Patient::new(stream, clock, patience.write);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .serve_connection(TokioIo::new(stream), service)
    );
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            // Nobody works for it, and somebody else wants its place.
            () = seat.left() => return,
            changed = draining.changed() => {
                if changed.is_err() {
                    return;
                }
                // What is in flight is answered; idle connections close at once.
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// One open connection.
struct Open;

impl Open {
    fn count() -> Self {
        metrics::gauge!("http_connections").increment(1);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("http_connections").decrement(1);
    }
}

/// An answer that must not be sent ends the connection instead.
fn may_be_sent(answer: Result<Response<Body>, Infallible>) -> Result<Response<Body>, HungUp> {
    match answer {
        Ok(response) if response.extensions().get::<HangUp>().is_none() => Ok(response),
        Ok(_) => Err(HungUp),
        Err(never) => match never {},
    }
}

#[derive(Debug, Error)]
#[error("the sandbox bank keeps silent")]
struct HungUp;

#[cfg(test)]
mod tests {
    use super::connections_max;

    #[test]
    fn some_files_are_left_for_everything_else() {
        for (files, connections) in [(1, 1), (64, 48), (1024, 768), (4096, 3584), (1_000_000, 8192)] {
            assert_eq!(connections_max(files), connections, "{files}");
        }
    }
}
