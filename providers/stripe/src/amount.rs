//! Stripe's unit rules. Source: docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases".

use kernel::{Currency, Money};
use provider_kit::amount::{AmountError, from_units, to_units};

/// Counted without digits behind the point. MGA has two by ISO 4217 and none here.
const ZERO_DECIMAL: &[Currency] = &[
    Currency::of("BIF"),
    Currency::of("CLP"),
    Currency::of("DJF"),
    Currency::of("GNF"),
    Currency::of("JPY"),
    Currency::of("KMF"),
    Currency::of("KRW"),
    Currency::of("MGA"),
    Currency::of("PYG"),
    Currency::of("RWF"),
    Currency::of("VND"),
    Currency::of("VUV"),
    Currency::of("XAF"),
    Currency::of("XOF"),
    Currency::of("XPF"),
];

/// Counted with three digits, of which the last is always a zero.
const THREE_DECIMAL: &[Currency] = &[
    Currency::of("BHD"),
    Currency::of("JOD"),
    Currency::of("KWD"),
    Currency::of("OMR"),
    Currency::of("TND"),
];

/// What an amount must be a multiple of, in our minor units, so that Stripe can express it.
pub(crate) const STEPS: &[(Currency, i64)] = &[
    (Currency::of("BHD"), 10),
    (Currency::of("JOD"), 10),
    (Currency::of("KWD"), 10),
    (Currency::of("MGA"), 100),
    (Currency::of("OMR"), 10),
    (Currency::of("TND"), 10),
];

/// How many digits Stripe counts behind the point. ISK and UGX have none by ISO 4217; Stripe kept the two
/// that it had for them, which are always zeros. HUF and TWD are charged with two like the rest, and
/// whole only in payouts.
fn digits(currency: Currency) -> u8 {
    if ZERO_DECIMAL.contains(&currency) {
        0
    } else if THREE_DECIMAL.contains(&currency) {
        3
    } else {
        2
    }
}

/// The amount in Stripe's units, if it can be expressed.
pub(crate) fn units(amount: Money) -> Result<i64, AmountError> {
    let step = STEPS.iter().find(|(currency, _)| *currency == amount.currency).map_or(1, |(_, step)| *step);
    if amount.minor % step != 0 {
        return Err(AmountError::Inexact);
    }
    to_units(amount, digits(amount.currency))
}

/// What Stripe means by so many units.
pub(crate) fn money(units: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    from_units(units, currency, digits(currency)).ok()
}

/// The currency as Stripe writes it.
pub(crate) fn code(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn the_special_cases() {
        for (code, minor, expected) in [
            ("USD", 1050, Ok(1050)),
            ("JPY", 500, Ok(500)),
            ("ISK", 5, Ok(500)),
            ("UGX", 5, Ok(500)),
            ("HUF", 1050, Ok(1050)),
            ("TWD", 1050, Ok(1050)),
            ("KWD", 5120, Ok(5120)),
            ("KWD", 5124, Err(AmountError::Inexact)),
            ("BHD", 1, Err(AmountError::Inexact)),
            ("MGA", 500, Ok(5)),
            ("MGA", 550, Err(AmountError::Inexact)),
            ("ISK", i64::MAX, Err(AmountError::Overflow)),
        ] {
            let amount = Money::new(minor, code.parse().unwrap());
            assert_eq!(units(amount), expected, "{amount:?}");
            if let Ok(units) = expected {
                assert_eq!(money(units, &code.to_lowercase()), Some(amount));
            }
        }
        assert_eq!(money(550, "isk"), None, "half a krona");
        assert_eq!(money(1, "zzz"), None);
    }

    #[test]
    fn every_currency_of_the_profile_goes_there_and_back() {
        let provider_kit::Currencies::Only(list) = crate::profile::PROFILE.currencies else { unreachable!() };
        for currency in list {
            let amount = Money::new(crate::profile::PROFILE.amount_step(*currency) * 7, *currency);
            let there = units(amount).unwrap();
            assert_eq!(money(there, &code(*currency)), Some(amount), "{currency}");
        }
    }
}
