//! One operation as a provider is asked for it.

use kernel::{CardNumber, Distilled, Money, Secret};
use serde::{Deserialize, Serialize};

use crate::profile::MethodKind;

/// What is asked, without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Make a token of a card; moves no money.
    Tokenize,
    /// Hold money, or take it at once.
    Charge,
    /// Take held money.
    Capture,
    /// Release held money.
    Void,
    /// Give taken money back.
    Refund,
    /// Give up a charge that waits for the customer.
    Cancel,
    /// Hold more on an authorisation.
    Increment,
    /// Ask what became of an operation.
    Lookup,
}

/// One call. Everything but [`Call::Tokenize`] can be stored with its operation: it holds no card
/// number and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// See [`Tokenize`].
    Tokenize(Tokenize),
    /// See [`Charge`].
    Charge(Charge),
    /// See [`Capture`].
    Capture(Capture),
    /// See [`Void`].
    Void(Void),
    /// See [`Refund`].
    Refund(Refund),
    /// See [`Cancel`].
    Cancel(Cancel),
    /// See [`Increment`].
    Increment(Increment),
    /// See [`Lookup`].
    Lookup(Lookup),
}

impl Call {
    /// Which verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Tokenize(_) => Verb::Tokenize,
            Self::Charge(_) => Verb::Charge,
            Self::Capture(_) => Verb::Capture,
            Self::Void(_) => Verb::Void,
            Self::Refund(_) => Verb::Refund,
            Self::Cancel(_) => Verb::Cancel,
            Self::Increment(_) => Verb::Increment,
            Self::Lookup(_) => Verb::Lookup,
        }
    }

    /// Our reference of the operation: 25 alphanumeric characters, also the upstream key. For a
    /// look-up, that of the operation looked for.
    pub fn reference(&self) -> &str {
        match self {
            Self::Tokenize(call) => &call.reference,
            Self::Charge(call) => &call.reference,
            Self::Capture(call) => &call.reference,
            Self::Void(call) => &call.reference,
            Self::Refund(call) => &call.reference,
            Self::Cancel(call) => &call.reference,
            Self::Increment(call) => &call.reference,
            Self::Lookup(call) => &call.reference,
        }
    }

    /// The charge that the operation belongs to; `None` for a charge itself and for a token.
    pub const fn charge(&self) -> Option<&Upstream> {
        match self {
            Self::Tokenize(_) | Self::Charge(_) => None,
            Self::Capture(call) => Some(&call.charge),
            Self::Void(call) => Some(&call.charge),
            Self::Refund(call) => Some(&call.charge),
            Self::Cancel(call) => Some(&call.charge),
            Self::Increment(call) => Some(&call.charge),
            Self::Lookup(call) => call.charge.as_ref(),
        }
    }
}

/// A card as typed in. Lives for one request; `Debug` shows nothing of it but brand and last four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The number.
    pub number: CardNumber,
    /// 1–12.
    pub exp_month: u8,
    /// Four digits.
    pub exp_year: u16,
    /// Security code, if it was given.
    pub cvc: Option<Secret<String>>,
    /// The name on the card.
    pub holder: Option<Secret<String>>,
}

/// Asks for a token that stands for the card at this provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokenize {
    /// Our reference of the charge that it is for, or a random one.
    pub reference: String,
    /// The card.
    pub card: Card,
}

/// Whether approved money is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// Taken with the approval.
    Automatic,
    /// Held until a capture or void.
    Manual,
}

/// With what the customer pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Instrument {
    /// A card behind a token of this provider.
    CardToken {
        /// The provider's token.
        token: String,
    },
    /// UPI: a request to an address (collect), or anyone's app (intent, QR code) if there is none.
    Upi {
        /// The payer's virtual payment address.
        vpa: Option<String>,
        /// Who is paid.
        payee: Payee,
    },
    /// A PayPal account: its owner is asked, or has let us charge it behind a token.
    Paypal {
        /// PayPal's payment token of an owner who agreed before.
        token: Option<String>,
    },
    /// The pages of the provider, or of a bank, wallet or lender that it sends the payer to.
    Hosted {
        /// One of those that [`MethodKind::is_hosted`].
        method: MethodKind,
        /// Which bank, wallet or lender, by the provider's code; the payer picks if absent.
        at: Option<String>,
    },
}

/// Who is paid in a UPI request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    /// The merchant's virtual payment address.
    pub vpa: String,
    /// The name that the payer's app shows.
    pub name: String,
}

/// Holds or takes money. An amount of zero verifies the instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Our reference, the upstream key.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// Taken at once or held.
    pub capture: CaptureMode,
    /// With what.
    pub instrument: Instrument,
    /// Where the provider sends the customer's browser back: our own `/return/…`.
    pub return_url: String,
    /// Shown to the customer where the provider can.
    pub description: Option<String>,
    /// When an unfinished charge should lapse, in seconds from now, where the provider can.
    pub expires_in_seconds: Option<u32>,
    /// Who asks for it.
    #[serde(default, skip_serializing_if = "Initiator::is_customer")]
    pub initiator: Initiator,
    /// The credential is being stored with this charge, for later ones.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stores_credential: bool,
    /// Whether the payer must be authenticated.
    #[serde(default, skip_serializing_if = "ThreeDSecure::is_automatic")]
    pub three_d_secure: ThreeDSecure,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Who asks for a charge: the payer who is there, or the merchant with a stored credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Initiator {
    /// The payer is there, and can be asked.
    #[default]
    Customer,
    /// The payer is not there: nobody can answer a challenge.
    Merchant {
        /// The network's id of the charge that stored the credential, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network_transaction_id: Option<String>,
    },
}

impl Initiator {
    /// Whether the payer is there.
    pub const fn is_customer(&self) -> bool {
        matches!(self, Self::Customer)
    }
}

/// Whether the payer must prove who pays (EMV 3-D Secure).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreeDSecure {
    /// The provider and the issuer decide.
    #[default]
    Automatic,
    /// Always, where the card can.
    Required,
}

impl ThreeDSecure {
    /// Whether provider and issuer decide.
    pub const fn is_automatic(&self) -> bool {
        matches!(self, Self::Automatic)
    }
}

/// Names an earlier charge at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Our reference of it.
    pub reference: String,
    /// The provider's, once it was told.
    pub provider_reference: Option<String>,
}

/// Takes held money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Our reference, the upstream key.
    pub reference: String,
    /// How much of it.
    pub amount: Money,
    /// What holds it.
    pub charge: Upstream,
    /// The rest is released.
    pub is_final: bool,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// Releases held money, or reverses a charge that should not stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Our reference, the upstream key.
    pub reference: String,
    /// How much is released.
    pub amount: Money,
    /// What holds it.
    pub charge: Upstream,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// Gives taken money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Our reference, the upstream key.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// What took it.
    pub charge: Upstream,
    /// The merchant's reason.
    pub reason: Option<String>,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// Gives up a charge that waits for the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Our reference, the upstream key.
    pub reference: String,
    /// The charge.
    pub charge: Upstream,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// Adds to held money: the authorisation grows by this much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Increment {
    /// Our reference, the upstream key.
    pub reference: String,
    /// How much more.
    pub amount: Money,
    /// What holds it.
    pub charge: Upstream,
    /// What a test bank is to play; see [`crate::Profile::plays_scenarios`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// Asks what became of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Our reference of the operation looked for.
    pub reference: String,
    /// The provider's reference of it, if it was told.
    pub provider_reference: Option<String>,
    /// What the operation was.
    pub verb: Verb,
    /// How it was to be captured; `None` unless it was a charge.
    pub capture: Option<CaptureMode>,
    /// What it was to move.
    pub amount: Money,
    /// The charge that it belongs to, unless it is one: some providers know the parts of a charge
    /// only through it.
    pub charge: Option<Upstream>,
    /// What its steps were answered, as far as that is known: an id may stand there that was never told as
    /// its reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<Distilled>,
}
