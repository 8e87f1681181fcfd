//! `PATCH /payments/{id}`

use axum::http::StatusCode;

use super::{PAYMENT, check_in_rupees};
use crate::api::{outcome, policy};
use crate::call::Call;
use crate::input::{read_body, update_payment};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn update(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let (update, claim) = {
        let body = read_body(&bytes)?;
        (update_payment(&body)?, call.claim("PATCH /payments/{id}", &id.to_string(), &body)?)
    };
    if update.in_paisa {
        check_in_rupees(&call.node.payments, call.scope(), id).await?;
    }
    if let Some(currency) = update.command.currency {
        policy::check_currency(&call, currency)?;
    }
    let service = &call.node.payments;
    let answered = service.update(&call.caller(), id, update.command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}
