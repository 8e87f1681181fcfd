//! The breaker of an account and method.

use std::time::Duration;

use kernel::Monotonic;
use provider_kit::MethodKind;
use routing::{Gate, Health, HealthRules};

use crate::world::id;

const CARD: MethodKind = MethodKind::Card;

fn at(seconds: u64) -> Monotonic {
    Monotonic(Duration::from_secs(seconds))
}

/// After these outcomes, one a second: `x` failed.
fn after(outcomes: &str) -> Health {
    let (mut health, rules) = (Health::default(), HealthRules::default());
    for (second, outcome) in (0..).zip(outcomes.chars()) {
        health.note(id("east"), CARD, outcome == 'x', at(second), at(second), &rules);
    }
    health
}

#[test]
fn it_opens_when_half_of_enough_calls_failed_the_newest_included() {
    for (outcomes, gate) in [
        ("", Gate::Closed),
        ("xxxx", Gate::Closed),
        ("xxxxx", Gate::Open),
        ("...xx", Gate::Closed),
        ("x.x.x", Gate::Open),
        ("xx.xx", Gate::Open),
        // Only the newest twenty count.
        ("....................xxxxxxxxx", Gate::Closed),
        ("....................xxxxxxxxxx", Gate::Open),
    ] {
        let health = after(outcomes);
        assert_eq!(health.gate(id("east"), CARD, at(29)), gate, "{outcomes}");
        assert_eq!(health.gate(id("west"), CARD, at(29)), Gate::Closed, "another account");
        assert_eq!(health.gate(id("east"), MethodKind::Upi, at(29)), Gate::Closed, "another method");
    }
}

#[test]
fn one_payment_finds_out_and_the_others_wait_for_it() {
    let rules = HealthRules::default();
    let mut health = after("xxxxx");
    let gate = |health: &Health, second| health.gate(id("east"), CARD, at(second));
    assert_eq!(gate(&health, 33), Gate::Open);
    assert_eq!(gate(&health, 34), Gate::Ready);
    health.probe(id("east"), CARD, at(34), &rules);
    assert_eq!(gate(&health, 35), Gate::Open, "somebody finds out");
    assert_eq!(gate(&health, 64), Gate::Ready, "nobody said what came of it");
    health.note(id("east"), CARD, true, at(63), at(64), &rules);
    assert_eq!(gate(&health, 65), Gate::Open, "it failed again");
    health.note(id("east"), CARD, false, at(65), at(66), &rules);
    assert_eq!(gate(&health, 66), Gate::Closed, "it answers again");
    health.note(id("east"), CARD, true, at(67), at(67), &rules);
    assert_eq!(gate(&health, 67), Gate::Closed, "what was before is forgotten");
}

/// A call that was under way when the breaker opened was sent to what was well, and answers late.
#[test]
fn what_began_before_it_opened_is_no_news() {
    let rules = HealthRules::default();
    let mut health = after("xxxxx");
    health.note(id("east"), CARD, false, at(3), at(6), &rules);
    assert_eq!(health.gate(id("east"), CARD, at(6)), Gate::Open, "it was sent before");
    health.note(id("east"), CARD, true, at(3), at(20), &rules);
    assert_eq!(health.gate(id("east"), CARD, at(34)), Gate::Ready, "nor does it stay open for it");
    health.note(id("east"), CARD, false, at(7), at(8), &rules);
    assert_eq!(health.gate(id("east"), CARD, at(8)), Gate::Closed, "it answers again");
}
