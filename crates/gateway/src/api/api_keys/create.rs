//! `POST /api-keys`

use axum::http::StatusCode;

use crate::api::outcome;
use crate::call::Call;
use crate::input::{new_key, read_body};
use crate::problem::from_identity;
use crate::reply::Answer;
use crate::wire::ApiKeyObject;

pub(crate) async fn create(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let (new, claim) = {
        let body = read_body(&bytes)?;
        (new_key(&body)?, call.claim("POST /api-keys", "", &body)?)
    };
    let (identity, actor) = (&call.node.identity, call.caller().actor);
    let made = identity.own_key_create(call.principal(), new, &actor, claim).await.map_err(from_identity)?;
    let location = format!("/api/v1/api-keys/{}", made.key.id);
    let object = ApiKeyObject::made(&made, call.node.clock.now());
    outcome::stored(StatusCode::CREATED, &object, Some(location), made.replayed)
}
