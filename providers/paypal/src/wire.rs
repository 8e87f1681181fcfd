//! What is kept of PayPal's answers: these fields and no others. No name, no address, no number, no e-mail.

use kernel::{Distilled, Reply};
use provider_kit::{CONSENTED, scrub};
use serde::{Deserialize, Serialize};

use crate::amount::Value;

/// How much is kept of an answer that cannot be read, or of a message, in characters.
pub(crate) const RAW_MAX: usize = 200;

/// A certificate with its chain is not longer than this, in bytes.
const CERTIFICATES_MAX: usize = 20_000;

/// A reply as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// An order.
    Order(Box<Order>),
    /// An authorization.
    Authorization(Box<Authorization>),
    /// A capture.
    Capture(Box<Capture>),
    /// A refund.
    Refund(Box<Refund>),
    /// A card behind a token.
    Token(Box<Token>),
    /// The endpoints for notices.
    Webhooks(Vec<Webhook>),
    /// Certificates (PEM), which are public.
    Certificate(String),
    /// The customer consented; the order is this.
    Consented { reference: String },
    /// PayPal's own word that it did not do it.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_source: Option<Source>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) purchase_units: Vec<Unit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
}

impl Order {
    fn units(&self) -> impl Iterator<Item = &Payments> {
        self.purchase_units.iter().filter_map(|unit| unit.payments.as_ref())
    }

    pub(crate) fn authorizations(&self) -> impl Iterator<Item = &Authorization> {
        self.units().flat_map(|payments| &payments.authorizations)
    }

    pub(crate) fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.units().flat_map(|payments| &payments.captures)
    }

    pub(crate) fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.units().flat_map(|payments| &payments.refunds)
    }

    /// Our reference of the charge.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.purchase_units.iter().find_map(|unit| unit.custom_id.as_deref())
    }

    /// Where its payer is asked.
    pub(crate) fn approval(&self) -> Option<&str> {
        let link = |rel: &str| self.links.iter().find(|link| link.rel == rel);
        link("payer-action").or_else(|| link("approve")).map(|link| link.href.as_str())
    }
}

/// What is bought with an order: we make one unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Unit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payments: Option<Payments>,
}

/// What was done to an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Payments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) authorizations: Vec<Authorization>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) captures: Vec<Capture>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) refunds: Vec<Refund>,
}

/// Held money.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Authorization {
    pub(crate) id: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) processor_response: Option<Processor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_transaction_reference: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) supplementary_data: Option<Supplement>,
}

/// Taken money.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Capture {
    pub(crate) id: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) processor_response: Option<Processor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_transaction_reference: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seller_receivable_breakdown: Option<Breakdown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) supplementary_data: Option<Supplement>,
}

/// What comes of a capture for the one who is paid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Breakdown {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paypal_fee: Option<Value>,
}

/// Money that was given back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
}

impl Refund {
    /// The id of the capture that it gives back of.
    pub(crate) fn capture(&self) -> Option<&str> {
        let up = self.links.iter().find(|link| link.rel == "up")?;
        up.href.rsplit('/').next().filter(|id| !id.is_empty())
    }
}

/// What the card's issuer said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Processor {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_advice_code: Option<String>,
}

/// The network's id of a charge.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

/// To which order something belongs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Supplement {
    pub(crate) related_ids: Related,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Related {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
}

/// With what an order is paid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paypal: Option<Wallet>,
}

/// A PayPal account, without anything of its owner's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Wallet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Attributes>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vault: Option<Vault>,
}

/// That PayPal keeps it for us.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Vault {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
}

/// What PayPal tells of a card.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_digits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bin_details: Option<Bin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authentication_result: Option<Authenticated>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bin {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuing_bank: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bin_country_code: Option<String>,
}

/// What 3-D Secure said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Authenticated {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) three_d_secure: Option<ThreeDSecure>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ThreeDSecure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authentication_status: Option<String>,
}

/// A card that PayPal keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Token {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_source: Option<Source>,
}

/// An endpoint for notices.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
}

/// Where something can be reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) rel: String,
}

/// An error's body. Of the token's address it is another form, with `error`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    #[serde(alias = "error")]
    pub(crate) name: String,
    #[serde(alias = "error_description", skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// For PayPal's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) debug_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<Detail>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    pub(crate) issue: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

impl Failure {
    /// The most precise word.
    pub(crate) fn word(&self) -> &str {
        self.details
            .iter()
            .map(|detail| detail.issue.as_str())
            .find(|issue| !issue.is_empty())
            .unwrap_or(&self.name)
    }

    /// The explanation for people.
    pub(crate) fn says(&self) -> String {
        let detail = self.details.first();
        let words = detail.and_then(|detail| detail.description.clone()).or_else(|| self.message.clone());
        let field = detail.and_then(|detail| detail.field.as_deref());
        let field = field.map_or_else(String::new, |field| format!(" ({field})"));
        format!("{}{field}", words.unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct Consent {
    reference: String,
}

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

/// Keeps the fields that we know, or the beginning of what we do not.
pub(crate) fn distill(step: &str, reply: &Reply) -> Distilled {
    let status = reply.status;
    let kept = match status {
        200..=299 => answered(step, &reply.body),
        400..=599 => {
            read::<Failure>(&reply.body).filter(|failure| !failure.name.is_empty()).map(failed(status))
        }
        _ => None,
    };
    let kept = kept.unwrap_or_else(|| Kept::Unreadable { status, raw: scrub::excerpt(&reply.body, RAW_MAX) });
    Distilled::of(step, &kept)
}

fn failed(status: u16) -> impl Fn(Failure) -> Kept {
    move |mut failure| {
        let plain = |text: &String| scrub::redacted_text(text, &[], RAW_MAX);
        failure.message = failure.message.as_ref().map(plain);
        for detail in &mut failure.details {
            detail.description = detail.description.as_ref().map(plain);
        }
        Kept::Failed { status, failure: Box::new(failure) }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn answered(step: &str, body: &[u8]) -> Option<Kept> {
    // An object without an id says nothing.
    Some(match step {
        "order" | "read" | "pay" | "finish" => {
            Kept::Order(read::<Box<Order>>(body).filter(|order| !order.id.is_empty())?)
        }
        "void" => Kept::Authorization(read::<Box<Authorization>>(body).filter(|held| !held.id.is_empty())?),
        "capture" | "taken" => {
            Kept::Capture(read::<Box<Capture>>(body).filter(|taken| !taken.id.is_empty())?)
        }
        "refund" | "undo" | "one_refund" => {
            Kept::Refund(read::<Box<Refund>>(body).filter(|refund| !refund.id.is_empty())?)
        }
        "tokenize" => Kept::Token(read::<Box<Token>>(body).filter(|token| !token.id.is_empty())?),
        "webhooks" => Kept::Webhooks(read::<Webhooks>(body)?.webhooks),
        "certificate" if body.len() <= CERTIFICATES_MAX => {
            Kept::Certificate(std::str::from_utf8(body).ok()?.to_owned())
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
