//! A postal address.

use payments::Address;
use schemars::JsonSchema;
use serde::Serialize;

/// A postal address as merchants read it: what they gave.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Address")]
pub struct AddressObject<'a> {
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<&'a str>,
    /// Flat, floor, building.
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<&'a str>,
    /// City, town or village.
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    /// State, province or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    /// Postal code, as the country writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

impl<'a> AddressObject<'a> {
    /// The wire form of an address.
    pub fn of(address: &'a Address) -> Self {
        Self {
            name: address.name.as_deref(),
            phone: address.phone.as_deref(),
            line1: address.line1.as_deref(),
            line2: address.line2.as_deref(),
            city: address.city.as_deref(),
            state: address.state.as_deref(),
            postal_code: address.postal_code.as_deref(),
            country: address.country.as_deref(),
        }
    }
}
