//! `GET /api-keys/{id}`

use axum::http::StatusCode;

use super::API_KEY;
use crate::call::Call;
use crate::input::Parameters;
use crate::problem::from_identity;
use crate::reply::{Answer, json};
use crate::wire::ApiKeyObject;

pub(crate) async fn get(call: Call) -> Answer {
    let id = call.id(API_KEY)?;
    Parameters::parse(call.query(), &[], &[])?;
    let key = call.node.identity.own_key(call.scope(), id).await.map_err(from_identity)?;
    json(StatusCode::OK, &ApiKeyObject::of(&key, call.node.clock.now()))
}
