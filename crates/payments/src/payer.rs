//! Who pays, from where and to where: what a merchant knows of the payer, for risk and for receipts.

use serde::{Deserialize, Serialize};

/// What is known of the payer. Personal data: shown to the merchant, never logged, in no event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payer {
    /// The payer's address on the network: IPv4 or IPv6, in its canonical text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// What the merchant's script says of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_fingerprint: Option<String>,
    /// What the browser says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The merchant's terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_id: Option<String>,
    /// Where the bill goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
}

impl Payer {
    /// Takes over what is known now; what is not mentioned stays.
    pub(crate) fn learn(&mut self, now: &Self) {
        for (mine, new) in [
            (&mut self.ip_address, &now.ip_address),
            (&mut self.device_fingerprint, &now.device_fingerprint),
            (&mut self.user_agent, &now.user_agent),
            (&mut self.terminal_id, &now.terminal_id),
        ] {
            if new.is_some() {
                mine.clone_from(new);
            }
        }
        for (mine, new) in [
            (&mut self.billing_address, &now.billing_address),
            (&mut self.shipping_address, &now.shipping_address),
        ] {
            if new.is_some() {
                mine.clone_from(new);
            }
        }
    }

    /// Boxed, or nothing if nothing is known: most payments have none, and pay no byte for it.
    pub fn known(self) -> Option<Box<Self>> {
        if self == Self::default() { None } else { Some(Box::new(self)) }
    }
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// Flat, floor, building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// City, town or village.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State, province or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code, as the country writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}
