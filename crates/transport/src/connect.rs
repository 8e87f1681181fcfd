//! From a host to a connection: resolve, judge, connect, shake hands.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kernel::Clock;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::gate::{Gate, Gated};
use crate::guard::{Guard, is_public};
use crate::pool::Connection;
use crate::settings::Roots;
use crate::stream::Stream;
use crate::target::Host;

/// Replies with larger heads than this are refused.
const HEAD_LIMIT_BYTES: usize = 64 << 10;

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// The URL may not lead there; the host did nothing wrong.
    Refused(String),
    /// The host cannot be reached, or not with certainty that it is the one.
    Unreachable(String),
}

/// Makes connections.
pub(crate) struct Connector {
    clock: Arc<dyn Clock>,
    roots: Roots,
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl Connector {
    pub(crate) fn new(clock: Arc<dyn Clock>, roots: Roots) -> Self {
        Self { clock, roots, tls: OnceLock::new() }
    }

    /// A new connection to the host, its gate shut. Not a byte of a request was sent.
    pub(crate) async fn connect(&self, host: &Host, guard: Guard) -> Result<Connection, ConnectError> {
        let addresses = resolve(host).await.map_err(|error| unreachable("resolve", &error))?;
        if guard == Guard::Public && addresses.iter().any(|address| !is_public(address.ip())) {
            return Err(ConnectError::Refused("the URL leads to a private address".to_owned()));
        }
        let tcp = dial(&addresses).await.map_err(|error| unreachable("connect", &error))?;
        tcp.set_nodelay(true).map_err(|error| unreachable("connect", &error))?;
        let stream = if host.tls { self.encrypt(host, tcp).await? } else { Stream::Plain(tcp) };
        let gate = Gate::new(self.clock.clone());
        let io = TokioIo::new(Gated::new(stream, gate.clone()));
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(HEAD_LIMIT_BYTES)
            .handshake::<_, Full<Bytes>>(io)
            .await
            .map_err(|error| ConnectError::Unreachable(format!("connect: {error}")))?;
        Ok(Connection::new(sender, driver, gate))
    }

    async fn encrypt(&self, host: &Host, tcp: TcpStream) -> Result<Stream, ConnectError> {
        let tls = self.tls.get_or_init(|| connector(&self.roots));
        let tls = tls.as_ref().map_err(|reason| ConnectError::Unreachable(format!("TLS: {reason}")))?;
        let name = ServerName::try_from(host.name.clone())
            .map_err(|_| ConnectError::Refused("the URL's host is no name for a certificate".to_owned()))?;
        let stream = tls.connect(name, tcp).await.map_err(|error| unreachable("TLS", &error))?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

async fn resolve(host: &Host) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, host.port)]);
    }
    Ok(lookup_host((host.name.as_str(), host.port)).await?.collect())
}

/// Tries the addresses in the resolver's order: exactly these, for they were judged.
async fn dial(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connector(roots: &Roots) -> Result<TlsConnector, String> {
    let mut store = RootCertStore::empty();
    match roots {
        // One unreadable certificate among the system's is no reason to trust none.
        Roots::Native => _ = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        Roots::Only(certificates) => {
            for certificate in certificates {
                store.add(certificate.clone()).map_err(|error| error.to_string())?;
            }
        }
    }
    if store.is_empty() {
        return Err("no trusted certificates were found on this machine".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn unreachable(doing: &str, error: &io::Error) -> ConnectError {
    ConnectError::Unreachable(format!("{doing}: {error}"))
}
