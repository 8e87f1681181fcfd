//! `POST /payments/{id}/confirm`

use axum::http::StatusCode;

use super::PAYMENT;
use kernel::{Id, Scope};
use payments::{MethodInput, PaymentKind, PaymentMethodKind, Payments, Rejection};

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
            (command.stores_credential, "/save_payment_method"),
        ];
        if let Some((_, param)) = merchants.into_iter().find(|(given, _)| *given) {
            return Err(Problem::plain(&code::PUBLISHABLE_KEY).at(param));
        }
        if let Some(MethodInput::Stored(method)) = &command.method {
            check_own(&call.node.payments, call.scope(), id, *method).await?;
        }
    }
    policy::check_card(&call, command.method.as_ref())?;
    let payer = command.payer.as_ref().and_then(|payer| payer.ip_address.as_ref()?.parse().ok());
    call.count_confirm(id, payer).await?;
    // The body holds a card number: it goes before the provider is waited for.
    drop(bytes);
    let answered =
        call.node.payments.confirm(&call.caller(), id, command, claim).await.map_err(from_payments)?;
    outcome::payment(&call, &answered, StatusCode::OK)
}

/// A page may charge a method that it has just made, which is nobody's, or one of the payment's customer.
async fn check_own(
    service: &Payments,
    scope: Scope,
    payment: Id<PaymentKind>,
    method: Id<PaymentMethodKind>,
) -> Result<(), Problem> {
    let payer = service.get(scope, payment).await.map_err(from_payments)?.customer.map(|link| link.id);
    let owner = service.method_get(scope, method).await.map(|view| view.method.customer);
    if owner.is_ok_and(|owner| owner.is_none() || owner == payer) {
        return Ok(());
    }
    let stranger = Rejection::MethodNotUsable("there is none of this id that this page may charge");
    Err(from_payments(stranger.into()))
}
