//! The capability table of a provider, as data.

use std::time::Duration;

use kernel::Currency;

use crate::call::Verb;

/// A payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// Payment cards.
    Card,
    /// India's Unified Payments Interface.
    Upi,
    /// A PayPal account.
    Paypal,
    /// Whatever the payer picks on the provider's own page.
    Checkout,
    /// The payer's bank, by its own pages.
    NetBanking,
    /// An account with a wallet's company.
    Wallet,
    /// Instalments that a lender pays at once.
    Emi,
}

impl MethodKind {
    /// All methods.
    pub const ALL: [Self; 7] =
        [Self::Card, Self::Upi, Self::Paypal, Self::Checkout, Self::NetBanking, Self::Wallet, Self::Emi];

    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Upi => "upi",
            Self::Paypal => "paypal",
            Self::Checkout => "checkout",
            Self::NetBanking => "net_banking",
            Self::Wallet => "wallet",
            Self::Emi => "emi",
        }
    }

    /// Whether it is paid on the pages of the provider or of whom it sends the payer to.
    pub const fn is_hosted(self) -> bool {
        match self {
            Self::Checkout | Self::NetBanking | Self::Wallet | Self::Emi => true,
            Self::Card | Self::Upi | Self::Paypal => false,
        }
    }
}

/// What a provider can do beyond charging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Holds money for a later capture.
    ManualCapture,
    /// Captures less than is held.
    PartialCapture,
    /// Captures one authorisation several times.
    MultipleCaptures,
    /// Releases held money.
    Void,
    /// Gives all back.
    Refund,
    /// Gives a part back, several times.
    PartialRefund,
    /// Sends the customer to a challenge.
    ThreeDSecure,
    /// Verifies a method with an amount of zero.
    Verification,
    /// Tells disputes by notice.
    Disputes,
    /// Gives up a charge that waits for the customer.
    Cancel,
    /// Holds more on an authorisation.
    Increment,
}

impl Capability {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManualCapture => "manual_capture",
            Self::PartialCapture => "partial_capture",
            Self::MultipleCaptures => "multiple_captures",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::PartialRefund => "partial_refund",
            Self::ThreeDSecure => "three_d_secure",
            Self::Verification => "verification",
            Self::Disputes => "disputes",
            Self::Cancel => "cancel",
            Self::Increment => "increment",
        }
    }
}

/// The least and the most of one charge, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountLimit {
    /// At least.
    pub minimum: i64,
    /// At most.
    pub maximum: i64,
}

/// What a provider takes at once. A verification of nothing is no charge and has no limit.
#[derive(Clone, Copy, Debug)]
pub struct AmountLimits {
    /// In every currency without its own.
    pub usual: AmountLimit,
    /// Currencies with their own.
    pub by_currency: &'static [(Currency, AmountLimit)],
}

impl AmountLimits {
    /// The limit in one currency.
    pub fn of(&self, currency: Currency) -> AmountLimit {
        let own = self.by_currency.iter().find(|(known, _)| *known == currency);
        own.map_or(self.usual, |(_, limit)| *limit)
    }
}

/// Which currencies a provider takes.
#[derive(Clone, Copy, Debug)]
pub enum Currencies {
    /// All of the table.
    All,
    /// These.
    Only(&'static [Currency]),
}

/// How a money-moving call may be repeated after an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The same key with the same bytes repeats it safely, for so long after the first send.
    Keyed {
        /// The provider's window.
        valid_for: Duration,
    },
    /// The provider refuses our second use of a reference, and finds it by that reference.
    ByReference,
    /// Never repeated; only looked up.
    Never,
}

/// What a provider claims to do. The conformance suite runs every claim.
#[derive(Debug)]
pub struct Profile {
    /// The id: `sandbox`.
    pub id: &'static str,
    /// The name that people read.
    pub name: &'static str,
    /// Methods.
    pub methods: &'static [MethodKind],
    /// Currencies.
    pub currencies: Currencies,
    /// The least and the most of one charge.
    pub limits: AmountLimits,
    /// In these currencies it takes only multiples of so many minor units.
    pub amount_steps: &'static [(Currency, i64)],
    /// What it can do beyond charging.
    pub capabilities: &'static [Capability],
    /// How each money-moving verb may be repeated. A verb that is not listed is not supported.
    pub repeats: &'static [(Verb, Repeat)],
    /// How long after a send a look-up may still miss what the send did.
    pub visibility: Duration,
    /// How long a held amount stays held.
    pub authorization_valid_for: Duration,
    /// Names of the secrets in an account's credentials.
    pub secrets: &'static [&'static str],
    /// Whether a card becomes a token in a call of its own before the charge.
    pub tokenizes_cards: bool,
    /// Whether it is a simulation that plays what a call's `scenario` names; others ignore it.
    pub plays_scenarios: bool,
}

impl Profile {
    /// How a verb may be repeated; `Never` if it is not supported.
    pub fn repeat(&self, verb: Verb) -> Repeat {
        let listed = self.repeats.iter().find(|(known, _)| *known == verb);
        listed.map_or(Repeat::Never, |(_, repeat)| *repeat)
    }

    /// Whether the provider has this verb.
    pub fn supports(&self, verb: Verb) -> bool {
        self.repeats.iter().any(|(known, _)| *known == verb)
    }

    /// Whether it claims a capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Of how many minor units every amount of a currency is a multiple.
    pub fn amount_step(&self, currency: Currency) -> i64 {
        let listed = self.amount_steps.iter().find(|(known, _)| *known == currency);
        listed.map_or(1, |(_, step)| *step)
    }

    /// Whether it takes a currency.
    pub fn takes(&self, currency: Currency) -> bool {
        match self.currencies {
            Currencies::All => true,
            Currencies::Only(list) => list.contains(&currency),
        }
    }
}
