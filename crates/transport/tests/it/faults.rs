//! Every fault of the network, before and after the server did something: what is then certain.

use std::net::TcpListener;
use std::time::Duration;

use kernel::{Clock as _, Exchange as _};

use crate::world::{
    Client, OK, Server, credentials, is_maybe_sent, is_not_sent, pause, replied, request, settings,
};

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let exchanged = Client::new().send(&request(&url)).await;
    assert!(is_not_sent(&exchanged), "{exchanged:?}");
}

#[tokio::test]
async fn a_name_without_an_address_is_not_sent() {
    let exchanged = Client::new().send(&request("http://no-such-host.invalid/")).await;
    assert!(is_not_sent(&exchanged), "{exchanged:?}");
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_not_sent() {
    // A listener whose queue is full answers no handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut fillers = Vec::new();
    loop {
        match std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            Ok(stream) => fillers.push(stream),
            Err(_) => break,
        }
        assert!(fillers.len() < 10_000, "the queue has no end here");
    }
    let client =
        Client::with(transport::Settings { connect_within: Duration::from_millis(100), ..settings() });
    let exchanged = client.send(&request(&format!("http://{address}/"))).await;
    assert!(is_not_sent(&exchanged), "{exchanged:?}");
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_not_sent_only_if_nothing_came() {
    for _ in 0..50 {
        let server = Server::new(|_, peer| {
            peer.stream.shutdown(std::net::Shutdown::Write).unwrap();
            peer.drain();
        });
        let exchanged = Client::new().send_to(&server).await;
        assert!(is_not_sent(&exchanged) || is_maybe_sent(&exchanged), "{exchanged:?}");
        if is_not_sent(&exchanged) {
            pause(Duration::from_millis(5));
            assert_eq!(server.received(), "", "{exchanged:?}");
        }
    }
}

#[tokio::test]
async fn closed_after_the_request_is_maybe_sent() {
    let server = Server::new(|_, peer| {
        peer.read_request();
    });
    let exchanged = Client::new().send_to(&server).await;
    assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
    assert_eq!((server.requests(), server.connections()), (1, 1), "and never sent twice");
}

#[tokio::test]
async fn half_a_reply_is_maybe_sent() {
    for half in [
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "garbage\r\n\r\n",
    ] {
        let server = Server::new(move |_, peer| {
            peer.read_request();
            peer.write(half);
        });
        let exchanged = Client::new().send_to(&server).await;
        assert!(is_maybe_sent(&exchanged), "{half:?}: {exchanged:?}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_reply_that_is_too_slow_is_maybe_sent() {
    let silent = Server::new(|_, peer| peer.drain());
    let exchanged = Client::new().send_to(&silent).await;
    assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
    assert_eq!(silent.requests(), 1);
    // One that drips never pauses for long and is still too slow.
    let dripping = Server::new(|_, peer| {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        for _ in 0..100 {
            pause(Duration::from_millis(20));
            peer.write("x");
        }
    });
    let client = Client::new();
    let latest = client.clock.monotonic().0 + Duration::from_millis(1500);
    let exchanged = client.send_to(&dripping).await;
    assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
    assert!(client.clock.monotonic().0 < latest);
}

#[tokio::test]
async fn past_the_deadline_nothing_is_sent() {
    let server = Server::answering(OK);
    let client = Client::new();
    let mut by_monotonic = client.deadline();
    by_monotonic.monotonic = kernel::Monotonic(Duration::ZERO);
    let mut by_wall = client.deadline();
    by_wall.wall = kernel::Timestamp::from_micros(0);
    for deadline in [by_monotonic, by_wall] {
        let exchanged = client.transport.exchange(&request(&server.url()), &credentials(), deadline).await;
        assert!(is_not_sent(&exchanged), "{exchanged:?}");
    }
    assert_eq!(server.connections(), 0);
}

/// Time passes the deadline at every point of the code that could notice, on a new connection and on a
/// pooled one: either nothing arrives, or the reply does.
#[tokio::test]
async fn wherever_the_deadline_passes_not_sent_is_true() {
    for pooled in [false, true] {
        let (mut not_sent, mut sent) = (0, 0);
        for reading in 0..25 {
            let server = Server::answering(OK);
            let client = Client::new();
            if pooled {
                replied(client.send_to(&server).await);
            }
            let before = server.received().len();
            let deadline = client.deadline();
            client.clock.jump_at(reading);
            let exchanged =
                client.transport.exchange(&request(&server.url()), &credentials(), deadline).await;
            if is_not_sent(&exchanged) {
                not_sent += 1;
                pause(Duration::from_millis(5));
                assert_eq!(server.received().len(), before, "reading {reading}: {exchanged:?}");
            } else {
                sent += 1;
                assert_eq!(replied(exchanged).status, 200, "reading {reading}");
            }
        }
        assert!(not_sent >= 5 && sent >= 5, "{not_sent} and {sent}: both sides were seen");
    }
}

#[tokio::test]
async fn a_dropped_exchange_closes_its_connection() {
    let (ended, end) = std::sync::mpsc::channel();
    let server = Server::new(move |_, peer| {
        peer.drain();
        ended.send(()).unwrap();
    });
    let client = Client::new();
    tokio::select! {
        exchanged = client.send_to(&server) => panic!("nothing answers: {exchanged:?}"),
        () = client.clock.sleep(Duration::from_millis(100)) => {}
    }
    end.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(server.requests(), 1);
}
