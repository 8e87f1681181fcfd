//! The rules, as they were read and checked.

use kernel::{Brand, Currency, Mode};
use provider_kit::MethodKind;
use serde_json::Value;

use crate::cost::Cost;
use crate::facts::Facts;
use crate::fallback::Fallback;
use crate::health::HealthRules;

/// All that a file of rules says. Make one with [`Routes::read`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// The first one that a payment fits decides.
    pub rules: Vec<Rule>,
    /// When another account may be tried.
    pub fallback: Fallback,
    /// When an account is left alone.
    pub health: HealthRules,
    /// What charges cost.
    pub costs: Vec<Cost>,
}

/// One rule: for which payments, and how their account is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which decisions and statistics know it.
    pub name: String,
    /// For which payments.
    pub when: When,
    /// How.
    pub strategy: Strategy,
    /// Where it stands in its file.
    pub line: usize,
}

/// How a rule chooses among its accounts. Whichever way it is, it makes an order of all of them: the
/// first is charged, and the others are for fallback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As they are listed.
    Order(Vec<String>),
    /// By chance, in proportion to these shares.
    Split(Vec<(String, u32)>),
    /// Whichever succeeded most often of late; of a hundred payments so many try any of them.
    Best {
        /// Among these.
        among: Vec<String>,
        /// Per cent.
        explore_percent: u32,
    },
    /// Whichever costs least by the price list.
    Cheapest(Vec<String>),
}

impl Strategy {
    /// The word in files and decisions.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Split(_) => "split",
            Self::Best { .. } => "best",
            Self::Cheapest(_) => "cheapest",
        }
    }

    /// The names of its accounts, as they are listed.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let (plain, shares) = match self {
            Self::Order(names) | Self::Cheapest(names) | Self::Best { among: names, .. } => {
                (names.as_slice(), &[][..])
            }
            Self::Split(shares) => (&[][..], shares.as_slice()),
        };
        plain.iter().map(String::as_str).chain(shares.iter().map(|(name, _)| name.as_str()))
    }
}

/// The first six digits of card numbers, from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinRange {
    /// The lowest.
    pub first: u32,
    /// The highest.
    pub last: u32,
}

/// A condition: every part that is not empty must fit. A fact that is not known fits no part that asks
/// for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// In one of these worlds.
    pub modes: Vec<Mode>,
    /// With one of these methods.
    pub methods: Vec<MethodKind>,
    /// In one of these currencies.
    pub currencies: Vec<Currency>,
    /// From this amount on, in minor units.
    pub amount_from: Option<i64>,
    /// Up to this amount, in minor units.
    pub amount_to: Option<i64>,
    /// From one of these countries, ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// With a card of one of these schemes.
    pub brands: Vec<Brand>,
    /// With a card whose number begins so.
    pub bins: Vec<BinRange>,
    /// With metadata of each of these names that has one of its texts.
    pub metadata: Vec<(String, Vec<String>)>,
}

impl When {
    /// Whether a payment fits.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        let minor = facts.amount.minor;
        any(&self.currencies, Some(facts.amount.currency))
            && self.amount_from.is_none_or(|from| minor >= from)
            && self.amount_to.is_none_or(|to| minor <= to)
            && any(&self.modes, Some(facts.mode))
            && any(&self.methods, facts.method)
            && any(&self.brands, facts.brand)
            && (self.countries.is_empty()
                || facts.country.is_some_and(|country| self.countries.iter().any(|one| one == country)))
            && (self.bins.is_empty()
                || facts.bin.is_some_and(|bin| {
                    self.bins.iter().any(|range| (range.first..=range.last).contains(&bin))
                }))
            && self.metadata.iter().all(|(name, texts)| {
                facts.metadata.get(name).is_some_and(|value| texts.iter().any(|text| says(value, text)))
            })
    }
}

/// Whether nothing is asked, or what is known is among what is asked for.
fn any<T: PartialEq>(asked: &[T], known: Option<T>) -> bool {
    asked.is_empty() || known.is_some_and(|known| asked.contains(&known))
}

/// Numbers and truths in metadata are compared as they are written.
fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(known) => known == text,
        other => {
            let written = other.to_string();
            written == text
        }
    }
}
