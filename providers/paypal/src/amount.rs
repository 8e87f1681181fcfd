//! PayPal's decimal strings. Source: developer.paypal.com, "Currency codes".

use kernel::{Currency, Money};
use provider_kit::amount::{AmountError, from_decimal, to_decimal};
use serde::{Deserialize, Serialize};

/// Written without a point. HUF and TWD have two digits by ISO 4217 and none here.
const ZERO_DECIMAL: &[Currency] = &[Currency::of("HUF"), Currency::JPY, Currency::of("TWD")];

/// What an amount must be a multiple of, in our minor units, so that PayPal can express it.
pub(crate) const STEPS: &[(Currency, i64)] = &[(Currency::of("HUF"), 100), (Currency::of("TWD"), 100)];

/// An amount on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Value {
    pub(crate) currency_code: String,
    pub(crate) value: String,
}

impl Value {
    /// What PayPal means by it.
    pub(crate) fn money(&self) -> Option<Money> {
        let currency: Currency = self.currency_code.parse().ok()?;
        from_decimal(&self.value, currency).ok()
    }
}

/// The amount as PayPal reads it, if it can be expressed.
pub(crate) fn value(amount: Money) -> Result<Value, AmountError> {
    let digits = if ZERO_DECIMAL.contains(&amount.currency) { 0 } else { 2 };
    let value = to_decimal(amount, digits)?;
    Ok(Value { currency_code: amount.currency.code().to_owned(), value })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn decimal_strings_by_currency() {
        for (code, minor, expected) in [
            ("USD", 1050, Ok("10.50")),
            ("USD", 5, Ok("0.05")),
            ("JPY", 500, Ok("500")),
            ("HUF", 105_000, Ok("1050")),
            ("HUF", 105_050, Err(AmountError::Inexact)),
            ("TWD", 100, Ok("1")),
            ("TWD", 1, Err(AmountError::Inexact)),
            ("KWD", 1234, Err(AmountError::Inexact)),
        ] {
            let amount = Money::new(minor, code.parse().unwrap());
            let written = value(amount);
            assert_eq!(
                written.as_ref().map(|value| value.value.as_str()),
                expected.as_ref().copied(),
                "{amount:?}"
            );
            if let Ok(written) = written {
                assert_eq!(written.money(), Some(amount));
            }
        }
        let read = |value: &str, code: &str| {
            Value { currency_code: code.to_owned(), value: value.to_owned() }.money()
        };
        assert_eq!(read("10.5", "JPY"), None, "half a yen");
        assert_eq!(read("10,50", "EUR"), None);
        assert_eq!(read("10.50", "ZZZ"), None);
    }

    #[test]
    fn every_currency_of_the_profile_goes_there_and_back() {
        let provider_kit::Currencies::Only(list) = crate::profile::PROFILE.currencies else { unreachable!() };
        for currency in list {
            let amount = Money::new(crate::profile::PROFILE.amount_step(*currency) * 7, *currency);
            assert_eq!(value(amount).unwrap().money(), Some(amount), "{currency}");
        }
    }
}
