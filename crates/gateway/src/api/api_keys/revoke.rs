//! `POST /api-keys/{id}/revoke`

use axum::http::StatusCode;

use super::API_KEY;
use crate::api::outcome;
use crate::call::Call;
use crate::input::{nothing, read_body};
use crate::problem::from_identity;
use crate::reply::Answer;
use crate::wire::ApiKeyObject;

pub(crate) async fn revoke(mut call: Call) -> Answer {
    let bytes = call.read_body().await?;
    let claim = {
        let body = read_body(&bytes)?;
        nothing(&body)?;
        call.claim("POST /api-keys/{id}/revoke", call.name(), &body)?
    };
    let id = call.id(API_KEY)?;
    let (identity, actor) = (&call.node.identity, call.caller().actor);
    let revoked = identity.own_key_revoke(call.principal(), id, &actor, claim).await;
    let (key, replayed) = revoked.map_err(from_identity)?;
    outcome::stored(StatusCode::OK, &ApiKeyObject::of(&key, call.node.clock.now()), None, replayed)
}
