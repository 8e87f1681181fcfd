//! A shop with an account at a bank.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{BoxFuture, Clock, Method, Monotonic, Store, Timestamp};
use sandbox_bank::{Bank, BankConfig, BankReply, BankRequest, Keys, OutgoingNotice};
use serde_json::{Value, json};
use testkit::{CountedIds, SeededRandom};

/// A clock that leaps: whoever sleeps has slept already.
pub(crate) struct LeapingClock(AtomicI64);

impl LeapingClock {
    pub(crate) fn new() -> Arc<Self> {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        Arc::new(Self(AtomicI64::new(start.as_micros())))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_micros(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap()))
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        self.advance(length);
        Box::pin(std::future::ready(()))
    }
}

pub(crate) struct Shop {
    pub(crate) clock: Arc<LeapingClock>,
    pub(crate) bank: Arc<Bank>,
    pub(crate) keys: Keys,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(BankConfig::default())
    }

    pub(crate) fn with(config: BankConfig) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        Self::at(Bank::in_memory(config, random, Arc::new(CountedIds::default())))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        Self::at(Bank::new(store, BankConfig::default(), random, Arc::new(CountedIds::default())))
    }

    fn at(bank: Bank) -> Self {
        let keys = Keys::of("sbk_0123456789abcdef").unwrap();
        Self { clock: LeapingClock::new(), bank: Arc::new(bank), keys }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
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
