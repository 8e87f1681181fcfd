//! The clock of a test world.

use crate::input::tables;
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Operation, Sample};
use crate::problem::catalogue as code;
use crate::wire::TestClockObject;

const TAG: &str = "Test clock";
const CLOCK: Answer = Answer::new(200, "The clock.", Content::json::<TestClockObject>());

static ADVANCE: Body = Body {
    name: "AdvanceTestClock",
    about: "By how much the clock is moved.",
    parser: &tables::CLOCK,
    fields: &[Field::new(
        "advance_seconds",
        Form::Integer { min: 0, max: tables::ADVANCE_SECONDS_MAX as i64 },
        "In seconds.",
    )
    .required()],
    example: r#"{"advance_seconds": 60}"#,
};

static SET: Body = Body {
    name: "SetTestClock",
    about: "What the clock is to show.",
    parser: &tables::CLOCK,
    fields: &[Field::new("now", Form::Instant, "Later than what it shows now.").required()],
    example: r#"{"now": "2030-01-31T12:00:00Z"}"#,
};

static GET_TEST_CLOCK: Operation = Operation::new("get_test_clock", "GET", "/test/clock", TAG)
    .says("Get the test clock", "Each merchant's test world has a clock of its own; a live world has none.")
    .answers(&[CLOCK])
    .problems(&[&[&code::TEST_MODE_ONLY]])
    .samples(&[Sample::new("now", "As it is")]);

static MOVE_TEST_CLOCK: Operation = Operation::new("move_test_clock", "POST", "/test/clock", TAG)
    .says(
        "Move the test clock",
        "Only forward. What becomes due by it happens at once: payments expire, delayed captures are \
            made, the sandbox bank's delays end.",
    )
    .needs(&[&ADVANCE, &SET])
    .answers(&[CLOCK])
    .problems(&[&[&code::TEST_MODE_ONLY, &code::BUSY]])
    .samples(&[Sample::new("an_hour", "By an hour").body(r#"{"advance_seconds": 3600}"#)]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&GET_TEST_CLOCK, &MOVE_TEST_CLOCK];
