//! `GET /customers/{id}/payment_methods` and `GET /users/{id}/payment-methods`

use axum::http::StatusCode;
use kernel::Id;

use crate::api::customers::named;
use crate::call::Call;
use crate::input::tables::METHOD_LIST;
use crate::input::{CursorKind, Parameters, decode_cursor, encode_cursor, limit};
use crate::problem::from_payments;
use crate::reply::{Answer, json};
use crate::wire::{ListObject, MethodObject};

pub(crate) async fn list(call: Call) -> Answer {
    let named = named(&call)?;
    let parameters = Parameters::parse(call.query(), METHOD_LIST, &["type"])?;
    let limit = limit(&parameters)?;
    let after = parameters.get("cursor");
    let after = after.map(|text| decode_cursor(CursorKind::PaymentMethods, text)).transpose()?;
    let service = &call.node.payments;
    let page = service
        .method_list(call.scope(), &named, after.map(Id::from_uuid), limit)
        .await
        .map_err(from_payments)?;
    let next = page.next.map(|place| encode_cursor(CursorKind::PaymentMethods, place));
    let data: Vec<_> = page.items.iter().map(MethodObject::of).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
