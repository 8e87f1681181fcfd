//! `GET /payments/{id}`

use axum::http::StatusCode;

use super::PAYMENT;
use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{BrowserPaymentObject, PaymentObject};

/// A browser shows that it was handed the payment.
pub(crate) const KNOWN: &[&str] = &["client_secret"];

pub(crate) async fn get(call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let parameters = Parameters::parse(call.query(), KNOWN, &[])?;
    if let Some(given) = parameters.get("client_secret") {
        call.check_client_secret(given)?;
    }
    let payment = call.node.payments.get(call.scope(), id).await.map_err(from_payments)?;
    if call.is_browser() {
        let object = BrowserPaymentObject::of(&payment, call.scope().mode, call.keys()?);
        return json(StatusCode::OK, &object);
    }
    json(StatusCode::OK, &PaymentObject::of(&payment, call.scope().mode, call.keys()?))
}
