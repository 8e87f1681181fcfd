//! What stands on the wire, and what is written down of it.

use std::sync::{Arc, Mutex};

use kernel::{Auth, Exchange as _, Exchanged, Method};
use transport::{Recorder, Recording, Transport};

use crate::world::{Client, OK, Server, credentials, is_not_sent, replied, request, settings};

#[tokio::test]
async fn a_request_and_its_reply() {
    let server = Server::answering("HTTP/1.1 402 No\r\ncontent-length: 4\r\nx-request-id: r1\r\n\r\nnope");
    let client = Client::new();
    let mut sent = request(&format!("{}?expand=1", server.url()));
    sent.auth = Auth::Bearer("secret_key");
    let reply = replied(client.send(&sent).await);
    assert_eq!((reply.status, reply.body.as_slice()), (402, b"nope".as_slice()));
    assert!(reply.headers.contains(&("x-request-id".to_owned(), "r1".to_owned())));
    let received = server.received();
    assert!(received.starts_with("POST /v1/charges?expand=1 HTTP/1.1\r\n"), "{received}");
    for line in [
        &format!("host: 127.0.0.1:{}", server.port),
        "authorization: Bearer sk_very_secret",
        "content-type: text/plain",
        "content-length: 11",
        "user-agent: Florin",
    ] {
        assert!(received.contains(&format!("\r\n{line}\r\n")), "{line}: {received}");
    }
    assert!(received.ends_with("\r\n\r\namount=1000"), "{received}");
}

#[tokio::test]
async fn basic_authentication_and_every_method() {
    let server = Server::answering(OK);
    let client = Client::new();
    for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
        let mut sent = request(&server.url());
        (sent.method, sent.auth, sent.body) = (method, Auth::Basic("user", "secret_key"), Vec::new());
        assert_eq!(replied(client.send(&sent).await).status, 200);
        let received = server.received();
        let last = received.split_inclusive("\r\n\r\n").last().unwrap();
        assert!(last.starts_with(&format!("{} /v1/charges", method.as_str())), "{last}");
        assert!(last.contains("authorization: Basic ZmxvcmluOnNrX3Zlcnlfc2VjcmV0\r\n"), "{last}");
        let has_body = !matches!(method, Method::Get | Method::Delete);
        assert_eq!(last.contains("content-length: 0\r\n"), has_body, "{last}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_request_is_not_sent() {
    let server = Server::answering(OK);
    let client = Client::new();
    let base = request(&server.url());
    let header = |name: &str, value: &str| {
        let mut sent = base.clone();
        sent.headers.push((name.to_owned(), value.to_owned()));
        sent
    };
    let mut missing = base.clone();
    missing.auth = Auth::Bearer("no_such_key");
    let mut user = base.clone();
    user.url = format!("http://user:secret@127.0.0.1:{}/", server.port);
    let mut relative = base.clone();
    relative.url = "/v1/charges".to_owned();
    for sent in [
        header("x-name", "a\r\nx-injected: 1"),
        header("x name", "a"),
        header("authorization", "Bearer mine"),
        header("content-length", "3"),
        header("transfer-encoding", "chunked"),
        header("host", "elsewhere"),
        missing,
        user,
        relative,
    ] {
        let exchanged = client.send(&sent).await;
        assert!(is_not_sent(&exchanged), "{exchanged:?}");
        assert!(!format!("{exchanged:?}").contains("secret@"), "{exchanged:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[derive(Default)]
struct Shelf(Mutex<Vec<Recording>>);

impl Recorder for Shelf {
    fn record(&self, recording: Recording) {
        self.0.lock().unwrap().push(recording);
    }
}

#[tokio::test]
async fn a_recording_explains_and_opens_nothing() {
    let server =
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: session=abc\r\n\r\nok");
    let client = Client::new();
    let shelf = Arc::new(Shelf::default());
    let transport = Transport::new(settings(), client.clock.clone(), Some(shelf.clone()));
    let mut sent = request(&format!("{}?key=abc", server.url()));
    sent.auth = Auth::Bearer("secret_key");
    sent.headers.push(("x-api-key".to_owned(), "abc".to_owned()));
    let exchanged = transport.exchange(&sent, &credentials(), client.deadline()).await;
    assert_eq!(replied(exchanged).body, b"ok");
    sent.carries_card = true;
    transport.exchange(&sent, &credentials(), client.deadline()).await;
    sent.url = "http://127.0.0.1:1/".to_owned();
    transport.exchange(&sent, &credentials(), client.deadline()).await;

    let recordings = shelf.0.lock().unwrap().clone();
    let [plain, card, failed] = recordings.as_slice() else { panic!("{recordings:?}") };
    for recording in &recordings {
        let text = format!("{recording:?}");
        assert!(!text.contains("abc") && !text.contains("sk_very_secret"), "{text}");
        assert_eq!((recording.step, recording.key.as_str()), ("charge", "op-1/charge"));
    }
    assert!(plain.url.ends_with("/v1/charges?key=[redacted]"), "{}", plain.url);
    assert_eq!(plain.body.as_deref(), Some(b"amount=1000".as_slice()));
    let Exchanged::Replied(reply) = &plain.exchanged else { panic!("{plain:?}") };
    assert_eq!(reply.body, b"ok");
    let Exchanged::Replied(reply) = &card.exchanged else { panic!("{card:?}") };
    assert!(card.body.is_none() && reply.body.is_empty());
    assert!(is_not_sent(&failed.exchanged) && failed.body.is_none());
}
