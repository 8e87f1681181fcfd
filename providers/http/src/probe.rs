//! Whether an adapter answers, and whether it can do what its account says.

use kernel::{Credentials, Distilled};
use provider_kit::{Capability, Check, Probe, Provider as _, ProviderAccount};

use crate::Http;
use crate::profile::{PROFILE, WEBHOOK_SECRET};
use crate::request;
use crate::wire::{Discovery, Kept};

/// The protocol that this build speaks.
const PROTOCOL: &str = "1";

pub(crate) fn next(account: &ProviderAccount, credentials: &Credentials, replies: &[Distilled]) -> Probe {
    let Some(reply) = replies.last() else { return Probe::Send(request::discover(account, "probe")) };
    let mut checks = match reply.read() {
        Ok(Kept::Capabilities(document)) => judged(account, &document),
        Ok(Kept::Refused { status, error }) => {
            vec![Check::fails("credentials", format!("{status} {}: {}", error.code, error.message))]
        }
        Ok(Kept::Unreadable { status, raw }) => vec![Check::fails("answers", format!("{status}: {raw}"))],
        Ok(Kept::Answered { .. }) | Err(_) => {
            vec![Check::fails("answers", "an answer about something else")]
        }
    };
    checks.push(match credentials.get(WEBHOOK_SECRET) {
        Some(_) => Check::works("webhooks", "a secret for notices is set"),
        None => Check::fails("webhooks", "no webhook_secret: what the adapter tells is refused"),
    });
    Probe::Done(checks)
}

fn judged(account: &ProviderAccount, document: &Discovery) -> Vec<Check> {
    if document.protocol != PROTOCOL {
        let says = format!("the adapter speaks protocol {:?}, not {PROTOCOL:?}", document.protocol);
        return vec![Check::fails("protocol", says)];
    }
    let mut checks = vec![Check::works("credentials", format!("{} takes our signature", document.name))];
    let known: Vec<&str> = PROFILE.capabilities.iter().map(|capability| capability.as_str()).collect();
    let strange: Vec<&str> =
        document.capabilities.iter().map(String::as_str).filter(|word| !known.contains(word)).collect();
    if !strange.is_empty() {
        checks.push(Check::fails("capabilities", format!("nobody knows {}", strange.join(", "))));
    }
    let lacks = |capability: &&Capability| {
        Http.offers(account, **capability)
            && !document.capabilities.iter().any(|word| word == capability.as_str())
    };
    let missing: Vec<&str> =
        PROFILE.capabilities.iter().filter(lacks).map(|capability| capability.as_str()).collect();
    checks.push(if missing.is_empty() {
        Check::works("capabilities", document.capabilities.join(", "))
    } else {
        let says = format!(
            "the adapter has no {}: list what it has in payment.http.capabilities",
            missing.join(", ")
        );
        Check::fails("capabilities", says)
    });
    checks
}
