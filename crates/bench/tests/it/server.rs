//! A tiny payment API with canned answers and planned faults, in a thread of its own.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    Answer,
    /// The same answer in chunks.
    Chunked,
    /// The same answer, and the connection is closed after it.
    Close,
    /// 402 with a problem document, nothing is made.
    Decline,
    /// 401 with a problem document.
    Unauthorized,
    /// The connection is dropped before anything happened.
    DropBefore,
    /// The connection is dropped after it happened.
    DropAfter,
    /// The same, in the middle of the answer.
    DropWithin,
    /// It happens, and the answer never comes.
    Hang,
}

/// Decides by the number of the request, from 1.
pub(crate) type Plan = fn(u64) -> Treatment;

/// What the server has seen and made.
#[derive(Default)]
pub(crate) struct Seen {
    /// Sends of each idempotency key, lost ones included.
    pub(crate) sends: HashMap<String, u64>,
    /// What each key made: one id, however often it was sent.
    pub(crate) made: HashMap<String, String>,
    /// Keys whose answer was lost.
    pub(crate) lost: Vec<String>,
    /// Payments that hold their amount.
    pub(crate) held: HashSet<String>,
    /// Answers by kind of request; `creates` counts whatever is neither a get nor a refund.
    pub(crate) creates: u64,
    pub(crate) gets: u64,
    pub(crate) refunds: u64,
    pub(crate) declined: u64,
    /// Paths of gets.
    pub(crate) got: Vec<String>,
    /// Retries that were told that their first send is still running.
    pub(crate) in_use: u64,
    pub(crate) connections: u64,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Api {
    plan: Plan,
    /// Whether the first retry of a lost key finds it still running.
    in_use_once: bool,
    requests: AtomicU64,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    pub(crate) fn start(plan: Plan) -> Self {
        Self::start_with(plan, false)
    }

    pub(crate) fn start_with(plan: Plan, in_use_once: bool) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let api = Arc::new(Api { plan, in_use_once, requests: AtomicU64::new(0), seen: seen.clone() });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let mut connections = JoinSet::new();
                let accept = async {
                    loop {
                        let (stream, _) = listener.accept().await.unwrap();
                        api.seen.lock().connections += 1;
                        connections.spawn(serve(stream, api.clone()));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the listener and every connection, as a crash does.
    pub(crate) fn kill(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Request {
    line: String,
    key: Option<String>,
    body: String,
}

async fn serve(mut stream: TcpStream, api: Arc<Api>) {
    stream.set_nodelay(true).unwrap();
    let mut inbox = Vec::new();
    while let Some(request) = read(&mut stream, &mut inbox).await {
        let number = api.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let treatment = (api.plan)(number);
        let Some((status, body)) = api.handle(&request, treatment) else { return };
        if treatment == Treatment::Hang {
            std::future::pending::<()>().await;
        }
        let mut answer = write(status, &body, treatment);
        if treatment == Treatment::DropWithin {
            answer.truncate(answer.len() - 5);
        }
        if stream.write_all(&answer).await.is_err()
            || matches!(treatment, Treatment::Close | Treatment::DropWithin)
        {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, inbox: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(head) = inbox.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8(inbox[..head].to_vec()).unwrap();
            let header = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
            };
            assert_eq!(header("Authorization").unwrap(), "Bearer sk_test_bench");
            assert!(header("Host").is_some());
            let length: usize = header("Content-Length").map_or(0, |length| length.parse().unwrap());
            if inbox.len() >= head + 4 + length {
                let body = String::from_utf8(inbox[head + 4..head + 4 + length].to_vec()).unwrap();
                inbox.drain(..head + 4 + length);
                let line = text.lines().next().unwrap().to_owned();
                return Some(Request { line, key: header("Idempotency-Key"), body });
            }
        }
        if stream.read_buf(inbox).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn write(status: u16, body: &str, treatment: Treatment) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Some Words\r\nContent-Type: application/json\r\n");
    if treatment == Treatment::Chunked {
        let (first, second) = body.split_at(body.len() / 2);
        return format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len(),
        )
        .into_bytes();
    }
    let close = if treatment == Treatment::Close { "Connection: close\r\n" } else { "" };
    format!("{head}{close}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Api {
    /// Status and body, or nothing when the connection is to be dropped.
    fn handle(&self, request: &Request, treatment: Treatment) -> Option<(u16, String)> {
        let mut seen = self.seen.lock();
        if let Some(key) = &request.key {
            *seen.sends.entry(key.clone()).or_default() += 1;
        }
        let is_made = request.key.as_ref().is_some_and(|key| seen.made.contains_key(key));
        match treatment {
            Treatment::DropBefore => {
                seen.lost.extend(request.key.clone());
                return None;
            }
            Treatment::Decline if request.line == "POST /api/v1/payments HTTP/1.1" && !is_made => {
                seen.declined += 1;
                return Some((402, problem(402, "card_declined")));
            }
            Treatment::Unauthorized => return Some((401, problem(401, "invalid_api_key"))),
            _ => {}
        }
        if let Some(key) = &request.key
            && self.in_use_once
            && treatment == Treatment::Answer
            && seen.lost.contains(key)
            && seen.sends[key] == 2
        {
            seen.in_use += 1;
            return Some((409, problem(409, "idempotency_key_in_use")));
        }
        let answer = respond(request, &mut seen);
        let lost = matches!(treatment, Treatment::DropAfter | Treatment::DropWithin | Treatment::Hang);
        if lost {
            seen.lost.extend(request.key.clone());
        } else if request.line.starts_with("GET") {
            seen.gets += 1;
        } else if request.line.contains("/refund") {
            seen.refunds += 1;
        } else {
            seen.creates += 1;
        }
        (treatment != Treatment::DropAfter).then_some(answer)
    }
}

fn problem(status: u16, code: &str) -> String {
    format!(r#"{{"type":"about:blank","title":"Not this time","status":{status},"code":"{code}"}}"#)
}

fn respond(request: &Request, seen: &mut Seen) -> (u16, String) {
    let path = request.line.split(' ').nth(1).unwrap();
    let tail = path.strip_prefix("/api/v1/payments").unwrap().trim_start_matches('/');
    if request.line.starts_with("GET") {
        seen.got.push(tail.to_owned());
        return (200, payment(tail));
    }
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    for (verb, status) in [("/capture", "paid"), ("/cancel", "cancelled")] {
        if let Some(id) = tail.strip_suffix(verb) {
            assert!(seen.held.remove(id), "it holds its amount");
            seen.made.insert(request.key.clone().expect("a change has a key"), format!("{id}{verb}"));
            return (200, payment(id).replace("paid", status));
        }
    }
    assert!(body["amount"].as_u64().unwrap() > 0);
    let key = request.key.clone().expect("a change has a key");
    let number = seen.made.len() + 1;
    if let Some(id) = tail.strip_suffix("/refund") {
        assert!(seen.made.values().any(|made| made == id), "the refunded payment exists");
        let refund = seen.made.entry(key).or_insert_with(|| format!("re_{number:026}"));
        return (200, format!(r#"{{"id":"{refund}","payment_id":"{id}","status":"succeeded"}}"#));
    }
    assert_eq!(body["payment_method"]["type"], "card");
    let id = seen.made.entry(key).or_insert_with(|| format!("pay_{number:026}")).clone();
    if body["capture_method"] == "manual" {
        seen.held.insert(id.clone());
        return (201, payment(&id).replace("paid", "authorized"));
    }
    (201, payment(&id))
}

/// About as long as a real payment.
fn payment(id: &str) -> String {
    format!(
        concat!(
            r#"{{"id":"{id}","object":"payment","mode":"test","status":"paid","amount":1000,"#,
            r#""currency":"USD","amount_captured":1000,"payment_method":{{"type":"card","id":"pm_1"}},"#,
            r#""attempts":[{{"id":"att_1","status":"captured"}}],"metadata":{{"text":"{padding:600}"}}}}"#,
        ),
        id = id,
        padding = "",
    )
}
