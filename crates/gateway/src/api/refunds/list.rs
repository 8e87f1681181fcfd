//! `GET /refunds`

use axum::http::StatusCode;
use kernel::Id;

use crate::api::payments::PAYMENT;
use crate::call::Call;
use crate::input::{CursorKind, Parameters, decode_cursor, encode_cursor, limit};
use crate::problem::{from_payments, not_found};
use crate::reply::{Answer, json};
use crate::wire::{ListObject, RefundObject};

const KNOWN: &[&str] = &["limit", "cursor", "payment_id"];
const LATER: &[&str] = &["created", "created_from", "created_to", "status"];

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), KNOWN, LATER)?;
    let limit = limit(&parameters)?;
    let after = parameters.get("cursor").map(|text| decode_cursor(CursorKind::Refunds, text)).transpose()?;
    let of_payment = parameters
        .get("payment_id")
        .map(|text| Id::parse(text).map_err(|_| not_found(PAYMENT).at("payment_id")))
        .transpose()?;
    let page = call
        .node
        .payments
        .refund_list(call.scope(), of_payment, after.map(Id::from_uuid), limit)
        .await
        .map_err(from_payments)?;
    let last = page.items.last().filter(|_| page.has_more);
    let next = last.map(|refund| encode_cursor(CursorKind::Refunds, refund.id.uuid()));
    let mode = call.scope().mode;
    let data: Vec<_> = page.items.iter().map(|refund| RefundObject::of(refund, mode)).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
