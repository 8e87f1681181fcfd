//! `florin provider`.

use clap::Subcommand;
use kernel::Mode;
use node::{Config, Node, ProviderFacts, providers};
use serde_json::{Value, json};

use super::{with_node, worlds};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Lists the providers of this build and what each can do
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Asks a provider, with every account there is, what works; changes nothing
    Test {
        /// The provider's name
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl ProviderCommand {
    pub(crate) fn run(self, load: impl FnOnce() -> Result<Config, Failure>) -> Result<(), Failure> {
        match self {
            Self::List { json } => {
                list(json);
                Ok(())
            }
            Self::Test { name, json } => {
                let name = if name == "mock" { "sandbox".to_owned() } else { name };
                check_name(&name)?;
                with_node(load()?, |node| async move { test(&node, &name, json).await })
            }
        }
    }
}

fn list(as_json: bool) {
    if as_json {
        let providers: Vec<Value> = providers()
            .into_iter()
            .map(|ProviderFacts { id, name, methods, currencies }| {
                json!({"id": id, "name": name, "methods": methods, "currencies": currencies})
            })
            .collect();
        return output::json(&json!({ "providers": providers }));
    }
    for ProviderFacts { id, name, methods, currencies } in providers() {
        let currencies = match currencies.len() {
            0 => "all".to_owned(),
            1..=12 => currencies.join(", "),
            many => format!("{many} of them"),
        };
        output::line(&format!("{id:<12} {name}: {}; currencies: {currencies}", methods.join(", ")));
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    let known: Vec<_> = providers().into_iter().map(|provider| provider.id).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(Failure::Usage(format!("there is no provider {name} in this build; there is: {}", known.join(", "))))
}

async fn test(node: &Node, name: &str, as_json: bool) -> Result<(), Failure> {
    let mut results = Vec::new();
    let mut failed = 0_u32;
    // Credentials that were configured since the server last started are tried too.
    if let Some(first) = node.identity.merchants().await?.first() {
        node.open_configured(first.id).await?;
    }
    for scope in worlds(node).await? {
        for account in node.payments.accounts(scope).await? {
            if account.provider != name {
                continue;
            }
            let checks = node.payments.probe(scope, account.id).await?;
            let works = checks.iter().all(|check| check.works);
            let word = if works { "works" } else { "does not work" };
            failed += u32::from(!works);
            let mode = if scope.mode == Mode::Live { "live" } else { "test" };
            if !as_json {
                output::line(&format!("{} {} {mode}: {word}", account.id, scope.merchant));
                for check in &checks {
                    let sign = if check.works { "ok" } else { "NO" };
                    output::line(&format!("  {sign} {}: {}", check.what, check.says));
                }
            }
            results.push(json!({
                "account": account.id, "merchant_id": scope.merchant, "mode": mode, "works": works,
                "checks": checks,
            }));
        }
    }
    let count = results.len();
    if as_json {
        output::json(&json!({"provider": name, "accounts": results}));
    }
    match (count, failed) {
        (0, _) => Err(Failure::Failed(format!(
            "no merchant has an account at {name}: the first `florin serve` makes one at the sandbox, and \
             those of real providers where the configuration has credentials (docs/providers)"
        ))),
        (_, 0) => Ok(()),
        _ => Err(Failure::Failed(format!(
            "{failed} of {count} accounts do not work: check their credentials and the network"
        ))),
    }
}
