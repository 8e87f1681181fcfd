//! `florin vault`.

use std::time::Duration;

use clap::Subcommand;
use node::{Config, Node};
use serde_json::json;
use vault::VaultError;
use vault::cards::{CardVault, KekId, Rotation, SETTLE, VaultStatus};

use super::with_node;
use crate::failure::Failure;
use crate::output;

/// How many cards a pass wraps anew.
const PASS_LIMIT: u32 = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Makes the configured keystore and, if that is what opens it, its key file; leaves what is there
    Init,
    /// Shows what key cards are under, and how far a rotation is
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Puts all cards under a new key, while servers run
    Rotate {
        /// Only make the key, so that the keystore can be copied to every node first
        #[arg(long)]
        prepare: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Destroys a retired key: older copies of the vault can then never be read again
    Destroy {
        /// The key
        key: KekId,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl VaultCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        if let Self::Init = self {
            let path = node::make_keystore(&config, &node::host::ports())?;
            output::line(&format!("the keystore is {}", path.display()));
            output::line("keep a copy of it and of what opens it, apart from the data");
            return Ok(());
        }
        with_node(config, |node| async move {
            match self {
                Self::Init => Ok(()),
                Self::Status { json } => status(&node, json).await,
                Self::Rotate { prepare: true, json } => prepare(&node, json).await,
                Self::Rotate { prepare: false, json } => rotate(&node, json).await,
                Self::Destroy { key, json } => destroy(&node, key, json).await,
            }
        })
    }
}

fn cards(node: &Node) -> Result<&CardVault, Failure> {
    let without = "no cards are kept here: set vault.keystore, and see that vault.enabled is true";
    node.cards.as_deref().ok_or_else(|| Failure::Usage(without.to_owned()))
}

fn failed(error: VaultError) -> Failure {
    Failure::from(node::StartError::from(error))
}

async fn status(node: &Node, as_json: bool) -> Result<(), Failure> {
    let status = cards(node)?.status().await.map_err(failed)?;
    print(&status, as_json);
    Ok(())
}

async fn prepare(node: &Node, as_json: bool) -> Result<(), Failure> {
    let key = cards(node)?.prepare().await.map_err(failed)?;
    if as_json {
        output::json(&json!({"prepared": key.to_string()}));
    } else {
        output::line(&format!("{key} is in the keystore, and not used yet"));
        output::line("copy the keystore to every node, then run `florin vault rotate`");
    }
    Ok(())
}

/// Begins a rotation, or goes on with one, and wraps all cards anew. Servers do the same beside it.
async fn rotate(node: &Node, as_json: bool) -> Result<(), Failure> {
    let cards = cards(node)?;
    let (key, begun) = match cards.rotate().await.map_err(failed)? {
        Rotation::Begun(key) => (key, true),
        Rotation::UnderWay(key) => (key, false),
    };
    let mut wrapped = 0;
    loop {
        let pass = cards.rewrap(PASS_LIMIT, SETTLE).await.map_err(failed)?;
        wrapped += pass.cards;
        if pass.cards > 0 {
            continue;
        }
        let status = cards.status().await.map_err(failed)?;
        if status.retiring.iter().all(|(_, left)| *left == 0) {
            if as_json {
                output::json(&json!({"key": key.to_string(), "begun": begun, "cards": wrapped}));
            } else {
                output::line(&format!("cards are under {key}; {wrapped} were wrapped anew here"));
                if !status.retiring.is_empty() {
                    let minutes = SETTLE.as_secs() / 60;
                    output::line(&format!("the key before is retired {minutes} minutes later by a server"));
                }
            }
            return Ok(());
        }
        // A server is at the same cards.
        node.clock.sleep(Duration::from_millis(200)).await;
    }
}

async fn destroy(node: &Node, key: KekId, as_json: bool) -> Result<(), Failure> {
    if !cards(node)?.destroy_retired(key).await.map_err(failed)? {
        let why = "is no retired key: only what nothing is under can be destroyed";
        return Err(Failure::Failed(format!("{key} {why}")));
    }
    if as_json {
        output::json(&json!({"destroyed": key.to_string()}));
    } else {
        output::line(&format!("{key} is destroyed; destroy the copies of the keystore that have it too"));
    }
    Ok(())
}

fn print(status: &VaultStatus, as_json: bool) {
    if as_json {
        let retiring =
            status.retiring.iter().map(|(key, left)| json!({"key": key.to_string(), "cards": left}));
        let retired = status
            .retired
            .iter()
            .map(|retired| json!({"key": retired.id.to_string(), "at": retired.at.to_string()}));
        output::json(&json!({
            "current": status.current.to_string(),
            "since": status.since.to_string(),
            "retiring": retiring.collect::<Vec<_>>(),
            "retired": retired.collect::<Vec<_>>(),
            "unused": status.unused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
        return;
    }
    output::line(&format!("current   {}  since {}", status.current, status.since));
    for (key, left) in &status.retiring {
        let many = if *left >= 1_000 { "1000 or more" } else { &left.to_string() };
        output::line(&format!("retiring  {key}  {many} cards left"));
    }
    for retired in &status.retired {
        output::line(&format!("retired   {}  at {}", retired.id, retired.at));
    }
    for key in &status.unused {
        output::line(&format!("unused    {key}  taken by the next rotation"));
    }
}
