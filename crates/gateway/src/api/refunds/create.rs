//! `POST /refunds`

use kernel::Id;

use crate::api::outcome;
use crate::api::payments::{PAYMENT, check_in_rupees};
use crate::call::Call;
use crate::input::{self, read_body};
use crate::problem::{from_payments, not_found};
use crate::reply::Answer;

pub(crate) async fn create(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (refund, claim) = {
        let body = read_body(&bytes)?;
        (input::refund(&body, true)?, call.claim("POST /refunds", "", &body)?)
    };
    let id = refund.payment_id.as_deref().and_then(|text| Id::parse(text).ok());
    let id = id.ok_or_else(|| not_found(PAYMENT).at("/payment_id"))?;
    if refund.in_paisa {
        check_in_rupees(&call.node.payments, call.scope(), id).await?;
    }
    let service = &call.node.payments;
    let answered = service.refund(&call.caller(), id, refund.command, claim).await.map_err(from_payments)?;
    outcome::refund(&call, &answered)
}
