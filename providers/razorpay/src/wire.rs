//! What is kept of Razorpay's answers: these fields and no others. No name, no address, no number, no e-mail,
//! no payer's UPI address.

use std::collections::BTreeMap;

use kernel::{Distilled, Reply};
use provider_kit::{CONSENTED, scrub};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

/// How much is kept of an answer that cannot be read, or of a message, in characters.
pub(crate) const RAW_MAX: usize = 200;

/// What our notes begin with.
pub(crate) const OURS: &str = "florin_";

/// A reply as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// An order.
    Order(Box<Order>),
    /// Orders.
    Orders(Vec<Order>),
    /// A payment.
    Payment(Box<Payment>),
    /// Payments.
    Payments(Vec<Payment>),
    /// A payment that was begun.
    Begun(Box<Begun>),
    /// A refund.
    Refund(Box<Refund>),
    /// Refunds.
    Refunds(Vec<Refund>),
    /// A customer.
    Customer { id: String },
    /// The customer consented; the order is this.
    Consented { reference: String },
    /// Razorpay's own word that it did not do it.
    Failed { status: u16, failure: Box<Failure> },
    /// Anything else, shortened.
    Unreadable { status: u16, raw: String },
}

/// An order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<String>,
    #[serde(deserialize_with = "ours", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notes: BTreeMap<String, String>,
}

impl Order {
    /// One of our notes.
    pub(crate) fn note(&self, name: &str) -> &str {
        self.notes.get(name).map_or("", String::as_str)
    }
}

/// Notes are an object, or a list of nothing. Ours alone are kept: the others are the merchant's.
fn ours<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let Json::Object(notes) = Json::deserialize(from)? else { return Ok(BTreeMap::new()) };
    let own = |(name, value): (String, Json)| {
        let Json::String(value) = value else { return None };
        name.starts_with(OURS).then_some((name, value))
    };
    Ok(notes.into_iter().filter_map(own).collect())
}

/// One try to pay an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) captured: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fee: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acquirer_data: Option<Acquirer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_reason: Option<String>,
}

/// What the bank says of a payment: numbers by which it is found there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Acquirer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rrn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bank_transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upi_transaction_id: Option<String>,
}

/// What Razorpay tells of a card.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
}

/// A payment that was begun, and what the payer must do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Begun {
    pub(crate) razorpay_payment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) next: Vec<Next>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    pub(crate) action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

impl Begun {
    /// Where the payer is sent, by the word for it.
    pub(crate) fn url(&self, action: &str) -> Option<&str> {
        let found = self.next.iter().find(|next| next.action == action);
        found.and_then(|next| next.url.as_deref()).filter(|url| !url.is_empty())
    }
}

/// Money that was given back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<String>,
}

/// An error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    pub(crate) code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
}

impl Failure {
    /// The most precise word: where Razorpay has no reason it writes `NA`.
    pub(crate) fn word(&self) -> &str {
        self.reason.as_deref().filter(|reason| !["", "NA"].contains(reason)).unwrap_or(&self.code)
    }

    /// The explanation for people.
    pub(crate) fn says(&self) -> String {
        let field = self.field.as_deref().filter(|field| !field.is_empty());
        let field = field.map_or_else(String::new, |field| format!(" ({field})"));
        format!("{}{field}", self.description.as_deref().unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct Error {
    error: Failure,
}

#[derive(Deserialize)]
struct Consent {
    reference: String,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct Collection<T> {
    items: Vec<T>,
}

/// Keeps the fields that we know, or the beginning of what we do not.
pub(crate) fn distill(step: &str, reply: &Reply) -> Distilled {
    let status = reply.status;
    let kept = match status {
        200..=299 => answered(step, &reply.body),
        400..=599 => {
            let error = read::<Error>(&reply.body).filter(|known| !known.error.code.is_empty());
            error.map(|known| failed(status, known.error))
        }
        _ => None,
    };
    let kept = kept.unwrap_or_else(|| Kept::Unreadable { status, raw: scrub::excerpt(&reply.body, RAW_MAX) });
    Distilled::of(step, &kept)
}

fn failed(status: u16, mut failure: Failure) -> Kept {
    failure.description = failure.description.map(|text| scrub::redacted_text(&text, &[], RAW_MAX));
    Kept::Failed { status, failure: Box::new(failure) }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn answered(step: &str, body: &[u8]) -> Option<Kept> {
    // An object without an id says nothing.
    Some(match step {
        "order" | "read" => Kept::Order(read::<Box<Order>>(body).filter(|order| !order.id.is_empty())?),
        "find" | "probe" => Kept::Orders(read::<Collection<Order>>(body)?.items),
        "payments" | "proof" => Kept::Payments(read::<Collection<Payment>>(body)?.items),
        "capture" | "paid" => {
            Kept::Payment(read::<Box<Payment>>(body).filter(|payment| !payment.id.is_empty())?)
        }
        "ask" | "pay" => {
            Kept::Begun(read::<Box<Begun>>(body).filter(|begun| !begun.razorpay_payment_id.is_empty())?)
        }
        "refund" | "undo" | "one_refund" => {
            Kept::Refund(read::<Box<Refund>>(body).filter(|refund| !refund.id.is_empty())?)
        }
        "refunds" => Kept::Refunds(read::<Collection<Refund>>(body)?.items),
        "customer" => {
            Kept::Customer { id: read::<Identified>(body).filter(|known| !known.id.is_empty())?.id }
        }
        _ => return None,
    })
}

/// The replies of a call so far.
pub(crate) struct Said(Vec<(String, Kept)>);

impl Said {
    pub(crate) fn of(replies: &[Distilled]) -> Self {
        let read = |reply: &Distilled| {
            let kept = if reply.step == CONSENTED {
                reply.read().ok().map(|Consent { reference }| Kept::Consented { reference })
            } else {
                reply.read().ok()
            };
            let raw = || "a reply of another form was kept".to_owned();
            (reply.step.clone(), kept.unwrap_or_else(|| Kept::Unreadable { status: 0, raw: raw() }))
        };
        Self(replies.iter().map(read).collect())
    }

    /// What was answered to a step; the newest, if it was sent again.
    pub(crate) fn to(&self, step: &str) -> Option<&Kept> {
        self.0.iter().rev().find(|(known, _)| known == step).map(|(_, kept)| kept)
    }
}
