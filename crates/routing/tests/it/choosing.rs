//! Which account charges, and which one after it.

use kernel::{Currency, Mode, Money};
use proptest::prelude::*;
use provider_kit::MethodKind;
use routing::{Because, Facts, Gate, Rates, decide};
use serde_json::{Map, Value, json};

use crate::world::{candidates, decided, facts, id, order, read};

const ORDER: &str = "[[rule]]\nname = 'a'\norder = ['west', 'east']";

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = "[[rule]]\nname = 'usd'\nwhen.currency = 'USD'\norder = 'north'\n\
                 [[rule]]\nname = 'card'\nwhen.method = 'card'\norder = ['west', 'east']\n\
                 [[rule]]\nname = 'rest'\norder = 'east'";
    assert_eq!(decided(rules, 0), ["west", "east"]);
}

/// Every part of a condition: a payment that fits, and what must change so that it does not.
#[test]
fn each_part_of_a_condition_can_say_no() {
    let metadata: Map<String, Value> = json!({"channel": "web", "tries": 3}).as_object().unwrap().clone();
    let none = Map::new();
    let fits = facts(&metadata);
    for (when, misses) in [
        ("mode = 'test'", Facts { mode: Mode::Live, ..fits }),
        ("method = ['upi', 'card']", Facts { method: None, ..fits }),
        ("method = 'card'", Facts { method: Some(MethodKind::Upi), ..fits }),
        ("currency = ['USD', 'EUR']", Facts { amount: Money::new(1_000, Currency::INR), ..fits }),
        ("currency = 'EUR', amount_from = 1000", Facts { amount: Money::new(999, Currency::EUR), ..fits }),
        ("currency = 'EUR', amount_to = 1000", Facts { amount: Money::new(1_001, Currency::EUR), ..fits }),
        ("country = ['FR', 'DE']", Facts { country: Some("IN"), ..fits }),
        ("country = 'DE'", Facts { country: None, ..fits }),
        ("brand = 'visa'", Facts { brand: None, ..fits }),
        ("bin = '4242'", Facts { bin: Some(424_300), ..fits }),
        ("bin = '424242-424243'", Facts { bin: None, ..fits }),
        ("metadata = { channel = 'web', tries = '3' }", Facts { metadata: &none, ..fits }),
    ] {
        let routes = read(&format!("[[rule]]\nname = 'a'\nwhen = {{ {when} }}\norder = 'west'"));
        let chosen = |facts| decide(&routes, facts, &candidates(), &Rates::default(), || 0);
        assert_eq!(order(&chosen(&fits)), ["west"], "{when}");
        let missed = chosen(&misses);
        assert_eq!((missed.rule, order(&missed)), (None, vec!["east"]), "{when}: the default account");
    }
}

#[test]
fn what_is_barred_is_passed_over_and_what_is_ill_comes_last() {
    let (routes, metadata) = (read("[[rule]]\nname = 'a'\norder = ['west', 'north', 'east']"), Map::new());
    let mut all = candidates();
    all[1].gate = Gate::Open;
    all[2].barred = Some("it takes no EUR");
    let decision = decide(&routes, &facts(&metadata), &all, &Rates::default(), || 0);
    assert_eq!(order(&decision), ["east", "west"]);
    let told = decision.to_json(&all);
    assert_eq!(told["rule"], "a");
    assert_eq!(told["order"][0]["account"], "east");
    assert!(told["order"][1]["because"].as_str().unwrap().contains("failed of late"), "{told}");
    assert_eq!(told["passed_over"][0]["because"], "it takes no EUR");
}

#[test]
fn without_an_able_account_in_the_rule_the_default_one_is_charged() {
    let (routes, metadata) = (read("[[rule]]\nname = 'a'\norder = 'west'"), Map::new());
    let mut all = candidates();
    all[1].barred = Some("it takes no EUR");
    let decision = decide(&routes, &facts(&metadata), &all, &Rates::default(), || 0);
    assert_eq!(order(&decision), ["east"]);
    assert_eq!(decision.ranked[0].because, Because::Default);
    // Even where nothing can charge it there is an account to say so.
    all[0].barred = Some("no");
    all[2].barred = Some("no");
    let decision = decide(&routes, &facts(&metadata), &all, &Rates::default(), || 0);
    assert_eq!(order(&decision), ["east"]);
}

#[test]
fn a_split_is_as_wide_as_its_shares() {
    let rules = "[[rule]]\nname = 'a'\nsplit = { east = 1, west = 7, north = 2 }";
    let mut firsts: Vec<&str> = (0..10).map(|drawn| decided(rules, drawn)[0]).collect();
    firsts.sort_unstable();
    let wanted: Vec<&str> = [vec!["east"], vec!["north"; 2], vec!["west"; 7]].concat();
    assert_eq!(firsts, wanted);
    // Behind the one that was drawn: the greatest share first.
    assert!((0..10).map(|drawn| decided(rules, drawn)).any(|all| all == ["east", "west", "north"]));
}

#[test]
fn the_best_is_learned_and_others_are_tried_by_chance() {
    let routes = read("[[rule]]\nname = 'a'\nbest = ['east', 'west']\nexplore_percent = 10");
    let metadata = Map::new();
    let mut rates = Rates::default();
    for _ in 0..30 {
        rates.note("a", id("east"), false);
        rates.note("a", id("west"), true);
        // What another rule learns is about other payments.
        rates.note("b", id("east"), true);
    }
    let first = |drawn| {
        let decision = decide(&routes, &facts(&metadata), &candidates(), &rates, || drawn);
        (order(&decision)[0], decision.ranked[0].because)
    };
    assert_eq!(first(99).0, "west");
    assert_eq!(first(99).1, Because::Rate { permille: 968, outcomes: 30 });
    let explored = (0..1_000).filter(|drawn| first(*drawn).1 == Because::Explored).count();
    assert_eq!(explored, 100, "ten of a hundred");
    let to_the_worse = (0..1_000).filter(|drawn| first(*drawn).0 == "east").count();
    assert_eq!(to_the_worse, 50, "half of them");
}

#[test]
fn what_is_long_ago_weighs_less() {
    let mut rates = Rates::default();
    (0..1_000).for_each(|_| rates.note("a", id("east"), true));
    (0..150).for_each(|_| rates.note("a", id("east"), false));
    let (permille, outcomes) = rates.expected("a", id("east"));
    assert!(permille < 600 && outcomes < 200, "{permille} by {outcomes}");
}

#[test]
fn the_cheapest_is_by_amount_and_the_unknown_price_is_last() {
    let rules = "[[cost]]\naccount = 'east'\nbasis_points = 100\nfixed = { EUR = 30 }\n\
                 [[cost]]\naccount = 'west'\nbasis_points = 300\n\
                 [[cost]]\naccount = 'north'\nbasis_points = 1\nfixed = { USD = 1 }\n\
                 [[rule]]\nname = 'a'\ncheapest = ['north', 'east', 'west']";
    let (routes, metadata) = (read(rules), Map::new());
    let at = |minor| {
        let facts = Facts { amount: Money::new(minor, Currency::EUR), ..facts(&metadata) };
        order(&decide(&routes, &facts, &candidates(), &Rates::default(), || 0))
    };
    // 3 % is less than 1 % and 30 cents up to 15 EUR.
    assert_eq!(at(1_000), ["west", "east", "north"]);
    assert_eq!(at(2_000), ["east", "west", "north"]);
    let facts = facts(&metadata);
    assert_eq!(routes.cost("west", &Facts { amount: Money::new(1, Currency::EUR), ..facts }), Some(1), "up");
    let most = Facts { amount: Money::new(i64::MAX, Currency::EUR), ..facts };
    assert!(routes.cost("west", &most).is_some());
}

/// What the timeline says of each account, where these calls failed of late.
fn reasons(rules: &str, open: [bool; 3], draw: impl FnOnce() -> u64) -> Vec<String> {
    let (routes, metadata) = (read(rules), Map::new());
    let mut all = candidates();
    for (candidate, open) in all.iter_mut().zip(open) {
        candidate.gate = if open { Gate::Open } else { Gate::Closed };
    }
    let decision = decide(&routes, &facts(&metadata), &all, &Rates::default(), draw);
    let told = decision.to_json(&all);
    let order = told["order"].as_array().unwrap().iter();
    order.map(|one| one["because"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_reasons_are_true_where_accounts_are_ill() {
    let split = "[[rule]]\nname = 'a'\nsplit = { east = 1, west = 7, north = 2 }";
    let best = "[[rule]]\nname = 'a'\nbest = ['east', 'west', 'north']\nexplore_percent = 100";
    // One that is well: no dice fall, neither for it nor among those behind it.
    let told = reasons(split, [true, false, true], || panic!("drawn"));
    assert_eq!(told[0], "nothing to draw among: 7 shares");
    assert_eq!(told[1], "not drawn: 2 shares; last, because its calls failed of late");
    assert_eq!(told[2], "not drawn: 1 shares; last, because its calls failed of late");
    // Two that are well: the dice are theirs alone.
    let told = reasons(best, [false, true, false], || 0);
    assert!(told[0].starts_with("picked by chance"), "{told:?}");
    assert!(told[2].starts_with("expected to succeed"), "{told:?}");
    // All are ill: the dice fall among them, and none of them is last for that.
    let told = reasons(split, [true; 3], || 0);
    assert_eq!(
        told[0],
        "drawn: 1 of 10 shares; its calls failed of late, like those of all that can charge it"
    );
    assert!(told.iter().all(|one| !one.contains("last")), "{told:?}");
}

#[test]
fn nothing_is_drawn_where_nothing_is_left_to_chance() {
    let (routes, metadata) = (read(ORDER), Map::new());
    decide(&routes, &facts(&metadata), &candidates(), &Rates::default(), || panic!("drawn"));
}

proptest! {
    /// Whatever is drawn, ill or barred: only the rule's accounts, each once, no barred one among them,
    /// and none that is well behind one that is ill.
    #[test]
    fn an_order_is_a_permutation_of_the_able(
        drawn: u64,
        barred in proptest::array::uniform3(any::<bool>()),
        open in proptest::array::uniform3(any::<bool>()),
        which in 0..4_usize,
    ) {
        let strategy = [
            "order = ['north', 'east', 'west']",
            "split = { north = 3, east = 2, west = 1 }",
            "best = ['north', 'east', 'west']",
            "cheapest = ['north', 'east', 'west']",
        ][which];
        let cost = |name: &str| format!("[[cost]]\naccount = '{name}'\nbasis_points = 5\n");
        let costs = ["east", "west", "north"].map(cost).concat();
        let (routes, metadata) = (read(&format!("{costs}[[rule]]\nname = 'a'\n{strategy}")), Map::new());
        let mut all = candidates();
        for (place, candidate) in all.iter_mut().enumerate() {
            candidate.barred = barred[place].then_some("no");
            candidate.gate = if open[place] { Gate::Open } else { Gate::Closed };
        }
        let decision = decide(&routes, &facts(&metadata), &all, &Rates::default(), || drawn);
        let mut places: Vec<usize> = decision.ranked.iter().map(|ranked| ranked.place).collect();
        let gates: Vec<bool> = places.iter().map(|place| open[*place]).collect();
        prop_assert!(gates.is_sorted());
        places.sort_unstable();
        let able: Vec<usize> = (0..3).filter(|place| !barred[*place]).collect();
        let wanted = if able.is_empty() { vec![0] } else { able };
        prop_assert_eq!(places, wanted);
    }
}
