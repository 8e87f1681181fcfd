//! What a reply may not do: lead elsewhere, or be larger than memory allows.

use transport::Settings;

use crate::world::{Client, Server, is_maybe_sent, replied, settings};

const LIMIT: usize = 10_000;

fn client() -> Client {
    Client::with(Settings { body_limit_bytes: LIMIT, ..settings() })
}

#[tokio::test]
async fn a_redirect_is_a_reply() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    for status in [301, 302, 303, 307, 308] {
        let location = elsewhere.url();
        let server = Server::new(move |_, peer| {
            peer.read_request();
            let head = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\n");
            peer.write(&format!("{head}content-length: 0\r\n\r\n"));
        });
        let reply = replied(client().send_to(&server).await);
        assert_eq!(reply.status, status);
        assert!(reply.headers.iter().any(|(name, _)| name == "location"));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_a_larger_one_is_none() {
    for (size, fits) in [(LIMIT, true), (LIMIT + 1, false), (1 << 30, false)] {
        let with_length = Server::new(move |_, peer| {
            peer.read_request();
            peer.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n"));
            peer.write(&"x".repeat(size.min(20_000)));
        });
        let chunked = Server::new(move |_, peer| {
            peer.read_request();
            peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            let size = size.min(20_000);
            peer.write(&format!("{size:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(size)));
        });
        for server in [with_length, chunked] {
            let exchanged = client().send_to(&server).await;
            if fits {
                assert_eq!(replied(exchanged).body.len(), size);
            } else {
                assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_head_without_end_is_no_reply() {
    let server = Server::new(|_, peer| {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\n");
        for _ in 0..10_000 {
            peer.write("x-more: and more and more and more\r\n");
        }
    });
    let exchanged = client().send_to(&server).await;
    assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
}
