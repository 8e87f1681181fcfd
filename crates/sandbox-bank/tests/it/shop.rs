//! A shop with an account at a bank, and ports that stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Ids, Method, Monotonic, Random, Store, Timestamp};
use sandbox_bank::{Bank, BankConfig, BankReply, BankRequest, Keys, OutgoingNotice};
use serde_json::{Value, json};
use uuid::Uuid;

/// A clock that moves when told; ids and randomness that count.
pub(crate) struct Host {
    micros: AtomicI64,
    count: AtomicU64,
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_micros(u64::try_from(self.micros.load(Ordering::Relaxed)).unwrap()))
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        self.micros.fetch_add(i64::try_from(length.as_micros()).unwrap(), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

impl Ids for Host {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.count.fetch_add(1, Ordering::Relaxed).into())
    }
}

impl Random for Host {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.count.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in bytes {
            state = state.rotate_left(23).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (state >> 31);
            *byte = state.to_le_bytes()[3];
        }
    }
}

pub(crate) struct Shop {
    pub(crate) host: Arc<Host>,
    pub(crate) bank: Arc<Bank>,
    pub(crate) keys: Keys,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(BankConfig::default())
    }

    pub(crate) fn with(config: BankConfig) -> Self {
        let host = host();
        Self::at(Bank::in_memory(config, host.clone(), host.clone()), host)
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let host = host();
        Self::at(Bank::new(store, BankConfig::default(), host.clone(), host.clone()), host)
    }

    fn at(bank: Bank, host: Arc<Host>) -> Self {
        Self { bank: Arc::new(bank), keys: Keys::of("sbk_0123456789abcdef").unwrap(), host }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        self.host.sleep(Duration::from_secs(seconds)).await;
    }

    /// Sends a body under the reference in it.
    pub(crate) fn request(&self, method: Method, path: &str, body: &Value) -> BankRequest {
        let mut headers =
            vec![("authorization".to_owned(), format!("Bearer {}", self.keys.api_key.expose()))];
        if let Some(reference) = body["reference"].as_str() {
            headers.push(("idempotency-key".to_owned(), reference.to_owned()));
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        BankRequest { method, path: path.to_owned(), headers, body }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> BankReply {
        self.bank.handle(&self.request(method, path, body), self.now()).await
    }

    /// Status and body of an answer that must come.
    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.send(Method::Post, path, &body).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.send(Method::Get, path, &Value::Null).await)
    }

    /// A charge of 1000 USD of a well-known token.
    pub(crate) async fn charge(&self, reference: &str, token: &str, capture: bool) -> (u16, Value) {
        self.post("/v1/charges", charge_body(reference, token, capture)).await
    }

    /// Capture, void or refund.
    pub(crate) async fn effect(&self, charge: &str, verb: &str, reference: &str, minor: i64) -> (u16, Value) {
        let body = json!({"reference": reference, "amount": minor, "currency": "USD"});
        self.post(&format!("/v1/charges/{charge}/{verb}s"), body).await
    }

    pub(crate) async fn look_up(&self, name: &str) -> Value {
        let (status, body) = self.get(&format!("/v1/operations/{name}")).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Everything that is due, acknowledged: type, object, and the raw notice.
    pub(crate) async fn take_notices(&self) -> Vec<(String, Value, OutgoingNotice)> {
        let mut taken = Vec::new();
        for notice in self.bank.due_notices(self.now(), 100).await {
            self.bank.acknowledge(&notice.id, self.now()).await;
            let body: Value = serde_json::from_slice(&notice.body).unwrap();
            taken.push((body["type"].as_str().unwrap().to_owned(), body["data"].clone(), notice));
        }
        taken
    }
}

fn host() -> Arc<Host> {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    Arc::new(Host { micros: AtomicI64::new(start.as_micros()), count: AtomicU64::new(1) })
}

pub(crate) fn charge_body(reference: &str, token: &str, capture: bool) -> Value {
    json!({
        "reference": reference,
        "amount": 1000,
        "currency": "USD",
        "capture": capture,
        "source": {"type": "card", "token": token},
        "return_url": "https://shop.example/return",
    })
}

pub(crate) fn read(reply: BankReply) -> (u16, Value) {
    match reply {
        BankReply::Answer { reply, .. } => {
            (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
        }
        BankReply::Silence(_) => panic!("no answer"),
    }
}

/// The code of a refusal.
pub(crate) fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or("none"))
}
