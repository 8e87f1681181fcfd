//! `DELETE /payment-methods/{id}`

use axum::http::StatusCode;

use super::METHOD;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{nothing, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::DeletedObject;

pub(crate) async fn delete(mut call: Call) -> Answer {
    let id = call.id(METHOD)?;
    let bytes = call.read_body().await?;
    let body = read_body(&bytes)?;
    nothing(&body)?;
    let claim = call.claim("DELETE /payment-methods/{id}", &id.to_string(), &body)?;
    let service = &call.node.payments;
    let gone = service.method_delete(&call.caller(), id, claim).await.map_err(from_payments)?;
    outcome::stored(StatusCode::OK, &DeletedObject::of(gone.object, "payment_method"), None, gone.replayed)
}
