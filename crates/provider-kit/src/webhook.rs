//! Notices from providers: raw deliveries in, facts out.

use kernel::{Header, Money, Request, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::call::Verb;
use crate::outcome::Outcome;

/// A delivery as it came in, stored before anything else is done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Lower-case names.
    pub headers: Vec<Header>,
    /// The raw bytes.
    pub body: Vec<u8>,
    /// When it came, by the clock that people see.
    pub received_at: Timestamp,
}

/// What a simulated notice is to tell of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeSample {
    /// The notice's own id.
    pub id: String,
    /// One of [`crate::Provider::notice_events`].
    pub event: String,
    /// Our reference of the charge.
    pub reference: String,
    /// The provider's reference of it.
    pub provider_reference: String,
    /// How much was charged.
    pub amount: Money,
    /// When it is sent.
    pub at: Timestamp,
}

/// What a delivery means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Verified; these are its facts.
    Notices(Vec<Notice>),
    /// Something must be fetched before it can be verified.
    Need(Request),
}

/// One fact that a provider tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The provider's id of the notice.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// What it says.
    pub fact: Fact,
}

/// What a notice is about: our reference if it carries one, and the provider's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Our 25-character reference of the operation.
    pub ours: Option<String>,
    /// The provider's reference of the operation.
    pub provider_reference: Option<String>,
    /// The provider's reference of the charge that the operation (a refund, a dispute) belongs to.
    pub charge_reference: Option<String>,
    /// Our reference of that charge.
    pub charge_ours: Option<String>,
}

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// What became of an operation.
    Operation {
        /// Which kind of operation.
        verb: Verb,
        /// What the provider says of it now.
        state: Outcome,
    },
    /// A dispute moved.
    Dispute(DisputeNotice),
    /// Verified, but of a type that means nothing to us: kept, and no error.
    Other {
        /// The provider's word for it.
        kind: String,
    },
}

/// A dispute as a provider tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeNotice {
    /// The provider's reference of the dispute.
    pub reference: String,
    /// How far it is.
    pub phase: DisputePhase,
    /// What is disputed.
    pub amount: Money,
    /// What the provider takes for it, if it says so.
    pub fee: Option<Money>,
    /// The provider's reason code.
    pub reason: String,
}

/// How far a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputePhase {
    /// The money was taken back for now.
    Opened,
    /// The merchant won: the money is back.
    Won,
    /// The merchant lost: the money is gone.
    Lost,
    /// A decided dispute is open again.
    Reopened,
}

/// Why a delivery is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// No signature, or not this account's.
    #[error("the signature is not this account's")]
    Signature,
    /// Signed too long ago or in the future: perhaps a replay.
    #[error("the signature's time is outside the tolerance")]
    Stale,
    /// Signed, but not to be read.
    #[error("the delivery cannot be read: {0}")]
    Unreadable(String),
}
