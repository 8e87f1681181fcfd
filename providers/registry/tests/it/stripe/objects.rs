//! What the fake keeps, and what moves it.

use std::collections::BTreeMap;

use kernel::{Reply, Timestamp};
use provider_kit::conformance::{Moved, Wanted};
use serde_json::{Value, json};

/// The card numbers that behave so.
pub(crate) fn number(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Approved => "4242424242424242",
        Wanted::Declined => "4000000000009995",
        Wanted::Challenged => "4000000000003220",
        Wanted::Unmapped => "5555555555554444",
    }
}

#[derive(Default)]
pub(crate) struct State {
    count: u32,
    pub(crate) moved: Moved,
    /// Bodies of events that were not fetched yet.
    pub(crate) sent: Vec<Vec<u8>>,
    /// Card numbers by payment method.
    pub(crate) methods: BTreeMap<String, String>,
    pub(crate) intents: BTreeMap<String, Value>,
    pub(crate) refunds: Vec<Value>,
    /// By idempotency key: what was asked, and what was answered.
    pub(crate) answers: BTreeMap<String, ((String, Vec<u8>), Reply)>,
}

/// The parsed fields of a form or a query.
pub(crate) type Fields = BTreeMap<String, String>;

pub(crate) type Answer = Result<Value, (u16, Value)>;

pub(crate) fn error(status: u16, kind: &str, code: &str) -> (u16, Value) {
    (status, json!({"error": {"type": kind, "code": code, "message": format!("because of {code}")}}))
}

fn unexpected(intent: &Value) -> (u16, Value) {
    let mut answer = error(400, "invalid_request_error", "payment_intent_unexpected_state");
    answer.1["error"]["payment_intent"] = intent.clone();
    answer
}

fn units(fields: &Fields, name: &str) -> i64 {
    fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl State {
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}_{:08}", self.count)
    }

    fn tell(&mut self, kind: &str, object: &Value, now: Timestamp) {
        let mut object = object.clone();
        // Events hold ids, not whole charges.
        if let Some(id) = object["latest_charge"]["id"].as_str().map(str::to_owned) {
            object["latest_charge"] = id.into();
        }
        let event = json!({
            "id": self.new_id("evt"), "object": "event", "type": kind, "created": now.as_seconds(),
            "livemode": false, "data": {"object": object},
        });
        self.sent.push(serde_json::to_vec(&event).unwrap());
    }

    fn write_metadata(intent: &mut Value, fields: &Fields) {
        for (name, value) in fields {
            if let Some(name) = name.strip_prefix("metadata[").and_then(|name| name.strip_suffix(']')) {
                intent["metadata"][name] = value.as_str().into();
            }
        }
    }

    fn new_charge(&mut self, units: i64, currency: &str) -> Value {
        json!({
            "id": self.new_id("ch"), "object": "charge", "status": "succeeded", "amount": units,
            "balance_transaction": {"id": self.new_id("txn"), "fee": 59, "currency": currency},
            "payment_method_details": {"type": "card", "card": {
                "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "country": "US",
                "network_transaction_id": "104116621312232", "authorization_code": "226443",
            }},
            "billing_details": {"name": "Ada Lovelace", "email": "ada@shop.example"},
        })
    }

    /// Makes and confirms an intent.
    pub(crate) fn create(&mut self, object: &str, fields: &Fields, now: Timestamp) -> Answer {
        let method = fields.get("payment_method").cloned().unwrap_or_default();
        let Some(number) = self.methods.get(&method).cloned() else {
            return Err(error(404, "invalid_request_error", "resource_missing"));
        };
        let id = self.new_id(if object == "setup_intent" { "seti" } else { "pi" });
        let capture = fields.get("capture_method").cloned().unwrap_or_default();
        let mut intent = json!({
            "id": id, "object": object, "amount": units(fields, "amount"), "amount_received": 0,
            "currency": fields.get("currency"), "capture_method": capture, "metadata": {},
            "client_secret": format!("{id}_secret_1"), "next_action": null, "latest_charge": null,
            "last_payment_error": null, "status": "requires_confirmation",
        });
        Self::write_metadata(&mut intent, fields);
        if number == self::number(Wanted::Unmapped) {
            intent["status"] = "requires_something_new".into();
        } else if number == self::number(Wanted::Challenged) {
            intent["status"] = "requires_action".into();
            let url = format!("https://hooks.stripe.example/redirect/{id}");
            intent["next_action"] = json!({"type": "redirect_to_url", "redirect_to_url": {"url": url}});
            self.tell("payment_intent.requires_action", &intent, now);
        } else if number == self::number(Wanted::Declined) {
            let failure = json!({
                "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
                "network_decline_code": "51", "message": "Your card has insufficient funds.",
            });
            intent["status"] = "requires_payment_method".into();
            intent["last_payment_error"] = failure.clone();
            self.tell("payment_intent.payment_failed", &intent, now);
            self.intents.insert(id, intent.clone());
            let mut answer = json!({"error": failure});
            answer["error"]["payment_intent"] = intent;
            return Err((402, answer));
        } else {
            self.approve(&mut intent, now);
        }
        self.intents.insert(id, intent.clone());
        Ok(intent)
    }

    fn approve(&mut self, intent: &mut Value, now: Timestamp) {
        let amount = intent["amount"].as_i64().unwrap();
        let is_set_up = intent["object"] == "setup_intent";
        intent["next_action"] = Value::Null;
        intent["status"] = "succeeded".into();
        if is_set_up {
            self.tell("setup_intent.succeeded", intent, now);
            return;
        }
        self.moved.approved += amount;
        let currency = intent["currency"].as_str().unwrap().to_owned();
        intent["latest_charge"] = self.new_charge(amount, &currency);
        if intent["capture_method"] == "manual" {
            intent["status"] = "requires_capture".into();
            intent["amount_capturable"] = amount.into();
            self.tell("payment_intent.amount_capturable_updated", intent, now);
        } else {
            self.moved.taken += amount;
            intent["amount_received"] = amount.into();
            self.tell("payment_intent.succeeded", intent, now);
        }
    }

    /// The customer passes the challenge.
    pub(crate) fn authenticate(&mut self, id: &str, now: Timestamp) -> Result<(), String> {
        let mut intent = self.intents.get(id).cloned().ok_or("no such intent")?;
        if intent["status"] != "requires_action" {
            return Err(format!("it is {}", intent["status"]));
        }
        self.approve(&mut intent, now);
        self.intents.insert(id.to_owned(), intent);
        Ok(())
    }

    pub(crate) fn dispute(&mut self, id: &str, now: Timestamp) -> Result<(), String> {
        let intent = self.intents.get(id).ok_or("no such intent")?.clone();
        let dispute = json!({
            "id": self.new_id("du"), "object": "dispute", "amount": intent["amount"],
            "currency": intent["currency"], "status": "needs_response", "reason": "fraudulent",
            "payment_intent": id, "charge": intent["latest_charge"]["id"],
            "balance_transactions": [{"fee": 1500, "currency": "usd"}],
        });
        self.tell("charge.dispute.created", &dispute, now);
        Ok(())
    }

    /// Everything that is done to an intent that is there.
    pub(crate) fn act(&mut self, id: &str, verb: &str, fields: &Fields, now: Timestamp) -> Answer {
        let Some(mut intent) = self.intents.get(id).cloned() else {
            return Err(error(404, "invalid_request_error", "resource_missing"));
        };
        let status = intent["status"].as_str().unwrap().to_owned();
        match verb {
            "capture" if status == "requires_capture" => self.capture(&mut intent, fields)?,
            "increment_authorization" if status == "requires_capture" => {
                let more = units(fields, "amount") - intent["amount"].as_i64().unwrap();
                if more <= 0 {
                    return Err(error(400, "invalid_request_error", "parameter_invalid_integer"));
                }
                self.moved.approved += more;
                intent["amount"] = units(fields, "amount").into();
                intent["amount_capturable"] = (intent["amount_capturable"].as_i64().unwrap() + more).into();
            }
            "cancel" if ["requires_capture", "requires_action"].contains(&status.as_str()) => {
                intent["status"] = "canceled".into();
                intent["next_action"] = Value::Null;
                intent["amount_capturable"] = 0.into();
                self.tell("payment_intent.canceled", &intent, now);
            }
            "" => {}
            _ => return Err(unexpected(&intent)),
        }
        Self::write_metadata(&mut intent, fields);
        if verb == "capture" && intent["status"] == "succeeded" {
            self.tell("payment_intent.succeeded", &intent, now);
        }
        self.intents.insert(id.to_owned(), intent.clone());
        Ok(intent)
    }

    fn capture(&mut self, intent: &mut Value, fields: &Fields) -> Result<(), (u16, Value)> {
        let (held, taken) =
            (intent["amount_capturable"].as_i64().unwrap(), units(fields, "amount_to_capture"));
        if taken > held {
            return Err(error(400, "invalid_request_error", "amount_too_large"));
        }
        self.moved.taken += taken;
        let received = intent["amount_received"].as_i64().unwrap() + taken;
        intent["amount_received"] = received.into();
        let is_final = fields.get("final_capture").is_none_or(|word| word != "false");
        intent["amount_capturable"] = if is_final { 0 } else { held - taken }.into();
        if is_final {
            intent["status"] = "succeeded".into();
        }
        Ok(())
    }

    pub(crate) fn refund(&mut self, fields: &Fields, now: Timestamp) -> Answer {
        let id = fields.get("payment_intent").cloned().unwrap_or_default();
        let Some(intent) = self.intents.get(&id).cloned() else {
            return Err(error(404, "invalid_request_error", "resource_missing"));
        };
        let amount = units(fields, "amount");
        let before = self.refunds.iter().filter(|refund| refund["payment_intent"] == id.as_str());
        let before: i64 = before.map(|refund| refund["amount"].as_i64().unwrap()).sum();
        if before + amount > intent["amount_received"].as_i64().unwrap() {
            return Err(error(400, "invalid_request_error", "amount_too_large"));
        }
        let mut refund = json!({
            "id": self.new_id("re"), "object": "refund", "status": "succeeded", "amount": amount,
            "currency": intent["currency"], "payment_intent": id, "metadata": {},
        });
        Self::write_metadata(&mut refund, fields);
        self.moved.returned += amount;
        self.refunds.insert(0, refund.clone());
        self.tell("refund.created", &refund, now);
        Ok(refund)
    }
}
