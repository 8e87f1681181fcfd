//! A node in a folder of its own, with its bank in memory, and the router over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use identity::KeyKind;
use kernel::{Actor, BoxFuture, Clock, Mode, Monotonic, Scope, Secret, Timestamp};
use node::config::BankPlace;
use node::{Config, Node, Ports};
use serde_json::Value;
use tower::ServiceExt as _;

/// A clock whose waits take a two-hundredth of what they should.
pub(crate) struct Hasty(pub(crate) Arc<dyn Clock>);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Monotonic {
        self.0.monotonic()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(length / 200)
    }
}

/// The machine's ports with the hasty clock.
pub(crate) fn hasty() -> Ports {
    let ports = node::host::ports();
    Ports { clock: Arc::new(Hasty(Arc::clone(&ports.clock))), ..ports }
}

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// The documents' card request with a later year.
pub(crate) const CARD: &str = r#"{"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
    "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}}"#;

/// What events at `/webhooks/payments` are signed with.
pub(crate) const EVENTS_SECRET: &str = "a secret that is shared with a shop";
/// What opens `/monitoring/…`.
pub(crate) const MONITORING_KEY: &str = "the key of the monitoring";

pub(crate) struct World {
    pub(crate) node: Arc<Node>,
    pub(crate) router: Router,
    pub(crate) key: String,
    /// Of whoever started the node.
    folder: Option<std::path::PathBuf>,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a problem document, which it must be.
    pub(crate) fn problem(&self) -> (u16, String) {
        let document = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        assert_eq!(document["request_id"], self.header("x-request-id"), "{document}");
        for member in ["type", "title", "detail", "retryable"] {
            assert!(!document[member].is_null(), "{member} of {document}");
        }
        (self.status.as_u16(), document["code"].as_str().unwrap().to_owned())
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(node::host::ports(), |_| {}).await
    }

    pub(crate) async fn start_with(ports: Ports, configure: impl FnOnce(&mut Config)) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("florin-gateway-{}-{number}", std::process::id()));
        let mut config = Config::defaults().unwrap();
        config.database.folder.clone_from(&folder);
        config.sandbox.bank = BankPlace::Memory;
        config.sandbox.upi_delay = Duration::from_millis(1);
        config.encryption_key = Some(Secret::new("k".repeat(32)));
        config.server.public_url = Some("http://florin.test".to_owned());
        config.webhooks.hmac_secret = Some(Secret::new(EVENTS_SECRET.to_owned()));
        config.monitoring.api_key = Some(Secret::new(MONITORING_KEY.to_owned()));
        configure(&mut config);
        let node = node::start(config, ports).await.unwrap();
        let key = node.first_start().await.unwrap().unwrap().expose().clone();
        Self { router: gateway::router(Arc::clone(&node)), node, key, folder: Some(folder) }
    }

    /// On a database of its own if there is one, else in a folder.
    pub(crate) async fn start_on(database: Option<&testkit::Database>) -> Self {
        Self::start_with(node::host::ports(), |config| {
            config.database.url = database.map(|database| Secret::new(database.url().to_owned()));
        })
        .await
    }

    /// The same node, called with another key.
    pub(crate) fn with_key(&self, key: String) -> Self {
        let (node, router) = (Arc::clone(&self.node), self.router.clone());
        Self { node, router, key, folder: None }
    }

    pub(crate) async fn scope(&self) -> Scope {
        self.node.identity.authenticate(&self.key).await.unwrap().scope
    }

    /// Another key of the first merchant.
    pub(crate) async fn another_key(&self, mode: Mode, kind: KeyKind) -> String {
        let scope = Scope { mode, ..self.scope().await };
        let created = self.node.identity.create_key(scope, kind, &Actor::Node, None).await.unwrap();
        created.1.expose().clone()
    }

    /// A key of another merchant.
    pub(crate) async fn strangers_key(&self) -> String {
        let merchant = self.node.identity.create_merchant("Stranger", &Actor::Node, None).await.unwrap();
        let scope = Scope { merchant: merchant.id, mode: Mode::Test };
        self.node.open_sandbox(merchant.id).await.unwrap();
        let made = self.node.identity.create_key(scope, KeyKind::Secret, &Actor::Node, None).await.unwrap();
        made.1.expose().clone()
    }

    /// Every byte of the node's files.
    pub(crate) fn files(&self) -> Vec<u8> {
        let entries = std::fs::read_dir(self.folder.as_ref().unwrap()).unwrap();
        entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default()).collect()
    }

    /// Whether a text stands in the node's files, plain or in hexadecimal.
    pub(crate) fn kept(files: &[u8], text: &str) -> bool {
        let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        [text, &digits].iter().any(|text| files.windows(text.len()).any(|bytes| bytes == text.as_bytes()))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, bytes }
    }

    /// With the first merchant's key.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let authorization = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.bare(method, path, &all, body).await
    }

    /// Without a key.
    pub(crate) async fn bare(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.call(Method::POST, path, &[("content-type", "application/json")], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, &[], "").await
    }

    /// The id of a new method of a customer.
    pub(crate) async fn method(&self, customer: &str) -> String {
        let body = format!(
            r#"{{"customer_id": "{customer}", "card": {{"number": "4242424242424242", "exp_month": 12,
                "exp_year": 2037, "cvc": "123"}}}}"#
        );
        let made = self.post("/api/v1/payment-methods/tokenize", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// A payment by card; `fields` are added to the request.
    pub(crate) async fn pay(&self, fields: &str) -> Value {
        let body = CARD.replacen('{', &format!("{{{fields}"), 1);
        let reply = self.post("/api/v1/payments", &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The store's threads may still hold the files: what is left is in the system's folder for
        // such things.
        let _ = self.folder.as_ref().map(std::fs::remove_dir_all);
    }
}

/// What stands in the places of ids.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) payment: &'a str,
    pub(crate) refund: &'a str,
    pub(crate) customer: &'a str,
    pub(crate) method: &'a str,
    pub(crate) key: &'a str,
}

impl<'a> Ids<'a> {
    /// The same text everywhere.
    pub(crate) const fn all(text: &'a str) -> Self {
        Self { payment: text, refund: text, customer: text, method: text, key: text }
    }
}

/// A path with its parameters filled in.
pub(crate) fn filled(path: &str, ids: Ids<'_>) -> String {
    let area = path.trim_start_matches("/api").trim_start_matches("/v1").split('/').nth(1);
    let id = match area {
        Some("refunds") => ids.refund,
        Some("customers" | "users") => ids.customer,
        Some("payment-methods") => ids.method,
        Some("api-keys") => ids.key,
        _ => ids.payment,
    };
    path.replace("{id}", id)
        .replace("{payment}", ids.payment)
        .replace("{provider}", "sandbox")
        .replace("{account}", "pa_01h455vb4pex5vsknk084sn02q")
        .replace("{tx_id}", ids.payment)
}

/// A text with another last character.
pub(crate) fn altered(text: &str) -> String {
    let last = if text.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &text[..text.len() - 1])
}
