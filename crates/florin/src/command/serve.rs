//! `florin serve`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gateway::Tls;
use kernel::Secret;
use node::{Config, FolderLock, Node, Ports};
use tokio::net::TcpListener;

use super::on_runtime;
use crate::failure::Failure;
use crate::output;
use crate::shutdown::Signals;

/// How long work in flight may take after the last request was answered.
const WORK_WITHIN: Duration = Duration::from_secs(5);

/// Serves the API.
#[derive(Debug, Default, Args)]
pub(crate) struct Serve {
    /// Refuse an older database instead of bringing it up to date
    #[arg(long)]
    no_migrate: bool,
}

impl Serve {
    pub(crate) fn run(self, mut config: Config) -> Result<(), Failure> {
        let tls = Tls::load(&config.server.tls).map_err(|error| Failure::Usage(error.to_string()))?;
        // Before anything is opened: whoever serves the folder already is named, not disturbed.
        let mut lock = match &config.database.url {
            None => Some(FolderLock::take(&config.database.folder)?),
            Some(_) => None,
        };
        on_runtime(async {
            let mut signals = Signals::listen()
                .map_err(|error| Failure::while_doing("signals cannot be received", &error))?;
            let listener = listen(&mut config).await?;
            let metrics_listener = listen_for_metrics(&config).await?;
            let ports = node::host::ports();
            let node = tokio::select! {
                node = open(config, ports, !self.no_migrate) => node?,
                // A database that does not answer must not hold the operator up.
                _ = signals.next() => return Err(Failure::Failed("stopped before it was open".to_owned())),
            };
            if let Some(lock) = &mut lock {
                // The name of the process is enough where this fails.
                let _ = lock.announce(&node.public_url);
            }
            let first_key = node.first_start().await?;
            greet(&node, first_key.as_ref());
            tracing::info!(url = node.public_url, "listening");
            node.run_background();
            serve(node, (listener, tls), metrics_listener, &mut signals).await
        })
    }
}

/// Listens, and notes the port in the configuration if it was left to the system.
pub(super) async fn listen(config: &mut Config) -> Result<TcpListener, Failure> {
    let (host, port) = (config.server.host.clone(), config.server.port);
    let failed = |error: std::io::Error| {
        Failure::Failed(format!("cannot listen on {host} port {port}: {error} (server.host, server.port)"))
    };
    let listener = TcpListener::bind((host.as_str(), port)).await.map_err(failed)?;
    config.server.port = listener.local_addr().map_err(failed)?.port();
    Ok(listener)
}

/// The port of `/metrics` alone, if it has one.
async fn listen_for_metrics(config: &Config) -> Result<Option<TcpListener>, Failure> {
    let Some(port) = config.metrics.port.filter(|_| config.metrics.enabled) else { return Ok(None) };
    let host = config.server.host.as_str();
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        Failure::Failed(format!("cannot listen on {host} port {port}: {error} (metrics.port)"))
    })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "metrics are served on a port of their own");
    }
    Ok(Some(listener))
}

/// Serves `/metrics` on its own port for as long as anything else is served.
async fn serve_metrics(node: &Node, listener: Option<TcpListener>, stop: impl Future<Output = ()>) {
    let (Some(listener), Some(metrics)) = (listener, node.metrics.clone()) else { return };
    let (tasks, clock) = (Arc::clone(&node.tasks), Arc::clone(&node.clock));
    let router = gateway::metrics_router(metrics);
    if let Err(error) = gateway::serve_router(router, listener, tasks, clock, stop).await {
        tracing::error!(%error, "metrics are served no more");
    }
}

async fn open(config: Config, ports: Ports, migrate: bool) -> Result<Arc<Node>, Failure> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let stores = node::open(&config, &ports, ports.ids.uuid(), migrate).await?;
    Ok(node::start_over(config, ports, stores).await?)
}

/// Until a signal; then requests in flight are answered and work in flight is finished. A second
/// signal ends it at once.
async fn serve(
    node: Arc<Node>,
    (listener, tls): (TcpListener, Option<Tls>),
    metrics_listener: Option<TcpListener>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let stop = tokio::sync::watch::Sender::new(false);
    let stopped = || {
        let mut stopped = stop.subscribe();
        async move {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        }
    };
    let server = async {
        let (api, metrics) = (
            gateway::serve(Arc::clone(&node), listener, tls, stopped()),
            serve_metrics(&node, metrics_listener, stopped()),
        );
        tokio::join!(api, metrics).0
    };
    tokio::pin!(server);
    let result = tokio::select! {
        result = &mut server => result,
        signal = signals.next() => {
            tracing::info!(signal, "stopping: requests in flight are answered");
            // Who looks at /ready sends nothing more from here on; what still comes is served.
            node.begin_to_stop();
            let answered_within = node.config.server.answer_within.saturating_add(Duration::from_secs(1));
            let last = async {
                node.clock.sleep(node.config.server.stop_delay).await;
                stop.send_replace(true);
                node.clock.sleep(answered_within).await;
            };
            tokio::select! {
                result = &mut server => result,
                () = last => Ok(()),
                _ = signals.next() => return Err(Failure::Failed("stopped at once".to_owned())),
            }
        }
    };
    let left = tokio::select! {
        left = node.stop(WORK_WITHIN) => left,
        _ = signals.next() => return Err(Failure::Failed("stopped at once".to_owned())),
    };
    if left > 0 {
        tracing::warn!(left, "work in flight is left to the next start");
    }
    result.map_err(|error| Failure::while_doing("serving failed", &error))?;
    tracing::info!("stopped");
    Ok(())
}

/// Says where it listens and where its data is; on the first start also the key, once.
fn greet(node: &Node, first_key: Option<&Secret<String>>) {
    let url = &node.public_url;
    output::line(&format!("Florin listens on {url}"));
    output::line(&place(&node.config));
    if node.config.database.url.is_some() && node.config.encryption_key.is_none() {
        output::line("The test worlds' secret is in the database; live keys need ENCRYPTION_KEY.");
    }
    let Some(key) = first_key else { return };
    let key = key.expose();
    output::line("");
    output::line("A test merchant was made. This is its key; it is shown now and never again:");
    output::line("");
    output::line(&format!("  {key}"));
    output::line("");
    output::line("A first payment:");
    output::line("");
    output::line(&first_payment(url, key));
    output::line("");
}

fn place(config: &Config) -> String {
    if config.database.url.is_some() {
        return "Data is kept in PostgreSQL".to_owned();
    }
    let folder = Path::new(&config.database.folder);
    let shown = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    format!("Data is kept in {}", shown.display())
}

/// A `curl` that works as it is pasted.
fn first_payment(url: &str, key: &str) -> String {
    format!(
        "curl {url}/api/v1/payments \\\n  -H 'Authorization: Bearer {key}' \\\n  \
         -H 'Content-Type: application/json' \\\n  -d '{{\"amount\": 1000, \"currency\": \"USD\", \
         \"payment_method\": {{\"type\": \"card\",\n       \"card_number\": \"4242424242424242\", \
         \"exp_month\": 12, \"exp_year\": 2030, \"cvc\": \"123\"}}}}'"
    )
}
