//! `POST /payments/{id}/refund`

use super::{PAYMENT, check_in_rupees};
use crate::api::outcome;
use crate::call::Call;
use crate::input::{self, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn refund(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let (refund, claim) = {
        let body = read_body(&bytes)?;
        (input::refund(&body, false)?, call.claim("POST /payments/{id}/refund", &id.to_string(), &body)?)
    };
    if refund.in_paisa {
        check_in_rupees(&call.node.payments, call.scope(), id).await?;
    }
    let service = &call.node.payments;
    let answered = service.refund(&call.caller(), id, refund.command, claim).await.map_err(from_payments)?;
    outcome::refund(&call, &answered)
}
