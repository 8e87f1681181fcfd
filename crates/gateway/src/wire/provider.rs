//! A provider as its profile describes it.

use kernel::{Currency, Id};
use provider_kit::{Account, Capability, Currencies, MethodKind, Profile};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::form;

/// What a provider can do, and this world's accounts there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Provider")]
pub struct ProviderObject {
    /// Its id, as in a payment's `provider`.
    id: &'static str,
    /// Always `provider`.
    object: &'static str,
    /// The name that people read.
    name: &'static str,
    /// The types of payment methods that it takes.
    methods: Vec<&'static str>,
    /// The currencies that it takes.
    #[schemars(with = "Vec<form::Currency>")]
    currencies: Vec<Currency>,
    /// What it can do beyond charging.
    capabilities: Vec<&'static str>,
    /// The least and the most of one charge.
    limits: LimitsObject,
    /// This world's accounts there.
    #[schemars(with = "Vec<form::IdOf<Account>>")]
    account_ids: Vec<Id<Account>>,
}

/// The least and the most of one charge, in minor units.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProviderLimits")]
struct LimitsObject {
    /// At least.
    minimum_amount: i64,
    /// At most.
    maximum_amount: i64,
    /// Where a currency has its own.
    by_currency: Vec<CurrencyLimitObject>,
}

/// The limits of one currency.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProviderCurrencyLimit")]
struct CurrencyLimitObject {
    /// Which.
    #[schemars(with = "form::Currency")]
    currency: Currency,
    /// At least.
    minimum_amount: i64,
    /// At most.
    maximum_amount: i64,
}

impl ProviderObject {
    /// The wire form of a profile, with a world's accounts.
    pub fn of(profile: &Profile, account_ids: Vec<Id<Account>>) -> Self {
        let own = profile.limits.by_currency.iter().map(|(currency, limit)| CurrencyLimitObject {
            currency: *currency,
            minimum_amount: limit.minimum,
            maximum_amount: limit.maximum,
        });
        Self {
            id: profile.id,
            object: "provider",
            name: profile.name,
            methods: profile.methods.iter().copied().map(MethodKind::as_str).collect(),
            currencies: match profile.currencies {
                Currencies::All => Currency::all().collect(),
                Currencies::Only(list) => list.to_vec(),
            },
            capabilities: profile.capabilities.iter().copied().map(Capability::as_str).collect(),
            limits: LimitsObject {
                minimum_amount: profile.limits.usual.minimum,
                maximum_amount: profile.limits.usual.maximum,
                by_currency: own.collect(),
            },
            account_ids,
        }
    }
}
