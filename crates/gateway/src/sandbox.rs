//! The sandbox bank over HTTP: its API and its pages, below `/sandbox/`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Method as HttpMethod, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use kernel::{Clock, Method, Reply};
use sandbox_bank::{Bank, BankReply, BankRequest, PAGE_POLICY, Page, Submitted};

use crate::body;
use crate::browser::{html, redirect};
use crate::problem::{Problem, catalogue as code};
use crate::webhooks::notice::headers;

/// How long a body of the bank's may take.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// Put into an answer that must never be sent: the server closes the connection without a byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

#[derive(Clone)]
struct Sandbox {
    bank: Arc<Bank>,
    clock: Arc<dyn Clock>,
}

/// The bank's routes, as `florin serve` mounts them beside its own.
pub(crate) fn routes(bank: Arc<Bank>, clock: Arc<dyn Clock>) -> Router {
    Router::new()
        .route("/sandbox/v1/{*rest}", any(api))
        .route("/sandbox/challenge/{name}", get(challenge).post(choose))
        .with_state(Sandbox { bank, clock })
}

/// The bank alone, as `florin sandbox serve` runs it: its API also stands at its own root.
pub fn sandbox_router(bank: Arc<Bank>, clock: Arc<dyn Clock>) -> Router {
    let own_root = Router::new()
        .route("/v1/{*rest}", any(api))
        .with_state(Sandbox { bank: Arc::clone(&bank), clock: Arc::clone(&clock) });
    routes(bank, clock).merge(own_root)
}

/// In the form of the bank's own errors.
fn refused(problem: &Problem) -> Response {
    let body = serde_json::json!({"error": {"code": problem.entry().code, "message": problem.detail()}});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    response(Reply { status: problem.entry().status, headers, body: body.to_string().into_bytes() })
}

async fn api(State(sandbox): State<Sandbox>, request: Request) -> Response {
    answer(&sandbox, request).await.unwrap_or_else(|problem| refused(&problem))
}

async fn answer(sandbox: &Sandbox, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        HttpMethod::GET => Method::Get,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::PATCH => Method::Patch,
        HttpMethod::DELETE => Method::Delete,
        _ => return Err(Problem::plain(&code::METHOD_NOT_ALLOWED)),
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = path.strip_prefix("/sandbox").unwrap_or(path).to_owned();
    let bytes = body::read(body, body::API_BYTES_MAX, READ_WITHIN, sandbox.clock.as_ref()).await?;
    let asked = BankRequest { method, path, headers: headers(&parts.headers), body: bytes.to_vec() };
    match sandbox.bank.handle(&asked, sandbox.clock.now()).await {
        BankReply::Answer { after, reply } => {
            if !after.is_zero() {
                sandbox.clock.sleep(after).await;
            }
            Ok(response(reply))
        }
        BankReply::Silence(length) => {
            sandbox.clock.sleep(length).await;
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(HangUp);
            Ok(response)
        }
    }
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

async fn challenge(State(sandbox): State<Sandbox>, Path(name): Path<String>) -> Response {
    page(sandbox.bank.challenge_page(&name, sandbox.clock.now()).await)
}

async fn choose(State(sandbox): State<Sandbox>, Path(name): Path<String>, request: Request) -> Response {
    let form = request.headers().get(CONTENT_TYPE).is_none_or(|kind| {
        kind.to_str().is_ok_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    });
    let bytes =
        body::read(request.into_body(), body::API_BYTES_MAX, READ_WITHIN, sandbox.clock.as_ref()).await;
    // The form has one field of plain words: there is nothing to decode.
    let text = bytes.ok().filter(|_| form).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    let choice = text.as_deref().and_then(|text| text.strip_prefix("choice=")).unwrap_or_default();
    match sandbox.bank.challenge_submit(&name, choice, sandbox.clock.now()).await {
        Submitted::Page(shown) => page(shown),
        Submitted::RedirectTo(url) => redirect(&url).unwrap_or_else(|| {
            let text = "<!doctype html><title>Done</title><p>Done. You can close this page.</p>";
            html(StatusCode::OK, PAGE_POLICY, text.to_owned())
        }),
    }
}

fn page(page: Page) -> Response {
    html(StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK), PAGE_POLICY, page.html)
}
