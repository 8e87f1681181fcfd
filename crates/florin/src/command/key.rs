//! `florin key`.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use identity::{AccessScope, ApiKey, ApiKeyMark, KeyKind, NewKey};
use kernel::{Actor, Clock, Id, Merchant, Mode, Network, Scope};
use node::{Config, Node};
use serde_json::{Value, json};

use super::{merchant_of, operator, with_node};
use crate::failure::Failure;
use crate::output;

const SHOWN_ONCE: &str = "The key is shown now and never again.";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key, which is shown once
    Create(Create),
    /// Makes a key that follows another one, which ends after the overlap
    Rotate(Rotate),
    /// Lists a merchant's keys, without their texts
    List {
        /// Whose; may be left out while there is one merchant
        #[arg(long, value_name = "ID")]
        merchant: Option<Id<Merchant>>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Ends a key: it opens nothing any more, on any node within five seconds
    Revoke {
        /// The key's id, key_…
        id: Id<ApiKeyMark>,
        /// Whose; may be left out while there is one merchant
        #[arg(long, value_name = "ID")]
        merchant: Option<Id<Merchant>>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// Whose; may be left out while there is one merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<Id<Merchant>>,
    /// Which of its two worlds it opens
    #[arg(long, value_enum, default_value = "test", conflicts_with = "live")]
    mode: ModeWord,
    /// The same as --mode live
    #[arg(long)]
    live: bool,
    /// secret for servers, publishable for browsers
    #[arg(long, value_enum, default_value = "secret", conflicts_with = "publishable")]
    kind: KindWord,
    /// The same as --kind publishable
    #[arg(long)]
    publishable: bool,
    /// What it may do, such as payments:read,refunds:write; without it, everything
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    scopes: Vec<AccessScope>,
    /// After which it ends, such as 90d or 12h; without it, never
    #[arg(long, value_parser = lifetime, value_name = "DURATION")]
    expires_in: Option<Duration>,
    /// From where alone it may be used: addresses or ranges such as 203.0.113.0/24
    #[arg(long, value_delimiter = ',', value_name = "IPS")]
    allowed_ips: Vec<Network>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {
    /// The key's id, key_…
    id: Id<ApiKeyMark>,
    /// Whose; may be left out while there is one merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<Id<Merchant>>,
    /// How long the old key goes on, such as 24h or 0
    #[arg(long, value_parser = lifetime, default_value = "24h", value_name = "DURATION")]
    overlap: Duration,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeWord {
    Test,
    Live,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindWord {
    Secret,
    Publishable,
}

/// A duration as the configuration writes it, or in days.
fn lifetime(text: &str) -> Result<Duration, String> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Ok(Duration::from_hours(24 * u64::from(days)));
    }
    node::config::duration(text).map_err(|allowed| format!("must be {allowed}, or days such as 90d"))
}

impl KeyCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        with_node(config, |node| async move {
            match self {
                Self::Create(create) => create.run(&node).await,
                Self::Rotate(rotate) => rotate.run(&node).await,
                Self::List { merchant, json } => list(&node, merchant, json).await,
                Self::Revoke { id, merchant, json } => {
                    let merchant = merchant_of(&node, merchant).await?;
                    let key = node.identity.revoke_key(merchant, id, &actor(), None).await?;
                    if json {
                        output::json(&object(&key, node.clock.as_ref(), None));
                    } else {
                        output::line(&format!("{id} is revoked"));
                    }
                    Ok(())
                }
            }
        })
    }
}

impl Create {
    async fn run(self, node: &Node) -> Result<(), Failure> {
        let mode = if self.live || matches!(self.mode, ModeWord::Live) { Mode::Live } else { Mode::Test };
        let publishable = self.publishable || matches!(self.kind, KindWord::Publishable);
        let wanted = NewKey {
            kind: if publishable { KeyKind::Publishable } else { KeyKind::Secret },
            scopes: self.scopes.into_iter().collect(),
            expires_in: self.expires_in,
            allowed_ips: self.allowed_ips,
        };
        let scope = Scope { merchant: merchant_of(node, self.merchant).await?, mode };
        let (key, text) = node.identity.create_key(scope, wanted, &actor(), None).await?;
        if self.json {
            output::json(&object(&key, node.clock.as_ref(), Some(text.expose())));
        } else {
            output::line(&format!("key id    {}", key.id));
            output::line(&format!("key       {}", text.expose()));
            output::remark(SHOWN_ONCE);
        }
        Ok(())
    }
}

impl Rotate {
    async fn run(self, node: &Node) -> Result<(), Failure> {
        let merchant = merchant_of(node, self.merchant).await?;
        let rotated = node.identity.rotate_key(merchant, self.id, self.overlap, &actor(), None).await?;
        let end = rotated.old.expires_at.map(|end| end.to_string()).unwrap_or_default();
        if self.json {
            let mut made = object(&rotated.key, node.clock.as_ref(), Some(rotated.text.expose()));
            if let Some(members) = made.as_object_mut() {
                members.insert("old_key_expires_at".to_owned(), json!(end));
            }
            output::json(&made);
        } else {
            output::line(&format!("key id    {}", rotated.key.id));
            output::line(&format!("key       {}", rotated.text.expose()));
            output::line(&format!("old key   {} ends at {end}", rotated.old.id));
            output::remark(SHOWN_ONCE);
        }
        Ok(())
    }
}

async fn list(node: &Node, merchant: Option<Id<Merchant>>, json: bool) -> Result<(), Failure> {
    let merchant = merchant_of(node, merchant).await?;
    let (keys, clock) = (node.identity.keys(merchant).await?, node.clock.as_ref());
    if json {
        let data: Vec<Value> = keys.iter().map(|key| object(key, clock, None)).collect();
        output::json(&json!({ "data": data }));
        return Ok(());
    }
    for key in keys {
        let scopes: Vec<_> = key.scopes.iter().map(AccessScope::as_str).collect();
        let may = if scopes.is_empty() { "everything".to_owned() } else { scopes.join(",") };
        let (mode, kind) = (key.scope.mode.as_str(), key.kind.as_str());
        let status = key.status(clock.now()).as_str();
        output::line(&format!("{}  {mode:<4}  {kind:<11}  …{}  {status:<7}  {may}", key.id, key.last4));
    }
    Ok(())
}

/// A key for scripts; its text only when it was just made.
pub(super) fn object(key: &ApiKey, clock: &dyn Clock, text: Option<&str>) -> Value {
    let mut object = json!({
        "id": key.id, "merchant_id": key.scope.merchant, "mode": key.scope.mode, "kind": key.kind,
        "last4": key.last4, "scopes": key.scopes, "allowed_ips": key.allowed_ips,
        "status": key.status(clock.now()), "replaces": key.replaces,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|end| end.to_string()),
        "revoked_at": key.revoked_at.map(|end| end.to_string()),
    });
    if let (Some(members), Some(text)) = (object.as_object_mut(), text) {
        members.insert("key".to_owned(), json!(text));
    }
    object
}

fn actor() -> Actor {
    Actor::Operator(operator())
}
