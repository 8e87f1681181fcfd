//! The fake's HTTP: keys, forms, routes.

use kernel::{Method, Reply, Request, Timestamp};
use serde_json::{Value, json};

use super::objects::{Answer, Fields, State, error};

impl State {
    pub(crate) fn answer(&mut self, request: &Request, is_ours: bool, now: Timestamp) -> Reply {
        let header = |name: &str| {
            request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        assert!(header("stripe-version").is_some(), "the version is pinned");
        if !is_ours {
            let body =
                json!({"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}});
            return reply(401, &body);
        }
        let path = request.url.strip_prefix("https://api.stripe.com").expect("Stripe's address");
        let asked = (path.to_owned(), request.body.clone());
        let key = header("idempotency-key");
        if let Some((known, answer)) = key.as_ref().and_then(|key| self.answers.get(key)) {
            if *known == asked {
                return answer.clone();
            }
            let (status, body) = error(400, "idempotency_error", "idempotency_key_reused");
            return reply(status, &body);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let form = if request.method == Method::Get {
            fields(query)
        } else {
            assert_eq!(header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
            fields(std::str::from_utf8(&request.body).unwrap())
        };
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let answer = match self.route(request.method, &parts, &form, now) {
            Ok(body) => reply(200, &body),
            Err((status, body)) => reply(status, &body),
        };
        if let Some(key) = key {
            self.answers.insert(key, (asked, answer.clone()));
        }
        answer
    }

    fn route(&mut self, method: Method, path: &[&str], form: &Fields, now: Timestamp) -> Answer {
        let missing = || error(404, "invalid_request_error", "resource_missing");
        match (method, path) {
            (Method::Get, ["balance"]) => Ok(json!({"object": "balance", "livemode": false})),
            (Method::Get, ["account"]) => Ok(json!({
                "id": "acct_1", "object": "account", "country": "US", "charges_enabled": true,
                "payouts_enabled": true, "email": "owner@shop.example",
            })),
            (Method::Post, ["payment_methods"]) => Ok(self.new_method(form)),
            (Method::Get, ["payment_methods", id]) => match self.methods.get(*id) {
                Some(number) => Ok(method_of(id, number)),
                None => Err(missing()),
            },
            (Method::Post, ["customers"]) => Ok(json!({"id": self.new_id("cus"), "object": "customer"})),
            (Method::Post, ["payment_intents"]) => self.create("payment_intent", form, now),
            (Method::Post, ["setup_intents"]) => self.create("setup_intent", form, now),
            (Method::Get, ["payment_intents", "search"]) => Ok(self.search(form)),
            (Method::Get, ["setup_intents"]) => {
                let found = self.intents.values().filter(|intent| intent["object"] == "setup_intent");
                Ok(list(found))
            }
            (Method::Get, ["payment_intents" | "setup_intents", id]) => {
                self.intents.get(*id).cloned().ok_or_else(missing)
            }
            (Method::Post, ["payment_intents" | "setup_intents", id]) => self.act(id, "", form, now),
            (Method::Post, ["payment_intents" | "setup_intents", id, verb]) => self.act(id, verb, form, now),
            (Method::Post, ["refunds"]) => self.refund(form, now),
            (Method::Get, ["refunds"]) => {
                let of = form.get("payment_intent").map(String::as_str);
                let found = self.refunds.iter().filter(|refund| refund["payment_intent"].as_str() == of);
                Ok(list(found))
            }
            (Method::Get, ["refunds", id]) => {
                self.refunds.iter().find(|refund| refund["id"] == *id).cloned().ok_or_else(missing)
            }
            _ => Err(error(404, "invalid_request_error", "unrecognized_url")),
        }
    }

    fn new_method(&mut self, form: &Fields) -> Value {
        let number = form.get("card[number]").cloned().unwrap_or_default();
        let id = self.new_id("pm");
        let method = method_of(&id, &number);
        self.methods.insert(id, number);
        method
    }

    fn search(&self, form: &Fields) -> Value {
        let query = form.get("query").cloned().unwrap_or_default();
        let wanted =
            query.strip_prefix("metadata['florin_reference']:'").and_then(|rest| rest.strip_suffix('\''));
        let wanted = wanted.expect("a search for our reference");
        let is_it = |intent: &&Value| {
            intent["object"] == "payment_intent" && intent["metadata"]["florin_reference"] == wanted
        };
        let mut found = list(self.intents.values().filter(is_it));
        found["object"] = "search_result".into();
        found
    }
}

fn method_of(id: &str, number: &str) -> Value {
    let last4 = number.get(number.len().saturating_sub(4)..);
    json!({
        "id": id, "object": "payment_method", "type": "card", "customer": null,
        "card": {"brand": "visa", "last4": last4, "exp_month": 12, "exp_year": 2030, "country": "US"},
        "billing_details": {"name": "Ada Lovelace"},
    })
}

fn list<'v>(data: impl Iterator<Item = &'v Value>) -> Value {
    let data: Vec<&Value> = data.collect();
    json!({"object": "list", "data": data, "has_more": false})
}

fn reply(status: u16, body: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status, headers, body: serde_json::to_vec(body).unwrap() }
}

fn fields(text: &str) -> Fields {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
