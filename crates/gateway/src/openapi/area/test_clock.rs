//! The clock of a test world.

use schemars::SchemaGenerator;

use crate::input::tables;
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Need, Operation, Query, Sample};
use crate::problem::catalogue as code;
use crate::wire::TestClockObject;

const TAG: &str = "Test clock";
const CLOCK: Answer = Answer {
    status: 200,
    about: "The clock.",
    content: Content::Json(SchemaGenerator::subschema_for::<TestClockObject>),
    links: &[],
};

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

static GET_TEST_CLOCK: Operation = Operation {
    id: "get_test_clock",
    method: "GET",
    path: "/test/clock",
    tag: TAG,
    summary: "Get the test clock",
    about: "Each merchant's test world has a clock of its own; a live world has none.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[CLOCK],
    problems: &[&[&code::TEST_MODE_ONLY]],
    samples: &[Sample { name: "now", summary: "As it is", needs: Need::Nothing, query: "", body: "" }],
};

static MOVE_TEST_CLOCK: Operation = Operation {
    id: "move_test_clock",
    method: "POST",
    path: "/test/clock",
    tag: TAG,
    summary: "Move the test clock",
    about: "Only forward. What becomes due by it happens at once: payments expire, delayed captures are \
            made, the sandbox bank's delays end.",
    query: Query::NONE,
    bodies: &[&ADVANCE, &SET],
    needs_body: true,
    answers: &[CLOCK],
    problems: &[&[&code::TEST_MODE_ONLY, &code::BUSY]],
    samples: &[Sample {
        name: "an_hour",
        summary: "By an hour",
        needs: Need::Nothing,
        query: "",
        body: r#"{"advance_seconds": 3600}"#,
    }],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] = &[&GET_TEST_CLOCK, &MOVE_TEST_CLOCK];
