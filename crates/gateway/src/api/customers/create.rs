//! `POST /customers`

use axum::http::StatusCode;

use crate::api::outcome;
use crate::call::Call;
use crate::input::{new_customer, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::CustomerObject;

pub(crate) async fn create(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (new, claim) = {
        let body = read_body(&bytes)?;
        (new_customer(&body)?, call.claim("POST /customers", "", &body)?)
    };
    let service = &call.node.payments;
    let made = service.customer_create(&call.caller(), new, claim).await.map_err(from_payments)?;
    let location = format!("/api/v1/customers/{}", made.object.customer.id);
    outcome::stored(StatusCode::CREATED, &CustomerObject::of(&made.object), Some(location), made.replayed)
}
