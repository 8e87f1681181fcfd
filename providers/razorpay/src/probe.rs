//! Whether an account can be used: Razorpay lists its orders for us, and notices can be verified.

use kernel::{Credentials, Distilled};
use provider_kit::{Check, Probe, ProviderAccount};

use crate::profile::{KEY_ID, WEBHOOK_SECRET};
use crate::request::{Way, base, knows_payer};
use crate::wire::{Kept, Said};

pub(crate) fn next(account: &ProviderAccount, credentials: &Credentials, replies: &[Distilled]) -> Probe {
    let (way, said) = (Way { account, reference: "probe" }, Said::of(replies));
    let Some(answer) = said.to("probe") else { return Probe::Send(way.probe()) };
    let Kept::Orders(_) = answer else {
        return Probe::Done(vec![Check::fails("credentials", refusal(answer))]);
    };
    let world = if account.setting(KEY_ID).starts_with("rzp_test_") { "test" } else { "live" };
    let opens = format!("the key opens Razorpay's {world} world at {}", base(account));
    let is_set = credentials.get(WEBHOOK_SECRET).is_some_and(|secret| !secret.expose().trim().is_empty());
    let notices = if is_set {
        Check::works("webhooks", "notices are verified; whether Razorpay sends any, it does not tell a key")
    } else {
        let says = "no webhook_secret: what Razorpay tells is refused, and disputes are never heard of";
        Check::fails("webhooks", says)
    };
    let payer = if knows_payer(account) {
        "stored cards are charged without their owner, and UPI, banks, wallets and lenders asked directly"
    } else {
        "everybody pays on Razorpay's page; no payer_email and payer_contact for anything else"
    };
    Probe::Done(vec![Check::works("credentials", opens), notices, Check::works("methods", payer)])
}

fn refusal(kept: &Kept) -> String {
    match kept {
        Kept::Failed { status, failure } => format!("{status} {}: {}", failure.word(), failure.says()),
        Kept::Unreadable { status, raw } => format!("{status}: {raw}"),
        _ => "an answer about something else".to_owned(),
    }
}
