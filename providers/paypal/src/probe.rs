//! Whether an account can be used: whether PayPal gives out a token, and knows our endpoint for notices.

use kernel::{Credentials, Distilled};
use provider_kit::{Check, Probe, ProviderAccount};

use crate::profile::WEBHOOK_ID;
use crate::request::{Way, base};
use crate::wire::{Kept, Said, Webhook};

pub(crate) fn next(account: &ProviderAccount, credentials: &Credentials, replies: &[Distilled]) -> Probe {
    let (way, said) = (Way { account, reference: "probe" }, Said::of(replies));
    let Some(answer) = said.to("webhooks") else { return Probe::Send(way.webhooks()) };
    let Kept::Webhooks(known) = answer else {
        return Probe::Done(vec![Check::fails("credentials", refusal(answer))]);
    };
    let world = if account.setting("environment") == "sandbox" { "sandbox" } else { "live" };
    let world = format!("client id and secret open PayPal's {world} world at {}", base(account));
    Probe::Done(vec![Check::works("credentials", world), webhooks(credentials, known)])
}

fn webhooks(credentials: &Credentials, known: &[Webhook]) -> Check {
    let ids = credentials.get(WEBHOOK_ID).map_or("", |ids| ids.expose().as_str());
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        let says = "no webhook_id: what PayPal tells is refused, and disputes are never heard of";
        return Check::fails("webhooks", says);
    }
    match known.iter().find(|webhook| ids.contains(&webhook.id.as_str())) {
        Some(webhook) => Check::works("webhooks", format!("PayPal tells {}", webhook.url)),
        None => Check::fails("webhooks", "PayPal knows no endpoint of this webhook_id"),
    }
}

fn refusal(kept: &Kept) -> String {
    match kept {
        Kept::Failed { status, failure } => format!("{status} {}: {}", failure.word(), failure.says()),
        Kept::Unreadable { status, raw } => format!("{status}: {raw}"),
        _ => "an answer about something else".to_owned(),
    }
}
