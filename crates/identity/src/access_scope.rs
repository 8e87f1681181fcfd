//! What a secret key may do, by area.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// One area of the API and whether it is read or changed. Not to be confused with [`kernel::Scope`],
/// the world that a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessScope {
    /// Reading payments, their operations and timelines.
    PaymentsRead,
    /// Creating, confirming, capturing and cancelling payments.
    PaymentsWrite,
    /// Reading refunds.
    RefundsRead,
    /// Refunding.
    RefundsWrite,
    /// Reading customers and their saved methods.
    CustomersRead,
    /// Creating, changing and deleting customers.
    CustomersWrite,
    /// Tokenizing, attaching and detaching payment methods.
    PaymentMethodsWrite,
    /// Reading providers, accounts and the merchant's settings.
    AccountsRead,
    /// Reading the API keys of the key's own world, without their texts.
    ApiKeysRead,
    /// Creating, rotating and revoking them.
    ApiKeysWrite,
    /// What exists in test worlds alone, such as the movable clock.
    TestWrite,
}

impl AccessScope {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 11] = [
        Self::PaymentsRead,
        Self::PaymentsWrite,
        Self::RefundsRead,
        Self::RefundsWrite,
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::PaymentMethodsWrite,
        Self::AccountsRead,
        Self::ApiKeysRead,
        Self::ApiKeysWrite,
        Self::TestWrite,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentsRead => "payments:read",
            Self::PaymentsWrite => "payments:write",
            Self::RefundsRead => "refunds:read",
            Self::RefundsWrite => "refunds:write",
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::PaymentMethodsWrite => "payment_methods:write",
            Self::AccountsRead => "accounts:read",
            Self::ApiKeysRead => "api_keys:read",
            Self::ApiKeysWrite => "api_keys:write",
            Self::TestWrite => "test:write",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for AccessScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "no such scope; there are payments:read, payments:write, refunds:read, refunds:write, customers:read, \
     customers:write, payment_methods:write, accounts:read, api_keys:read, api_keys:write and test:write"
)]
pub struct UnknownAccessScope;

impl FromStr for AccessScope {
    type Err = UnknownAccessScope;

    fn from_str(text: &str) -> Result<Self, UnknownAccessScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownAccessScope)
    }
}

/// What a key may do: everything, or the scopes that were named. Stored as their words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccessScopes(u16);

impl AccessScopes {
    /// No restriction.
    pub const UNRESTRICTED: Self = Self(0);

    /// Whether nothing was named, which means everything.
    pub const fn is_unrestricted(self) -> bool {
        self.0 == 0
    }

    /// Whether a key with these may do what needs `scope`.
    pub const fn allow(self, scope: AccessScope) -> bool {
        self.is_unrestricted() || self.0 & scope.bit() != 0
    }

    /// The named ones, in the order of [`AccessScope::ALL`]; none if everything is allowed.
    pub fn iter(self) -> impl Iterator<Item = AccessScope> {
        AccessScope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<AccessScope> for AccessScopes {
    fn from_iter<T: IntoIterator<Item = AccessScope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl Serialize for AccessScopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(AccessScope::as_str))
    }
}

impl<'de> Deserialize<'de> for AccessScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        words.iter().map(|word| word.parse().map_err(de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn a_key_without_scopes_may_do_all_and_one_with_some_only_those() {
        for scope in AccessScope::ALL {
            assert!(AccessScopes::UNRESTRICTED.allow(scope));
            let only: AccessScopes = [scope].into_iter().collect();
            assert!(!only.is_unrestricted());
            for other in AccessScope::ALL {
                assert_eq!(only.allow(other), scope == other, "{scope} {other}");
            }
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert!(UnknownAccessScope.to_string().contains(scope.as_str()), "{scope}");
        }
        assert_eq!("payments".parse::<AccessScope>(), Err(UnknownAccessScope));
    }

    #[test]
    fn the_stored_form_is_words() {
        let some: AccessScopes =
            "refunds:write payments:read".split(' ').map(|s| s.parse().unwrap()).collect();
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(text, "[\"payments:read\",\"refunds:write\"]");
        assert_eq!(serde_json::from_str::<AccessScopes>(&text).unwrap(), some);
        // A stored word that this version does not know must never become "everything".
        assert!(serde_json::from_str::<AccessScopes>("[\"payouts:write\"]").is_err());
    }
}
