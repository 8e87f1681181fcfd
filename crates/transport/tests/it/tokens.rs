//! Access tokens: had once, kept, had again when they are over or taken back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{Auth, Exchange as _, Exchanged, Request};

use crate::world::{Client, Peer, Server, credentials, is_maybe_sent, is_not_sent, replied, request};

/// Gives out tokens under `/token`, named by their number; anything else is answered by `behave`, which is
/// told the whole request.
fn giving(
    given: &'static AtomicUsize,
    token: impl Fn(usize) -> String + Send + Sync + 'static,
    behave: impl Fn(&str, &mut Peer) + Send + Sync + 'static,
) -> Server {
    given.store(0, Ordering::SeqCst);
    Server::new(move |_, peer| {
        while let Some(text) = peer.read_request() {
            if text.starts_with("POST /token ") {
                assert!(text.contains("authorization: Basic ZmxvcmluOnNrX3Zlcnlfc2VjcmV0\r\n"), "{text}");
                assert!(text.ends_with("\r\n\r\ngrant_type=client_credentials"), "{text}");
                peer.write(&token(given.fetch_add(1, Ordering::SeqCst) + 1));
            } else {
                behave(&text, peer);
            }
        }
    })
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn token(number: usize) -> String {
    answer(200, &format!("{{\"access_token\": \"token-{number}\", \"expires_in\": 3600}}"))
}

fn asking(server: &Server) -> Request {
    let base = format!("http://127.0.0.1:{}", server.port);
    let auth =
        Auth::OAuth { client_id: "user", client_secret: "secret_key", token_url: format!("{base}/token") };
    Request { auth, ..request(&format!("{base}/pay")) }
}

/// Takes tokens from this number on.
fn taking(least: &'static AtomicUsize) -> impl Fn(&str, &mut Peer) {
    move |text, peer| {
        let number = text.split("Bearer token-").nth(1).and_then(|rest| rest.lines().next());
        let is_good =
            number.is_some_and(|number| number.parse::<usize>().unwrap() >= least.load(Ordering::SeqCst));
        peer.write(&if is_good { answer(200, "paid") } else { answer(401, "who") });
    }
}

#[tokio::test]
async fn a_token_is_had_once_and_again_when_it_is_over() {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    static LEAST: AtomicUsize = AtomicUsize::new(1);
    let server = giving(&GIVEN, token, taking(&LEAST));
    let client = Client::new();
    for _ in 0..3 {
        assert_eq!(replied(client.send(&asking(&server)).await).status, 200);
    }
    assert_eq!(GIVEN.load(Ordering::SeqCst), 1);
    // In the last minute of its hour it is not used any more.
    client.clock.pass(Duration::from_mins(59));
    assert_eq!(replied(client.send(&asking(&server)).await).status, 200);
    assert_eq!(GIVEN.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn many_at_once_share_one_token() {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    static LEAST: AtomicUsize = AtomicUsize::new(1);
    let server = giving(&GIVEN, token, taking(&LEAST));
    let client = Client::new();
    let request = asking(&server);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (transport, request) = (client.transport.clone(), request.clone());
        let deadline = client.deadline();
        tasks.spawn(async move { transport.exchange(&request, &credentials(), deadline).await });
    }
    while let Some(came) = tasks.join_next().await {
        assert_eq!(replied(came.unwrap()).status, 200);
    }
    assert_eq!(GIVEN.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_replaced_once() {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    static LEAST: AtomicUsize = AtomicUsize::new(1);
    let server = giving(&GIVEN, token, taking(&LEAST));
    let client = Client::new();
    assert_eq!(replied(client.send(&asking(&server)).await).status, 200);
    LEAST.store(2, Ordering::SeqCst);
    assert_eq!(replied(client.send(&asking(&server)).await).status, 200, "under the second token");
    assert_eq!(GIVEN.load(Ordering::SeqCst), 2);
    // A new one that is refused as well is no reason to go on.
    LEAST.store(9, Ordering::SeqCst);
    assert_eq!(replied(client.send(&asking(&server)).await).status, 401);
    assert_eq!(GIVEN.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn who_gets_no_token_sends_nothing() {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let refused = |_| answer(401, "{\"error\": \"invalid_client\"}");
    let server = giving(&GIVEN, refused, |text, _| unreachable!("{text}"));
    let client = Client::new();
    let reply = replied(client.send(&asking(&server)).await);
    assert_eq!((reply.status, reply.body.as_slice()), (401, b"{\"error\": \"invalid_client\"}".as_slice()));

    let silent = giving(&GIVEN, |_| String::new(), |text, _| unreachable!("{text}"));
    assert!(is_not_sent(&client.send(&asking(&silent)).await), "no answer is no token");
    let broken = giving(&GIVEN, |_| answer(502, "<html>"), |text, _| unreachable!("{text}"));
    assert!(is_not_sent(&client.send(&asking(&broken)).await));
    let missing = Auth::OAuth { client_id: "nobody", client_secret: "secret_key", token_url: server.url() };
    assert!(is_not_sent(&client.send(&Request { auth: missing, ..asking(&server) }).await));
}

#[tokio::test]
async fn a_request_under_a_token_is_maybe_sent_like_any_other() {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let server = giving(&GIVEN, token, |_, _| {});
    let client = Client::new();
    let came = client.send(&asking(&server)).await;
    assert!(is_maybe_sent(&came), "{came:?}");
    assert!(!matches!(came, Exchanged::Replied(_)));
}
