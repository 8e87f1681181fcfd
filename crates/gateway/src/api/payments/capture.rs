//! `POST /payments/{id}/capture`

use axum::http::StatusCode;

use super::{PAYMENT, check_in_rupees};
use crate::api::outcome;
use crate::call::Call;
use crate::input::{self, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn capture(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let (capture, claim) = {
        let body = read_body(&bytes)?;
        (input::capture(&body)?, call.claim("POST /payments/{id}/capture", &id.to_string(), &body)?)
    };
    if capture.in_paisa {
        check_in_rupees(&call.node.payments, call.scope(), id).await?;
    }
    let service = &call.node.payments;
    let answered =
        service.capture(&call.caller(), id, capture.command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}
