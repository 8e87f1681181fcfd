//! `florin bench`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bench::{ApiKey, Method, Mix, Options, Phase, Progress, Report, Stop, Target};
use clap::{Args, Subcommand};
use identity::KeyKind;
use kernel::{Actor, Mode, Secret};
use node::config::{BankPlace, TlsConfig};
use node::{Config, Node};
use serde_json::json;

use super::fill;
use super::machine::Machine;
use super::on_runtime;
use super::serve::listen;
use crate::failure::Failure;
use crate::output;
use crate::shutdown::Signals;

/// Measures a running server, or one of its own that it starts for the purpose.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: Option<BenchCommand>,
    /// A server; several are dealt the clients in turn. Without one: a server of its own on a free
    /// port, over a temporary folder or --database-url, with its bank in memory
    #[arg(long, value_name = "URL")]
    target: Vec<Target>,
    /// The merchant's secret key, for --target
    #[arg(long, env = "FLORIN_API_KEY", hide_env_values = true, requires = "target", value_name = "KEY")]
    api_key: Option<String>,
    /// PostgreSQL for its own server
    #[arg(long, value_name = "URL", conflicts_with = "target")]
    database_url: Option<String>,
    /// Clients, each with one request in flight
    #[arg(long, short, default_value_t = 64, value_name = "CLIENTS")]
    concurrency: usize,
    /// Threads that drive the clients
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    threads: usize,
    /// How long is measured
    #[arg(long, short, default_value = "10s", value_parser = node::config::duration)]
    duration: Duration,
    /// How long the clients run before
    #[arg(long, default_value = "2s", value_parser = node::config::duration, value_name = "DURATION")]
    warm_up: Duration,
    /// How requests are mixed
    #[arg(long, default_value = "create=1")]
    mix: Mix,
    /// What is paid with: card or upi
    #[arg(long, default_value = "card")]
    method: Method,
    /// The amount of each payment, in minor units
    #[arg(long, default_value_t = 1_000, value_name = "MINOR")]
    amount: u64,
    /// Payments that each client makes first
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    prefill: usize,
    /// How long one send waits for its answer
    #[arg(long, default_value = "30s", value_parser = node::config::duration, value_name = "DURATION")]
    request_timeout: Duration,
    /// How long the last requests may take, sent again if need be
    #[arg(long, default_value = "30s", value_parser = node::config::duration, value_name = "DURATION")]
    drain: Duration,
    /// Appends every answer to this file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Ends with the first answer that is not what was asked for
    #[arg(long)]
    stop_on_error: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Fills the configured store with payments of the past, books and search included; the same command
    /// goes on where one was broken off
    Fill(fill::Fill),
}

impl Bench {
    pub(crate) fn run(self: Box<Self>, config: Config) -> Result<(), Failure> {
        if let Some(BenchCommand::Fill(fill)) = self.what {
            return fill.run(config);
        }
        on_runtime(async {
            if self.target.is_empty() {
                let server = OwnServer::start(config, self.database_url.as_deref()).await?;
                let result = self.measure(vec![server.target.clone()], &server.key, &server.folder).await;
                server.stop().await?;
                return result;
            }
            let key = self.api_key.clone().map(Secret::new);
            let key =
                key.ok_or_else(|| Failure::Usage("--target needs --api-key or FLORIN_API_KEY".to_owned()))?;
            self.measure(self.target.clone(), &key, Path::new(".")).await
        })
    }

    async fn measure(
        &self,
        targets: Vec<Target>,
        key: &Secret<String>,
        folder: &Path,
    ) -> Result<(), Failure> {
        let clock = node::host::ports().clock;
        let machine = Machine::look(folder, clock.as_ref());
        let options = self.options(targets, key);
        let mut signals =
            Signals::listen().map_err(|error| Failure::while_doing("signals cannot be received", &error))?;
        let stop = options.stop.clone();
        let run = tokio::task::spawn_blocking(move || bench::run(&options, show));
        tokio::pin!(run);
        let result = tokio::select! {
            result = &mut run => result,
            _ = signals.next() => {
                stop.stop();
                run.await
            }
        };
        if output::is_watched() {
            output::over("");
        }
        let report = result.map_err(|error| Failure::while_doing("the load generator ended", &error))??;
        self.show(&report, &machine)
    }

    fn options(&self, targets: Vec<Target>, key: &Secret<String>) -> Options {
        Options {
            targets,
            api_key: ApiKey::new(key.expose().clone()),
            concurrency: self.concurrency,
            threads: self.threads.min(self.concurrency),
            warm_up: self.warm_up,
            duration: self.duration,
            mix: self.mix,
            method: self.method,
            amount_minor: self.amount,
            prefill: self.prefill,
            request_timeout: self.request_timeout,
            drain: self.drain,
            journal: self.journal.clone(),
            stop_on_error: self.stop_on_error,
            stop: Stop::default(),
        }
    }

    fn show(&self, report: &Report, machine: &Machine) -> Result<(), Failure> {
        if self.json {
            let report = serde_json::to_value(report)
                .map_err(|error| Failure::while_doing("the report cannot be written", &error))?;
            output::json(&json!({"machine": machine.to_json(), "report": report}));
        } else {
            output::line(&format!("machine: {machine}"));
            output::line(report.to_string().trim_end());
        }
        if report.failed == 0 && report.unanswered == 0 {
            return Ok(());
        }
        let (failed, unanswered) = (report.failed, report.unanswered);
        Err(Failure::Failed(format!("{failed} answers were not what was asked for, {unanswered} never came")))
    }
}

/// One line on a terminal, plain lines elsewhere but for the seconds in between.
fn show(progress: &Progress) {
    let phase = match progress.phase {
        Phase::Prefill => "making the first payments",
        Phase::WarmUp => "warming up",
        Phase::Measure => "measuring",
        Phase::Drain => "waiting for the last answers",
    };
    let (elapsed, length) = (progress.elapsed.as_secs(), progress.length.as_secs());
    let (rate, p99, failed) = (progress.rate_per_second, progress.p99_ms, progress.failed);
    let text = format!("{phase} {elapsed}/{length} s: {rate:.0}/s, p99 {p99:.1} ms, {failed} failed");
    if output::is_watched() {
        output::over(&text);
    } else {
        output::remark(&text);
    }
}

/// A server of the bench's own, with everything durable and nothing left behind.
struct OwnServer {
    target: Target,
    key: Secret<String>,
    folder: PathBuf,
    node: Arc<Node>,
    stop: tokio::sync::oneshot::Sender<()>,
    ended: tokio::sync::oneshot::Receiver<()>,
}

impl OwnServer {
    async fn start(mut config: Config, database_url: Option<&str>) -> Result<Self, Failure> {
        let ports = node::host::ports();
        // In the working directory: what is measured is its disk, and a temporary folder of the system
        // may be none.
        let folder = std::env::current_dir()
            .map_err(|error| Failure::while_doing("no working directory", &error))?
            .join(format!("florin-bench-{}", ports.ids.uuid()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::while_doing("the folder cannot be made", &error))?;
        config.server.port = 0;
        config.server.public_url = None;
        // The load generator speaks plain HTTP alone, to this machine.
        config.server.tls = TlsConfig::default();
        config.database.url = database_url.map(|url| Secret::new(url.to_owned()));
        config.database.folder.clone_from(&folder);
        config.sandbox.bank = BankPlace::Memory;
        let listener = listen(&mut config).await?;
        let node = node::start(config, ports).await?;
        node.first_start().await?;
        let key = key(&node).await?;
        node.run_background();
        let target = node.public_url.parse::<Target>()?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (end, ended) = tokio::sync::oneshot::channel();
        let served = Arc::clone(&node);
        node.tasks.spawn(
            "server",
            Box::pin(async move {
                let stopped = async {
                    let _ = stopped.await;
                };
                if let Err(error) = gateway::serve(served, listener, None, stopped).await {
                    tracing::error!(%error, "serving failed");
                }
                let _ = end.send(());
            }),
        );
        Ok(Self { target, key, folder, node, stop, ended })
    }

    async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        let _ = self.ended.await;
        self.node.stop(Duration::from_secs(10)).await;
        std::fs::remove_dir_all(&self.folder)
            .map_err(|error| Failure::while_doing("the folder cannot be removed", &error))
    }
}

/// A new test key of the first merchant.
async fn key(node: &Node) -> Result<Secret<String>, Failure> {
    let merchants = node.identity.merchants().await?;
    let merchant = merchants.first().ok_or_else(|| Failure::Failed("there is no merchant".to_owned()))?;
    let actor = Actor::Operator("bench".to_owned());
    let (_, text) =
        node.identity.create_key(merchant.scope(Mode::Test), KeyKind::Secret, &actor, None).await?;
    Ok(text)
}
