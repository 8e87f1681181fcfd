//! What is kept of Stripe's answers: these fields and no others. No name, no address, no number.

use std::collections::BTreeMap;

use kernel::{Distilled, Reply};
use provider_kit::scrub;
use serde::{Deserialize, Deserializer, Serialize};

/// How much is kept of an answer that cannot be read, or of a message, in characters.
pub(crate) const RAW_MAX: usize = 200;

/// What our metadata begins with; others' is not kept.
pub(crate) const OURS: &str = "florin_";
/// The name under which an object carries our reference.
pub(crate) const REFERENCE: &str = "florin_reference";
/// The name under which a refund says whether it is one or undoes a charge.
pub(crate) const VERB: &str = "florin_verb";
/// The name under which a verification, which has no currency at Stripe, says ours.
pub(crate) const CURRENCY: &str = "florin_currency";

/// A reply as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// A payment intent or a set-up intent.
    Intent(Box<Intent>),
    /// Several of them: a search, or a page of a list.
    Intents { data: Vec<Intent>, has_more: bool },
    /// A refund.
    Refund(Box<Refund>),
    /// A page of refunds.
    Refunds { data: Vec<Refund>, has_more: bool },
    /// A payment method, and whose it is.
    Method(Box<Method>),
    /// A customer.
    Customer { id: String },
    /// Who we are at Stripe.
    Account(Account),
    /// That a balance was told, and of which world.
    Balance { livemode: bool },
    /// Stripe's own word that it did not do it.
    Failed { status: u16, error: Box<Failure> },
    /// Anything else, shortened.
    Unreadable { status: u16, raw: String },
}

/// A payment intent or a set-up intent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Intent {
    pub(crate) object: String,
    pub(crate) id: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_received: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capture_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_action: Option<NextAction>,
    #[serde(
        alias = "last_payment_error",
        alias = "last_setup_error",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) last_error: Option<Box<Failure>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_charge: Option<Latest>,
    #[serde(deserialize_with = "ours", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Intent {
    /// Whether it is one that moves no money.
    pub(crate) fn is_set_up(&self) -> bool {
        self.object == "setup_intent"
    }

    /// Our reference of the charge.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.metadata.get(REFERENCE).map(String::as_str)
    }
}

/// The newest charge of an intent: its id, or the whole where we asked for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Latest {
    Id(String),
    Whole(Box<Charge>),
}

/// One try to take the money.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) balance_transaction: Option<Transaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_method_details: Option<MethodDetails>,
}

/// What moved Stripe's books: its id, or the whole where we asked for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Transaction {
    Id(String),
    Whole { id: String, fee: i64, currency: String },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MethodDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Card>,
}

/// What Stripe tells of a card.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exp_month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exp_year: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorization_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) three_d_secure: Option<ThreeDSecure>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ThreeDSecure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) electronic_commerce_indicator: Option<String>,
}

/// What the customer must do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NextAction {
    pub(crate) r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RedirectToUrl {
    pub(crate) url: String,
}

/// An error's body, or an intent's last error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    pub(crate) r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decline_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_decline_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The parameter that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) param: Option<String>,
    #[serde(alias = "payment_intent", alias = "setup_intent", skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<Box<Intent>>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_intent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure_reason: Option<String>,
    #[serde(deserialize_with = "ours", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Method {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Card>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) charges_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payouts_enabled: Option<bool>,
}

/// Metadata of ours alone: a merchant may keep names and addresses beside it.
fn ours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut all = Option::<BTreeMap<String, String>>::deserialize(deserializer)?.unwrap_or_default();
    all.retain(|name, _| name.starts_with(OURS));
    Ok(all)
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    object: String,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: Box<Failure>,
}

#[derive(Deserialize)]
struct Livemode {
    #[serde(default)]
    livemode: bool,
}

/// Keeps the fields that we know, or the beginning of what we do not.
pub(crate) fn distill(step: &str, reply: &Reply) -> Distilled {
    let status = reply.status;
    let kept = match status {
        200..=299 => answered(step, &reply.body),
        400..=599 => serde_json::from_slice(&reply.body).ok().map(|ErrorAnswer { mut error }| {
            error.message = error.message.map(|message| scrub::redacted_text(&message, &[], RAW_MAX));
            Kept::Failed { status, error }
        }),
        _ => None,
    };
    let kept = kept.unwrap_or_else(|| Kept::Unreadable { status, raw: scrub::excerpt(&reply.body, RAW_MAX) });
    Distilled::of(step, &kept)
}

fn answered(step: &str, body: &[u8]) -> Option<Kept> {
    fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
        serde_json::from_slice(body).ok()
    }
    let kind: Kind = read(body)?;
    let has_more = kind.has_more;
    Some(match (kind.object.as_str(), step) {
        ("payment_intent" | "setup_intent", _) => Kept::Intent(read(body)?),
        ("refund", _) => Kept::Refund(read(body)?),
        ("list", "refunds") => Kept::Refunds { data: read::<Page<Refund>>(body)?.data, has_more },
        ("list" | "search_result", "find" | "setups") => {
            Kept::Intents { data: read::<Page<Intent>>(body)?.data, has_more }
        }
        ("payment_method", _) => Kept::Method(read(body)?),
        ("customer", _) => Kept::Customer { id: read::<Method>(body)?.id },
        ("account", _) => Kept::Account(read(body)?),
        ("balance", _) => Kept::Balance { livemode: read::<Livemode>(body)?.livemode },
        _ => return None,
    })
}

/// The replies of a call so far.
pub(crate) struct Said(Vec<(String, Kept)>);

impl Said {
    pub(crate) fn of(replies: &[Distilled]) -> Self {
        let read = |reply: &Distilled| {
            let kept = reply.read::<Kept>().unwrap_or_else(|_| Kept::Unreadable {
                status: 0,
                raw: "a reply of another form was kept".to_owned(),
            });
            (reply.step.clone(), kept)
        };
        Self(replies.iter().map(read).collect())
    }

    /// What was answered to a step; the newest, if it was sent again.
    pub(crate) fn to(&self, step: &str) -> Option<&Kept> {
        self.0.iter().rev().find(|(known, _)| known == step).map(|(_, kept)| kept)
    }
}
