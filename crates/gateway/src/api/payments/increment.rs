//! `POST /payments/{id}/increment`

use axum::http::StatusCode;

use super::{PAYMENT, check_in_rupees};
use crate::api::outcome;
use crate::call::Call;
use crate::input::{self, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn increment(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let (increment, claim) = {
        let body = read_body(&bytes)?;
        (input::increment(&body)?, call.claim("POST /payments/{id}/increment", &id.to_string(), &body)?)
    };
    if increment.in_paisa {
        check_in_rupees(&call.node.payments, call.scope(), id).await?;
    }
    let service = &call.node.payments;
    let answered =
        service.increment(&call.caller(), id, increment.command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}
