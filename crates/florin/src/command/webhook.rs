//! `florin webhook`: what came in and was not taken, and deliveries for a developer's own tests.

use std::sync::Arc;

use clap::{Args, Subcommand};
use gateway::input;
use kernel::{Id, Merchant, Mode, Scope, Secret};
use node::{Config, Node};
use payments::{EventSource, Quarantined, Taken};
use serde_json::json;

use super::webhook_send::Send;
use super::{merchant_of, with_node, worlds};
use crate::failure::Failure;
use crate::output;

/// How many stored deliveries a replay reads at once.
const INBOX_LIMIT: u32 = 100;
/// A secret that is made here has so many random bytes.
const SECRET_BYTES: usize = 32;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Sends deliveries to a server, signed as a provider or another system signs them
    Send(Box<Send>),
    /// Lists deliveries that could not be verified or understood, newest first
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Takes such deliveries once more, as they came
    Replay(Replay),
    /// Gives a merchant a secret for signed events, and an address of its own; makes a new one each time
    Secret(NewSecret),
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Which, by the names of the list
    #[arg(required_unless_present = "all", value_name = "NAME")]
    names: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NewSecret {
    /// Whose; may be left out while there is one merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<Id<Merchant>>,
    /// For events of the live world
    #[arg(long)]
    live: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl WebhookCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        match self {
            Self::Send(send) => send.run(config),
            Self::List { json } => with_node(config, |node| async move { list(&node, json).await }),
            Self::Replay(replay) => with_node(config, |node| async move { replay.run(&node).await }),
            Self::Secret(secret) => with_node(config, |node| async move { secret.run(&node).await }),
        }
    }
}

async fn all(node: &Node) -> Result<Vec<(Scope, Quarantined)>, Failure> {
    let mut all = Vec::new();
    for scope in worlds(node).await? {
        all.extend(node.payments.quarantined(scope).await?.into_iter().map(|each| (scope, each)));
    }
    all.sort_by_key(|(_, each)| std::cmp::Reverse(each.received_at));
    Ok(all)
}

async fn list(node: &Node, as_json: bool) -> Result<(), Failure> {
    let all = all(node).await?;
    if as_json {
        let data: Vec<_> = all
            .iter()
            .map(|(scope, each)| {
                json!({
                    "name": each.id(), "merchant_id": scope.merchant, "mode": scope.mode,
                    "provider": each.provider, "reason": each.reason, "times": each.times,
                    "first_received_at": each.first_received_at.to_string(),
                    "received_at": each.received_at.to_string(),
                    "can_be_replayed": each.can_be_replayed(), "shown": each.shown,
                })
            })
            .collect();
        output::json(&json!({ "data": data }));
        return Ok(());
    }
    for (scope, each) in &all {
        let (mode, times) = (scope.mode.as_str(), each.times);
        output::line(&format!(
            "{}  {} {mode}  {}  {times}×  {}: {}",
            each.id(),
            scope.merchant,
            each.received_at,
            each.provider,
            each.reason
        ));
    }
    if all.is_empty() {
        output::remark("No delivery was rejected.");
    }
    Ok(())
}

impl Replay {
    async fn run(&self, node: &Arc<Node>) -> Result<(), Failure> {
        // What was configured since the server last started holds here, too.
        if let Some(first) = node.identity.merchants().await?.first() {
            node.open_configured(first.id).await?;
            node.open_events(first.id)?;
        }
        let mut known = all(node).await?;
        if !self.all {
            for name in &self.names {
                if !known.iter().any(|(_, each)| each.id() == *name) {
                    return Err(Failure::Failed(format!("there is no rejected delivery {name}")));
                }
            }
            known.retain(|(_, each)| self.names.contains(&each.id()));
        }
        let (mut taken, mut refused) = (0_u32, 0_u32);
        for (scope, each) in known {
            match again(node, scope, &each).await {
                Ok(()) => {
                    taken += 1;
                    node.payments.release(scope, &each.id()).await?;
                    output::line(&format!("{}: taken", each.id()));
                }
                Err(reason) => {
                    refused += 1;
                    output::line(&format!("{}: refused again: {reason}", each.id()));
                }
            }
        }
        // What was stored is read now, whether or not a server runs beside.
        while node.payments.process_inbox(INBOX_LIMIT).await? > 0 {}
        output::line(&format!("{taken} taken, {refused} refused"));
        if refused > 0 {
            Err(Failure::Failed("some deliveries were refused again".to_owned()))
        } else {
            Ok(())
        }
    }
}

/// Takes one as it came, judged by the time at which it came.
async fn again(node: &Node, scope: Scope, each: &Quarantined) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (_, delivery) =
        node.payments.quarantined_delivery(scope, &each.id()).await.map_err(|error| text(&error))?;
    if let Some(source) = source_of(node, each).await? {
        let body = input::read_body(&delivery.body).map_err(|problem| problem.detail().to_owned())?;
        let event = input::event(&body).map_err(|problem| problem.detail().to_owned())?;
        let taken = node.payments.receive_event(&source, &event.claim, event.amount_is_text, &delivery).await;
        return match taken.map_err(|error| text(&error))? {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.as_str().to_owned()),
        };
    }
    let account = Id::parse(&each.source).map_err(|error| text(&error))?;
    let taken = node.payments.receive(&each.provider, account, delivery).await;
    match taken.map_err(|error| text(&error))? {
        Taken::Stored => Ok(()),
        Taken::Refused(error) => Err(text(&error)),
    }
}

/// Whose event it would be; `None` for a provider's notice.
async fn source_of(node: &Node, each: &Quarantined) -> Result<Option<EventSource>, String> {
    if each.provider != payments::EVENTS {
        return Ok(None);
    }
    if let Ok(account) = Id::parse(&each.source) {
        let source = node.payments.event_source(account).await;
        return source.map(Some).map_err(|error| error.to_string());
    }
    let source = node.event_source().cloned();
    source.map(Some).ok_or_else(|| "no secret is configured (HMAC_SECRET_KEY)".to_owned())
}

impl NewSecret {
    async fn run(&self, node: &Node) -> Result<(), Failure> {
        let merchant = merchant_of(node, self.merchant).await?;
        let mode = if self.live { Mode::Live } else { Mode::Test };
        let mut bytes = [0; SECRET_BYTES];
        node.random.fill(&mut bytes);
        let secret = provider_kit::signing::hex(&bytes);
        let scope = Scope { merchant, mode };
        let account = node.payments.configure_events(scope, Secret::new(secret.clone())).await?;
        let url = format!("{}/webhooks/payments/{}", node.public_url, account.id);
        if self.json {
            output::json(&json!({
                "account_id": account.id, "merchant_id": merchant, "mode": mode, "url": url, "secret": secret,
            }));
        } else {
            output::line(&format!("address  {url}"));
            output::line(&format!("secret   {secret}"));
            output::remark("The secret is shown now and never again; an older one holds no more.");
        }
        Ok(())
    }
}
