//! From the adapter's notices to facts, and notices as an adapter would send them.

use std::time::Duration;

use kernel::{Credentials, Header, Money, Secret, Timestamp};
use provider_kit::{
    About, Delivery, DisputeNotice, DisputePhase, Fact, Incoming, Notice, NoticeSample, Verb, WebhookError,
    signing, standard_webhooks,
};
use serde_json::json;

use crate::mapping;
use crate::profile::WEBHOOK_SECRET;
use crate::wire::{EventBody, Object};

/// How old a signature may be, and how far in the future.
const TOLERANCE: Duration = Duration::from_mins(5);

pub(crate) fn read(credentials: &Credentials, delivery: &Delivery) -> Result<Incoming, WebhookError> {
    let secrets = credentials.get(WEBHOOK_SECRET).ok_or(WebhookError::Signature)?;
    let id = standard_webhooks::verify(secrets, delivery, TOLERANCE)?.to_owned();
    let event: EventBody = serde_json::from_slice(&delivery.body)
        .map_err(|error| WebhookError::Unreadable(format!("{:?} error", error.classify())))?;
    Ok(Incoming::Notices(vec![Notice { about: about(&event), fact: fact(event.r#type, event.data), id }]))
}

/// Notices that can be simulated.
pub(crate) const EVENTS: &[&str] = &["charge.captured", "charge.declined", "dispute.opened"];

/// A notice as an adapter would send it.
pub(crate) fn sample(sample: &NoticeSample) -> Option<Vec<u8>> {
    let NoticeSample { reference, provider_reference: id, amount, .. } = sample;
    let (minor, currency) = (amount.minor, amount.currency);
    let (kind, data) = match sample.event.as_str() {
        "charge.captured" => (
            "charge.updated",
            json!({"object": "charge", "id": id, "reference": reference, "status": "captured",
                "amount": minor, "amount_approved": minor, "currency": currency}),
        ),
        "charge.declined" => (
            "charge.updated",
            json!({"object": "charge", "id": id, "reference": reference, "status": "declined",
                "amount": minor, "currency": currency, "decline": {"code": "generic_decline"}}),
        ),
        "dispute.opened" => (
            "dispute.updated",
            json!({"object": "dispute", "id": format!("dp_{reference}"), "charge": id,
                "charge_reference": reference, "status": "open", "amount": minor, "currency": currency,
                "reason": "fraudulent"}),
        ),
        _ => return None,
    };
    let timestamp = sample.at.to_string();
    Some(json!({"type": kind, "timestamp": timestamp, "data": data}).to_string().into_bytes())
}

/// The headers that prove a body to be the adapter's, under the newest of its secrets.
pub(crate) fn sign(credentials: &Credentials, at: Timestamp, body: &[u8]) -> Option<Vec<Header>> {
    let secrets = credentials.get(WEBHOOK_SECRET)?.expose();
    let secret = secrets.split(',').map(str::trim).find(|secret| !secret.is_empty())?;
    let digest = signing::hmac_sha256_hex(secret.as_bytes(), &[body]);
    let id = format!("msg_{}", digest.get(..24)?);
    Some(standard_webhooks::sign(&Secret::new(secret.to_owned()), &id, at, body))
}

fn about(event: &EventBody) -> About {
    let object = &event.data;
    About {
        ours: object.reference.clone(),
        provider_reference: Some(object.id.clone()),
        charge_reference: object.charge.clone(),
        charge_ours: object.charge_reference.clone(),
    }
}

fn fact(kind: String, object: Object) -> Fact {
    let verb = match kind.as_str() {
        "charge.updated" => Verb::Charge,
        "capture.updated" => Verb::Capture,
        "void.updated" => Verb::Void,
        "refund.updated" => Verb::Refund,
        "cancel.updated" => Verb::Cancel,
        "increment.updated" => Verb::Increment,
        "dispute.updated" => return dispute(object).unwrap_or(Fact::Other { kind }),
        _ => return Fact::Other { kind },
    };
    if object.kind != mapping::word(verb) {
        return Fact::Other { kind };
    }
    Fact::Operation { verb, state: mapping::state(verb, object) }
}

fn dispute(object: Object) -> Option<Fact> {
    let phase = match object.status.as_str() {
        "open" => DisputePhase::Opened,
        "won" => DisputePhase::Won,
        "lost" => DisputePhase::Lost,
        _ => return None,
    };
    let currency = object.currency?;
    Some(Fact::Dispute(DisputeNotice {
        reference: object.id,
        phase,
        amount: Money::new(object.amount?, currency),
        fee: object.fee.map(|fee| Money::new(fee, currency)),
        reason: object.reason.unwrap_or_default(),
    }))
}
