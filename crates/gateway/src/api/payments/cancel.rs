//! `POST /payments/{id}/cancel`, also as `/void`

use axum::http::StatusCode;

use super::PAYMENT;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{nothing, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn cancel(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let claim = {
        let body = read_body(&bytes)?;
        nothing(&body)?;
        call.claim("POST /payments/{id}/cancel", &id.to_string(), &body)?
    };
    let answered = call.node.payments.cancel(&call.caller(), id, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}
