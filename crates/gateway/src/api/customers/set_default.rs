//! `POST /customers/{id}/default_payment_method`

use axum::http::StatusCode;
use payments::{CustomerPatch, Patch};

use super::named;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{named_method, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::CustomerObject;

pub(crate) async fn set_default(mut call: Call) -> Answer {
    let named = named(&call)?;
    call.node.payments.customer_get(call.scope(), &named).await.map_err(from_payments)?;
    let bytes = call.read_body().await?;
    let (method, claim) = {
        let body = read_body(&bytes)?;
        let route = "POST /customers/{id}/default_payment_method";
        (named_method(&body)?, call.claim(route, call.name(), &body)?)
    };
    let default_method = method.map_or(Patch::Clear, Patch::Set);
    let patch = CustomerPatch { default_method, ..CustomerPatch::default() };
    let service = &call.node.payments;
    let changed = service.customer_update(&call.caller(), &named, patch, claim).await;
    // Here the field has another name than in a patch of the customer.
    let changed = changed.map_err(from_payments).map_err(|problem| match problem.param() {
        Some("/default_payment_method") => problem.at("/payment_method"),
        _ => problem,
    })?;
    outcome::stored(StatusCode::OK, &CustomerObject::of(&changed.object), None, changed.replayed)
}
