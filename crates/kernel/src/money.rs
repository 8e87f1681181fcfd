//! Money: an integer count of a currency's minor unit, never a float.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Currency;

/// An amount in the minor unit of its currency (cents for USD, yen for JPY, fils for KWD).
///
/// May be negative (a balance); what a merchant asks for is checked at the edge. All arithmetic is
/// checked: an overflow or a mix of currencies is an error value, never a panic and never a wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Count of minor units.
    pub minor: i64,
    /// The currency whose exponent gives `minor` its meaning.
    pub currency: Currency,
}

/// Why an operation on money has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The two amounts are in different currencies.
    #[error("amounts in {0} and {1} cannot be combined")]
    MixedCurrencies(Currency, Currency),
    /// The result does not fit 64 bits.
    #[error("the amount does not fit 64 bits")]
    Overflow,
    /// The weights of a split are empty or all zero.
    #[error("an amount cannot be split over no weights")]
    NoWeights,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Whether this is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum, in the same currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, in the same currency. May be negative.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// `basis_points` ten-thousandths of the amount, rounded half away from zero.
    pub fn basis_points(self, basis_points: u32) -> Result<Self, MoneyError> {
        let exact = i128::from(self.minor) * i128::from(basis_points);
        let half = if exact < 0 { -5_000 } else { 5_000 };
        let minor = i64::try_from((exact + half) / 10_000).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Splits by largest remainder: the parts are proportional to `weights` and always add up.
    ///
    /// Ties go to the earlier part, so that the same input always gives the same split.
    pub fn split(self, weights: &[u32]) -> Result<Vec<Self>, MoneyError> {
        let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let amount = i128::from(self.minor);
        let mut parts: Vec<(usize, i128, i128)> = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| {
                let exact = amount * i128::from(*weight);
                (at, exact.div_euclid(total), exact.rem_euclid(total))
            })
            .collect();
        let mut missing = amount - parts.iter().map(|(_, floor, _)| floor).sum::<i128>();
        parts.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
        for part in &mut parts {
            if missing == 0 {
                break;
            }
            part.1 += 1;
            missing -= 1;
        }
        parts.sort_by_key(|part| part.0);
        parts
            .into_iter()
            .map(|(_, minor, _)| {
                let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
                Ok(Self { minor, ..self })
            })
            .collect()
    }

    /// The amount as a decimal number of major units, with the currency's own number of digits:
    /// `10.00`, `1000` (JPY), `-0.05`.
    pub fn to_major(self) -> String {
        let digits = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs().to_string();
        if digits == 0 {
            return format!("{sign}{magnitude}");
        }
        let padded = format!("{magnitude:0>width$}", width = digits + 1);
        let (whole, fraction) = padded.split_at(padded.len() - digits);
        format!("{sign}{whole}.{fraction}")
    }

    fn combine(self, other: Self, apply: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(self.currency, other.currency));
        }
        let minor = apply(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_major(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn mixed_currencies_and_overflow_are_values() {
        let eur = Money::new(1, Currency::EUR);
        assert_eq!(usd(1).plus(eur), Err(MoneyError::MixedCurrencies(Currency::USD, Currency::EUR)));
        assert_eq!(usd(i64::MAX).plus(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MIN).minus(usd(1)), Err(MoneyError::Overflow));
    }

    #[test]
    fn major_units_follow_the_exponent() {
        assert_eq!(usd(1000).to_major(), "10.00");
        assert_eq!(usd(-5).to_major(), "-0.05");
        assert_eq!(Money::new(1000, Currency::JPY).to_major(), "1000");
        assert_eq!(Money::new(i64::MIN, Currency::USD).to_major(), "-92233720368547758.08");
    }

    #[test]
    fn basis_points_round_half_away_from_zero() {
        assert_eq!(usd(1050).basis_points(290), Ok(usd(30)));
        assert_eq!(usd(50).basis_points(100), Ok(usd(1)));
        assert_eq!(usd(-50).basis_points(100), Ok(usd(-1)));
    }

    proptest! {
        #[test]
        fn a_split_adds_up_and_is_fair(
            minor in any::<i64>(),
            weights in prop::collection::vec(0_u32..1000, 1..9),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = usd(minor).split(&weights).unwrap();
            let sum: i128 = parts.iter().map(|part| i128::from(part.minor)).sum();
            prop_assert_eq!(sum, i128::from(minor));
            let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let difference = i128::from(part.minor) * total - i128::from(minor) * i128::from(*weight);
                prop_assert!(difference.abs() < total, "a part is off by a whole unit");
            }
        }
    }
}
