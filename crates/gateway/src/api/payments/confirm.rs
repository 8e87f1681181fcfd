//! `POST /payments/{id}/confirm`

use axum::http::StatusCode;

use super::PAYMENT;
use crate::api::{outcome, policy};
use crate::call::Call;
use crate::input::{confirm_payment, read_body};
use crate::problem::{Problem, catalogue as code, from_payments};
use crate::reply::Answer;

pub(crate) async fn confirm(mut call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let bytes = call.read_body().await?;
    let (command, claim) = {
        let body = read_body(&bytes)?;
        call.check_body(&body)?;
        (confirm_payment(&body)?, call.claim("POST /payments/{id}/confirm", &id.to_string(), &body)?)
    };
    if call.is_browser() {
        // Where a payment goes and how its payer is authenticated is the merchant's decision, not the
        // page's.
        let merchants = [
            (command.provider.is_some(), "/provider"),
            (command.off_session.is_some(), "/off_session"),
            (command.three_d_secure.is_some(), "/three_d_secure"),
        ];
        if let Some((_, param)) = merchants.into_iter().find(|(given, _)| *given) {
            return Err(Problem::plain(&code::PUBLISHABLE_KEY).at(param));
        }
    }
    policy::check_card(&call, command.method.as_ref())?;
    call.count_confirm(id, None).await?;
    // The body holds a card number: it goes before the provider is waited for.
    drop(bytes);
    let answered =
        call.node.payments.confirm(&call.caller(), id, command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}
