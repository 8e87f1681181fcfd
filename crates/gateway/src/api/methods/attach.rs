//! `POST /customers/{id}/payment_methods`

use axum::http::StatusCode;
use payments::Attaching;

use crate::api::customers::named;
use crate::api::{outcome, policy};
use crate::call::Call;
use crate::input::{attaching, read_body};
use crate::problem::from_payments;
use crate::reply::Answer;
use crate::wire::MethodObject;

pub(crate) async fn attach(mut call: Call) -> Answer {
    let named = named(&call)?;
    call.node.payments.customer_get(call.scope(), &named).await.map_err(from_payments)?;
    let bytes = call.read_body().await?;
    let (what, claim) = {
        let body = read_body(&bytes)?;
        (attaching(&body)?, call.claim("POST /customers/{id}/payment_methods", call.name(), &body)?)
    };
    if let Attaching::New(new) = &what {
        policy::check_card(&call, Some(&new.method))?;
    }
    // The body may hold a card number: it goes before the provider is waited for.
    drop(bytes);
    let service = &call.node.payments;
    let attached = service.method_attach(&call.caller(), &named, what, claim).await.map_err(from_payments)?;
    outcome::stored(StatusCode::OK, &MethodObject::of(&attached.object), None, attached.replayed)
}
