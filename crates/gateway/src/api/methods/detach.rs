//! `POST /payment-methods/{id}/detach`

use axum::http::StatusCode;

use super::METHOD;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{nothing, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::MethodObject;

pub(crate) async fn detach(mut call: Call) -> Answer {
    let id = call.id(METHOD)?;
    let bytes = call.read_body().await?;
    let body = read_body(&bytes)?;
    nothing(&body)?;
    let claim = call.claim("POST /payment-methods/{id}/detach", &id.to_string(), &body)?;
    let service = &call.node.payments;
    let detached = service.method_detach(&call.caller(), id, claim).await.map_err(from_payments)?;
    outcome::stored(StatusCode::OK, &MethodObject::of(&detached.object), None, detached.replayed)
}
