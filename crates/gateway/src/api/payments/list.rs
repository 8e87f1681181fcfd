//! `GET /payments`

use axum::http::StatusCode;
use kernel::Id;

use crate::call::Call;
use crate::input::{CursorKind, Parameters, decode_cursor, encode_cursor, limit};
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{ListObject, PaymentObject};

const KNOWN: &[&str] = &["limit", "cursor"];
const LATER: &[&str] = &[
    "created",
    "created_from",
    "created_to",
    "customer_id",
    "user_id",
    "order_id",
    "status",
    "provider",
    "currency",
    "amount",
    "query",
];

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), KNOWN, LATER)?;
    let limit = limit(&parameters)?;
    let after = parameters.get("cursor").map(|text| decode_cursor(CursorKind::Payments, text)).transpose()?;
    let service = &call.node.payments;
    let page = service.list(call.scope(), after.map(Id::from_uuid), limit).await.map_err(from_payments)?;
    let last = page.items.last().filter(|_| page.has_more);
    let next = last.map(|payment| encode_cursor(CursorKind::Payments, payment.id.uuid()));
    let (mode, keys) = (call.scope().mode, call.keys()?);
    let data: Vec<_> = page.items.iter().map(|payment| PaymentObject::of(payment, mode, keys)).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
