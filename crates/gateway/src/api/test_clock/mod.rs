//! The clock of a merchant's test world.

mod advance;
mod read;

use axum::http::{HeaderValue, StatusCode};
use payments::MovedClock;

use crate::problem::IDEMPOTENT_REPLAYED;
use crate::reply::{Answer, json};
use crate::wire::TestClockObject;

pub(crate) use advance::advance;
pub(crate) use read::read;

fn answer(clock: &MovedClock) -> Answer {
    let mut response = json(StatusCode::OK, &TestClockObject::of(clock))?;
    if clock.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
