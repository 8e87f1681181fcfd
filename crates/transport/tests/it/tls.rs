//! TLS: whom it trusts, and that a failed handshake sent nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::Exchange as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use transport::{Roots, Settings};

use crate::world::{Client, OK, Server, credentials, is_not_sent, pause, replied, request, settings};

struct Secure {
    port: u16,
    certificate: CertificateDer<'static>,
    received: Arc<Mutex<String>>,
    connections: Arc<AtomicUsize>,
}

/// Answers requests on TLS connections, with a certificate for `localhost`.
fn secure() -> Secure {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (received, connections) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
    let secure = Secure { port, certificate, received: received.clone(), connections: connections.clone() };
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            connections.fetch_add(1, Ordering::SeqCst);
            let (config, received) = (config.clone(), received.clone());
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp.unwrap());
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    received.lock().unwrap().push_str(&text);
                    if text.ends_with("amount=1000") {
                        stream.write_all(OK.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    secure
}

impl Secure {
    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/v1/charges", self.port)
    }

    fn client(&self) -> Client {
        Client::with(Settings { roots: Roots::Only(vec![self.certificate.clone()]), ..settings() })
    }
}

#[tokio::test]
async fn a_trusted_server_is_talked_to_on_one_connection() {
    let server = secure();
    let client = server.client();
    for _ in 0..5 {
        assert_eq!(replied(client.send(&request(&server.url("localhost"))).await).body, b"ok");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(server.received.lock().unwrap().matches("POST /v1/charges").count(), 5);
}

#[tokio::test]
async fn an_untrusted_or_misnamed_server_gets_nothing() {
    let (server, other) = (secure(), secure());
    let strangers = other.client();
    let exchanged = strangers.send(&request(&server.url("localhost"))).await;
    assert!(is_not_sent(&exchanged), "{exchanged:?}");
    let exchanged = server.client().send(&request(&server.url("127.0.0.1"))).await;
    assert!(is_not_sent(&exchanged), "{exchanged:?}");
    assert_eq!(*server.received.lock().unwrap(), "");
}

#[tokio::test]
async fn what_speaks_no_tls_is_not_sent() {
    let client = secure().client();
    let plain = Server::new(|_, peer| peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let silent = Server::new(|_, peer| {
        let mut bytes = [0; 1024];
        while peer.stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
    for server in [plain, silent] {
        let sent = request(&format!("https://localhost:{}/", server.port));
        let exchanged = client.send(&sent).await;
        assert!(is_not_sent(&exchanged), "{exchanged:?}");
    }
}

/// As over TCP: time passes the deadline at every point that could notice.
#[tokio::test]
async fn wherever_the_deadline_passes_not_sent_is_true() {
    let server = secure();
    let (mut not_sent, mut sent) = (0, 0);
    for reading in 0..25 {
        let client = server.client();
        let before = server.received.lock().unwrap().len();
        let deadline = client.deadline();
        client.clock.jump_at(reading);
        let message = request(&server.url("localhost"));
        let exchanged = client.transport.exchange(&message, &credentials(), deadline).await;
        if is_not_sent(&exchanged) {
            not_sent += 1;
            pause(Duration::from_millis(5));
            assert_eq!(server.received.lock().unwrap().len(), before, "reading {reading}: {exchanged:?}");
        } else {
            sent += 1;
            replied(exchanged);
        }
    }
    assert!(not_sent >= 5 && sent >= 5, "{not_sent} and {sent}");
}
