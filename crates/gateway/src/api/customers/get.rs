//! `GET /customers/{id}`

use axum::http::StatusCode;

use super::named;
use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::CustomerObject;

pub(crate) async fn get(call: Call) -> Answer {
    let named = named(&call)?;
    Parameters::parse(call.query(), &[], &[])?;
    let view = call.node.payments.customer_get(call.scope(), &named).await.map_err(from_payments)?;
    json(StatusCode::OK, &CustomerObject::of(&view))
}
