//! Whether an account can be used: who we are, whether charges are enabled, and which world the key opens.

use kernel::{Credentials, Distilled};
use provider_kit::{Check, Probe, ProviderAccount};

use crate::profile::{SECRET_KEY, WEBHOOK_SECRET};
use crate::request::Way;
use crate::wire::{Account, Kept, Said};

pub(crate) fn next(account: &ProviderAccount, credentials: &Credentials, replies: &[Distilled]) -> Probe {
    let (way, said) = (Way { account, reference: "probe" }, Said::of(replies));
    let Some(balance) = said.to("balance") else { return Probe::Send(way.balance()) };
    let mut checks = vec![world(credentials, balance)];
    if checks.iter().all(|check| check.works) {
        let Some(known) = said.to("account") else { return Probe::Send(way.account()) };
        checks.extend(who(account, known));
    }
    checks.push(match credentials.get(WEBHOOK_SECRET) {
        Some(_) => Check::works("webhooks", "a signing secret is set"),
        None => Check::fails(
            "webhooks",
            "no webhook_secret: what Stripe tells is refused, and disputes are never heard of",
        ),
    });
    Probe::Done(checks)
}

fn world(credentials: &Credentials, balance: &Kept) -> Check {
    let key = credentials.get(SECRET_KEY).map_or("", |secret| secret.expose().as_str());
    let is_live_key = key.contains("_live_");
    match balance {
        Kept::Balance { livemode } if *livemode == is_live_key => {
            let world = if *livemode { "live" } else { "test" };
            Check::works("credentials", format!("the secret key opens the {world} world"))
        }
        Kept::Balance { .. } => {
            Check::fails("credentials", "the secret key opens another world than it says itself")
        }
        other => Check::fails("credentials", refusal(other)),
    }
}

fn who(account: &ProviderAccount, known: &Kept) -> Vec<Check> {
    let Kept::Account(Account { id, country, charges_enabled, payouts_enabled }) = known else {
        // A restricted key may do without: what it may do shows when it is used.
        let says = format!("not told: {}", refusal(known));
        return vec![Check::works("account", says)];
    };
    let connected = account.setting("connected_account");
    let own = account.setting("account_id");
    let expected = [connected, own].into_iter().find(|expected| !expected.is_empty());
    let mut checks = vec![if let Some(expected) = expected.filter(|expected| expected != id) {
        Check::fails("account", format!("the key belongs to {id}, not to {expected}"))
    } else {
        let country = country.as_deref().map_or_else(String::new, |country| format!(" in {country}"));
        Check::works("account", format!("{id}{country}"))
    }];
    for (what, enabled) in [("charges", charges_enabled), ("payouts", payouts_enabled)] {
        checks.push(match enabled {
            Some(false) => Check::fails(what, "not enabled: finish the set-up in Stripe's dashboard"),
            Some(true) => Check::works(what, "enabled"),
            None => continue,
        });
    }
    checks
}

fn refusal(kept: &Kept) -> String {
    match kept {
        Kept::Failed { status, error } => {
            let word = error.code.as_deref().unwrap_or(&error.r#type);
            format!("{status} {word}: {}", error.message.as_deref().unwrap_or_default())
        }
        Kept::Unreadable { status, raw } => format!("{status}: {raw}"),
        _ => "an answer about something else".to_owned(),
    }
}
