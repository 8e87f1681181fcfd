//! `GET /payments/{id}/timeline`

use axum::http::StatusCode;

use super::PAYMENT;
use crate::call::Call;
use crate::input::{Parameters, decode_timeline_cursor, encode_timeline_cursor, limit};
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{ListObject, MomentObject};

/// The query parameters.
pub(crate) const KNOWN: &[&str] = &["limit", "cursor"];

pub(crate) async fn timeline(call: Call) -> Answer {
    let id = call.id(PAYMENT)?;
    let parameters = Parameters::parse(call.query(), KNOWN, &[])?;
    let limit = limit(&parameters)?;
    let after = parameters.get("cursor").map(|text| decode_timeline_cursor(id.uuid(), text)).transpose()?;
    let page = call.node.payments.timeline(call.scope(), id, after, limit).await.map_err(from_payments)?;
    let next = page.next.map(|place| encode_timeline_cursor(id.uuid(), place));
    let payment = id.to_string();
    let data: Vec<_> = page.items.iter().map(|moment| MomentObject::of(moment, &payment)).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
