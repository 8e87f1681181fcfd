//! The real [`kernel::Exchange`]: HTTP/1.1 out, over TCP and TLS.
//!
//! What it is for is certainty. A [`gate`] in front of each connection lets the first byte of a request
//! pass only before its deadline and remembers whether one did, so that `NotSent` is proof and not
//! a guess: a connection that was refused, a handshake that failed, a pooled connection that the
//! server had closed, a deadline that was over, an open circuit breaker. Whatever happens after the
//! first byte without a whole reply is `MaybeSent`.
//!
//! A connection has no task of its own: the exchange that uses it drives it, and nobody drives it
//! while it idles in the pool. Nothing here retries what was sent, follows a redirect, or knows a
//! provider. Authentication is attached at sending and is in no recording.

mod breaker;
mod connect;
mod deadline;
mod exchange;
mod gate;
mod guard;
mod oauth;
mod outgoing;
mod pool;
mod recording;
mod settings;
mod signature;
mod stream;
mod target;
mod transport;

pub use guard::{Guard, is_public};
pub use recording::{Recorder, Recording};
pub use settings::{BreakerSettings, Roots, Settings};
pub use transport::Transport;
