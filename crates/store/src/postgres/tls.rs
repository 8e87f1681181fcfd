//! TLS to the server, as an address asks for it: the words and their meanings are those of PostgreSQL's own
//! client library (libpq, "SSL Support").

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{TlsConnector, client};

use crate::OpenError;

/// What the words of `sslmode` are.
const MODES: &str = "disable, prefer, require, verify-ca or verify-full";

/// What an address says of TLS, and the address without it.
pub(super) struct Asked {
    /// For the driver, which knows no words for what is checked.
    pub(super) address: String,
    /// Whether there is TLS.
    pub(super) mode: SslMode,
    /// How; `None` where there is none.
    pub(super) tls: Option<Tls>,
}

/// Encrypts connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

/// What is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    /// Nothing: who listens on the way learns nothing, and who answers in the server's place is believed.
    Nothing,
    /// That an authority of ours signed it.
    Authority,
    /// That, and that it is for the host of the address.
    Host,
}

/// Reads `sslmode` and `sslrootcert` of an address.
pub(super) fn asked(url: &str) -> Result<Asked, OpenError> {
    let (address, mode, roots) = split(url);
    let is_trusting = roots.is_some();
    let (mode, checked) = match mode.as_deref() {
        Some("disable") => return Ok(Asked { address, mode: SslMode::Disable, tls: None }),
        // As libpq: whoever names an authority means it.
        Some("require") if is_trusting => (SslMode::Require, Checked::Authority),
        Some("require") => (SslMode::Require, Checked::Nothing),
        None | Some("prefer") => (SslMode::Prefer, Checked::Nothing),
        Some("verify-ca") if !is_trusting || roots.as_deref() == Some("system") => {
            return Err(refused("sslmode=verify-ca needs sslrootcert, the file of your own authority"));
        }
        Some("verify-ca") => (SslMode::Require, Checked::Authority),
        Some("verify-full") => (SslMode::Require, Checked::Host),
        Some(_) => return Err(refused(&format!("sslmode must be {MODES}"))),
    };
    let roots = match (checked, roots.as_deref()) {
        (Checked::Nothing, _) => RootCertStore::empty(),
        (Checked::Host, None | Some("system")) => system_roots()?,
        // The public's authorities sign certificates for anybody, so that their word alone says nothing.
        (Checked::Authority, Some("system")) => {
            return Err(refused("sslrootcert=system needs sslmode=verify-full"));
        }
        (Checked::Authority | Checked::Host, path) => roots_of(path.unwrap_or_default())?,
    };
    Ok(Asked { address, mode, tls: Some(Tls::new(checked, roots)?) })
}

/// The address without what the driver does not know, and that.
fn split(url: &str) -> (String, Option<String>, Option<String>) {
    let (mut mode, mut roots) = (None, None);
    // A password may have a question mark of its own.
    let begin = url.find('@').unwrap_or(0);
    let Some(at) = url.get(begin..).and_then(|rest| rest.find('?')).map(|at| begin + at) else {
        return (url.to_owned(), None, None);
    };
    let (address, query) = url.split_at(at);
    let mut rest = Vec::new();
    for pair in query.trim_start_matches('?').split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(decoded(value)),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)),
            _ => rest.push(pair),
        }
    }
    let query = rest.join("&");
    let address = if query.is_empty() { address.to_owned() } else { format!("{address}?{query}") };
    (address, mode, roots)
}

/// What percent signs stand for, undone.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn system_roots() -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    // One unreadable certificate among the system's is no reason to trust none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(refused("no trusted certificates were found on this machine: name a file, sslrootcert"));
    }
    Ok(roots)
}

fn roots_of(path: &str) -> Result<RootCertStore, OpenError> {
    let wrong = |reason: &str| refused(&format!("sslrootcert ({path}) {reason}"));
    let read =
        CertificateDer::pem_file_iter(Path::new(path)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(&format!("holds what cannot be trusted: {error}")))?;
    }
    if roots.is_empty() { Err(wrong("holds no certificate in PEM")) } else { Ok(roots) }
}

fn refused(reason: &str) -> OpenError {
    OpenError::Address(reason.to_owned())
}

impl Tls {
    fn new(checked: Checked, roots: RootCertStore) -> Result<Self, OpenError> {
        let unusable = |error: &dyn std::fmt::Display| refused(&format!("TLS: {error}"));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        let chain = match checked {
            Checked::Nothing => None,
            Checked::Authority | Checked::Host => {
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
                Some(verifier.build().map_err(|error| unusable(&error))?)
            }
        };
        let verifier = Arc::new(Verifier { checked, chain, provider });
        let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        // Later servers ask for the name, earlier ones do not look at it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// Judges the server's certificate, as far as the address asks for it.
#[derive(Debug)]
struct Verifier {
    checked: Checked,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // The name is what is judged last, so that whoever fails there has passed all else.
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.checked == Checked::Authority => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = Connect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Connect> {
        // A socket of this machine has no name and is not encrypted, which is found out later.
        Ok(Connect { config: Arc::clone(&self.0), host: domain.to_owned() })
    }
}

/// One handshake to come.
pub(super) struct Connect {
    config: Arc<ClientConfig>,
    host: String,
}

impl TlsConnect<Socket> for Connect {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.host)
                .map_err(|_| io::Error::other("the host is no name for a certificate"))?;
            Ok(Encrypted(Box::new(TlsConnector::from(self.config).connect(name, socket).await?)))
        })
    }
}

/// An encrypted connection.
pub(super) struct Encrypted(Box<client::TlsStream<Socket>>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
