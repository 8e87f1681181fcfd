//! TLS of the server's own port, with a real client: who is let in, what is refused, and that a start with
//! files that cannot be used says which.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::Tls;
use identity::KeyKind;
use kernel::Mode;
use node::config::TlsConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use testkit::{Authority, Issued};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::world::{CARD, World, hasty};

/// For a machine with too much to do.
const PATIENCE: Duration = Duration::from_mins(2);

struct Served {
    world: World,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn config(issued: &Issued, client_ca: Option<&Path>) -> TlsConfig {
    TlsConfig {
        cert: Some(issued.cert.clone()),
        key: Some(issued.key.clone()),
        client_ca: client_ca.map(Path::to_path_buf),
    }
}

async fn serve(world: World, tls: Option<&TlsConfig>) -> Served {
    let tls = tls.map(|config| Tls::load(config).unwrap().unwrap());
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let address = ([127, 0, 0, 1], listener.local_addr().unwrap().port()).into();
    let (stop, stopped) = oneshot::channel();
    let node = Arc::clone(&world.node);
    #[expect(clippy::disallowed_methods, reason = "a test waits for this task itself")]
    let running = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        gateway::serve(node, listener, tls, stop).await.unwrap();
    });
    Served { world, address, stop, running }
}

impl Served {
    async fn end(self) {
        let _ = self.stop.send(());
        timeout(PATIENCE, self.running).await.unwrap().unwrap();
    }
}

fn request_of(method: &str, key: &str, body: &str) -> String {
    format!(
        "{method} /api/payments HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer \
         {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der().to_vec())).unwrap();
    roots
}

/// A client that trusts this authority, speaks these versions, and shows this certificate.
fn client(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    shown: Option<&Issued>,
) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let builder = builder.with_root_certificates(roots(authority));
    let Some(shown) = shown else { return builder.with_no_client_auth() };
    let chain = vec![CertificateDer::from_pem_file(&shown.cert).unwrap()];
    builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&shown.key).unwrap()).unwrap()
}

async fn over(stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> std::io::Result<String> {
    let mut stream = stream;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap()?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn ask(address: SocketAddr, config: ClientConfig, request: &str) -> std::io::Result<String> {
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from("pay.example.com").unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    over(timeout(PATIENCE, connecting).await.unwrap()?, request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_made_over_either_version_and_plain_http_is_not_answered() {
    let (folder, authority) = (folder("tls-versions"), Authority::new("ours"));
    let issued = authority.issue(&folder, "server", &["pay.example.com"]);
    let served = serve(World::start().await, Some(&config(&issued, None))).await;
    let request = request_of("POST", &served.world.key, CARD);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let answer = ask(served.address, client(&authority, &[version], None), &request).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("\"paid\""), "{version:?} {answer}");
    }
    // A client that also offers a protocol which is not spoken here takes the one that is.
    let mut both = client(&authority, rustls::ALL_VERSIONS, None);
    both.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    assert!(ask(served.address, both, &request).await.unwrap().starts_with("HTTP/1.1 201"));
    let mut other = client(&authority, rustls::ALL_VERSIONS, None);
    other.alpn_protocols = vec![b"h2".to_vec()];
    ask(served.address, other, &request).await.unwrap_err();
    // Whoever speaks in plain is told nothing of HTTP, and its key was taken by nobody.
    let plain = over(TcpStream::connect(served.address).await.unwrap(), &request).await.unwrap_or_default();
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
    // The certificate is the configured one: nobody who trusts others takes it, nor for another name.
    let stranger = Authority::new("strange");
    ask(served.address, client(&stranger, rustls::ALL_VERSIONS, None), &request).await.unwrap_err();
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_clients_show_certificates_only_the_right_ones_are_served() {
    let (folder, authority) = (folder("tls-clients"), Authority::new("ours"));
    let (clients, strangers) = (Authority::new("clients"), Authority::new("strangers"));
    let issued = authority.issue(&folder, "server", &["pay.example.com"]);
    let client_ca = clients.write(&folder, "clients");
    let served = serve(World::start().await, Some(&config(&issued, Some(&client_ca)))).await;
    let request = request_of("GET", &served.world.key, "");
    let right = clients.issue(&folder, "shop", &["shop.example.com"]);
    let wrong = strangers.issue(&folder, "other", &["shop.example.com"]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let shown = |issued| client(&authority, &[version], issued);
        let answer = ask(served.address, shown(Some(&right)), &request).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        for refused in [None, Some(&wrong), Some(&issued)] {
            let answer = ask(served.address, shown(refused), &request).await;
            assert!(answer.is_err(), "{version:?} {refused:?} {answer:?}");
        }
        // A certificate is no API key.
        let keyless = request_of("GET", "sk_test_nobody", "");
        let answer = ask(served.address, shown(Some(&right)), &keyless).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    served.end().await;
}

/// This machine's own address that is not the loopback's, if it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// From the machine itself live keys are taken in plain, so that this needs another address than the
/// loopback's. Without one it is `strangers_send_live_keys_over_tls_alone` that shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_key_is_taken_over_tls_and_refused_in_plain() {
    let Some(own) = own_address() else { return };
    let (folder, authority) = (folder("tls-live"), Authority::new("ours"));
    let issued = authority.issue(&folder, "server", &["pay.example.com"]);
    for (is_encrypted, proxies, status) in [
        (true, None, "HTTP/1.1 200"),
        (false, None, "HTTP/1.1 403"),
        // A proxy that says it was reached in plain is believed, however it then comes here.
        (true, Some("http"), "HTTP/1.1 403"),
    ] {
        let world = World::start_with(node::host::ports(), |config| {
            if proxies.is_some() {
                config.server.trusted_proxies = vec![format!("{own}/32").parse().unwrap()];
            }
        })
        .await;
        let live = world.another_key(Mode::Live, KeyKind::Secret).await;
        let config = config(&issued, None);
        let served = serve(world, is_encrypted.then_some(&config)).await;
        let address = SocketAddr::new(own, served.address.port());
        let mut request = request_of("GET", &live, "");
        if let Some(protocol) = proxies {
            request = request.replace("host: x", &format!("host: x\r\nx-forwarded-proto: {protocol}"));
        }
        let answer = if is_encrypted {
            ask(address, client(&authority, rustls::ALL_VERSIONS, None), &request).await.unwrap()
        } else {
            over(TcpStream::connect(address).await.unwrap(), &request).await.unwrap()
        };
        assert!(answer.starts_with(status), "{is_encrypted} {proxies:?} {answer}");
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_finish_the_handshake_is_given_up() {
    let (folder, authority) = (folder("tls-slow"), Authority::new("ours"));
    let issued = authority.issue(&folder, "server", &["pay.example.com"]);
    let served = serve(World::start_with(hasty(), |_| {}).await, Some(&config(&issued, None))).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    // The beginning of a first record, and nothing more.
    silent.write_all(&[22, 3, 1]).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, silent.read_to_end(&mut rest)).await.unwrap();
    // Nor is the end of the server held up by one.
    let _held = TcpStream::connect(served.address).await.unwrap();
    served.end().await;
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let (folder, authority) = (folder("tls-files"), Authority::new("ours"));
    let issued = authority.issue(&folder, "server", &["pay.example.com"]);
    let other = authority.issue(&folder, "other", &["pay.example.com"]);
    let garbage = folder.join("garbage");
    std::fs::write(&garbage, "-----BEGIN secret-----\nnot to be told\n").unwrap();
    let good = config(&issued, None);
    assert!(Tls::load(&good).unwrap().is_some());
    assert!(Tls::load(&TlsConfig::default()).unwrap().is_none());
    let absent = folder.join("absent");
    for (wrong, setting, reason) in [
        (TlsConfig { cert: Some(absent.clone()), ..good.clone() }, "server.tls.cert", "cannot be read"),
        (TlsConfig { cert: Some(garbage.clone()), ..good.clone() }, "server.tls.cert", "no certificate"),
        (TlsConfig { cert: Some(issued.key.clone()), ..good.clone() }, "server.tls.cert", "no certificate"),
        (TlsConfig { key: Some(absent.clone()), ..good.clone() }, "server.tls.key", "cannot be read"),
        (TlsConfig { key: Some(issued.cert.clone()), ..good.clone() }, "server.tls.key", "no private key"),
        (TlsConfig { key: Some(other.key), ..good.clone() }, "server.tls.key", "cannot be used together"),
        (TlsConfig { client_ca: Some(absent), ..good.clone() }, "server.tls.client_ca", "cannot be read"),
        (TlsConfig { client_ca: Some(garbage), ..good }, "server.tls.client_ca", "no certificate"),
    ] {
        let said = Tls::load(&wrong).unwrap_err().to_string();
        assert!(said.contains(setting) && said.contains(reason), "{said}");
        assert!(!said.contains("not to be told"), "{said}");
    }
}
