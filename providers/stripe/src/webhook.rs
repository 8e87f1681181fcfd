//! From Stripe's events to facts.

use std::time::Duration;

use kernel::{Credentials, Distilled};
use provider_kit::{
    About, CaptureMode, Delivery, DisputeNotice, DisputePhase, Fact, Incoming, Notice, Outcome,
    ProviderAccount, Verb, WebhookError, signing,
};
use serde::Deserialize;
use serde_json::Value;

use crate::profile::WEBHOOK_SECRET;
use crate::request::Way;
use crate::wire::{Intent, Kept, OURS, REFERENCE, Refund, Said, VERB};
use crate::{amount, mapping};

pub(crate) const SIGNATURE_HEADER: &str = "stripe-signature";

/// How old a signature may be, and how far in the future: what Stripe's own libraries allow.
const TOLERANCE: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
struct Event {
    id: String,
    r#type: String,
    /// The connected account that it happened in; absent for the account's own.
    account: Option<String>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dispute {
    id: String,
    amount: i64,
    currency: String,
    status: String,
    reason: Option<String>,
    payment_intent: Option<String>,
    balance_transactions: Vec<Movement>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Movement {
    fee: i64,
    currency: String,
}

/// Verifies a delivery, then says what it means.
pub(crate) fn read(
    account: &ProviderAccount,
    credentials: &Credentials,
    delivery: &Delivery,
    replies: &[Distilled],
) -> Result<Incoming, WebhookError> {
    verify(credentials, delivery)?;
    let unreadable =
        |error: serde_json::Error| WebhookError::Unreadable(format!("{:?} error", error.classify()));
    let event: Event = serde_json::from_slice(&delivery.body).map_err(unreadable)?;
    let connected = Some(account.setting("connected_account")).filter(|account| !account.is_empty());
    if event.account.as_deref() != connected {
        // Genuine, and of another account that the same endpoint is told about.
        return Ok(other(event));
    }
    let object = event.data.object.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
    let parsed = match (event.r#type.split('.').next().unwrap_or_default(), object.as_str()) {
        ("payment_intent", "payment_intent") | ("setup_intent", "setup_intent") => {
            Intent::deserialize(&event.data.object).map(|intent| of_intent(&event, &intent))
        }
        ("refund" | "charge", "refund") => {
            Refund::deserialize(&event.data.object).map(|refund| of_refund(account, &event, &refund, replies))
        }
        ("charge", "dispute") => Dispute::deserialize(&event.data.object)
            .map(|dispute| of_dispute(account, &event, &dispute, replies)),
        _ => return Ok(other(event)),
    };
    Ok(parsed.map_err(unreadable)?.unwrap_or_else(|| other(event)))
}

/// Any one of several secrets may match, so that a secret can be rolled.
fn verify(credentials: &Credentials, delivery: &Delivery) -> Result<(), WebhookError> {
    let secrets = credentials.get(WEBHOOK_SECRET).ok_or(WebhookError::Signature)?;
    let header = delivery.headers.iter().find(|(name, _)| name == SIGNATURE_HEADER);
    let (_, header) = header.ok_or(WebhookError::Signature)?;
    let mut verdict = Err(WebhookError::Signature);
    for secret in secrets.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty()) {
        let (secret, at) = (secret.as_bytes(), delivery.received_at);
        match signing::verify_timestamped(secret, header, &delivery.body, at, TOLERANCE) {
            Ok(()) => return Ok(()),
            Err(WebhookError::Stale) => verdict = Err(WebhookError::Stale),
            Err(_) => {}
        }
    }
    verdict
}

fn other(event: Event) -> Incoming {
    let Event { id, r#type: kind, .. } = event;
    Incoming::Notices(vec![Notice { id, about: About::default(), fact: Fact::Other { kind } }])
}

fn notices(notices: Vec<Notice>) -> Option<Incoming> {
    Some(notices).filter(|notices| !notices.is_empty()).map(Incoming::Notices)
}

/// The charge, and what was captured of it: an intent carries the marks of both. One without our
/// reference was made by somebody else who uses the same account.
fn of_intent(event: &Event, intent: &Intent) -> Option<Incoming> {
    let reference = intent.reference()?;
    let mode = intent.capture_method.as_deref().map(|method| match method {
        "manual" => CaptureMode::Manual,
        _ => CaptureMode::Automatic,
    });
    let mut told = Vec::new();
    match mapping::charge(intent, mode) {
        // A look-up sees more of it.
        Outcome::Unknown { .. } => {}
        state => told.push(Notice {
            id: event.id.clone(),
            about: About {
                ours: Some(reference.to_owned()),
                provider_reference: Some(intent.id.clone()),
                ..About::default()
            },
            fact: Fact::Operation { verb: Verb::Charge, state },
        }),
    }
    for name in intent.metadata.keys() {
        let Some(operation) = name.strip_prefix(OURS) else { continue };
        for (verb, word) in [(Verb::Capture, "capture"), (Verb::Increment, "increment")] {
            let Some(state) = mapping::marked(intent, operation, word) else { continue };
            let about = About {
                ours: Some(operation.to_owned()),
                charge_ours: Some(reference.to_owned()),
                charge_reference: Some(intent.id.clone()),
                ..About::default()
            };
            told.push(Notice { id: event.id.clone(), about, fact: Fact::Operation { verb, state } });
        }
    }
    notices(told)
}

fn of_refund(
    account: &ProviderAccount,
    event: &Event,
    refund: &Refund,
    replies: &[Distilled],
) -> Option<Incoming> {
    let ours = refund.metadata.get(REFERENCE).cloned();
    let charge_ours = match (&ours, &refund.payment_intent) {
        (Some(_), _) => None,
        // Made at the dashboard: whose charge it is stands in the intent.
        (None, Some(intent)) => match owner(account, &event.id, intent, replies) {
            Owner::Ours(reference) => Some(reference),
            Owner::Asked(request) => return Some(Incoming::Need(*request)),
            Owner::Unknown => None,
            Owner::Another => return None,
        },
        (None, None) => return None,
    };
    let verb = match refund.metadata.get(VERB).map(String::as_str) {
        Some("void") => Verb::Void,
        _ => Verb::Refund,
    };
    let about = About {
        ours,
        provider_reference: Some(refund.id.clone()),
        charge_reference: refund.payment_intent.clone(),
        charge_ours,
    };
    let fact = Fact::Operation { verb, state: mapping::refund(refund) };
    notices(vec![Notice { id: event.id.clone(), about, fact }])
}

fn of_dispute(
    account: &ProviderAccount,
    event: &Event,
    dispute: &Dispute,
    replies: &[Distilled],
) -> Option<Incoming> {
    let phase = match dispute.status.as_str() {
        "needs_response" | "under_review" => DisputePhase::Opened,
        "won" => DisputePhase::Won,
        "lost" => DisputePhase::Lost,
        // An inquiry (`warning_…`) takes no money.
        _ => return None,
    };
    let intent = dispute.payment_intent.as_ref()?;
    let charge_ours = match owner(account, &event.id, intent, replies) {
        Owner::Ours(reference) => Some(reference),
        Owner::Asked(request) => return Some(Incoming::Need(*request)),
        Owner::Unknown => None,
        Owner::Another => return None,
    };
    let amount = amount::money(dispute.amount, &dispute.currency)?;
    let fee = dispute.balance_transactions.iter().find(|movement| movement.fee > 0);
    let fee = fee.and_then(|movement| amount::money(movement.fee, &movement.currency));
    let fact = Fact::Dispute(DisputeNotice {
        reference: dispute.id.clone(),
        phase,
        amount,
        fee: fee.filter(|fee| fee.currency == amount.currency),
        reason: dispute.reason.clone().unwrap_or_default(),
    });
    let about = About { charge_reference: Some(intent.clone()), charge_ours, ..About::default() };
    notices(vec![Notice { id: event.id.clone(), about, fact }])
}

/// Whose an intent is.
enum Owner {
    /// Ours, under this reference.
    Ours(String),
    /// Somebody else's who uses the same account.
    Another,
    /// Stripe must be asked first.
    Asked(Box<kernel::Request>),
    /// Stripe gave no answer.
    Unknown,
}

fn owner(account: &ProviderAccount, event: &str, intent: &str, replies: &[Distilled]) -> Owner {
    match Said::of(replies).to("read") {
        None => Owner::Asked(Box::new(Way { account, reference: event }.read(intent))),
        Some(Kept::Intent(intent)) => {
            intent.reference().map_or(Owner::Another, |known| Owner::Ours(known.to_owned()))
        }
        Some(Kept::Failed { status: 404, .. }) => Owner::Another,
        Some(_) => Owner::Unknown,
    }
}
