//! `/return/{payment}?account=…`: the browser comes back from a provider. The payment is looked up, then the
//! browser goes on to the merchant, or sees a small page if the merchant named no address.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Id;
use node::Node;
use payments::{PaymentStatus, PaymentsError, Rejection};
use provider_kit::Account;

use super::page::{html, redirect};

/// Nothing but the text itself.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a browser that came back, by GET or POST.
pub(crate) async fn return_to(
    State(node): State<Arc<Node>>,
    Path(text): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let account = query.as_deref().and_then(account);
    let (Ok(id), Some(account)) = (Id::parse(&text), account) else { return unknown() };
    let returned = match node.payments.returned(account, id).await {
        Ok(returned) => returned,
        Err(PaymentsError::Rejected(Rejection::NotFound(_))) => return unknown(),
        Err(error) => {
            tracing::warn!(payment = %id, %error, "a returning browser could not be led on");
            let text = "Your payment is being checked. Please reload this page in a moment.";
            return page(StatusCode::SERVICE_UNAVAILABLE, "One moment", text);
        }
    };
    let onward = returned.return_url.as_deref();
    onward.and_then(|url| redirect(&with_payment_id(url, &text))).unwrap_or_else(|| {
        let (title, text) = words(returned.payment.status());
        page(StatusCode::OK, title, text)
    })
}

/// The account that the address names. Providers add parameters of their own, which mean nothing here.
fn account(query: &str) -> Option<Id<Account>> {
    query.split('&').find_map(|pair| pair.strip_prefix("account=")).and_then(|text| Id::parse(text).ok())
}

/// Appends `payment_id` to the query, before a fragment.
fn with_payment_id(url: &str, id: &str) -> String {
    let (address, fragment) =
        url.split_once('#').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    format!("{address}{joint}payment_id={id}{fragment}")
}

const fn words(status: PaymentStatus) -> (&'static str, &'static str) {
    match status {
        PaymentStatus::Pending | PaymentStatus::Authorizing => {
            ("Payment not finished", "Your payment is not decided yet. The shop will tell you.")
        }
        PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Disputed => ("Thank you", "Your payment was accepted. You can close this page."),
        PaymentStatus::Failed => {
            ("Payment failed", "No money was taken. You can go back to the shop and try again.")
        }
        PaymentStatus::Cancelled => ("Payment cancelled", "No money was taken. You can close this page."),
    }
}

fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "Not found", "There is no payment at this address.")
}

/// The texts are ours: nothing in them needs escaping.
fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let document = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
    );
    html(status, POLICY, document)
}
