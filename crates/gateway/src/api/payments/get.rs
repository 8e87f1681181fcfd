//! `GET /payments/{id}`

use axum::http::StatusCode;

use super::PAYMENT;
use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::PaymentObject;

pub(crate) async fn get(call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    Parameters::parse(call.query(), &[], &[])?;
    let payment = call.node.payments.get(call.scope(), id).await.map_err(from_payments)?;
    json(StatusCode::OK, &PaymentObject::of(&payment, call.scope().mode, call.keys()?))
}
