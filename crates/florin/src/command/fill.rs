//! `florin bench fill`.

use bench::fill::FillProgress;
use clap::Args;
use kernel::{Monotonic, Timestamp};
use node::Config;

use super::on_runtime;
use crate::failure::Failure;
use crate::output;
use crate::shutdown::Signals;

/// Payments of the past.
#[derive(Clone, Debug, Args)]
pub(crate) struct Fill {
    /// How many payments there shall be
    #[arg(long, value_name = "COUNT")]
    payments: u64,
    /// Over how many merchants; the first is the installation's own
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    merchants: u64,
    /// Decides everything that is random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the newest was made; to go on with a fill, the same again
    #[arg(long, default_value = "2026-11-01T00:00:00Z", value_name = "INSTANT")]
    until: Timestamp,
    /// Over how many days before they were made
    #[arg(long, default_value_t = 730, value_name = "DAYS")]
    days: u32,
}

impl Fill {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        let wanted = bench::fill::Fill {
            payments: self.payments,
            merchants: self.merchants,
            seed: self.seed,
            until: self.until,
            days: self.days,
        };
        on_runtime(async move {
            let ports = node::host::ports();
            let clock = std::sync::Arc::clone(&ports.clock);
            let node = node::start(config, ports).await?;
            node.first_start().await?;
            let mut signals = Signals::listen()
                .map_err(|error| Failure::while_doing("signals cannot be received", &error))?;
            let begun = clock.monotonic();
            let work = bench::fill::fill(&node, &wanted, |progress| show(progress, begun, clock.monotonic()));
            let result = tokio::select! {
                result = work => result.map_err(|error| Failure::Failed(error.to_string())),
                _ = signals.next() => Err(Failure::Failed("stopped; the same command goes on".to_owned())),
            };
            node.stop(std::time::Duration::from_secs(10)).await;
            let FillProgress { of, made, .. } = result?;
            output::line(&format!("{made} payments made; there are {of} of seed {}", wanted.seed));
            Ok(())
        })
    }
}

fn show(progress: FillProgress, begun: Monotonic, now: Monotonic) {
    let FillProgress { done, of, made } = progress;
    let millis = now.0.saturating_sub(begun.0).as_millis().max(1);
    let rate = u128::from(made) * 1_000 / millis;
    let text = format!("{done} of {of} payments, {rate} a second");
    if output::is_watched() {
        output::over(&text);
    } else if done.is_multiple_of(100_000) || done == of {
        output::remark(&text);
    }
}
