//! The settings themselves, one struct a section. Their defaults come from the table of keys, not from
//! `Default`, which is only the blank that the first layer fills.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Currency, Mode, Network, Secret};
use limits::Rate;
use payments::{LateSuccess, RecordExchanges, VolumeLimits};
use routing::Routes;

use super::origin::Origins;
use super::providers::ProvidersConfig;

/// All settings. Make one with [`Config::load`]; fields may be changed before a start.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How it is reached.
    pub server: ServerConfig,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// The server secret, if the operator set one.
    pub encryption_key: Option<Secret<String>>,
    /// Where cards are kept.
    pub vault: VaultConfig,
    /// Every merchant's defaults.
    pub payment: PaymentConfig,
    /// How much every merchant may take, unless it has limits of its own.
    pub limits: VolumeLimits,
    /// How often somebody may call.
    pub rate_limit: RateLimitConfig,
    /// What other systems send.
    pub webhooks: WebhooksConfig,
    /// Who may see how the server is.
    pub monitoring: MonitoringConfig,
    /// How calls to providers are driven.
    pub operation: OperationConfig,
    /// Accounts at real providers.
    pub providers: ProvidersConfig,
    /// Which of them charges.
    pub routing: RoutingConfig,
    /// The simulated bank.
    pub sandbox: SandboxConfig,
    /// What is counted for operators.
    pub metrics: MetricsConfig,
    /// Where traces go.
    pub otlp: OtlpConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Who said what, and what was said that this build can only answer.
    pub(super) origins: Origins,
}

/// How it is reached.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// The address or name to listen on.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Where others reach it, without a slash at the end; `None`: where it listens.
    pub public_url: Option<String>,
    /// What its connections are encrypted with.
    pub tls: TlsConfig,
    /// How long a caller waits before 202.
    pub answer_within: Duration,
    /// Whether raw card numbers are refused with a secret key.
    pub pci_compliance_mode: bool,
    /// How long the head or the body of a request may take.
    pub read_timeout: Duration,
    /// How long a client may take no byte of its answer.
    pub write_timeout: Duration,
    /// After the signal to stop: how long requests are still taken, while `/ready` says 503.
    pub stop_delay: Duration,
    /// How many requests are worked on at once; `None`: as many as the processors are good for.
    pub requests_at_once: Option<usize>,
    /// Whose word on who is calling counts.
    pub trusted_proxies: Vec<Network>,
    /// The origins of pages that may call the routes for browsers.
    pub allowed_origins: Vec<String>,
}

/// What connections to the server are encrypted with; without files, nothing is.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// The server's certificate and those between it and its root, in PEM.
    pub cert: Option<PathBuf>,
    /// The private key of the first of them, in PEM.
    pub key: Option<PathBuf>,
    /// The authorities one of whose certificates every client must show; `None`: none need show any.
    pub client_ca: Option<PathBuf>,
}

/// How often somebody may call; a rate of `None` is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimitConfig {
    /// Whether anything is limited.
    pub enabled: bool,
    /// Whether test worlds are limited too.
    pub test_mode: bool,
    /// Requests per key, or per address without a valid one.
    pub api: Option<Rate>,
    /// Providers' notices per address.
    pub webhooks: Option<Rate>,
    /// Requests with the monitoring key.
    pub monitoring: Option<Rate>,
    /// Attempts to charge one order.
    pub order: Option<Rate>,
    /// Attempts to charge one customer.
    pub customer: Option<Rate>,
    /// Attempts to charge from one payer's address.
    pub payer: Option<Rate>,
}

/// Signed events of other systems.
#[derive(Clone, Debug, Default)]
pub struct WebhooksConfig {
    /// What they are signed with; `None`: none are taken.
    pub hmac_secret: Option<Secret<String>>,
    /// In which of the first merchant's worlds they are; `None`: in the test world.
    pub mode: Option<Mode>,
    /// How old a signature may be.
    pub max_age: Duration,
}

/// Who may see how the server is.
#[derive(Clone, Debug, Default)]
pub struct MonitoringConfig {
    /// What opens the monitoring routes; `None`: they refuse everybody.
    pub api_key: Option<Secret<String>>,
}

/// Where everything is kept.
#[derive(Clone, Debug, Default)]
pub struct DatabaseConfig {
    /// PostgreSQL, by an address that begins with `postgres://`.
    pub url: Option<Secret<String>>,
    /// The most connections of this node to PostgreSQL for payments.
    pub max_connections: Option<usize>,
    /// Without it, the folder of the embedded store.
    pub folder: PathBuf,
}

/// Where cards are kept.
#[derive(Clone, Debug, Default)]
pub struct VaultConfig {
    /// Whether card numbers are taken at all.
    pub enabled: bool,
    /// The keystore; `None`: beside an embedded store, and nowhere on PostgreSQL.
    pub keystore: Option<PathBuf>,
    /// What opens it; `None`: a file beside it, unless there is a passphrase.
    pub key_file: Option<PathBuf>,
    /// What opens it instead.
    pub passphrase: Option<Secret<String>>,
    /// Whether the cards of methods that are kept go to the vault.
    pub save_cards: bool,
}

/// Every merchant's defaults.
#[derive(Clone, Debug, Default)]
pub struct PaymentConfig {
    /// Which provider charges when a payment does not say.
    pub default_gateway: Option<String>,
    /// Where browsers return when a payment does not say.
    pub return_url: Option<String>,
    /// What the statement shows when a payment does not say.
    pub statement_descriptor: Option<String>,
    /// What stands behind it.
    pub statement_descriptor_suffix: Option<String>,
    /// The currencies that payments may have, in order; empty: all.
    pub supported_currencies: Vec<Currency>,
    /// Whether a payment that does not say takes the money at once.
    pub auto_capture: bool,
    /// After how many seconds a payment that does not say is captured by itself.
    pub capture_delay_seconds: Option<u32>,
    /// From this amount on, in minor units, cards are charged with 3-D Secure alone.
    pub tds_threshold: Option<i64>,
    /// What becomes of late successes.
    pub late_success: LateSuccess,
    /// How long an unfinished payment waits.
    pub expires_in: Duration,
    /// How long a payment method lives that belongs to no customer.
    pub unattached_methods_expire_in: Duration,
    /// UPI.
    pub upi: UpiConfig,
}

/// UPI requests.
#[derive(Clone, Debug, Default)]
pub struct UpiConfig {
    /// Who is paid.
    pub payee_vpa: String,
    /// As whom the payer sees them.
    pub payee_name: String,
    /// How long a request waits for the payer.
    pub expires_in: Duration,
}

/// How calls to providers are driven; the meanings are those of `payments::PaymentsSettings`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is explained where it acts and in the default configuration")]
pub struct OperationConfig {
    pub send_deadline: Duration,
    pub reply_timeout: Duration,
    pub margin: Duration,
    pub lookup_first: Duration,
    pub lookup_longest: Duration,
    pub horizon: Duration,
    pub repeat_charges_within: Duration,
    pub calls_at_once: usize,
    pub record_exchanges: RecordExchanges,
}

/// Which account charges.
#[derive(Clone, Debug, Default)]
pub struct RoutingConfig {
    /// The file of the rules.
    pub file: Option<PathBuf>,
    /// What stands in it, read and checked with the configuration.
    pub routes: Option<Arc<Routes>>,
}

/// The simulated bank.
#[derive(Clone, Debug, Default)]
pub struct SandboxConfig {
    /// Where it runs.
    pub bank: BankPlace,
    /// The names of further accounts that each test world has there.
    pub accounts: Vec<String>,
    /// After which a UPI payer decides.
    pub upi_delay: Duration,
    /// Added to every answer.
    pub latency: Duration,
    /// What it keeps of each amount, in ten-thousandths.
    pub fee_basis_points: u32,
    /// Of a thousand requests, how many go wrong.
    pub faults: sandbox_bank::Faults,
}

/// Where the sandbox bank runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BankPlace {
    /// In this process, in a store of its own that all nodes share.
    #[default]
    Store,
    /// In this process, in memory.
    Memory,
    /// In a `florin sandbox serve` at this address.
    Address(String),
}

/// What is counted for operators.
#[derive(Clone, Debug, Default)]
pub struct MetricsConfig {
    /// Whether anything is counted and shown.
    pub enabled: bool,
    /// The port of `/metrics` alone; `None`: it is a page of the API's port.
    pub port: Option<u16>,
    /// What all names begin with, if anything.
    pub prefix: Option<String>,
}

/// Where traces go.
#[derive(Clone, Debug, Default)]
pub struct OtlpConfig {
    /// An OpenTelemetry collector's address; `None`: there are no traces.
    pub endpoint: Option<String>,
    /// Of a hundred requests, how many are traced.
    pub sample_percent: u32,
    /// Whether a caller's own decision counts for more.
    pub follow_callers: bool,
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogConfig {
    /// From which severity on.
    pub level: LogLevel,
    /// The severity of the one line per request.
    pub requests: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// From which severity on something is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}
