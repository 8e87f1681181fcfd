//! `GET /refunds`

use axum::http::StatusCode;
use kernel::Id;

use crate::call::Call;
use crate::input::{
    CursorKind, Parameters, REFUND_FILTERS, decode_cursor_of, encode_cursor_of, limit, refund_filter,
};
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{ListObject, RefundObject};

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), REFUND_FILTERS, &[])?;
    let limit = limit(&parameters)?;
    let (filter, filters) = (refund_filter(&parameters)?, parameters.filters());
    let cursor = parameters.get("cursor");
    let after = cursor.map(|text| decode_cursor_of(CursorKind::Refunds, &filters, text)).transpose()?;
    let service = &call.node.payments;
    let page = service.refund_list_by(call.scope(), filter, after.map(Id::from_uuid), limit).await;
    let page = page.map_err(from_payments)?;
    let next = page.next.map(|place| encode_cursor_of(CursorKind::Refunds, &filters, place));
    let mode = call.scope().mode;
    let data: Vec<_> = page.items.iter().map(|refund| RefundObject::of(refund, mode)).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
