//! `GET /payment-methods/{id}`

use axum::http::StatusCode;

use super::METHOD;
use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::MethodObject;

pub(crate) async fn get(call: Call) -> Answer {
    let id = call.id(METHOD)?;
    Parameters::parse(call.query(), &[], &[])?;
    let view = call.node.payments.method_get(call.scope(), id).await.map_err(from_payments)?;
    json(StatusCode::OK, &MethodObject::of(&view))
}
