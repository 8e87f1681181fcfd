//! Simulated events, as Razorpay would send them: for a developer's own tests.

use kernel::{Credentials, Header};
use provider_kit::{NoticeSample, signing};
use serde_json::{Value as Json, json};

use crate::amount;
use crate::profile::WEBHOOK_SECRET;
use crate::request::note;
use crate::webhook::SIGNATURE_HEADER;

/// What can be simulated, in Razorpay's words.
pub(crate) const EVENTS: &[&str] = &["order.paid", "refund.processed", "payment.dispute.created"];

/// An event about a charge.
pub(crate) fn event(sample: &NoticeSample) -> Option<Vec<u8>> {
    let units = amount::units(sample.amount).ok()?;
    let (currency, at) = (sample.amount.currency.code(), sample.at.as_seconds());
    let local = sample.reference.get(..14).unwrap_or(&sample.reference);
    let paid = format!("pay_{local}");
    let payment = json!({
        "id": paid, "entity": "payment", "amount": units, "currency": currency,
        "status": "captured", "captured": true, "order_id": sample.provider_reference, "method": "upi",
        "created_at": at,
    });
    let (name, other) = match sample.event.as_str() {
        "order.paid" => {
            let notes = json!({note::REFERENCE: sample.reference, note::CAPTURE: "automatic"});
            let order = json!({
                "id": sample.provider_reference, "entity": "order", "amount": units, "amount_paid": units,
                "currency": currency, "receipt": sample.reference, "status": "paid", "notes": notes,
            });
            ("order", order)
        }
        "refund.processed" => {
            let refund = json!({
                "id": format!("rfnd_{local}"), "entity": "refund", "amount": units, "currency": currency,
                "payment_id": paid, "status": "processed", "receipt": Json::Null,
                "speed_processed": "normal",
            });
            ("refund", refund)
        }
        "payment.dispute.created" => {
            let dispute = json!({
                "id": format!("disp_{local}"), "entity": "dispute", "payment_id": paid,
                "amount": units, "amount_deducted": 0, "currency": currency, "status": "open",
                "phase": "chargeback", "reason_code": "goods_or_services_not_received",
            });
            ("dispute", dispute)
        }
        _ => return None,
    };
    let event = json!({
        "entity": "event", "account_id": "acc_simulated", "event": sample.event,
        "contains": ["payment", name], "created_at": at,
        "payload": {"payment": {"entity": payment}, name: {"entity": other}},
    });
    Some(event.to_string().into_bytes())
}

/// With the newest of the endpoint's secrets.
pub(crate) fn sign(credentials: &Credentials, body: &[u8]) -> Option<Vec<Header>> {
    let secrets = credentials.get(WEBHOOK_SECRET)?.expose();
    let secret = secrets.split(',').map(str::trim).find(|secret| !secret.is_empty())?;
    let signature = signing::hmac_sha256_hex(secret.as_bytes(), &[body]);
    Some(vec![(SIGNATURE_HEADER.to_owned(), signature)])
}
