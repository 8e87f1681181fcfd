//! Without a rule, a promise is broken: this is which one, and in which story. The checker goes breadth
//! first, so the way that it tells is a short one; `cargo test -p model -- --nocapture` shows them all.

use model::{Machine, Rule, Story, check};

const TWICE: &str = "the bank holds one charge, unless it contradicted itself";
const BOOKS: &str = "at rest: the books are the bank's";

/// The rule, the story, and what does not hold without it.
const BROKEN: [(Rule, Story, &str); 25] = [
    (Rule::ConfirmedReserve, Story::CHARGE, "nothing is sent without a committed reserve"),
    (Rule::VersionGuard, Story::CHARGE, "at most one charge is open"),
    (Rule::OneOpenCharge, Story::CHARGE, "at most one charge is open"),
    (Rule::UnknownIsOpen, Story::CHARGE, "at most one charge is open"),
    (Rule::SendDeadline, Story::CHARGE, "nothing is sent after its deadline"),
    (Rule::RightToSend, Story::STEPS, TWICE),
    (Rule::Visibility, Story::CHARGE, TWICE),
    (Rule::ProofAtCommit, Story::REPEAT, TWICE),
    (Rule::RefusalOfARepeat, Story::REPEAT, TWICE),
    (Rule::GoneMayHaveSent, Story::REPEAT, TWICE),
    (Rule::RepeatWindow, Story::REPEAT, "the bank does nothing twice under one key"),
    (Rule::SameBytes, Story::REPEAT, "the bank does nothing twice under one key"),
    (Rule::Climb, Story::LATER, "every answer stays true"),
    (Rule::ClaimOnce, Story::CHARGE, "a key stands for one operation"),
    (Rule::AnswerInTheCommit, Story::CHARGE, "what is decided is answered"),
    (Rule::Surplus, Story::CHARGE, BOOKS),
    (Rule::OneReversal, Story::CHARGE, "a charge is given back once"),
    (Rule::ContradictedTwice, Story::CHARGE, BOOKS),
    (Rule::SuccessorInTheCommit, Story::CANCEL, "at rest: every key has its answer"),
    (Rule::RefundHolds, Story::REFUND, "refunds are no more than was taken, unless it contradicted itself"),
    (
        Rule::CaptureExcludesVoid,
        Story::HOLD,
        "held money is taken or released, not both, unless it contradicted itself",
    ),
    (Rule::ExternalMerges, Story::REFUND, BOOKS),
    (Rule::CancelIsKept, Story::CANCEL, "at rest: every key has its answer"),
    (Rule::ResolverTakesReserved, Story::CHARGE, "at rest: every operation is final, or needs review"),
    (Rule::HorizonIsReview, Story::CHARGE, TWICE),
];

/// Rules that another one stands behind: without the first of these alone nothing is broken, only late.
/// What a settle that gave up did not write, the resolver and the notice find out; an external refund that
/// did not wait is merged.
const SECOND_LINES: [(Rule, Story); 2] =
    [(Rule::SettleAgain, Story::CHARGE), (Rule::ExternalWaits, Story::REFUND)];

#[expect(clippy::print_stderr, reason = "the ways are there to be read")]
fn breaks_in(story: &Story) {
    for (rule, told, promise) in BROKEN.iter().filter(|(_, told, _)| told.name == story.name) {
        let checked = check(Machine::new(told.clone()).without(*rule));
        let way = checked.broken.unwrap_or_else(|| panic!("nothing breaks without {rule:?}"));
        eprintln!("Without {rule:?}, found among {} states: {way}", checked.states);
        assert!(way.starts_with(&format!("does not hold: {promise}\n")), "without {rule:?}: {way}");
    }
}

#[test]
fn what_keeps_a_charge_single_matters() {
    breaks_in(&Story::CHARGE);
}

#[test]
fn what_makes_a_repeat_safe_matters() {
    breaks_in(&Story::REPEAT);
}

#[test]
fn what_gives_the_right_to_send_matters() {
    breaks_in(&Story::STEPS);
}

#[test]
fn what_makes_outcomes_climb_matters() {
    breaks_in(&Story::LATER);
}

#[test]
fn what_keeps_a_cancel_matters() {
    breaks_in(&Story::CANCEL);
}

#[test]
fn what_holds_amounts_matters() {
    breaks_in(&Story::HOLD);
    breaks_in(&Story::REFUND);
}

#[test]
fn a_second_line_stands_behind_a_first() {
    for (rule, story) in SECOND_LINES {
        let checked = check(Machine::new(story).without(rule));
        assert!(checked.broken.is_none(), "without {rule:?}: {}", checked.broken.unwrap_or_default());
    }
}

#[test]
fn every_rule_is_switched_off_once() {
    for rule in Rule::ALL {
        let breaks = BROKEN.iter().filter(|(known, ..)| *known == rule).count();
        let second = SECOND_LINES.iter().filter(|(known, _)| *known == rule).count();
        assert_eq!(breaks + second, 1, "{rule:?}");
    }
}
