//! `GET /payments`

use axum::http::StatusCode;
use kernel::Id;
use payments::{Page, Payment};

use crate::call::Call;
use crate::input::{
    CursorKind, PAYMENT_FILTERS, Parameters, decode_cursor_of, encode_cursor_of, limit, payment_filter,
};
use crate::problem::{Problem, catalogue as code, from_payments};
use crate::reply::{Answer, json};
use crate::wire::{ListObject, PaymentObject};

pub(crate) async fn list(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), PAYMENT_FILTERS, &[])?;
    let limit = limit(&parameters)?;
    let providers: Vec<&str> = call.node.registry.iter().map(|provider| provider.profile().id).collect();
    let filter = payment_filter(&parameters, &providers)?;
    let filters = parameters.filters();
    let after = after(&parameters, CursorKind::Payments, &filters)?;
    let service = &call.node.payments;
    let page = service.list_by(call.scope(), filter, after.map(Id::from_uuid), limit).await;
    answer(&call, CursorKind::Payments, &filters, &page.map_err(from_payments)?)
}

/// The query parameters of the search.
pub(crate) const SEARCH: &[&str] = &["query", "limit", "cursor"];

/// `GET /payments/search`
pub(crate) async fn search(call: Call) -> Answer {
    let parameters = Parameters::parse(call.query(), SEARCH, &[])?;
    let limit = limit(&parameters)?;
    let wanted = parameters.get("query").map(str::trim).unwrap_or_default();
    if wanted.is_empty() || wanted.chars().count() > QUERY_MAX || wanted.contains(char::is_control) {
        let detail = format!(
            "`query` must be 1 to {QUERY_MAX} characters: an id or reference of a payment, refund, attempt, \
             operation, dispute, order or customer, a provider's reference, a network transaction id, the \
             last four digits of a card or an e-mail address, as a whole."
        );
        return Err(Problem::new(&code::INVALID_PARAMETER, detail).at("query"));
    }
    let filters = parameters.filters();
    let after = after(&parameters, CursorKind::Search, &filters)?;
    let service = &call.node.payments;
    let page = service.search(call.scope(), wanted, after.map(Id::from_uuid), limit).await;
    answer(&call, CursorKind::Search, &filters, &page.map_err(from_payments)?)
}

/// The longest reference that is looked for.
pub(crate) const QUERY_MAX: usize = 512;

fn after(parameters: &Parameters, kind: CursorKind, filters: &str) -> Result<Option<uuid::Uuid>, Problem> {
    parameters.get("cursor").map(|text| decode_cursor_of(kind, filters, text)).transpose()
}

fn answer(call: &Call, kind: CursorKind, filters: &str, page: &Page<Payment>) -> Answer {
    let next = page.next.map(|place| encode_cursor_of(kind, filters, place));
    let (mode, keys) = (call.scope().mode, call.keys()?);
    let data: Vec<_> = page.items.iter().map(|payment| PaymentObject::of(payment, mode, keys)).collect();
    json(StatusCode::OK, &ListObject::new(data, next))
}
