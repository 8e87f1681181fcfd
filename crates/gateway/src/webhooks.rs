//! `POST /webhooks/{provider}/{account}`: a provider's notice, stored before anything is believed.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kernel::{Header, Id};
use node::Node;
use provider_kit::{Account, Delivery};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body;
use crate::client::Client;
use crate::problem::{Problem, from_payments, not_found};
use crate::quota;
use crate::reply::{Answer, json};

/// The word for what is not found.
const ACCOUNT: &str = "provider account";

/// The delivery is stored.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Received {
    /// Always true.
    received: bool,
}

/// Answers 200 once the delivery is stored; whether it is believed is decided later.
pub(crate) async fn receive(
    State(node): State<Arc<Node>>,
    Path((provider, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    store(&node, &provider, &account, request).await.unwrap_or_else(Problem::into_answer)
}

async fn store(node: &Node, provider: &str, account: &str, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let address = Client::of(&parts, &node.config.server.trusted_proxies).address;
    // Nothing is read for accounts that nobody has.
    let scope = match Id::<Account>::parse(account) {
        Ok(account) => node.payments.scope_of_account(account).await.map_err(from_payments)?,
        Err(_) => None,
    };
    quota::count_notice(node, address, scope).await?;
    let account = Id::parse(account).ok().filter(|_| scope.is_some()).ok_or_else(|| not_found(ACCOUNT))?;
    let bytes =
        body::read(body, body::NOTICE_BYTES_MAX, node.config.server.read_timeout, node.clock.as_ref())
            .await?;
    let delivery =
        Delivery { headers: headers(&parts.headers), body: bytes.to_vec(), received_at: node.clock.now() };
    node.payments.receive(provider, account, delivery).await.map_err(from_payments)?;
    json(StatusCode::OK, &Received { received: true })
}

/// All of them, names in lower case. Bytes that are no UTF-8 cannot be part of a signature that
/// anybody checks as text.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<Header> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
