//! The fake's HTTP: who asks, refunds' keys, routes, signed notices.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Method, Reply, Timestamp};
use provider_kit::{Delivery, signing};
use serde_json::{Value, json};

use super::objects::{Answer, State, error};
use super::{KEY_ID, KEY_SECRET, WEBHOOK_SECRET};
use crate::serve::Asked;

impl State {
    /// Over the network: who asks is found out here.
    pub(crate) fn served(&mut self, asked: &Asked, now: Timestamp) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let last = query.rsplit('=').next().unwrap_or_default();
        match (asked.method, path) {
            // What a payer does in the browser.
            (Method::Post, "/v1/checkout/embedded") => {
                let fields = form(&asked.body);
                match self.checkout(&fields, last, now) {
                    Ok(callback) => page(&callback),
                    Err(reason) => {
                        reply(400, &json!({"error": {"code": "BAD_REQUEST_ERROR", "description": reason}}))
                    }
                }
            }
            (Method::Get, path) if path.ends_with("/authorize") => {
                let payment = path.trim_end_matches("/authorize").rsplit('/').next().unwrap_or_default();
                let done = self.decide(payment, now);
                let callback = self.callback(payment);
                if done.is_ok() { page(&callback) } else { reply(400, &json!({})) }
            }
            (Method::Get, "/_fake/deliveries") => {
                let told: Vec<Value> = self.deliveries(now).iter().map(told).collect();
                reply(200, &told.into())
            }
            (Method::Post, "/_fake/decide") => {
                let done = self.decide(last, now);
                reply(if done.is_ok() { 200 } else { 404 }, &json!({}))
            }
            (Method::Post, path) if path.starts_with("/_fake/dispute/") => {
                let done = self.dispute(last, path.trim_start_matches("/_fake/dispute/"), now);
                reply(if done.is_ok() { 200 } else { 404 }, &json!({}))
            }
            _ => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{KEY_ID}:{KEY_SECRET}")));
                self.answer(asked, asked.header("authorization") == Some(basic.as_str()), now)
            }
        }
    }

    pub(crate) fn answer(&mut self, asked: &Asked, is_ours: bool, now: Timestamp) -> Reply {
        if !is_ours {
            let (_, body) = error("Authentication failed", "NA");
            return reply(401, &body);
        }
        let key = asked.header("x-refund-idempotency").map(str::to_owned);
        let known = (asked.path.clone(), asked.body.clone());
        if let Some((first, answer)) = key.as_ref().and_then(|key| self.answers.get(key)) {
            if *first == known {
                return answer.clone();
            }
            let text = "Different request with the same idempotency key has already been processed.";
            return reply(400, &error(text, "NA").1);
        }
        let body: Value = if asked.body.is_empty() {
            Value::Null
        } else {
            let kind = asked.header("content-type").unwrap_or_default();
            assert!(kind.starts_with("application/json"), "{kind}");
            serde_json::from_slice(&asked.body).unwrap()
        };
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let answer = match self.route(asked.method, &parts, query, &body, now) {
            Ok(body) => reply(200, &body),
            Err((status, body)) => reply(status, &body),
        };
        if let Some(key) = key.filter(|_| answer.status == 200) {
            assert!(key.len() >= 10, "Razorpay's shortest key");
            self.answers.insert(key, (known, answer.clone()));
        }
        answer
    }

    fn route(&mut self, method: Method, path: &[&str], query: &str, body: &Value, now: Timestamp) -> Answer {
        let missing = || error("The id provided does not exist", "input_validation_failed");
        match (method, path) {
            (Method::Post, ["v1", "customers"]) => Ok(self.customer(body)),
            (Method::Post, ["v1", "orders"]) => self.order(body, now),
            (Method::Get, ["v1", "orders"]) => Ok(self.find_orders(query)),
            (Method::Get, ["v1", "orders", id]) => self.orders.get(*id).cloned().ok_or_else(missing),
            (Method::Get, ["v1", "orders", id, "payments"]) => {
                if !self.orders.contains_key(*id) {
                    return Err(missing());
                }
                Ok(list(self.payments.values().filter(|payment| payment["order_id"] == *id)))
            }
            (Method::Post, ["v1", "payments", "create", "json"]) => self.begin(body, now),
            (Method::Post, ["v1", "payments", "create", "recurring"]) => self.recurring(body, now),
            (Method::Get, ["v1", "payments", id]) => self.payments.get(*id).cloned().ok_or_else(missing),
            (Method::Post, ["v1", "payments", id, "capture"]) => self.capture(id, body, now),
            (Method::Post, ["v1", "payments", id, "refund"]) => self.refund(id, body, now),
            (Method::Get, ["v1", "payments", id, "refunds"]) => {
                Ok(list(self.refunds.values().filter(|refund| refund["payment_id"] == *id)))
            }
            (Method::Get, ["v1", "refunds", id]) => self.refunds.get(*id).cloned().ok_or_else(missing),
            _ => Err(error("The requested URL was not found on the server.", "NA")),
        }
    }

    fn find_orders(&self, query: &str) -> Value {
        let receipt = query.split('&').find_map(|pair| pair.strip_prefix("receipt="));
        let fits = |order: &&Value| receipt.is_none_or(|receipt| order["receipt"] == receipt);
        list(self.orders.values().filter(fits))
    }

    /// The notices that were not fetched yet, signed now.
    pub(crate) fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        let sent = std::mem::take(&mut self.sent);
        let signed = |body: Vec<u8>| {
            let headers = [
                ("x-razorpay-signature", signing::hmac_sha256_hex(WEBHOOK_SECRET.as_bytes(), &[&body])),
                ("x-razorpay-event-id", self.new_id("")),
                ("content-type", "application/json".to_owned()),
            ];
            let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Delivery { headers, body, received_at: now }
        };
        sent.into_iter().map(signed).collect()
    }
}

pub(super) fn list<'v>(items: impl Iterator<Item = &'v Value>) -> Value {
    let items: Vec<&Value> = items.collect();
    json!({"entity": "collection", "count": items.len(), "items": items})
}

fn reply(status: u16, body: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status, headers, body: serde_json::to_vec(body).unwrap() }
}

/// What Razorpay's page makes a browser send on: told as JSON, for whoever plays the browser.
fn page(callback: &Value) -> Reply {
    reply(200, callback)
}

fn told(delivery: &Delivery) -> Value {
    let headers: BTreeMap<&str, &str> =
        delivery.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    json!({"headers": headers, "body": String::from_utf8(delivery.body.clone()).unwrap()})
}

/// `application/x-www-form-urlencoded`.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            let (digits, rest) = part.split_at(2);
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            bytes.extend_from_slice(rest.as_bytes());
        }
        String::from_utf8(bytes).unwrap()
    };
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}
