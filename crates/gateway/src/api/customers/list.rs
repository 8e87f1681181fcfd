//! `GET /customers`

use axum::http::StatusCode;
use kernel::Id;

use crate::call::Call;
use crate::input::{
    CUSTOMER_FILTERS, CursorKind, Parameters, customer_filter, decode_cursor_of, encode_cursor_of, limit,
};
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{CustomerObject, ListObject};

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), CUSTOMER_FILTERS, &["query", "created"])?;
    let limit = limit(&parameters)?;
    let filters = parameters.filters();
    let after = parameters.get("cursor");
    let after = after.map(|text| decode_cursor_of(CursorKind::Customers, &filters, text)).transpose()?;
    let filter = customer_filter(&parameters)?;
    let service = &call.node.payments;
    let page = service
        .customer_list(call.scope(), filter, after.map(Id::from_uuid), limit)
        .await
        .map_err(from_payments)?;
    let next = page.next.map(|place| encode_cursor_of(CursorKind::Customers, &filters, place));
    let data: Vec<_> = page.items.iter().map(CustomerObject::of).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
