//! What rules may ask of a payment.

use kernel::{Brand, Mode, Money};
use provider_kit::MethodKind;
use serde_json::{Map, Value};

/// The facts of one payment, as they are known before it is charged.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Test or live world.
    pub mode: Mode,
    /// How much, in minor units, and of what.
    pub amount: Money,
    /// With what; `None` for a payment whose method is not known yet.
    pub method: Option<MethodKind>,
    /// The card's scheme, where it is known.
    pub brand: Option<Brand>,
    /// The first six digits of the card's number, where they are known; see [`bin_number`].
    pub bin: Option<u32>,
    /// ISO 3166-1 alpha-2, upper case: where the card was issued if that is known, else where the bill goes.
    pub country: Option<&'a str>,
    /// What the merchant wrote on the payment.
    pub metadata: &'a Map<String, Value>,
}

/// The first six digits of a card number as a number; `None` if there are not six.
pub fn bin_number(text: &str) -> Option<u32> {
    text.get(..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}
