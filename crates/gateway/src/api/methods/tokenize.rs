//! `POST /payment-methods/tokenize`

use axum::http::StatusCode;

use crate::api::{outcome, policy};
use crate::call::Call;
use crate::input::{new_method, read_body};
use crate::problem::{Problem, catalogue as code, from_payments};
use crate::reply::Answer;
use crate::wire::TokenizedObject;

pub(crate) async fn tokenize(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (new, claim) = {
        let body = read_body(&bytes)?;
        (new_method(&body, true)?, call.claim("POST /payment-methods/tokenize", "", &body)?)
    };
    if call.is_browser() {
        // Whose a card becomes, and where it is kept, is the merchant's decision, not the page's.
        let merchants = [(new.customer.is_some(), "/customer_id"), (new.provider.is_some(), "/provider")];
        if let Some((_, param)) = merchants.into_iter().find(|(given, _)| *given) {
            return Err(Problem::plain(&code::PUBLISHABLE_KEY).at(param));
        }
    }
    policy::check_card(&call, Some(&new.method))?;
    // The body holds a card number: it goes before the provider is waited for.
    drop(bytes);
    let service = &call.node.payments;
    let made = service.method_tokenize(&call.caller(), new, claim).await.map_err(from_payments)?;
    let location = format!("/api/v1/payment-methods/{}", made.object.method.id);
    let mut object = TokenizedObject::of(&made.object);
    if call.is_browser() {
        object = object.for_browser();
    }
    outcome::stored(StatusCode::CREATED, &object, Some(location), made.replayed)
}
