//! How long a decision takes: `cargo run --release -p routing --example decide`.
//!
//! Two hundred rules, of which the last one fits, three accounts, and each strategy in turn.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures this machine, and is never part of a run")]

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use kernel::{Brand, Currency, Id, Mode, Money};
use provider_kit::MethodKind;
use routing::{Candidate, Facts, Gate, Rates, Routes, decide};
use serde_json::{Map, Value};
use uuid::Uuid;

const RULES: usize = 200;
const ROUNDS: u32 = 200_000;
const NAMES: [&str; 3] = ["east", "west", "north"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut metadata = Map::new();
    metadata.insert("channel".to_owned(), Value::from("web"));
    metadata.insert("shop".to_owned(), Value::from("shop_199"));
    let facts = Facts {
        mode: Mode::Test,
        amount: Money::new(12_345, Currency::EUR),
        method: Some(MethodKind::Card),
        brand: Some(Brand::Visa),
        bin: Some(424_242),
        country: Some("DE"),
        metadata: &metadata,
    };
    let id = |place: u128| Id::from_uuid(Uuid::from_u128(place));
    let candidates: Vec<Candidate<'_>> = (1..)
        .zip(NAMES)
        .map(|(place, name)| Candidate { name, id: id(place), barred: None, gate: Gate::Closed })
        .collect();
    let mut rates = Rates::default();
    for round in 0..100_u32 {
        rates.note("rule 199", id(1), round % 10 != 0);
        rates.note("rule 199", id(2), round % 8 != 0);
    }
    let strategies = [
        "order = ['east', 'west', 'north']",
        "split = { east = 70, west = 20, north = 10 }",
        "best = ['east', 'west', 'north']",
        "cheapest = ['east', 'west', 'north']",
    ];
    println!("{RULES} rules, of which the last one fits; {ROUNDS} decisions each");
    for strategy in strategies {
        let routes = Routes::read("bench.toml", &rules(strategy)?, &NAMES.map(str::to_owned))?;
        let mut took: Vec<u128> = Vec::with_capacity(usize::try_from(ROUNDS)?);
        let begun = Instant::now();
        for round in 0..ROUNDS {
            let before = Instant::now();
            black_box(decide(&routes, black_box(&facts), &candidates, &rates, || u64::from(round) * 7_919));
            took.push(before.elapsed().as_nanos());
        }
        let whole = begun.elapsed().as_nanos() / u128::from(ROUNDS);
        took.sort_unstable();
        let at = |of_thousand: usize| took.get(took.len() * of_thousand / 1_000).copied().unwrap_or(0);
        let name = strategy.split(' ').next().unwrap_or_default();
        println!(
            "{name:<9} mean {whole} ns, median {} ns, p99 {} ns, p99.9 {} ns",
            at(500),
            at(990),
            at(999)
        );
    }
    Ok(())
}

/// Rules that differ in the last thing that is looked at, so that each is looked at to the end.
fn rules(strategy: &str) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for name in NAMES {
        writeln!(text, "[[cost]]\naccount = '{name}'\nbasis_points = 150\nfixed = {{ EUR = 25 }}")?;
    }
    for number in 0..RULES {
        writeln!(
            text,
            "[[rule]]\nname = 'rule {number}'\n{strategy}\n[rule.when]\nmode = ['test', 'live']\n\
             currency = ['USD', 'EUR']\namount_from = 100\namount_to = 1000000\ncountry = ['FR', 'DE']\n\
             brand = ['mastercard', 'visa']\nbin = ['5', '42']\nmethod = 'card'\n\
             metadata = {{ shop = 'shop_{number}' }}"
        )?;
    }
    Ok(text)
}
