//! Connections are used again, and never wrongly.

use std::time::Duration;

use kernel::{Clock as _, Exchange as _, Exchanged};
use transport::{BreakerSettings, Guard, Settings};

use crate::world::{
    Client, OK, Server, credentials, is_maybe_sent, is_not_sent, pause, replied, request, settings,
};

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::answering(OK);
    let client = Client::new();
    for _ in 0..20 {
        assert_eq!(replied(client.send_to(&server).await).body, b"ok");
    }
    assert_eq!((server.connections(), server.requests()), (1, 20));
}

#[tokio::test]
async fn requests_at_the_same_time_have_their_own() {
    let server = Server::answering(OK);
    let client = Client::new();
    for _ in 0..3 {
        let (a, b, c) =
            tokio::join!(client.send_to(&server), client.send_to(&server), client.send_to(&server));
        for exchanged in [a, b, c] {
            assert_eq!(replied(exchanged).status, 200);
        }
    }
    assert_eq!(server.requests(), 9);
    assert!(server.connections() <= 3);
}

#[tokio::test]
async fn idle_connections_end_with_their_limit_their_number_and_the_transport() {
    let server = Server::answering(OK);
    let client = Client::with(Settings { idle_limit: Duration::from_secs(10), ..settings() });
    replied(client.send_to(&server).await);
    client.clock.pass(Duration::from_secs(9));
    replied(client.send_to(&server).await);
    assert_eq!(server.connections(), 1);
    client.clock.pass(Duration::from_secs(10));
    replied(client.send_to(&server).await);
    assert_eq!(server.connections(), 2, "too old");
    client.transport.close();
    replied(client.send_to(&server).await);
    replied(client.send_to(&server).await);
    assert_eq!(server.connections(), 4, "nothing is kept after the close");

    let server = Server::answering(OK);
    let client = Client::with(Settings { idle_per_host: 0, ..settings() });
    replied(client.send_to(&server).await);
    replied(client.send_to(&server).await);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_pooled_connection_that_the_server_closed_costs_nothing() {
    // Closed quietly, with an announcement, or with a farewell.
    for farewell in ["", "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n"] {
        let server = Server::new(move |_, peer| {
            peer.read_request();
            peer.write(OK);
            pause(Duration::from_millis(10));
            peer.write(farewell);
        });
        let client = Client::new();
        for _ in 0..5 {
            assert_eq!(replied(client.send_to(&server).await).status, 200, "{farewell:?}");
            client.clock.sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((server.requests(), server.connections()), (5, 5));
    }
    let announced = Server::new(|_, peer| {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        peer.drain();
    });
    let client = Client::new();
    for _ in 0..3 {
        replied(client.send_to(&announced).await);
    }
    assert_eq!((announced.requests(), announced.connections()), (3, 3));
}

#[tokio::test]
async fn a_pooled_connection_that_breaks_under_a_request_is_maybe_sent_and_not_sent_twice() {
    let server = Server::new(|_, peer| {
        peer.read_request();
        peer.write(OK);
        peer.read_request();
    });
    let client = Client::new();
    replied(client.send_to(&server).await);
    let exchanged = client.send_to(&server).await;
    assert!(is_maybe_sent(&exchanged), "{exchanged:?}");
    assert_eq!((server.requests(), server.connections()), (2, 1));
}

/// The server closes at the very moment of the next request: whoever wins the race, nothing is done twice,
/// and what is called not sent did not arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_races_the_request_is_never_mistaken() {
    for round in 0..200_u64 {
        let server = Server::new(move |_, peer| {
            peer.read_request();
            peer.write(OK);
            pause(Duration::from_micros(round * 2));
        });
        let client = Client::new();
        replied(client.send_to(&server).await);
        match client.send_to(&server).await {
            Exchanged::Replied(_) => assert_eq!((server.requests(), server.connections()), (2, 2)),
            Exchanged::MaybeSent(_) => assert_eq!(server.connections(), 1),
            Exchanged::NotSent(reason) => panic!("a new connection was to be had: {reason}"),
        }
    }
}

#[tokio::test]
async fn a_private_address_is_no_place_for_a_merchants_url() {
    let server = Server::answering(OK);
    let client = Client::new();
    // The operator may, and leaves a connection in the pool.
    replied(client.send_to(&server).await);
    let guarded = client.transport.guarded(Guard::Public);
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "[::ffff:127.0.0.1]"] {
        let sent = request(&format!("http://{host}:{}/", server.port));
        let exchanged = guarded.exchange(&sent, &credentials(), client.deadline()).await;
        let Exchanged::NotSent(reason) = &exchanged else { panic!("{host}: {exchanged:?}") };
        assert!(reason.contains("private address") || host == "localhost", "{host}: {reason}");
    }
    assert_eq!((server.requests(), server.connections()), (1, 1));
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_left_alone_for_a_while() {
    let server = Server::new(|number, peer| {
        let answers = number >= 3;
        while peer.read_request().is_some() && answers {
            peer.write(OK);
        }
    });
    let breaker = BreakerSettings { failures: 3, open_for: Duration::from_mins(1) };
    let client = Client::with(Settings { breaker, ..settings() });
    for _ in 0..3 {
        assert!(is_maybe_sent(&client.send_to(&server).await));
    }
    for _ in 0..3 {
        assert!(is_not_sent(&client.send_to(&server).await));
    }
    assert_eq!(server.requests(), 3);
    let other = Server::answering(OK);
    replied(client.send_to(&other).await);
    client.clock.pass(Duration::from_mins(1));
    for _ in 0..3 {
        replied(client.send_to(&server).await);
    }
}
