//! `DELETE /customers/{id}`

use axum::http::StatusCode;

use super::{CUSTOMER, named};
use crate::api::outcome;
use crate::call::Call;
use crate::input::{nothing, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::DeletedObject;

pub(crate) async fn delete(mut call: Call) -> Answer {
    let named = named(&call)?;
    let bytes = call.read_body().await?;
    let body = read_body(&bytes)?;
    nothing(&body)?;
    let claim = call.claim("DELETE /customers/{id}", call.name(), &body)?;
    let service = &call.node.payments;
    let gone = service.customer_delete(&call.caller(), &named, claim).await.map_err(from_payments)?;
    outcome::stored(StatusCode::OK, &DeletedObject::of(gone.object, CUSTOMER), None, gone.replayed)
}
