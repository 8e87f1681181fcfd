//! Every way of every story, with all rules on; the figures of `docs/reliability.md` are these.

use model::{Machine, Story, check};

const PAGE: &str = include_str!("../../../../docs/reliability.md");

/// `1234567` as people read it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn holds(story: Story) {
    let name = story.name;
    let checked = check(Machine::new(story));
    assert!(checked.broken.is_none(), "{}", checked.broken.unwrap_or_default());
    let row = format!("| {} | {} |", grouped(checked.states), grouped(checked.steps));
    let known = PAGE.lines().find(|line| line.starts_with(&format!("| `{name}`:")));
    let known = known.unwrap_or_else(|| panic!("docs/reliability.md says nothing of {name}: {row}"));
    assert!(known.ends_with(&row), "docs/reliability.md says of {name}: {known}; found: {row}");
}

#[test]
fn two_charges_hold() {
    holds(Story::CHARGE);
}

#[test]
fn two_charges_that_may_be_repeated_hold() {
    holds(Story::REPEAT);
}

#[test]
fn two_charges_of_two_steps_hold() {
    holds(Story::STEPS);
}

#[test]
fn two_charges_that_are_decided_later_hold() {
    holds(Story::LATER);
}

#[test]
fn a_charge_and_a_cancel_hold() {
    holds(Story::CANCEL);
}

#[test]
fn a_capture_and_a_void_hold() {
    holds(Story::HOLD);
}

#[test]
fn two_refunds_and_one_at_the_dashboard_hold() {
    holds(Story::REFUND);
}
