//! `GET /api-keys`

use axum::http::StatusCode;

use crate::call::Call;
use crate::input::{CursorKind, Parameters, decode_cursor, encode_cursor, limit, tables};
use crate::problem::from_identity;
use crate::reply::{Answer, json};
use crate::wire::{ApiKeyObject, ListObject};

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), tables::KEY_LIST, &[])?;
    let limit = limit(&parameters)?;
    let below = parameters.get("cursor").map(|text| decode_cursor(CursorKind::ApiKeys, text)).transpose()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = call.node.identity.own_keys(call.scope(), below, limit).await.map_err(from_identity)?;
    let now = call.node.clock.now();
    let data: Vec<_> = page.keys.iter().map(|key| ApiKeyObject::of(key, now)).collect();
    json(
        StatusCode::OK,
        &ListObject::new(data, page.next.map(|place| encode_cursor(CursorKind::ApiKeys, place))),
    )
}
