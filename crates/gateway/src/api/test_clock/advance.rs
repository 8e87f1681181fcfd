//! `POST /test/clock`

use crate::call::Call;
use crate::input::{self, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn advance(mut call: Call) -> Answer {
    call.check_test_mode()?;
    let bytes = call.read_body().await?;
    let (command, claim) = {
        let body = read_body(&bytes)?;
        (input::move_clock(&body)?, call.claim("POST /test/clock", "", &body)?)
    };
    let moved = call.node.move_clock(&call.caller(), command, claim).await.map_err(from_payments)?;
    super::answer(&moved)
}
