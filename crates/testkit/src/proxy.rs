//! A TCP proxy between a program and its database that loses, delays and refuses what passes.
//!
//! It runs on a thread of its own, so that tests with and without a runtime can use it, and it knows of
//! the traffic only that PostgreSQL's extended protocol binds a statement with a message that begins
//! with `B`: that is what every batch of commits is.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// What happens to a message of the client and to the connection that it came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The message is lost, and both ends see the connection closed: not done.
    NotSent,
    /// The message arrives and the client's end closes before the answer; the server's end stays open
    /// for this long, so that it does not notice: done, or still being done.
    Sent(Duration),
    /// The server has answered, and its answer is lost: done.
    Answered,
    /// The answer comes this much later.
    Late(Duration),
}

/// What every so many messages meet, in turn.
const ROTATION: [Fault; 4] = [
    Fault::NotSent,
    Fault::Answered,
    Fault::Late(Duration::from_millis(300)),
    Fault::Sent(Duration::from_secs(1)),
];

#[derive(Default)]
struct Plan {
    /// The next message with this text in it meets this; an empty text is any message.
    next: Option<(Vec<u8>, Fault)>,
    /// Every so many statements meet the next fault of the rotation.
    one_in: Option<usize>,
    statements: usize,
    faults: usize,
    refuses: bool,
    upstream: String,
}

impl Plan {
    fn of(&mut self, message: &[u8]) -> Option<Fault> {
        let meets = |text: &[u8]| text.is_empty() || message.windows(text.len()).any(|window| window == text);
        if let Some((_, fault)) = self.next.take_if(|(text, _)| meets(text)) {
            self.faults += 1;
            return Some(fault);
        }
        let every = self.one_in.filter(|_| message.first() == Some(&b'B'))?;
        self.statements += 1;
        if !self.statements.is_multiple_of(every) {
            return None;
        }
        self.faults += 1;
        ROTATION.get(self.faults % ROTATION.len()).copied()
    }
}

/// Forwards connections, and does to them what it is told.
pub struct Proxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    /// Changes when all connections are to be cut.
    cuts: watch::Sender<u64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Before this server, `host:port`.
    ///
    /// # Errors
    /// If no port can be listened on.
    pub fn before(server: &str) -> io::Result<Self> {
        let plan = Arc::new(Mutex::new(Plan { upstream: server.to_owned(), ..Plan::default() }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (cuts, (stop, stopped)) = (watch::Sender::new(0), oneshot::channel());
        let (passing, cut) = (Arc::clone(&plan), cuts.clone());
        let thread = std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = serve(&listener, &passing, &cut) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, plan, cuts, stop: Some(stop), thread: Some(thread) })
    }

    /// Before the database of this URL, which must name host and port.
    ///
    /// # Errors
    /// If the URL names none, or no port can be listened on.
    pub fn before_database(url: &str) -> io::Result<Self> {
        Self::before(authority(url).ok_or_else(|| io::Error::other("the URL names no host and port"))?)
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// This URL by way of the proxy.
    pub fn url(&self, url: &str) -> String {
        authority(url).map_or_else(|| url.to_owned(), |found| url.replacen(found, &self.address(), 1))
    }

    /// The next message that contains `text` (any, if it is empty) meets this fault.
    pub fn fail_next(&self, text: &str, fault: Fault) {
        self.plan.lock().next = Some((text.as_bytes().to_vec(), fault));
    }

    /// Whether what was to fail came by.
    pub fn has_failed(&self) -> bool {
        self.plan.lock().next.is_none()
    }

    /// From now on one of so many statements meets a fault, each kind in its turn; 0 is none.
    pub fn fail_one_in(&self, statements: usize) {
        self.plan.lock().one_in = Some(statements).filter(|statements| *statements > 0);
    }

    /// How many faults there were.
    pub fn faults(&self) -> usize {
        self.plan.lock().faults
    }

    /// Whether new connections are refused.
    pub fn refuse(&self, refuses: bool) {
        self.plan.lock().refuses = refuses;
    }

    /// Cuts every connection, whatever is on its way.
    pub fn cut_all(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// New connections go to another server from now on, and the old ones are cut: what a failover with
    /// the same address is to a client.
    pub fn switch(&self, server: &str) {
        server.clone_into(&mut self.plan.lock().upstream);
        self.cut_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only forwarded: there is nothing to be learnt from how it ended.
            drop(thread.join());
        }
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    address.contains(':').then_some(address)
}

async fn serve(listener: &TcpListener, plan: &Arc<Mutex<Plan>>, cuts: &watch::Sender<u64>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        // Those that have ended leave nothing behind.
        while connections.try_join_next().is_some() {}
        let (refuses, upstream) = {
            let plan = plan.lock();
            (plan.refuses, plan.upstream.clone())
        };
        if refuses {
            continue;
        }
        let (plan, mut cut) = (Arc::clone(plan), cuts.subscribe());
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(&upstream).await else { return };
            drop((client.set_nodelay(true), server.set_nodelay(true)));
            tokio::select! {
                () = forward(client, server, &plan) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

/// How one direction of a connection ended.
enum End {
    Closed,
    /// The client's end is to close at once, the server's after this long.
    Unnoticed(Duration),
}

async fn forward(client: TcpStream, server: TcpStream, plan: &Mutex<Plan>) {
    let ((from_client, to_client), (from_server, mut to_server)) = (client.into_split(), server.into_split());
    // What is to happen to the next answer.
    let answer: Mutex<Option<Fault>> = Mutex::new(None);
    let end = tokio::select! {
        end = requests(from_client, &mut to_server, plan, &answer) => end,
        () = answers(from_server, to_client, &answer) => End::Closed,
    };
    // Both halves of the client are gone here.
    if let End::Unnoticed(length) = end {
        tokio::time::sleep(length).await;
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    plan: &Mutex<Plan>,
    answer: &Mutex<Option<Fault>>,
) -> End {
    let mut buffer = vec![0; 65536];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or(0);
        let Some(message) = buffer.get(..length).filter(|message| !message.is_empty()) else {
            return End::Closed;
        };
        let fault = plan.lock().of(message);
        match fault {
            Some(Fault::NotSent) => return End::Closed,
            Some(fault @ (Fault::Answered | Fault::Late(_))) => *answer.lock() = Some(fault),
            Some(Fault::Sent(_)) | None => {}
        }
        if to.write_all(message).await.is_err() {
            return End::Closed;
        }
        if let Some(Fault::Sent(length)) = fault {
            return End::Unnoticed(length);
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, answer: &Mutex<Option<Fault>>) {
    let mut buffer = vec![0; 65536];
    loop {
        let length = from.read(&mut buffer).await.unwrap_or(0);
        let Some(message) = buffer.get(..length).filter(|message| !message.is_empty()) else { return };
        let fault = answer.lock().take();
        match fault {
            Some(Fault::Answered) => return,
            Some(Fault::Late(length)) => tokio::time::sleep(length).await,
            _ => {}
        }
        if to.write_all(message).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A server that answers each message with `ok`, and says at the end what reached it.
    fn server() -> (String, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut all, mut buffer) = (Vec::new(), [0; 64]);
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                all.extend_from_slice(&buffer[..length]);
                if stream.write_all(b"ok").is_err() {
                    break;
                }
            }
            all
        });
        (address, thread)
    }

    /// Sends the messages one after the other; how many were answered, and what reached the server.
    fn talk(prepare: impl FnOnce(&Proxy), messages: &[&str]) -> (usize, String) {
        let (address, thread) = server();
        let proxy = Proxy::before(&address).unwrap();
        prepare(&proxy);
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        let mut answered = 0;
        for message in messages {
            let mut answer = [0; 2];
            if stream.write_all(message.as_bytes()).is_err() || stream.read_exact(&mut answer).is_err() {
                break;
            }
            answered += 1;
        }
        drop(stream);
        let arrived = thread.join().unwrap();
        (answered, String::from_utf8(arrived).unwrap())
    }

    #[test]
    fn each_fault_is_what_it_says() {
        let unnoticed = Fault::Sent(Duration::from_millis(50));
        for (fault, answered, arrived) in [
            (Fault::NotSent, 1, "one"),
            (unnoticed, 1, "onetwo"),
            (Fault::Answered, 1, "onetwo"),
            (Fault::Late(Duration::from_millis(50)), 3, "onetwothree"),
        ] {
            let found = talk(|proxy| proxy.fail_next("wo", fault), &["one", "two", "three"]);
            assert_eq!(found, (answered, arrived.to_owned()), "{fault:?}");
        }
    }

    #[test]
    fn one_in_so_many_statements_fails_and_nothing_else() {
        let found = talk(|proxy| proxy.fail_one_in(2), &["B1", "other", "B2", "B3"]);
        assert_eq!(found, (2, "B1otherB2".to_owned()));
    }

    #[test]
    fn the_address_of_a_url_is_replaced() {
        let proxy = Proxy::before("127.0.0.1:1").unwrap();
        let address = proxy.address();
        for (url, expected) in [
            ("postgres://u:p@h:1/d?x=y", format!("postgres://u:p@{address}/d?x=y")),
            ("postgres://h:1", format!("postgres://{address}")),
            ("postgres://h/d", "postgres://h/d".to_owned()),
        ] {
            assert_eq!(proxy.url(url), expected);
        }
    }
}
