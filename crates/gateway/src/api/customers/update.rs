//! `PATCH /customers/{id}`

use axum::http::StatusCode;

use super::named;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{customer_patch, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::CustomerObject;

pub(crate) async fn update(mut call: Call) -> Answer {
    let named = named(&call)?;
    let bytes = call.read_body().await?;
    let (patch, claim) = {
        let body = read_body(&bytes)?;
        (customer_patch(&body)?, call.claim("PATCH /customers/{id}", call.name(), &body)?)
    };
    let service = &call.node.payments;
    let changed =
        service.customer_update(&call.caller(), &named, patch, claim).await.map_err(from_payments)?;
    outcome::stored(StatusCode::OK, &CustomerObject::of(&changed.object), None, changed.replayed)
}
