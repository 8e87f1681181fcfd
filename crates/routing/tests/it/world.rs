//! Accounts and payments to decide about.

use kernel::{Brand, Currency, Id, Mode, Money};
use provider_kit::{Account, MethodKind};
use routing::{Candidate, Decision, Facts, Gate, Rates, Routes, decide};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The accounts of all tests, in the order that holds without rules.
pub(crate) const NAMES: [&str; 3] = ["east", "west", "north"];

pub(crate) fn names() -> Vec<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn read(text: &str) -> Routes {
    Routes::read("routes.toml", text, &names()).unwrap()
}

pub(crate) fn id(name: &str) -> Id<Account> {
    let place = NAMES.iter().position(|known| *known == name).unwrap();
    Id::from_uuid(Uuid::from_u128(u128::try_from(place).unwrap() + 1))
}

pub(crate) fn candidates() -> Vec<Candidate<'static>> {
    let make = |name| Candidate { name, id: id(name), barred: None, gate: Gate::Closed };
    NAMES.into_iter().map(make).collect()
}

/// A card payment of 10 EUR from Germany.
pub(crate) fn facts(metadata: &Map<String, Value>) -> Facts<'_> {
    Facts {
        mode: Mode::Test,
        amount: Money::new(1_000, Currency::EUR),
        method: Some(MethodKind::Card),
        brand: Some(Brand::Visa),
        bin: Some(424_242),
        country: Some("DE"),
        metadata,
    }
}

/// The names of a decision's accounts, in order.
pub(crate) fn order(decision: &Decision<'_>) -> Vec<&'static str> {
    decision.ranked.iter().map(|ranked| NAMES[ranked.place]).collect()
}

/// What is decided about [`facts`] with nothing learned and these dice.
pub(crate) fn decided(text: &str, drawn: u64) -> Vec<&'static str> {
    let (routes, metadata) = (read(text), Map::new());
    order(&decide(&routes, &facts(&metadata), &candidates(), &Rates::default(), || drawn))
}
