//! `florin sandbox`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use node::{Config, LoneBank};

use super::on_runtime;
use super::serve::listen;
use crate::failure::Failure;
use crate::output;
use crate::shutdown::Signals;

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serves the simulated bank; `sandbox.bank = "http://…"` points nodes at it
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8001)]
    port: u16,
    /// Where people reach its pages; without it, where it listens
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Keeps its records in this file instead of in memory
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Sends notices to this scheme and host instead of where each charge asked for them
    #[arg(long, value_name = "URL")]
    notify: Option<String>,
}

impl SandboxCommand {
    pub(crate) fn run(self, mut config: Config) -> Result<(), Failure> {
        let Self::Serve(serve) = self;
        config.server.host.clone_from(&serve.host);
        config.server.port = serve.port;
        config.server.public_url = serve.public_url;
        on_runtime(async {
            let mut signals = Signals::listen()
                .map_err(|error| Failure::while_doing("signals cannot be received", &error))?;
            let listener = listen(&mut config).await?;
            let url = node::public_url(&config);
            let notify = serve.notify.map(|url| url.trim_end_matches('/').to_owned());
            let bank = LoneBank::open(&config, &node::host::ports(), &url, serve.file.as_deref(), notify)?;
            let bank = Arc::new(bank);
            bank.run_background();
            output::line(&format!("The sandbox bank listens on {url}"));
            let router = gateway::sandbox_router(Arc::clone(&bank.bank), Arc::clone(&bank.clock));
            let (tasks, clock) = (Arc::clone(&bank.tasks), Arc::clone(&bank.clock));
            let stop = async {
                signals.next().await;
            };
            let result = gateway::serve_router(router, listener, tasks, clock, stop).await;
            bank.stop(Duration::from_secs(5)).await;
            result.map_err(|error| Failure::while_doing("serving failed", &error))
        })
    }
}
