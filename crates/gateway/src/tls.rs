//! TLS on the API's own port: its certificate, its key, and whose certificates clients must show.

use std::io;
use std::path::Path;
use std::sync::Arc;

use node::config::TlsConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Why there is no TLS: an operator corrects a setting or a file.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or is not what its setting says.
    #[error("{setting} ({path}): {reason}")]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The files do not belong together.
    #[error("server.tls.cert and server.tls.key cannot be used together: {0}")]
    Pair(rustls::Error),
    /// The library itself cannot.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}

/// What encrypts connections: TLS 1.2 and 1.3, HTTP/1.1 over it. Cheap to clone.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads the files of the configuration; `None` if it names none.
    pub fn load(config: &TlsConfig) -> Result<Option<Self>, TlsError> {
        let (Some(cert), Some(key)) = (&config.cert, &config.key) else { return Ok(None) };
        let chain = certificates("server.tls.cert", cert)?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| wrong("server.tls.key", key, reason(&error, "private key")))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Library(error.to_string()))?;
        let builder = match &config.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| {
                    wrong("server.tls.client_ca", path, format!("it cannot be used: {error}"))
                })?)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self(TlsAcceptor::from(Arc::new(config)))))
    }

    /// The other end's part of the handshake is waited for: the caller bounds it in time.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let setting = "server.tls.client_ca";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(setting, path)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(setting, path, format!("it holds no certificate to trust: {error}")))?;
    }
    Ok(roots)
}

/// The certificates of a PEM file, at least one.
fn certificates(setting: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| wrong(setting, path, reason(&error, "certificate")))?;
    if read.is_empty() {
        return Err(wrong(setting, path, reason(&pem::Error::NoItemsFound, "certificate")));
    }
    Ok(read)
}

/// What a person can do something about. The library's own words could quote what stands in a key's file.
fn reason(error: &pem::Error, wanted: &str) -> String {
    match error {
        pem::Error::Io(error) => format!("it cannot be read: {error}"),
        _ => format!("it holds no {wanted} in PEM"),
    }
}

fn wrong(setting: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File { setting, path: path.display().to_string(), reason }
}
