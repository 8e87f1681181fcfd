//! Razorpay's units: the smallest of the currency, by ISO 4217. Of a third digit behind the point only zero
//! is taken. Source: razorpay.com/docs, "International payments" (exponents), "Create an order" (`amount`).

use kernel::{Currency, Money};
use provider_kit::amount::AmountError;

const fn tens(code: &'static str) -> (Currency, i64) {
    (Currency::of(code), 10)
}

/// What an amount must be a multiple of, in our minor units, so that the card networks take it.
pub(crate) const STEPS: &[(Currency, i64)] =
    &[tens("BHD"), tens("IQD"), tens("JOD"), tens("KWD"), tens("OMR"), tens("TND")];

/// The amount as Razorpay counts it, if it can be expressed.
pub(crate) fn units(amount: Money) -> Result<i64, AmountError> {
    let step = STEPS.iter().find(|(known, _)| *known == amount.currency).map_or(1, |(_, step)| *step);
    if amount.minor % step == 0 { Ok(amount.minor) } else { Err(AmountError::Inexact) }
}

/// What Razorpay means by a number of units.
pub(crate) fn money(units: i64, currency: &str) -> Option<Money> {
    Some(Money::new(units, currency.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_by_currency() {
        for (code, minor, expected) in [
            ("INR", 29_935, Ok(29_935)),
            ("JPY", 295, Ok(295)),
            ("KWD", 295_990, Ok(295_990)),
            ("KWD", 99_991, Err(AmountError::Inexact)),
            ("TND", 5, Err(AmountError::Inexact)),
        ] {
            assert_eq!(units(Money::new(minor, code.parse().unwrap())), expected, "{code} {minor}");
        }
        assert_eq!(money(1, "ZZZ"), None);
    }

    proptest! {
        /// What can be written is read as the same; what cannot is no multiple of the currency's step.
        #[test]
        fn units_and_back(minor in 0..i64::MAX, place in 0..200_usize) {
            let profile = &crate::profile::PROFILE;
            let provider_kit::Currencies::Only(list) = profile.currencies else { unreachable!() };
            let currency = list.get(place % list.len()).copied().unwrap_or(Currency::INR);
            let amount = Money::new(minor, currency);
            match units(amount) {
                Ok(units) => prop_assert_eq!(money(units, currency.code()), Some(amount)),
                Err(_) => prop_assert!(minor % profile.amount_step(currency) != 0),
            }
        }
    }
}
