//! With what is paid, as it may be shown: never a card number.

use kernel::Brand;
use provider_kit::{Authentication, CardFacts, MethodKind};
use serde::{Deserialize, Serialize};

/// The card as it may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSummary {
    /// Brand; `None` for a provider's token that does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// Last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// First six digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// 1–12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_month: Option<u8>,
    /// Four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_year: Option<u16>,
    /// The same card has the same one, within this merchant and mode. `None` without a card vault, whose
    /// key it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Where it was issued: ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What 3-D Secure said, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub three_d_secure: Option<Box<Authentication>>,
}

impl CardSummary {
    /// What is known of the card itself.
    pub(crate) fn facts(&self) -> CardFacts {
        CardFacts {
            brand: self.brand,
            last4: self.last4.clone(),
            exp_month: self.exp_month,
            exp_year: self.exp_year,
            country: self.country.clone(),
            issuer: self.issuer.clone(),
        }
    }

    /// What a provider tells of the card: what we knew ourselves stands.
    pub(crate) fn learn(&mut self, told: &CardFacts) {
        self.brand = self.brand.or(told.brand);
        self.exp_month = self.exp_month.or(told.exp_month);
        self.exp_year = self.exp_year.or(told.exp_year);
        for (known, told) in [
            (&mut self.last4, &told.last4),
            (&mut self.country, &told.country),
            (&mut self.issuer, &told.issuer),
        ] {
            if known.is_none() {
                known.clone_from(told);
            }
        }
    }
}

/// With what the customer pays, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MethodSummary {
    /// A card.
    Card(CardSummary),
    /// UPI.
    Upi {
        /// The payer's address, if the merchant gave it.
        vpa: Option<String>,
    },
    /// A PayPal account. Whose it is stays with PayPal.
    Paypal,
    /// The pages of a provider, or of a bank, wallet or lender.
    Hosted {
        /// Which method.
        method: MethodKind,
        /// Which bank, wallet or lender, by the provider's code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
}

impl MethodSummary {
    /// Which method.
    pub const fn kind(&self) -> MethodKind {
        match self {
            Self::Card(_) => MethodKind::Card,
            Self::Upi { .. } => MethodKind::Upi,
            Self::Paypal => MethodKind::Paypal,
            Self::Hosted { method, .. } => *method,
        }
    }
}
