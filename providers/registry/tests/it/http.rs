//! An adapter in memory: the protocol of the `http` provider in front of the sandbox bank.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Reply, Request, Secret};
use provider_kit::conformance::{Fake, Moved, Wanted};
use provider_kit::{Action, Card, Delivery, Instrument, ProviderAccount, Upstream, standard_webhooks};
use sandbox_bank::BankConfig;
use serde_json::Value;

use crate::sandbox::Sandbox;

const BASE: &str = "https://adapter.example/pay";
const SIGNING_SECRET: &str = "shared with the adapter";
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Adapter(Sandbox);

/// The request as the bank behind the adapter takes it; the transport signs requests, so that here the secret
/// stands for its signature.
fn passed_on(request: &Request) -> Request {
    let path = request.url.strip_prefix(BASE).expect("it is for the adapter");
    let mut passed = Request { url: format!("http://sandbox.invalid/v1{path}"), ..request.clone() };
    passed.headers.push(("idempotency-key".to_owned(), request.key.clone()));
    passed.auth = kernel::Auth::Bearer("api_key");
    passed
}

impl Exchange for Adapter {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        assert_eq!(request.auth, kernel::Auth::Signed("signing_secret"));
        let known = credentials.get("signing_secret").is_some_and(|known| known.expose() == SIGNING_SECRET);
        if !known {
            let body = br#"{"error": {"code": "signature", "message": "wrong signature"}}"#.to_vec();
            let refused = Reply { status: 401, headers: Vec::new(), body };
            return Box::pin(std::future::ready(Exchanged::Replied(refused)));
        }
        Box::pin(async move {
            let passed = passed_on(request);
            self.0.exchange().exchange(&passed, &self.0.credentials(), deadline).await
        })
    }
}

fn credentials(signing: &str, webhook: &str) -> Credentials {
    let entry = |name: &str, text: &str| (name.to_owned(), Secret::new(text.to_owned()));
    Credentials::new(vec![entry("signing_secret", signing), entry("webhook_secret", webhook)])
}

impl Fake for Adapter {
    fn exchange(&self) -> &dyn Exchange {
        self
    }

    fn account(&self) -> ProviderAccount {
        ProviderAccount {
            provider: "http".to_owned(),
            settings: BTreeMap::from([("base_url".to_owned(), BASE.to_owned())]),
            ..self.0.account()
        }
    }

    fn credentials(&self) -> Credentials {
        // The old secret beside the new one: it is being rolled.
        credentials(SIGNING_SECRET, &format!("{WEBHOOK_SECRET}, whsec_b2xk"))
    }

    fn strange_credentials(&self) -> Credentials {
        credentials("of nobody", "whsec_bm9ib2R5")
    }

    fn clock(&self) -> &dyn Clock {
        self.0.clock()
    }

    fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    fn card(&self, wanted: Wanted) -> Option<Card> {
        self.0.card(wanted)
    }

    fn upi(&self, wanted: Wanted) -> Option<Instrument> {
        self.0.upi(wanted)
    }

    fn complete<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<(), String>> {
        self.0.complete(action)
    }

    fn dispute<'a>(&'a self, charge: &'a Upstream) -> BoxFuture<'a, Result<(), String>> {
        self.0.dispute(charge)
    }

    fn deliveries(&self) -> BoxFuture<'_, Vec<Delivery>> {
        Box::pin(async move {
            let secret = Secret::new(WEBHOOK_SECRET.to_owned());
            let told = self.0.deliveries().await.into_iter().map(|delivery| {
                let event: Value = serde_json::from_slice(&delivery.body).unwrap();
                let id = event["id"].as_str().unwrap();
                let headers = standard_webhooks::sign(&secret, id, delivery.received_at, &delivery.body);
                Delivery { headers, ..delivery.clone() }
            });
            told.collect()
        })
    }

    fn moved(&self) -> BoxFuture<'_, Moved> {
        self.0.moved()
    }
}

#[tokio::test]
async fn an_adapter_conforms() {
    let config = BankConfig { notifies_all: true, ..BankConfig::default() };
    crate::conforms("http", &Adapter(Sandbox::new(config))).await;
}
