//! What may be set.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

/// How connections are made and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For the TCP connection and the TLS handshake together; never beyond the request's deadline.
    pub connect_within: Duration,
    /// An unused connection is closed after this long. Shorter than servers keep theirs, so that a
    /// request rarely meets a connection that is just being closed.
    pub idle_limit: Duration,
    /// Unused connections kept per host; more are closed after use.
    pub idle_per_host: usize,
    /// A larger reply counts as none.
    pub body_limit_bytes: usize,
    /// When a host is left alone.
    pub breaker: BreakerSettings,
    /// Whom TLS trusts.
    pub roots: Roots,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(5),
            idle_limit: Duration::from_secs(15),
            idle_per_host: 128,
            body_limit_bytes: 4 << 20,
            breaker: BreakerSettings::default(),
            roots: Roots::Native,
        }
    }
}

/// When a host that does not answer is left alone.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// So many exchanges in a row without a reply open the breaker; 0 never does.
    pub failures: u32,
    /// So long nothing is sent; then one request probes.
    pub open_for: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 20, open_for: Duration::from_secs(5) }
    }
}

/// Whom TLS trusts.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The certificates that the operating system trusts, read at the first use of TLS.
    Native,
    /// These alone.
    Only(Vec<CertificateDer<'static>>),
}
