//! `POST /payments`

use axum::http::StatusCode;

use crate::api::{outcome, policy};
use crate::call::Call;
use crate::input::{create_payment, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;

pub(crate) async fn create(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (command, claim) = {
        let body = read_body(&bytes)?;
        (create_payment(&body, call.scope())?, call.claim("POST /payments", "", &body)?)
    };
    policy::check_currency(&call, command.amount.currency)?;
    policy::check_card(&call, command.method.as_ref())?;
    if command.confirm {
        let customer = call.counted_as(command.customer.as_ref()).await?;
        let payer = command.payer.as_ref().and_then(|payer| payer.ip_address.as_ref()?.parse().ok());
        call.count_attempt(command.order_id.as_deref(), customer.as_deref(), payer).await?;
    }
    // The body holds a card number: it goes before the provider is waited for.
    drop(bytes);
    let answered = call.node.payments.create(&call.caller(), command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::CREATED)
}
