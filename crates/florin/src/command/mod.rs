//! The commands.

mod bench;
mod config;
mod doctor;
mod fill;
mod key;
mod ledger;
mod machine;
mod merchant;
mod merchant_settings;
mod migrate;
mod operation;
mod payment;
mod probe;
mod provider;
mod reference;
mod route;
mod sandbox;
mod seed;
mod serve;
mod vault;
mod webhook;
mod webhook_send;

use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use kernel::{Id, Merchant, Mode, Scope};
use node::{Config, Node};

use crate::failure::Failure;
use crate::logging;

/// A self-hosted payment gateway.
#[derive(Debug, Parser)]
#[command(name = "florin", version, about)]
pub(crate) struct CommandLine {
    /// The configuration file; without it, florin.toml, florin.yaml or florin.yml in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the API; also what florin does without a command
    Serve(serve::Serve),
    /// Brings the database up to date
    Migrate(migrate::Migrate),
    /// Merchants
    #[command(subcommand)]
    Merchant(merchant::MerchantCommand),
    /// API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Payments
    #[command(subcommand)]
    Payment(payment::PaymentCommand),
    /// Operations that need a person
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// The books
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// The card vault and its keys
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// The simulated bank, as a process of its own
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    /// Measures a server under load
    Bench(Box<bench::Bench>),
    /// Asks the running server whether it is ready
    Probe(probe::Probe),
    /// What other systems and providers send
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Providers and their accounts
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// Which account charges
    #[command(subcommand)]
    Route(route::RouteCommand),
    /// Tries out everything that a start needs, and says what to do about each fault
    Doctor(doctor::Doctor),
    /// Fills a merchant's test world with demo data
    Seed(seed::Seed),
    /// The settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Prints a script that completes the commands in a shell
    Completions(reference::Completions),
    /// Prints the manual page
    Man,
    /// Prints a page of the documentation that is written from the binary itself
    #[command(hide = true)]
    Reference(reference::Reference),
}

/// Runs the command to its end.
pub(crate) fn run(line: CommandLine) -> Result<(), Failure> {
    let file = line.config;
    let traces = RefCell::new(None);
    let load = || {
        let config = Config::load(file.as_deref(), &environment())?;
        traces.replace(logging::begin(&config)?);
        Ok(config)
    };
    let result = run_command(line.command, load);
    if let Some(traces) = traces.take() {
        traces.end();
    }
    result
}

fn run_command(command: Option<Command>, load: impl Fn() -> Result<Config, Failure>) -> Result<(), Failure> {
    match command.unwrap_or_else(|| Command::Serve(serve::Serve::default())) {
        Command::Serve(serve) => serve.run(load()?),
        Command::Migrate(migrate) => migrate::run(&migrate, &load()?),
        Command::Merchant(command) => command.run(load()?),
        Command::Key(command) => command.run(load()?),
        Command::Payment(command) => command.run(load()?),
        Command::Operation(command) => command.run(load()?),
        Command::Ledger(command) => command.run(load()?),
        Command::Vault(command) => command.run(load()?),
        Command::Sandbox(command) => command.run(load()?),
        Command::Bench(bench) => bench.run(load()?),
        Command::Webhook(command) => command.run(load()?),
        Command::Probe(probe) => probe.run(&load()?),
        Command::Route(command) => command.run(load()?),
        Command::Seed(seed) => seed.run(load()?),
        // These say what there is, so they work also where the configuration does not.
        Command::Config(command) => command.run(load),
        Command::Doctor(doctor) => doctor.run(load),
        Command::Provider(command) => command.run(load),
        Command::Completions(completions) => {
            completions.run();
            Ok(())
        }
        Command::Man => reference::man(),
        Command::Reference(reference) => {
            reference.run();
            Ok(())
        }
    }
}

fn environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Runs `work` on a runtime of its own.
fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::while_doing("the runtime cannot be started", &error))?;
    let result = runtime.block_on(work);
    // What is still on it after a bounded stop does not hold the process up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Opens the configured store, whether or not a server runs, does `work` and closes it. An older store
/// is refused: a server of that age may run beside. So is a folder without one: a command that was meant
/// for another folder must not leave an empty database in this one.
fn with_node<T, F>(config: Config, work: impl FnOnce(Arc<Node>) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    if config.database.url.is_none() && !node::has_store(&config) {
        let folder = config.database.folder.display();
        return Err(Failure::Usage(format!(
            "there is no database in {folder}: run this where the server runs, name its folder or address \
             (FLORIN_DATABASE__FOLDER, DATABASE_URL, --config), or make one with `florin serve` or \
             `florin migrate`"
        )));
    }
    on_runtime(async {
        let ports = node::host::ports();
        let stores = node::open(&config, &ports, ports.ids.uuid(), false).await?;
        let node = node::start_over(config, ports, stores).await?;
        let result = work(Arc::clone(&node)).await;
        node.stop(Duration::from_secs(10)).await;
        result
    })
}

/// The merchant that a command is about: the one that is named, or the only one.
async fn merchant_of(node: &Node, named: Option<Id<Merchant>>) -> Result<Id<Merchant>, Failure> {
    if let Some(id) = named {
        return Ok(node.identity.merchant(id).await?.id);
    }
    let merchants = node.identity.merchants().await?;
    match merchants.as_slice() {
        [only] => Ok(only.id),
        several => Err(Failure::Usage(format!(
            "there are {} merchants: name one with --merchant mer_…",
            several.len()
        ))),
    }
}

/// Both worlds of every merchant: where an operator looks for an id.
async fn worlds(node: &Node) -> Result<Vec<Scope>, Failure> {
    let merchants = node.identity.merchants().await?;
    let worlds = merchants
        .into_iter()
        .flat_map(|merchant| [Mode::Test, Mode::Live].map(|mode| Scope { merchant: merchant.id, mode }));
    Ok(worlds.collect())
}

/// Who acts at this command line, for the audit trail.
fn operator() -> String {
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    name.unwrap_or_else(|_| "operator".to_owned())
}
