//! The fake's HTTP: tokens, request ids, routes, signed notices.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Method, Reply, Timestamp};
use provider_kit::Delivery;
use serde_json::{Value, json};

use super::objects::{Answer, State, issue};
use super::{CLIENT_ID, CLIENT_SECRET, Signer, WEBHOOK_ID};
use crate::serve::{Asked, Given};

/// Under which it answers while it gives out one token.
const ACCESS_TOKEN: &str = "A21AAFs9YK9gTn2HxBlNzHCFaU6pzHyIl5SkR6xUZSSrVS8mR2KGJ";

const CERTIFICATE: &str = "/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77";

impl State {
    /// Over the network: who asks is found out here.
    pub(crate) fn served(&mut self, asked: &Asked, now: Timestamp) -> Given {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let authorization = asked.header("authorization").unwrap_or_default();
        match (asked.method, path) {
            (Method::Post, "/v1/oauth2/token") => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
                if authorization != basic {
                    let body = json!({
                        "error": "invalid_client", "error_description": "Client Authentication failed",
                    });
                    return Given::of(reply(401, &body));
                }
                let body = json!({
                    "scope": "https://uri.paypal.com/services/payments/payment", "token_type": "Bearer",
                    "access_token": ACCESS_TOKEN, "app_id": "APP-80W284485P519543T", "expires_in": 32400,
                    "nonce": "2026-11-21T10:00:00Z", "supported_authn_schemes": ["email_password"],
                });
                Given::of(reply(200, &body))
            }
            // What a payer does in the browser.
            (Method::Get, "/checkoutnow") => {
                match self.approve(query.rsplit('=').next().unwrap_or(""), now) {
                    Ok(return_url) => Given::of(Reply {
                        status: 302,
                        headers: vec![("location".to_owned(), return_url)],
                        body: Vec::new(),
                    }),
                    Err(reason) => Given::of(reply(409, &json!({"name": reason}))),
                }
            }
            (Method::Get, "/_fake/roots") => Given::of(Reply {
                status: 200,
                headers: Vec::new(),
                body: Signer::of_tests().roots.clone().into(),
            }),
            (Method::Get, "/_fake/deliveries") => {
                let told: Vec<Value> = self.deliveries(now).iter().map(told).collect();
                Given::of(reply(200, &told.into()))
            }
            (Method::Post, "/_fake/dispute") => {
                let done = self.dispute(query.rsplit('=').next().unwrap_or(""), now);
                Given::of(reply(if done.is_ok() { 200 } else { 404 }, &json!({})))
            }
            _ => self.answer(asked, authorization == format!("Bearer {ACCESS_TOKEN}"), now),
        }
    }

    pub(crate) fn answer(&mut self, asked: &Asked, is_ours: bool, now: Timestamp) -> Given {
        let path = asked.path.as_str();
        if path == CERTIFICATE {
            let body = Signer::of_tests().chain.clone().into_bytes();
            return Given::of(Reply { status: 200, headers: Vec::new(), body });
        }
        if !is_ours {
            let body = json!({
                "name": "AUTHENTICATION_FAILURE", "message": "Who?", "debug_id": "b1d1f06c7246c",
            });
            return Given::of(reply(401, &body));
        }
        let known = (path.to_owned(), asked.body.clone());
        let key = asked.header("paypal-request-id").map(str::to_owned);
        if let Some((first, answer)) = key.as_ref().and_then(|key| self.answers.get(key)) {
            if *first == known {
                return Given::of(answer.clone());
            }
            let (status, body) = issue(422, "DUPLICATE_REQUEST_ID");
            return Given::of(reply(status, &body));
        }
        let body: Value = if asked.body.is_empty() {
            Value::Null
        } else {
            assert_eq!(asked.header("content-type"), Some("application/json"));
            serde_json::from_slice(&asked.body).unwrap()
        };
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let answer = match self.route(asked.method, &parts, &body, now) {
            Ok(body) => reply(if asked.method == Method::Get { 200 } else { 201 }, &body),
            Err((status, body)) => reply(status, &body),
        };
        if let Some(key) = key {
            self.answers.insert(key, (known, answer.clone()));
        }
        Given::of(answer)
    }

    fn route(&mut self, method: Method, path: &[&str], body: &Value, now: Timestamp) -> Answer {
        let missing = || issue(404, "INVALID_RESOURCE_ID");
        match (method, path) {
            (Method::Post, ["v3", "vault", "payment-tokens"]) => Ok(self.keep_card(body)),
            (Method::Post, ["v2", "checkout", "orders"]) => Ok(self.create(body)),
            (Method::Get, ["v2", "checkout", "orders", id]) => {
                self.orders.get(*id).map(|order| order.json.clone()).ok_or_else(missing)
            }
            (Method::Post, ["v2", "checkout", "orders", id, verb @ ("capture" | "authorize")]) => {
                self.complete(id, verb, body, now)
            }
            (Method::Post, ["v2", "payments", "authorizations", id, "capture"]) => {
                self.capture(id, body, now)
            }
            (Method::Post, ["v2", "payments", "authorizations", id, "void"]) => self.void(id),
            (Method::Post, ["v2", "payments", "captures", id, "refund"]) => self.refund(id, body, now),
            (Method::Get, ["v2", "payments", kind, id]) => self.find(kind, id).cloned().ok_or_else(missing),
            (Method::Get, ["v1", "notifications", "webhooks"]) => Ok(json!({"webhooks": [{
                "id": WEBHOOK_ID, "url": "https://pay.example/webhooks/paypal/pa_1",
                "event_types": [{"name": "PAYMENT.CAPTURE.COMPLETED"}],
            }]})),
            _ => Err(issue(404, "RESOURCE_NOT_FOUND")),
        }
    }

    /// The notices that were not fetched yet, signed now.
    pub(crate) fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        let base = self.base.clone();
        let sent = std::mem::take(&mut self.sent);
        sent.into_iter()
            .enumerate()
            .map(|(place, body)| {
                let id = format!("69cd13f0-d67a-11e5-baa3-{:012}", self.count() + place);
                let time = format!("{}Z", now.to_string().split(['.', 'Z']).next().unwrap());
                let crc = crc32(&body);
                let signature = Signer::of_tests().sign(&format!("{id}|{time}|{WEBHOOK_ID}|{crc}"));
                let headers = [
                    ("paypal-transmission-id", id),
                    ("paypal-transmission-time", time),
                    ("paypal-transmission-sig", signature),
                    ("paypal-cert-url", format!("{base}{CERTIFICATE}")),
                    ("paypal-auth-algo", "SHA256withRSA".to_owned()),
                    ("content-type", "application/json".to_owned()),
                ];
                let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Delivery { headers, body, received_at: now }
            })
            .collect()
    }
}

fn told(delivery: &Delivery) -> Value {
    json!({
        "headers": delivery.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "body": String::from_utf8(delivery.body.clone()).unwrap(),
    })
}

/// By its definition, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

fn reply(status: u16, body: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status, headers, body: serde_json::to_vec(body).unwrap() }
}
