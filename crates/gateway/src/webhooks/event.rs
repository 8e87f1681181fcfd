//! `POST /webhooks/payments`: events that other systems sign; `GET /transaction/{tx_id}`: what became of one.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Id;
use node::Node;
use payments::{EventRefusal, EventSource};
use provider_kit::Delivery;

use super::notice::headers;
use crate::body;
use crate::call::Call;
use crate::client::Client;
use crate::input::{self, read_body};
use crate::problem::{Problem, catalogue as code, from_payments, not_found};
use crate::quota;
use crate::reply::{Answer, json};
use crate::wire::TransactionObject;

/// Five short fields and their names fit many times.
const EVENT_BYTES_MAX: usize = 16 * 1024;
/// The word for what is not found.
const ACCOUNT: &str = "provider account";

/// With the secret of the configuration.
pub(crate) async fn receive(State(node): State<Arc<Node>>, request: Request) -> Response {
    let source = node.event_source().cloned().ok_or_else(|| {
        Problem::new(&code::ROUTE_NOT_FOUND, "No secret for such events is configured (HMAC_SECRET_KEY).")
    });
    take(&node, source, request).await.unwrap_or_else(Problem::into_answer)
}

/// With a merchant's own secret.
pub(crate) async fn receive_of(
    State(node): State<Arc<Node>>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let source = match Id::parse(&account) {
        Ok(account) => node.payments.event_source(account).await.map_err(from_payments),
        Err(_) => Err(not_found(ACCOUNT)),
    };
    take(&node, source, request).await.unwrap_or_else(Problem::into_answer)
}

async fn take(node: &Node, source: Result<EventSource, Problem>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let address = Client::of(&parts, &node.config.server.trusted_proxies).address;
    quota::count_notice(node, address, source.as_ref().ok().map(|source| source.scope)).await?;
    let source = source?;
    let bytes =
        body::read(body, EVENT_BYTES_MAX, node.config.server.read_timeout, node.clock.as_ref()).await?;
    let delivery =
        Delivery { headers: headers(&parts.headers), body: bytes.to_vec(), received_at: node.clock.now() };
    let read = body::check_is_json(&parts.headers).and_then(|()| read_body(&bytes));
    let taken = match read.as_ref().map_err(Problem::clone).and_then(input::event) {
        Ok(input) => {
            let taken = node.payments.receive_event(&source, &input.claim, input.amount_is_text, &delivery);
            taken.await.map_err(from_payments)?
        }
        Err(problem) => {
            node.payments.refuse_event(&source, problem.entry().code, &delivery).await;
            return Err(problem);
        }
    };
    match taken {
        Ok(event) => json(StatusCode::OK, &TransactionObject::of(&event)?),
        Err(EventRefusal::Signature) => Err(Problem::plain(&code::WRONG_SIGNATURE).at("/signature")),
        Err(EventRefusal::Old) => {
            let seconds = node.config.webhooks.max_age.as_secs();
            let detail = format!("The event was signed more than {seconds} s ago.");
            Err(Problem::new(&code::EVENT_NOT_FRESH, detail).at("/timestamp"))
        }
        Err(EventRefusal::Ahead) => {
            let seconds = payments::AHEAD_MAX.as_secs();
            let detail = format!("The event's time is more than {seconds} s ahead of this server's.");
            Err(Problem::new(&code::EVENT_NOT_FRESH, detail).at("/timestamp"))
        }
        Err(EventRefusal::Contradiction) => Err(Problem::plain(&code::TRANSACTION_DIFFERS).at("/tx_id")),
    }
}

/// By its system's id.
pub(crate) async fn get(call: Call) -> Answer {
    input::Parameters::parse(call.query(), &[], &[])?;
    let found = call.node.payments.event(call.scope(), call.name()).await.map_err(from_payments)?;
    let event = found.ok_or_else(|| not_found("transaction"))?;
    json(StatusCode::OK, &TransactionObject::of(&event)?)
}
