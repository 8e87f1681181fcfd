//! Simulated events, as Stripe would send them: for a developer's own tests.

use kernel::{Credentials, Header, Timestamp};
use provider_kit::{NoticeSample, ProviderAccount, signing};
use serde_json::{Value, json};

use crate::amount;
use crate::profile::WEBHOOK_SECRET;
use crate::webhook::SIGNATURE_HEADER;
use crate::wire::REFERENCE;

/// What can be simulated, in Stripe's words.
pub(crate) const EVENTS: &[&str] =
    &["payment_intent.succeeded", "payment_intent.payment_failed", "charge.dispute.created"];

/// An event about a charge.
pub(crate) fn event(account: &ProviderAccount, sample: &NoticeSample) -> Option<Vec<u8>> {
    let units = amount::units(sample.amount).ok()?;
    let currency = sample.amount.currency.code().to_ascii_lowercase();
    let intent = |status: &str, received: i64, error: Value| {
        json!({"id": sample.provider_reference, "object": "payment_intent", "status": status,
            "amount": units, "amount_received": received, "currency": currency,
            "capture_method": "automatic", "last_payment_error": error,
            "metadata": {REFERENCE: sample.reference}})
    };
    let object = match sample.event.as_str() {
        "payment_intent.succeeded" => intent("succeeded", units, Value::Null),
        "payment_intent.payment_failed" => intent(
            "requires_payment_method",
            0,
            json!({"type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
                "message": "Your card was declined."}),
        ),
        "charge.dispute.created" => {
            json!({"id": format!("du_{}", sample.reference), "object": "dispute", "amount": units,
                "currency": currency, "status": "needs_response", "reason": "fraudulent",
                "payment_intent": sample.provider_reference, "balance_transactions": []})
        }
        _ => return None,
    };
    let mut event = json!({"id": sample.id, "object": "event", "type": sample.event,
        "created": sample.at.as_seconds(), "data": {"object": object}});
    let connected = account.setting("connected_account");
    if let (false, Some(members)) = (connected.is_empty(), event.as_object_mut()) {
        members.insert("account".to_owned(), connected.into());
    }
    Some(event.to_string().into_bytes())
}

/// With the newest of the endpoint's secrets.
pub(crate) fn sign(credentials: &Credentials, at: Timestamp, body: &[u8]) -> Option<Vec<Header>> {
    let secrets = credentials.get(WEBHOOK_SECRET)?.expose();
    let secret = secrets.split(',').map(str::trim).find(|secret| !secret.is_empty())?;
    Some(vec![(SIGNATURE_HEADER.to_owned(), signing::timestamped_signature(secret.as_bytes(), at, body))])
}
