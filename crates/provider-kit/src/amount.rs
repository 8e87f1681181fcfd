//! Forms of amounts at providers. A provider's exponents may differ from ISO 4217's, so each call
//! says how many digits the provider counts behind the point; no float is ever involved.

use kernel::{Currency, Money};
use thiserror::Error;

/// Why an amount has no such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// The provider counts fewer digits than the amount has.
    #[error("the provider cannot express the amount exactly")]
    Inexact,
    /// It does not fit 64 bits.
    #[error("the amount does not fit 64 bits")]
    Overflow,
    /// The text is no plain decimal number.
    #[error("not a plain decimal number")]
    Unreadable,
}

/// The amount as an integer count of the provider's unit, which has `digits` digits behind the point.
pub fn to_units(amount: Money, digits: u8) -> Result<i64, AmountError> {
    let own = amount.currency.exponent();
    if digits >= own {
        let factor = power_of_ten(digits - own)?;
        return amount.minor.checked_mul(factor).ok_or(AmountError::Overflow);
    }
    let factor = power_of_ten(own - digits)?;
    if amount.minor % factor == 0 { Ok(amount.minor / factor) } else { Err(AmountError::Inexact) }
}

/// Reads an integer count of the provider's unit.
pub fn from_units(units: i64, currency: Currency, digits: u8) -> Result<Money, AmountError> {
    let own = currency.exponent();
    let minor = if own >= digits {
        units.checked_mul(power_of_ten(own - digits)?).ok_or(AmountError::Overflow)?
    } else {
        let factor = power_of_ten(digits - own)?;
        if units % factor != 0 {
            return Err(AmountError::Inexact);
        }
        units / factor
    };
    Ok(Money::new(minor, currency))
}

/// The amount in major units with exactly `digits` digits behind the point: `10.00`, `10`, `-0.050`.
pub fn to_decimal(amount: Money, digits: u8) -> Result<String, AmountError> {
    let units = to_units(amount, digits)?;
    let sign = if units < 0 { "-" } else { "" };
    let magnitude = units.unsigned_abs().to_string();
    if digits == 0 {
        return Ok(format!("{sign}{magnitude}"));
    }
    let digits = usize::from(digits);
    let padded = format!("{magnitude:0>width$}", width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    Ok(format!("{sign}{whole}.{fraction}"))
}

/// Reads major units: an optional minus, digits, optionally a point and digits. No exponent, no
/// grouping, no blanks. Zeros beyond the currency's digits are accepted, anything else is inexact.
pub fn from_decimal(text: &str, currency: Currency) -> Result<Money, AmountError> {
    let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(AmountError::Unreadable);
    }
    let own = usize::from(currency.exponent());
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > own {
        return Err(AmountError::Inexact);
    }
    let sign = if negative { "-" } else { "" };
    let minor = format!("{sign}{whole}{fraction:0<own$}").parse().map_err(|_| AmountError::Overflow)?;
    Ok(Money::new(minor, currency))
}

fn power_of_ten(exponent: u8) -> Result<i64, AmountError> {
    10_i64.checked_pow(u32::from(exponent)).ok_or(AmountError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_the_three_kinds_of_currency() {
        for (minor, currency, digits, units, decimal) in [
            (1050, Currency::USD, 2, Ok(1050), Ok("10.50")),
            (-5, Currency::USD, 2, Ok(-5), Ok("-0.05")),
            (1000, Currency::JPY, 0, Ok(1000), Ok("1000")),
            (1000, Currency::JPY, 2, Ok(100_000), Ok("1000.00")),
            (1230, Currency::KWD, 2, Ok(123), Ok("1.23")),
            (1234, Currency::KWD, 2, Err(AmountError::Inexact), Err(AmountError::Inexact)),
            (i64::MAX, Currency::JPY, 2, Err(AmountError::Overflow), Err(AmountError::Overflow)),
        ] {
            let amount = Money::new(minor, currency);
            assert_eq!(to_units(amount, digits), units, "{amount:?}");
            assert_eq!(to_decimal(amount, digits).as_deref().map_err(|error| *error), decimal, "{amount:?}");
        }
    }

    #[test]
    fn reads_plain_decimals_only() {
        for (text, read) in [
            ("10.5", Ok(1050)),
            ("10.500", Ok(1050)),
            ("-0.05", Ok(-5)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(AmountError::Overflow)),
            ("10.505", Err(AmountError::Inexact)),
            ("1e3", Err(AmountError::Unreadable)),
            ("1,000", Err(AmountError::Unreadable)),
            ("+1", Err(AmountError::Unreadable)),
            ("", Err(AmountError::Unreadable)),
            (".5", Err(AmountError::Unreadable)),
            ("5.", Err(AmountError::Unreadable)),
            ("--1", Err(AmountError::Unreadable)),
            ("١", Err(AmountError::Unreadable)),
        ] {
            assert_eq!(from_decimal(text, Currency::USD).map(|money| money.minor), read, "{text}");
        }
    }

    proptest! {
        #[test]
        fn decimal_and_back(minor in any::<i64>(), place in 0..169_usize) {
            let currency = Currency::all().nth(place).unwrap_or(Currency::USD);
            let amount = Money::new(minor, currency);
            let text = to_decimal(amount, currency.exponent());
            prop_assert_eq!(text.and_then(|text| from_decimal(&text, currency)), Ok(amount));
        }

        #[test]
        fn units_and_back(
            minor in -1_000_000_000_i64..1_000_000_000,
            place in 0..169_usize,
            digits in 0..9_u8,
        ) {
            let currency = Currency::all().nth(place).unwrap_or(Currency::USD);
            let amount = Money::new(minor, currency);
            if let Ok(units) = to_units(amount, digits) {
                prop_assert_eq!(from_units(units, currency, digits), Ok(amount));
            }
        }
    }
}
