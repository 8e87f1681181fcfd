//! `POST /api-keys/{id}/rotate`

use axum::http::StatusCode;

use super::API_KEY;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{key_overlap, read_body};
use crate::problem::from_identity;
use crate::reply::Answer;
use crate::wire::ApiKeyObject;

pub(crate) async fn rotate(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (overlap, claim) = {
        let body = read_body(&bytes)?;
        (key_overlap(&body)?, call.claim("POST /api-keys/{id}/rotate", call.name(), &body)?)
    };
    let id = call.id(API_KEY)?;
    let (identity, actor) = (&call.node.identity, call.caller().actor);
    let made = identity.own_key_rotate(call.principal(), id, overlap, &actor, claim).await;
    let made = made.map_err(from_identity)?;
    let location = format!("/api/v1/api-keys/{}", made.key.id);
    let object = ApiKeyObject::made(&made, call.node.clock.now());
    outcome::stored(StatusCode::CREATED, &object, Some(location), made.replayed)
}
