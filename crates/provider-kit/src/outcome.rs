//! What came of a call, in one vocabulary for all providers.

use std::collections::BTreeMap;

use kernel::{Brand, Money};
use serde::{Deserialize, Serialize};

/// The step whose reply says that the customer consented: `{"reference": …}`. Not a reply of the provider's,
/// but what a look-up or a notice made of one; see [`Outcome::Consented`].
pub const CONSENTED: &str = "consented";

/// What a provider says of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Approved(Approved),
    /// The customer must do something first.
    ActionRequired(ActionRequired),
    /// The customer has done it, and the provider waits for us: the charge is finished by its next step,
    /// which sees this reference in a reply to [`CONSENTED`]. Said by look-ups and notices alone, whoever
    /// hears it first goes on, and money moves only then.
    Consented {
        /// The provider's reference of the charge.
        reference: String,
    },
    /// Taken on; the provider decides later.
    Pending {
        /// The provider's reference, if it told one.
        reference: Option<String>,
    },
    /// Decided against; no money moved or is held.
    Declined(Decline),
    /// The provider answered that it did not take the request on (bad credentials, over its limits,
    /// a validation error). Proof only while no earlier send of the operation may have arrived.
    Refused {
        /// Why, as far as the answer tells.
        #[serde(default)]
        cause: RefusalCause,
        /// The provider's word.
        code: String,
        /// Its explanation, for the merchant; no personal data.
        message: String,
    },
    /// A look-up found nothing of this reference. Proof only after the profile's visibility.
    NotFound,
    /// A token was made.
    Tokenized {
        /// The provider's token.
        token: String,
        /// What the provider tells of the card behind it.
        card: Option<Box<CardFacts>>,
    },
    /// An answer that nobody mapped, or none that can be read. Never a guess.
    Unknown {
        /// What was answered, shortened; for people.
        raw: String,
    },
}

/// Why a provider did not take a request on: whose fault it is, and so what can be done about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCause {
    /// Our credentials are wrong there, or may not do this. The operator's to put right; no other
    /// payment method helps.
    Credentials,
    /// Over the provider's limit of requests. The same may be taken on later.
    RateLimit,
    /// The provider knows nothing under the token that was to be charged.
    UnknownToken,
    /// A rule of its own.
    #[default]
    Rule,
}

impl RefusalCause {
    /// By the HTTP status alone (RFC 9110, 15.5.2 and 15.5.4; RFC 6585, 4).
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Credentials,
            429 => Self::RateLimit,
            _ => Self::Rule,
        }
    }
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// How much was held, taken, released or given back; may be less than asked.
    pub amount: Money,
    /// The provider's reference of this operation.
    pub reference: String,
    /// Links stored credentials in later charges.
    pub network_transaction_id: Option<String>,
    /// What the provider keeps for it, if it says so now.
    pub fee: Option<Money>,
    /// Small facts for people (`approval_code`, `rrn`); redacted already.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// What the provider tells of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Box<CardFacts>>,
    /// How the payer was authenticated, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Box<Authentication>>,
    /// By what the payer can be charged again, where that was made with this charge alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Approved {
    /// An approval of which nothing more was told.
    pub fn of(amount: Money, reference: impl Into<String>) -> Self {
        Self {
            amount,
            reference: reference.into(),
            network_transaction_id: None,
            fee: None,
            facts: serde_json::Map::new(),
            card: None,
            authentication: None,
            token: None,
        }
    }
}

/// What a provider tells of a card. Never the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CardFacts {
    /// Its brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// Last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// 1–12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_month: Option<u8>,
    /// Four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_year: Option<u16>,
    /// Where it was issued: ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// What EMV 3-D Secure said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// `authenticated`, `attempted`.
    pub status: String,
    /// Of the protocol: `2.2`.
    pub version: String,
    /// The electronic commerce indicator, two digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eci: Option<String>,
}

/// The customer must do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequired {
    /// What.
    pub action: Action,
    /// The provider's reference, if it told one.
    pub reference: Option<String>,
}

/// What the customer must do. The API's `next_action`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Go to a page of the provider.
    Redirect {
        /// The page.
        url: String,
    },
    /// Prove to the issuer who pays (EMV 3-D Secure).
    ThreeDSecure {
        /// The challenge.
        url: String,
    },
    /// Scan a code, or open it as a link on the phone.
    QrCode {
        /// What the code says.
        payload: String,
    },
    /// Open an app.
    AppLink {
        /// The link.
        url: String,
    },
    /// Go to a page of the provider by sending it a form.
    Form {
        /// The page: it takes a POST.
        url: String,
        /// What is sent, as `application/x-www-form-urlencoded`; nothing secret.
        fields: BTreeMap<String, String>,
    },
}

/// A decline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Normalised.
    pub code: DeclineCode,
    /// The provider's own word.
    pub raw_code: String,
    /// The network's (ISO 8583 response) code, if it was told.
    pub network_code: Option<String>,
    /// What a merchant may do now.
    pub advice: Advice,
    /// The provider's reference of the declined operation, if there is one.
    pub reference: Option<String>,
}

/// What a merchant may do after a decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// The same again, at once or at another provider.
    RetryNow,
    /// The same again, after hours or days.
    RetryLater,
    /// With another payment method.
    OtherMethod,
    /// Not again.
    Never,
}

macro_rules! decline_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal, $advice:ident;)+) => {
        /// Why a charge or refund was declined: one list for all providers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DeclineCode { $($(#[doc = $doc])+ $variant,)+ }

        impl DeclineCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The advice where the provider gives none.
            pub const fn advice(self) -> Advice {
                match self { $(Self::$variant => Advice::$advice,)+ }
            }
        }
    };
}

decline_codes! {
    /// No reason was given.
    GenericDecline = "generic_decline", OtherMethod;
    /// Not enough money.
    InsufficientFunds = "insufficient_funds", RetryLater;
    /// The card was reported lost.
    LostCard = "lost_card", Never;
    /// The card was reported stolen.
    StolenCard = "stolen_card", Never;
    /// The card has expired.
    ExpiredCard = "expired_card", OtherMethod;
    /// The security code is wrong.
    IncorrectCvc = "incorrect_cvc", OtherMethod;
    /// The number is wrong.
    IncorrectNumber = "incorrect_number", OtherMethod;
    /// The issuer could not be reached or failed.
    ProcessingError = "processing_error", RetryNow;
    /// The issuer could not be reached.
    IssuerUnavailable = "issuer_unavailable", RetryNow;
    /// The issuer suspects fraud.
    Fraudulent = "fraudulent", Never;
    /// The issuer wants the customer to be authenticated.
    AuthenticationRequired = "authentication_required", OtherMethod;
    /// The customer failed or gave up the authentication.
    AuthenticationFailed = "authentication_failed", OtherMethod;
    /// The issuer does not honour it.
    DoNotHonor = "do_not_honor", OtherMethod;
    /// Over a limit of the card.
    CardVelocityExceeded = "card_velocity_exceeded", RetryLater;
    /// The card does not do this (currency, kind of purchase).
    CardNotSupported = "card_not_supported", OtherMethod;
    /// The payer refused in the app or at the bank.
    PayerDeclined = "payer_declined", OtherMethod;
    /// Nobody finished it in time.
    Expired = "expired", RetryNow;
    /// It was given up before it was finished.
    Cancelled = "cancelled", RetryNow;
    /// The amount is outside what provider or issuer allow.
    AmountNotAllowed = "amount_not_allowed", OtherMethod;
    /// The original charge cannot be refunded any more.
    RefundNotAllowed = "refund_not_allowed", Never;
}

impl Decline {
    /// A decline whose raw code is the normalised one, with the usual advice.
    pub fn of(code: DeclineCode) -> Self {
        Self {
            code,
            raw_code: code.as_str().to_owned(),
            network_code: None,
            advice: code.advice(),
            reference: None,
        }
    }
}
