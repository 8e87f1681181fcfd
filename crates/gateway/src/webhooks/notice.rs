//! `POST /webhooks/{provider}/{account}`: a provider's notice, stored before anything of it is believed.
//! `POST /webhooks/{provider}`: the same, where only one account can be meant.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use kernel::{Header, Id};
use node::Node;
use payments::Taken;
use provider_kit::{Account, Delivery, WebhookError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body;
use crate::client::Client;
use crate::problem::{Problem, catalogue as code, from_payments, not_found};
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

/// Answers 200 once the delivery is stored; what it means is decided later. A forged one is refused, so
/// that a provider whose secret was mistyped here says so, and tries again.
pub(crate) async fn receive(
    State(node): State<Arc<Node>>,
    Path((provider, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    store(&node, &provider, Id::parse(&account).ok(), request).await.unwrap_or_else(Problem::into_answer)
}

/// The same for the provider's one account.
pub(crate) async fn receive_for_one(
    State(node): State<Arc<Node>>,
    Path(provider): Path<String>,
    request: Request,
) -> Response {
    match node.payments.only_account(&provider).await {
        Ok(account) => store(&node, &provider, account, request).await.unwrap_or_else(Problem::into_answer),
        Err(error) => from_payments(error).into_answer(),
    }
}

async fn store(node: &Node, provider: &str, account: Option<Id<Account>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let address = Client::of(&parts, &node.config.server.trusted_proxies).address;
    // Nothing is read for accounts that nobody has.
    let scope = match account {
        Some(account) => node.payments.scope_of_account(account).await.map_err(from_payments)?,
        None => None,
    };
    quota::count_notice(node, address, scope).await?;
    let account = account.filter(|_| scope.is_some()).ok_or_else(|| not_found(ACCOUNT))?;
    let bytes =
        body::read(body, body::NOTICE_BYTES_MAX, node.config.server.read_timeout, node.clock.as_ref())
            .await?;
    let delivery =
        Delivery { headers: headers(&parts.headers), body: bytes.to_vec(), received_at: node.clock.now() };
    match node.payments.receive(provider, account, delivery).await.map_err(from_payments)? {
        Taken::Stored => {}
        Taken::Refused(WebhookError::Stale) => return Err(Problem::plain(&code::EVENT_NOT_FRESH)),
        Taken::Refused(_) => return Err(Problem::plain(&code::WRONG_SIGNATURE)),
    }
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
