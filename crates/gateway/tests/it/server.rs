//! Over real connections: answers in flight are given before the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::{CARD, World, hasty};

/// For a machine with too much to do.
const PATIENCE: Duration = Duration::from_mins(2);

async fn serve(world: &World) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let node = Arc::clone(&world.node);
    #[expect(clippy::disallowed_methods, reason = "a test waits for this task itself")]
    let running = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        gateway::serve(node, listener, None, stop).await.unwrap();
    });
    (address, stop, running)
}

fn request(world: &World, method: &str, body: &str) -> String {
    format!(
        "{method} /api/payments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\n\r\n{body}",
        world.key,
        body.len()
    )
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut buffer = [0; 4096];
        let count = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_are_answered_before_the_end() {
    let slow = Duration::from_millis(500);
    let world = World::start_with(node::host::ports(), |config| config.sandbox.latency = slow).await;
    let (address, stop, running) = serve(&world).await;

    // One connection is idle between requests, one is in the middle of a payment.
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(request(&world, "GET", "").as_bytes()).await.unwrap();
    assert!(read_head(&mut idle).await.starts_with("HTTP/1.1 200"));
    let mut paying = TcpStream::connect(address).await.unwrap();
    paying.write_all(request(&world, "POST", CARD).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    stop.send(()).unwrap();

    let head = read_head(&mut paying).await;
    assert!(head.starts_with("HTTP/1.1 201") && head.to_lowercase().contains("connection: close"), "{head}");
    let mut rest = Vec::new();
    timeout(PATIENCE, idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it listens no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_keys_are_taken_from_this_machine() {
    let world = World::start().await;
    let (address, stop, running) = serve(&world).await;
    let live = world.another_key(kernel::Mode::Live, identity::KeyKind::Secret).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = request(&world, "GET", "").replace(&world.key, &live);
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    drop(stop);
    timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_on_the_wire_ends_one_connection() {
    let world = World::start().await;
    let (address, stop, running) = serve(&world).await;
    for nonsense in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}", "GET / HTTP/9.9\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(nonsense.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request(&world, "GET", "").as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    drop(stream);
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start_with(hasty(), |_| {}).await;
    let (address, stop, running) = serve(&world).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = request(&world, "POST", CARD);
    stream.write_all(&whole.as_bytes()[..whole.len() - 20]).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 408") && head.contains("application/problem+json"), "{head}");
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_request_does_not_keep_the_server_from_ending() {
    let world = World::start_with(hasty(), |_| {}).await;
    let (address, stop, running) = serve(&world).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/payments HTTP/1.1\r\nhost:").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_bank_closes_without_a_byte() {
    let mut config = node::Config::defaults().unwrap();
    let ports = hasty();
    let open =
        |config: &node::Config| node::LoneBank::open(config, &ports, "http://bank.test", None, None).unwrap();
    for silent in [true, false] {
        config.sandbox.faults.timeout_before = if silent { 1000 } else { 0 };
        let bank = open(&config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway::sandbox_router(Arc::clone(&bank.bank), Arc::clone(&bank.clock));
        let (stop, stopped) = oneshot::channel::<()>();
        let (tasks, clock) = (Arc::clone(&bank.tasks), Arc::clone(&bank.clock));
        #[expect(clippy::disallowed_methods, reason = "a test waits for this task itself")]
        let running = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            gateway::serve_router(router, listener, tasks, clock, stop).await.unwrap();
        });
        // The bank's API stands below `/sandbox` and at its own root.
        for root in ["", "/sandbox"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let text = format!("GET {root}/v1/account HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
            if silent {
                assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
            } else {
                assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
            }
        }
        stop.send(()).unwrap();
        timeout(PATIENCE, running).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_before_the_body_is_seen() {
    let world = World::start().await;
    let (address, stop, running) = serve(&world).await;
    let large = "x".repeat(4 * 1024 * 1024);
    let unauthorized = request(&world, "POST", &large).replace(&world.key, "sk_test_nobody");
    for (whole, status) in [(request(&world, "POST", &large), "413"), (unauthorized, "401")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // All of it is taken: a client that only reads after it wrote sees the answer too.
        timeout(PATIENCE, stream.write_all(whole.as_bytes())).await.unwrap().unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    }
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_no_answers_is_cut_off() {
    let short = Duration::from_millis(300);
    let world = World::start_with(node::host::ports(), |config| config.server.write_timeout = short).await;
    let (address, stop, running) = serve(&world).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    // More is asked for than the system's buffers hold, and nothing is read.
    let asks = async { while stream.write_all(ask.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, asks).await.expect("the server ends it");
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.unwrap().unwrap();
}
