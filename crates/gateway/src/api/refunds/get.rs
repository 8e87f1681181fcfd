//! `GET /refunds/{id}`

use axum::http::StatusCode;

use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::RefundObject;

pub(crate) async fn get(call: Call) -> Answer {
    let id = call.id("refund")?;
    Parameters::parse(call.query(), &[], &[])?;
    let refund = call.node.payments.refund_get(call.scope(), id).await.map_err(from_payments)?;
    json(StatusCode::OK, &RefundObject::of(&refund, call.scope().mode))
}
