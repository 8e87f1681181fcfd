//! One client's keep-alive connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::response::{Malformed, frame};

/// Room for an answer; most are far smaller, and a larger one makes the buffer grow once.
const INBOX_BYTES: usize = 16 * 1024;

/// Why a request has no answer. Whether the server did what was asked is not known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// No connection could be made.
    Connect(io::ErrorKind),
    /// The connection failed while sending or receiving.
    Lost(io::ErrorKind),
    /// The server closed before its answer was whole.
    Closed,
    /// No answer came in the time for one.
    TimedOut,
    /// What came was no HTTP.
    Malformed(Malformed),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(kind) => write!(f, "could not connect: {kind}"),
            Self::Lost(kind) => write!(f, "connection lost: {kind}"),
            Self::Closed => f.write_str("closed before the answer was whole"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Malformed(what) => write!(f, "no HTTP: {}", what.reason()),
        }
    }
}

/// A whole answer; its body lies in the connection's buffers.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// An open connection with its buffers, which are used again for every answer.
pub(crate) struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
    decoded: Vec<u8>,
    reusable: bool,
}

impl Connection {
    /// Connects to the first of a target's addresses that answers.
    pub(crate) async fn open(addresses: &[SocketAddr]) -> Result<Self, Broken> {
        let refused = |error: io::Error| Broken::Connect(error.kind());
        let stream = TcpStream::connect(addresses).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        Ok(Self { stream, inbox: Vec::with_capacity(INBOX_BYTES), decoded: Vec::new(), reusable: true })
    }

    /// Whether another request may be sent: not after an error, and not when the server said it would
    /// close.
    pub(crate) fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// Sends a request and waits for its whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Broken> {
        let lost = |error: io::Error| Broken::Lost(error.kind());
        // Until the answer is whole the connection is worth nothing, also when this future is dropped
        // half-way.
        self.reusable = false;
        self.inbox.clear();
        self.stream.write_all(request).await.map_err(lost)?;
        let frame = loop {
            if self.inbox.len() == self.inbox.capacity() {
                self.inbox.reserve(INBOX_BYTES);
            }
            let ended = self.stream.read_buf(&mut self.inbox).await.map_err(lost)? == 0;
            match frame(&self.inbox, ended, &mut self.decoded).map_err(Broken::Malformed)? {
                Some(frame) => break frame,
                None if ended => return Err(Broken::Closed),
                None => {}
            }
        };
        // Bytes after the answer belong to nothing that was asked.
        self.reusable = frame.keep_alive && frame.end == self.inbox.len();
        let body =
            frame.body.map_or(self.decoded.as_slice(), |range| self.inbox.get(range).unwrap_or_default());
        Ok(Answer { status: frame.status, body })
    }
}
