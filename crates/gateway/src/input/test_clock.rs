//! `POST /test/clock`: by how much, or to when.

use std::time::Duration;

use kernel::Timestamp;
use payments::MoveClock;

use super::amount::whole_number;
use super::fields::{Fields, Schema};
use super::json::Node;
use crate::problem::{Problem, catalogue as code};

pub(crate) const CLOCK: Schema = Schema { fields: &["advance_seconds", "now"], later: &[] };

/// Ten years.
pub(crate) const ADVANCE_SECONDS_MAX: u32 = 315_360_000;

/// Reads how a clock is moved. That it only moves forward is the service's to judge, which knows what it
/// shows.
pub fn move_clock(node: &Node<'_>) -> Result<MoveClock, Problem> {
    let fields = Fields::of(node, "", &CLOCK)?;
    let what = "by how many seconds the clock is moved, or `now`, the moment that it is to show";
    let (name, value) =
        fields.one_of(&["advance_seconds", "now"])?.ok_or_else(|| fields.missing("advance_seconds", what))?;
    if name == "now" {
        let expected = "an RFC 3339 instant, such as 2030-01-31T12:00:00Z";
        let Node::Text(text) = value else { return Err(fields.wrong_type(name, expected, value)) };
        let instant: Timestamp = text.parse().map_err(|_| {
            let detail = format!("`{name}` must be {expected}.");
            Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name))
        })?;
        return Ok(MoveClock::To(instant));
    }
    let seconds = whole_number(&fields, name, ADVANCE_SECONDS_MAX)?.unwrap_or(0);
    Ok(MoveClock::By(Duration::from_secs(u64::from(seconds))))
}
