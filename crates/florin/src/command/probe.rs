//! `florin probe`: whether the server of this configuration is ready, for health checks of containers
//! that have no other tool.

use std::io::{Error, Read as _, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use node::Config;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use crate::failure::Failure;
use crate::output;

/// How long the server may take.
const WITHIN: Duration = Duration::from_secs(4);

/// Tells by its exit code whether the server is ready.
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// The certificate to show, in PEM, where `server.tls.client_ca` asks for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl Probe {
    /// Asks `/ready` where the configuration says that the server listens.
    pub(crate) fn run(&self, config: &Config) -> Result<(), Failure> {
        let host = match config.server.host.as_str() {
            // Listening everywhere is no address to go to.
            "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            host => host,
        };
        let is_encrypted = config.server.tls.cert.is_some();
        let tls = is_encrypted.then(|| self.tls()).transpose()?;
        let status = ask(host, config.server.port, tls)
            .map_err(|error| Failure::Failed(format!("the server does not answer: {error}")))?;
        match status.as_str() {
            "200" => {
                output::line("ready");
                Ok(())
            }
            "503" => Err(Failure::Failed("the server is not ready".to_owned())),
            other => Err(Failure::Failed(format!("the server answered {other:?}"))),
        }
    }

    fn tls(&self) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let refused = |error: rustls::Error| Failure::Failed(format!("TLS: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OwnServer(provider)));
        let (Some(cert), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok(builder.with_no_client_auth());
        };
        let unreadable = |error| Failure::Usage(format!("the client's certificate or key: {error}"));
        let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable)?;
        builder.with_client_auth_cert(chain, key).map_err(refused)
    }
}

fn ask(host: &str, port: u16, tls: Option<ClientConfig>) -> std::io::Result<String> {
    let address = (host, port).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| Error::other("the host has no address"))?;
    let stream = TcpStream::connect_timeout(&address, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    let Some(tls) = tls else { return converse(stream) };
    let name = ServerName::from(address.ip());
    let connection = ClientConnection::new(Arc::new(tls), name).map_err(Error::other)?;
    converse(StreamOwned::new(connection, stream))
}

fn converse(mut stream: impl std::io::Read + Write) -> std::io::Result<String> {
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// Takes any certificate: it is this machine that is asked, by its address, and nothing secret is said.
#[derive(Debug)]
struct OwnServer(Arc<CryptoProvider>);

impl ServerCertVerifier for OwnServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
