//! From PayPal's events to facts.
//!
//! An event is signed with the key of a certificate that its header names: over the delivery's id and time,
//! the id of our endpoint, and the CRC-32 of the body. A CRC is no hash: whoever had one genuine delivery
//! could bend another body to the same CRC. What became of charges, captures and refunds is therefore asked
//! of PayPal before it is believed, and an event only says what to ask for; a dispute is believed as it is
//! told.

use std::time::Duration;

use kernel::{Credentials, Distilled, Request, Timestamp};
use provider_kit::certificate::{Trust, verify_rsa_sha256};
use provider_kit::{
    About, Delivery, DisputeNotice, DisputePhase, Fact, Incoming, Notice, Outcome, ProviderAccount, Verb,
    WebhookError, signing,
};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::amount::Value;
use crate::mapping;
use crate::profile::WEBHOOK_ID;
use crate::request::Way;
use crate::wire::{Authorization, Capture, Kept, Order, Refund, Said, Supplement};

/// How old a delivery may be, and how far in the future: PayPal tries for days, and what comes late is still
/// true, for outcomes only climb.
const TOLERANCE: Duration = Duration::from_hours(12);

/// Whose certificates PayPal's are by; another one can be set with `webhook_roots`.
const ROOTS: &str = include_str!("roots.pem");

/// Where PayPal keeps its certificates.
const CERTIFICATES: &str = "v1/notifications/certs/";

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "event_type")]
    kind: String,
    resource: Json,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dispute {
    #[serde(rename = "dispute_id")]
    id: String,
    reason: Option<String>,
    status: String,
    #[serde(rename = "dispute_amount")]
    amount: Option<Value>,
    #[serde(rename = "dispute_life_cycle_stage")]
    stage: String,
    #[serde(rename = "dispute_outcome")]
    outcome: Option<Decided>,
    #[serde(rename = "disputed_transactions")]
    transactions: Vec<Disputed>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Decided {
    outcome_code: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disputed {
    seller_transaction_id: Option<String>,
    custom: Option<String>,
}

/// Verifies a delivery, then says what it means.
pub(crate) fn read(
    account: &ProviderAccount,
    credentials: &Credentials,
    delivery: &Delivery,
    replies: &[Distilled],
) -> Result<Incoming, WebhookError> {
    let said = Said::of(replies);
    if let Some(needed) = verify(account, credentials, delivery, &said)? {
        return Ok(Incoming::Need(needed));
    }
    let unreadable =
        |error: serde_json::Error| WebhookError::Unreadable(format!("{:?} error", error.classify()));
    let event: Event = serde_json::from_slice(&delivery.body).map_err(unreadable)?;
    let way = Way { account, reference: &event.id };
    let parsed = match event.kind.as_str() {
        "CHECKOUT.ORDER.APPROVED" | "CHECKOUT.ORDER.COMPLETED" => {
            Order::deserialize(&event.resource).map(|order| of_charge(way, &event, &order.id, &said))
        }
        "PAYMENT.AUTHORIZATION.CREATED" => Authorization::deserialize(&event.resource)
            .map(|held| of_charge(way, &event, &order_id(held.supplementary_data.as_ref())?, &said)),
        "PAYMENT.CAPTURE.COMPLETED"
        | "PAYMENT.CAPTURE.PENDING"
        | "PAYMENT.CAPTURE.DENIED"
        | "PAYMENT.CAPTURE.DECLINED" => {
            Capture::deserialize(&event.resource).map(|taken| of_capture(way, &event, &taken, &said))
        }
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.REFUND.PENDING" | "PAYMENT.REFUND.FAILED" => {
            Refund::deserialize(&event.resource).map(|refund| of_refund(way, &event, &refund, &said))
        }
        "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED" => {
            Dispute::deserialize(&event.resource).map(|dispute| of_dispute(way, &event, &dispute, &said))
        }
        _ => return Ok(other(event)),
    };
    Ok(parsed.map_err(unreadable)?.unwrap_or_else(|| other(event)))
}

/// `Some` is what must be fetched first: the certificate.
fn verify(
    account: &ProviderAccount,
    credentials: &Credentials,
    delivery: &Delivery,
    said: &Said,
) -> Result<Option<Request>, WebhookError> {
    let header = |name: &str| {
        let found = delivery.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or(WebhookError::Signature)
    };
    let ids = credentials.get(WEBHOOK_ID).ok_or(WebhookError::Signature)?;
    let (id, time) = (header("paypal-transmission-id")?, header("paypal-transmission-time")?);
    let (url, algorithm) = (header("paypal-cert-url")?, header("paypal-auth-algo")?);
    let signature = base64_of(header("paypal-transmission-sig")?).ok_or(WebhookError::Signature)?;
    if algorithm != "SHA256withRSA" || !is_certificate(account, url) {
        return Err(WebhookError::Signature);
    }
    let signed_at: Timestamp = time.parse().map_err(|_| WebhookError::Signature)?;
    let Some(answer) = said.to("certificate") else {
        return Ok(Some(Way { account, reference: id }.certificate(url)));
    };
    let Kept::Certificate(chain) = answer else { return Err(WebhookError::Signature) };
    let own = account.setting("webhook_roots");
    let roots_pem = if own.is_empty() { ROOTS } else { own }.as_bytes();
    // A simulation of PayPal has no name of PayPal's.
    let domain = if account.setting("base_url").is_empty() { "paypal.com" } else { "" };
    let trust = Trust { roots_pem, domain, at: delivery.received_at };
    let crc = crc32(&delivery.body);
    let is_genuine = |webhook: &str| {
        let message = format!("{id}|{time}|{webhook}|{crc}");
        verify_rsa_sha256(chain.as_bytes(), &trust, message.as_bytes(), &signature).is_ok()
    };
    let webhooks = ids.expose().split(',').map(str::trim).filter(|id| !id.is_empty());
    if !webhooks.into_iter().any(is_genuine) {
        return Err(WebhookError::Signature);
    }
    let apart = delivery.received_at.as_seconds().abs_diff(signed_at.as_seconds());
    if apart > TOLERANCE.as_secs() { Err(WebhookError::Stale) } else { Ok(None) }
}

/// Whether an address is one of PayPal's certificates, and not somebody else's who wants to be asked.
pub(crate) fn is_certificate(account: &ProviderAccount, url: &str) -> bool {
    let own = account.setting("base_url").trim_end_matches('/');
    let path = if own.is_empty() {
        let parts = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let Some((host, path)) = parts else { return false };
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
        // A user, a port or a capital letter are in no address of PayPal's.
        if !host.bytes().all(plain) || !host.ends_with(".paypal.com") {
            return false;
        }
        path
    } else {
        let Some(path) = url.strip_prefix(own).and_then(|rest| rest.strip_prefix('/')) else { return false };
        path
    };
    let name = path.strip_prefix(CERTIFICATES).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.len() <= 200 && name.bytes().all(plain)
}

fn other(event: Event) -> Incoming {
    let Event { id, kind, .. } = event;
    Incoming::Notices(vec![Notice { id, about: About::default(), fact: Fact::Other { kind } }])
}

fn notice(event: &Event, about: About, verb: Verb, state: Outcome) -> Option<Incoming> {
    if let Outcome::Unknown { .. } | Outcome::NotFound = state {
        // A look-up sees more of it.
        return None;
    }
    let fact = Fact::Operation { verb, state };
    Some(Incoming::Notices(vec![Notice { id: event.id.clone(), about, fact }]))
}

/// Our references are 25 letters and digits; what somebody else writes there is theirs.
fn ours(text: Option<&String>) -> Option<String> {
    let is_ours = |text: &&String| text.len() == 25 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.filter(is_ours).cloned()
}

/// Which kind of operation a reference is of: the letter behind the payment.
fn letter(reference: &str) -> Option<u8> {
    reference.as_bytes().get(22).copied()
}

/// The order that a part of it names.
fn order_id(supplement: Option<&Supplement>) -> Option<String> {
    supplement?.related_ids.order_id.clone()
}

/// What an event says is about: PayPal's own word of it now, or the request that asks for that.
enum Now<'s> {
    Known(&'s Order),
    Asked(Box<Request>),
    Gone,
}

fn now<'s>(way: Way<'_>, order: &str, said: &'s Said) -> Now<'s> {
    match said.to("read") {
        None => Now::Asked(Box::new(way.read(order))),
        Some(Kept::Order(order)) => Now::Known(order),
        Some(_) => Now::Gone,
    }
}

fn of_charge(way: Way<'_>, event: &Event, id: &str, said: &Said) -> Option<Incoming> {
    let order = match now(way, id, said) {
        Now::Known(order) => order,
        Now::Asked(request) => return Some(Incoming::Need(*request)),
        Now::Gone => return None,
    };
    let about = About {
        ours: Some(ours(order.reference().map(str::to_owned).as_ref())?),
        provider_reference: Some(order.id.clone()),
        ..About::default()
    };
    notice(event, about, Verb::Charge, mapping::charge(order, None))
}

/// Of a charge that was taken at once it carries that charge's reference twice; of a later capture its own
/// as `invoice_id`.
fn of_capture(way: Way<'_>, event: &Event, told: &Capture, said: &Said) -> Option<Incoming> {
    let charge = ours(told.custom_id.as_ref())?;
    let id = order_id(told.supplementary_data.as_ref())?;
    let Some(own) = ours(told.invoice_id.as_ref()).filter(|own| *own != charge) else {
        return of_charge(way, event, &id, said);
    };
    let order = match now(way, &id, said) {
        Now::Known(order) => order,
        Now::Asked(request) => return Some(Incoming::Need(*request)),
        Now::Gone => return None,
    };
    let taken = order.captures().find(|taken| taken.id == told.id)?;
    let about = About {
        ours: Some(own),
        provider_reference: Some(taken.id.clone()),
        charge_reference: Some(id),
        charge_ours: Some(charge),
    };
    notice(event, about, Verb::Capture, mapping::taken(taken))
}

fn of_refund(way: Way<'_>, event: &Event, told: &Refund, said: &Said) -> Option<Incoming> {
    let refund = match said.to("one_refund") {
        None => return Some(Incoming::Need(way.one_refund(&told.id))),
        Some(Kept::Refund(refund)) => refund,
        Some(_) => return None,
    };
    // One that was made on PayPal's pages may carry its charge's.
    let own =
        ours(refund.custom_id.as_ref()).filter(|known| matches!(letter(known), Some(b'f' | b'v' | b'r')));
    let verb = match own.as_deref().and_then(letter) {
        Some(b'f') | None => Verb::Refund,
        Some(_) => Verb::Void,
    };
    let mut about = About { ours: own, provider_reference: Some(refund.id.clone()), ..About::default() };
    if about.ours.is_none() {
        match owner(way, refund.capture()?, said) {
            Owner::Ours { charge, order } => {
                (about.charge_ours, about.charge_reference) = (Some(charge), order);
            }
            Owner::Asked(request) => return Some(Incoming::Need(*request)),
            Owner::Another => return None,
        }
    }
    notice(event, about, verb, mapping::refund(refund))
}

fn of_dispute(way: Way<'_>, event: &Event, dispute: &Dispute, said: &Said) -> Option<Incoming> {
    // In an inquiry buyer and seller talk; PayPal has taken nothing yet.
    if dispute.stage == "INQUIRY" || dispute.id.is_empty() {
        return None;
    }
    let outcome = dispute.outcome.as_ref().map_or("", |decided| decided.outcome_code.as_str());
    let phase = match (dispute.status.as_str(), outcome) {
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR" | "ACCEPTED") => DisputePhase::Lost,
        // PayPal pays the buyer itself, or nobody is paid.
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR" | "RESOLVED_WITH_PAYOUT" | "CANCELED_BY_BUYER" | "DENIED") => {
            DisputePhase::Won
        }
        ("RESOLVED", _) => return None,
        _ => DisputePhase::Opened,
    };
    let transaction = dispute.transactions.first()?;
    let mut about = About { charge_ours: ours(transaction.custom.as_ref()), ..About::default() };
    if about.charge_ours.is_none() {
        match owner(way, transaction.seller_transaction_id.as_deref()?, said) {
            Owner::Ours { charge, order } => {
                (about.charge_ours, about.charge_reference) = (Some(charge), order);
            }
            Owner::Asked(request) => return Some(Incoming::Need(*request)),
            Owner::Another => return None,
        }
    }
    let fact = Fact::Dispute(DisputeNotice {
        reference: dispute.id.clone(),
        phase,
        amount: dispute.amount.as_ref()?.money()?,
        fee: None,
        reason: dispute.reason.clone().unwrap_or_default().to_ascii_lowercase(),
    });
    Some(Incoming::Notices(vec![Notice { id: event.id.clone(), about, fact }]))
}

/// Whose a capture is.
enum Owner {
    /// Ours: of the charge with this reference, and that order.
    Ours { charge: String, order: Option<String> },
    /// Somebody else's who uses the same account.
    Another,
    /// PayPal must be asked first.
    Asked(Box<Request>),
}

fn owner(way: Way<'_>, capture: &str, said: &Said) -> Owner {
    match said.to("taken") {
        None => Owner::Asked(Box::new(way.taken(capture))),
        Some(Kept::Capture(taken)) => match ours(taken.custom_id.as_ref()) {
            Some(charge) => {
                let order = order_id(taken.supplementary_data.as_ref());
                Owner::Ours { charge, order }
            }
            None => Owner::Another,
        },
        Some(_) => Owner::Another,
    }
}

fn base64_of(text: &str) -> Option<Vec<u8>> {
    signing::from_base64(text)
}

/// CRC-32 as in IEEE 802.3 and zlib, as PayPal computes it over the raw body.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let is_odd = crc & 1 == 1;
            crc >>= 1;
            if is_odd {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}
