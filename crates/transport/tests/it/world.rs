//! Servers of one behaviour each, a clock that can jump, and requests to send.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kernel::{
    Auth, BoxFuture, Clock, Credentials, Deadline, Effect, Exchange as _, Exchanged, Method, Monotonic,
    Reply, Request, Secret, Timestamp,
};
use transport::{BreakerSettings, Settings, Transport};

/// The real clock, which may be moved on, and may jump by an hour at its nth reading.
pub(crate) struct TestClock {
    start: Instant,
    ahead_milliseconds: AtomicU64,
    readings: AtomicU64,
    jumps_at: AtomicU64,
}

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "the sockets of these tests live in real time")]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            ahead_milliseconds: AtomicU64::new(0),
            readings: AtomicU64::new(0),
            jumps_at: AtomicU64::new(u64::MAX),
        })
    }

    pub(crate) fn pass(&self, length: Duration) {
        self.ahead_milliseconds.fetch_add(length.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// Jumps an hour at the nth reading from now.
    pub(crate) fn jump_at(&self, reading: u64) {
        self.jumps_at.store(self.readings.load(Ordering::SeqCst) + reading, Ordering::SeqCst);
    }

    fn elapsed(&self) -> Duration {
        if self.readings.fetch_add(1, Ordering::SeqCst) == self.jumps_at.load(Ordering::SeqCst) {
            self.pass(Duration::from_hours(1));
        }
        self.start.elapsed() + Duration::from_millis(self.ahead_milliseconds.load(Ordering::SeqCst))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).plus(self.elapsed())
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.elapsed())
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

/// Holds a server's thread.
#[expect(clippy::disallowed_methods, reason = "a server of a test is a thread, and its time is real")]
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// What arrived, per connection: at the same time they would mix.
type Received = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server with one behaviour, on a port of its own. Each connection has a thread.
pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    received: Received,
}

/// One connection at the server.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    received: Received,
    number: usize,
}

impl Server {
    /// `behave` runs once per connection, with its number from 0.
    pub(crate) fn new(behave: impl Fn(usize, &mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let server = Self { port, connections: connections.clone(), received: received.clone() };
        let behave = Arc::new(behave);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                received.lock().unwrap().push(Vec::new());
                let (behave, received) = (behave.clone(), received.clone());
                std::thread::spawn(move || {
                    behave(number, &mut Peer { stream: stream.unwrap(), received, number });
                });
            }
        });
        server
    }

    /// Answers every request of every connection with this.
    pub(crate) fn answering(reply: &'static str) -> Self {
        Self::new(move |_, peer| {
            while peer.read_request().is_some() {
                peer.write(reply);
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/charges", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Everything that arrived on all connections.
    pub(crate) fn received(&self) -> String {
        String::from_utf8_lossy(&self.received.lock().unwrap().concat()).into_owned()
    }

    pub(crate) fn requests(&self) -> usize {
        self.received().matches(" HTTP/1.1\r\n").count()
    }
}

impl Peer {
    /// Reads one whole request; `None` at the end of the connection.
    pub(crate) fn read_request(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(1) => {}
                _ => return None,
            }
            text.push(byte[0]);
            self.received.lock().unwrap()[self.number].push(byte[0]);
            let whole = String::from_utf8_lossy(&text).into_owned();
            if let Some((head, body)) = whole.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    return Some(whole);
                }
            }
        }
    }

    /// Reads whatever still comes, to the end.
    pub(crate) fn drain(&mut self) {
        while self.read_request().is_some() {}
    }

    pub(crate) fn write(&mut self, text: &str) {
        // The client may be gone: that is what some tests are about.
        let _ = self.stream.write_all(text.as_bytes());
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub(crate) fn request(url: &str) -> Request {
    Request {
        step: "charge",
        key: "op-1/charge".to_owned(),
        effect: Effect::Once,
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: b"amount=1000".to_vec(),
        auth: Auth::None,
        carries_card: false,
    }
}

pub(crate) fn credentials() -> Credentials {
    let secret = |name: &str, value: &str| (name.to_owned(), Secret::new(value.to_owned()));
    Credentials::new(vec![secret("secret_key", "sk_very_secret"), secret("user", "florin")])
}

pub(crate) fn settings() -> Settings {
    Settings {
        connect_within: Duration::from_secs(2),
        breaker: BreakerSettings { failures: 0, open_for: Duration::ZERO },
        ..Settings::default()
    }
}

/// A transport with its clock.
pub(crate) struct Client {
    pub(crate) transport: Transport,
    pub(crate) clock: Arc<TestClock>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = TestClock::new();
        Self { transport: Transport::new(settings, clock.clone(), None), clock }
    }

    /// A deadline in two seconds, a reply within half of one.
    pub(crate) fn deadline(&self) -> Deadline {
        let ahead = Duration::from_secs(2);
        Deadline {
            monotonic: Monotonic(self.clock.monotonic().0 + ahead),
            wall: self.clock.now().plus(ahead),
            reply_within: Duration::from_millis(500),
        }
    }

    pub(crate) async fn send(&self, request: &Request) -> Exchanged {
        self.transport.exchange(request, &credentials(), self.deadline()).await
    }

    pub(crate) async fn send_to(&self, server: &Server) -> Exchanged {
        self.send(&request(&server.url())).await
    }
}

pub(crate) fn replied(exchanged: Exchanged) -> Reply {
    match exchanged {
        Exchanged::Replied(reply) => reply,
        other => panic!("no reply: {other:?}"),
    }
}

pub(crate) fn is_not_sent(exchanged: &Exchanged) -> bool {
    matches!(exchanged, Exchanged::NotSent(_))
}

pub(crate) fn is_maybe_sent(exchanged: &Exchanged) -> bool {
    matches!(exchanged, Exchanged::MaybeSent(_))
}
