//! The fake's objects: orders, payments that try to pay them, refunds, disputes, and what is told of them.

use std::collections::BTreeMap;

use kernel::{Reply, Timestamp};
use provider_kit::conformance::{Moved, Wanted};
use provider_kit::signing;
use serde_json::{Value, json};

use super::KEY_SECRET;

/// A body, or a refusal with its status.
pub(super) type Answer = Result<Value, (u16, Value)>;

pub(super) const CUSTOMER: &str = "cust_1Aa00000000001";

/// The stored cards, by how they behave.
pub(super) fn token(wanted: Wanted) -> Option<&'static str> {
    match wanted {
        Wanted::Approved => Some("token_good"),
        Wanted::Declined => Some("token_poor"),
        Wanted::Unmapped => Some("token_odd"),
        // Nobody is there to be asked.
        Wanted::Challenged => None,
    }
}

pub(super) fn error(description: &str, reason: &str) -> (u16, Value) {
    let source = if reason == "NA" { "NA" } else { "business" };
    failure(description, reason, source, "payment_initiation")
}

fn failure(description: &str, reason: &str, source: &str, step: &str) -> (u16, Value) {
    let body = json!({"error": {
        "code": "BAD_REQUEST_ERROR", "description": description, "source": source, "step": step,
        "reason": reason, "metadata": {},
    }});
    (400, body)
}

pub(crate) struct State {
    pub(super) base: String,
    pub(super) orders: BTreeMap<String, Value>,
    pub(super) payments: BTreeMap<String, Value>,
    pub(super) refunds: BTreeMap<String, Value>,
    /// How an order's payments are captured, which the order does not show.
    captures: BTreeMap<String, String>,
    callbacks: BTreeMap<String, String>,
    /// By a refund's key.
    pub(super) answers: BTreeMap<String, ((String, Vec<u8>), Reply)>,
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) moved: Moved,
    count: std::cell::Cell<usize>,
}

impl State {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            captures: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            answers: BTreeMap::new(),
            sent: Vec::new(),
            moved: Moved::default(),
            count: std::cell::Cell::new(0),
        }
    }

    pub(super) fn new_id(&self, prefix: &str) -> String {
        self.count.set(self.count.get() + 1);
        format!("{prefix}IluGWx{:08}", self.count.get())
    }

    fn tell(&mut self, kind: &str, entities: &[(&str, &Value)], now: Timestamp) {
        let payload: BTreeMap<&str, Value> =
            entities.iter().map(|(name, entity)| (*name, json!({"entity": entity}))).collect();
        let event = json!({
            "entity": "event", "account_id": "acc_BFQ7uQEaa7j2z7", "event": kind,
            "contains": payload.keys().collect::<Vec<_>>(), "payload": payload,
            "created_at": now.as_seconds(),
        });
        self.sent.push(serde_json::to_vec(&event).unwrap());
    }

    pub(super) fn customer(&mut self, body: &Value) -> Value {
        json!({"id": self.new_id("cust_"), "entity": "customer", "notes": body["notes"]})
    }

    pub(super) fn order(&mut self, body: &Value, now: Timestamp) -> Answer {
        let amount = body["amount"].as_i64().unwrap_or_default();
        if amount < 100 && body["currency"] == "INR" {
            let text = "Order amount less than minimum amount allowed";
            return Err(error(text, "input_validation_failed"));
        }
        assert!(body["receipt"].as_str().is_none_or(|receipt| receipt.len() <= 40));
        let id = self.new_id("order_");
        let order = json!({
            "id": id, "entity": "order", "amount": amount, "amount_paid": 0, "amount_due": amount,
            "currency": body["currency"], "receipt": body["receipt"], "offer_id": null, "status": "created",
            "attempts": 0, "notes": if body["notes"].is_null() { json!([]) } else { body["notes"].clone() },
            "created_at": now.as_seconds(),
        });
        let capture = body["payment"]["capture"].as_str().unwrap_or("automatic");
        self.captures.insert(id.clone(), capture.to_owned());
        self.orders.insert(id, order.clone());
        Ok(order)
    }

    /// Begins a payment of an order that is not paid yet.
    fn payment(&mut self, body: &Value, method: &str, now: Timestamp) -> Result<String, (u16, Value)> {
        let order_id = body["order_id"].as_str().unwrap_or_default().to_owned();
        let Some(order) = self.orders.get_mut(&order_id) else {
            return Err(error("The id provided does not exist", "invalid_order_id"));
        };
        if order["status"] == "paid" {
            return Err(error(
                "Your payment has been declined as the order is already paid.",
                "order_already_paid",
            ));
        }
        if order["amount"] != body["amount"] || order["currency"] != body["currency"] {
            return Err(error("Amount differs from the order's", "order_amount_mismatch"));
        }
        order["status"] = "attempted".into();
        order["attempts"] = (order["attempts"].as_i64().unwrap() + 1).into();
        let id = self.new_id("pay_");
        let payment = json!({
            "id": id, "entity": "payment", "amount": body["amount"], "currency": body["currency"],
            "status": "created", "order_id": order_id, "invoice_id": null, "international": false,
            "method": method, "amount_refunded": 0, "refund_status": null, "captured": false,
            "description": body["description"], "card_id": null, "bank": null, "wallet": null,
            "vpa": "ada@exampleupi", "email": "ada@shop.example", "contact": "+919876543210",
            "notes": body["notes"], "fee": null, "tax": null, "error_code": null, "error_description": null,
            "error_source": null, "error_step": null, "error_reason": null, "acquirer_data": {},
            "created_at": now.as_seconds(),
        });
        self.payments.insert(id.clone(), payment);
        Ok(id)
    }

    /// Begins a payment that its payer must finish.
    pub(super) fn begin(&mut self, body: &Value, now: Timestamp) -> Answer {
        for field in ["email", "contact", "order_id", "amount", "currency", "method"] {
            if body[field].is_null() {
                return Err(error(&format!("The {field} field is required."), "input_validation_failed"));
            }
        }
        let method = body["method"].as_str().unwrap_or_default().to_owned();
        let id = self.payment(body, &method, now)?;
        self.callbacks.insert(id.clone(), body["callback_url"].as_str().unwrap_or_default().to_owned());
        let named = [&body["bank"], &body["wallet"], &body["provider_name"], &body["upi"]["vpa"]];
        let is_poor = named.iter().any(|name| **name == "poor" || **name == "failure@razorpay");
        self.payments.get_mut(&id).unwrap()["notes"]["is_poor"] = is_poor.into();
        let poll = json!({"action": "poll", "url": format!("{}/v1/payments/{id}/status", self.base)});
        let next = match (method.as_str(), body["upi"]["flow"].as_str()) {
            ("upi", Some("collect")) => {
                assert!(body["upi"]["expiry_time"].as_i64().is_some_and(|minutes| minutes >= 1));
                // The payer answers in the app, within a moment.
                self.decide(&id, now).unwrap();
                json!([poll])
            }
            ("upi", _) => {
                let amount = body["amount"].as_i64().unwrap();
                let rupees = format!("{}.{:02}", amount / 100, amount % 100);
                let url = format!("upi://pay?pa=shop@razorpay&pn=Shop&tr={id}&am={rupees}&cu=INR");
                json!([{"action": "intent", "url": url}, poll])
            }
            _ => json!([{"action": "redirect", "url": format!("{}/v1/payments/{id}/authorize", self.base)}]),
        };
        Ok(json!({"razorpay_payment_id": id, "next": next}))
    }

    /// Charges a stored card, with nobody there.
    pub(super) fn recurring(&mut self, body: &Value, now: Timestamp) -> Answer {
        for field in ["email", "contact", "customer_id", "token"] {
            if body[field].is_null() {
                return Err(error(&format!("The {field} field is required."), "input_validation_failed"));
            }
        }
        let id = self.payment(body, "card", now)?;
        let payment = self.payments.get_mut(&id).unwrap();
        payment["card"] = json!({
            "id": "card_1", "entity": "card", "name": "Ada Lovelace", "last4": "1111", "network": "Visa",
            "type": "credit", "issuer": "UTIB",
        });
        payment["customer_id"] = body["customer_id"].clone();
        payment["token_id"] = body["token"].clone();
        match body["token"].as_str() {
            Some("token_poor") => {
                self.fail(&id, "insufficient_funds", now);
                let text = "Your payment could not be completed due to insufficient account balance.";
                return Err(failure(text, "insufficient_funds", "customer", "payment_authorization"));
            }
            Some("token_odd") => payment["status"] = "of_next_year".into(),
            _ => self.authorize(&id, now),
        }
        let order = body["order_id"].as_str().unwrap_or_default();
        let signature = signature(order, &id);
        Ok(json!({"razorpay_payment_id": id, "razorpay_order_id": order, "razorpay_signature": signature}))
    }

    fn fail(&mut self, id: &str, reason: &str, now: Timestamp) {
        let payment = self.payments.get_mut(id).unwrap();
        for (name, value) in [
            ("status", "failed"),
            ("error_code", "BAD_REQUEST_ERROR"),
            ("error_description", "It was declined, says ada@shop.example"),
            ("error_source", "customer"),
            ("error_step", "payment_authorization"),
            ("error_reason", reason),
        ] {
            payment[name] = value.into();
        }
        let payment = payment.clone();
        self.tell("payment.failed", &[("payment", &payment)], now);
    }

    /// The bank holds the money; Razorpay takes it where the order says so.
    fn authorize(&mut self, id: &str, now: Timestamp) {
        let payment = self.payments.get_mut(id).unwrap();
        payment["status"] = "authorized".into();
        payment["acquirer_data"] = json!({"rrn": "033814379298", "auth_code": "541898"});
        let payment = payment.clone();
        self.moved.approved += payment["amount"].as_i64().unwrap();
        self.tell("payment.authorized", &[("payment", &payment)], now);
        if self.captures[payment["order_id"].as_str().unwrap()] == "automatic" {
            self.take(id, now);
        }
    }

    fn take(&mut self, id: &str, now: Timestamp) {
        let payment = self.payments.get_mut(id).unwrap();
        let amount = payment["amount"].as_i64().unwrap();
        payment["status"] = "captured".into();
        payment["captured"] = true.into();
        payment["fee"] = (amount * 236 / 10_000).into();
        payment["tax"] = (amount * 36 / 10_000).into();
        let payment = payment.clone();
        let order = self.orders.get_mut(payment["order_id"].as_str().unwrap()).unwrap();
        order["status"] = "paid".into();
        order["amount_paid"] = amount.into();
        order["amount_due"] = 0.into();
        let order = order.clone();
        self.moved.taken += amount;
        self.tell("payment.captured", &[("payment", &payment)], now);
        self.tell("order.paid", &[("order", &order), ("payment", &payment)], now);
    }

    /// The payer of a payment that was begun decides.
    pub(crate) fn decide(&mut self, id: &str, now: Timestamp) -> Result<(), String> {
        let payment = self.payments.get(id).ok_or_else(|| format!("no payment {id}"))?;
        if payment["status"] != "created" {
            return Err(format!("it is {}", payment["status"]));
        }
        if payment["notes"]["is_poor"] == true {
            self.fail(id, "payment_cancelled", now);
        } else {
            self.authorize(id, now);
        }
        Ok(())
    }

    /// What Razorpay's page sends the browser on with.
    pub(crate) fn callback(&self, id: &str) -> Value {
        let payment = &self.payments[id];
        let order = payment["order_id"].as_str().unwrap();
        json!({
            "callback_url": self.callbacks.get(id),
            "razorpay_payment_id": id, "razorpay_order_id": order,
            "razorpay_signature": signature(order, id),
        })
    }

    /// The payer pays on Razorpay's page: after a first try that fails.
    pub(crate) fn checkout(
        &mut self,
        fields: &BTreeMap<String, String>,
        method: &str,
        now: Timestamp,
    ) -> Result<Value, String> {
        let field = |name: &str| fields.get(name).ok_or_else(|| format!("no {name}"));
        if field("key_id")? != super::KEY_ID {
            return Err("whose key is that?".to_owned());
        }
        field("name")?;
        let callback = field("callback_url")?.clone();
        let amount: i64 = field("amount")?.parse().map_err(|_| "no amount")?;
        let body = json!({
            "order_id": field("order_id")?, "amount": amount, "currency": field("currency")?, "notes": {},
        });
        let said = |(_, body): (u16, Value)| body["error"]["description"].to_string();
        if method == "fail" {
            let id = self.payment(&body, "card", now).map_err(said)?;
            self.fail(&id, "incorrect_otp", now);
            return Ok(json!({"callback_url": callback, "error": {"code": "BAD_REQUEST_ERROR"}}));
        }
        let tried = self.payment(&body, "card", now).map_err(said)?;
        self.fail(&tried, "incorrect_otp", now);
        let id = self.payment(&body, method, now).map_err(said)?;
        self.callbacks.insert(id.clone(), callback);
        if let (Some(customer), Some(_)) = (fields.get("customer_id"), fields.get("recurring")) {
            let payment = self.payments.get_mut(&id).unwrap();
            payment["customer_id"] = customer.as_str().into();
            payment["token_id"] = "token_good".into();
        }
        self.authorize(&id, now);
        Ok(self.callback(&id))
    }

    pub(super) fn capture(&mut self, id: &str, body: &Value, now: Timestamp) -> Answer {
        let missing = || error("The id provided does not exist", "input_validation_failed");
        let payment = self.payments.get(id).ok_or_else(missing)?.clone();
        let order = &self.orders[payment["order_id"].as_str().unwrap()];
        if payment["status"] == "captured" || order["status"] == "paid" {
            let text = "This payment has already been captured";
            return Err(error(text, "order_already_paid"));
        }
        if payment["status"] != "authorized" {
            return Err(error("The payment is not authorized", "input_validation_failed"));
        }
        if payment["amount"] != body["amount"] || payment["currency"] != body["currency"] {
            let text = "Capture amount must be equal to the amount authorized";
            return Err(error(text, "input_validation_failed"));
        }
        self.take(id, now);
        Ok(self.payments[id].clone())
    }

    pub(super) fn refund(&mut self, id: &str, body: &Value, now: Timestamp) -> Answer {
        let missing = || error("The id provided does not exist", "input_validation_failed");
        let payment = self.payments.get_mut(id).ok_or_else(missing)?;
        if payment["status"] != "captured" {
            let text = if payment["status"] == "refunded" {
                "The payment has been fully refunded already."
            } else {
                "The payment status should be captured for action to be taken"
            };
            return Err(error(text, "NA"));
        }
        let (whole, given) =
            (payment["amount"].as_i64().unwrap(), payment["amount_refunded"].as_i64().unwrap());
        // Without an amount all that is left goes back; Razorpay's own libraries write it as a text.
        let asked = &body["amount"];
        let asked = asked.as_i64().or_else(|| asked.as_str().and_then(|text| text.parse().ok()));
        let amount = asked.unwrap_or(whole - given);
        if given + amount > whole {
            return Err(error("The refund amount provided is greater than amount captured", "NA"));
        }
        payment["amount_refunded"] = (given + amount).into();
        let is_all = given + amount == whole;
        payment["refund_status"] = if is_all { "full" } else { "partial" }.into();
        if is_all {
            payment["status"] = "refunded".into();
        }
        let payment = payment.clone();
        let refund_id = self.new_id("rfnd_");
        let speed = body["speed"].as_str().unwrap_or("normal");
        let refund = json!({
            "id": refund_id, "entity": "refund", "amount": amount, "currency": payment["currency"],
            "payment_id": id, "notes": body["notes"], "receipt": body["receipt"],
            "acquirer_data": {"arn": null}, "created_at": now.as_seconds(), "batch_id": null,
            "status": "processed", "speed_processed": "normal", "speed_requested": speed,
        });
        self.refunds.insert(refund_id, refund.clone());
        self.moved.returned += amount;
        for kind in ["refund.created", "refund.processed"] {
            self.tell(kind, &[("refund", &refund), ("payment", &payment)], now);
        }
        Ok(refund)
    }

    pub(crate) fn dispute(&mut self, order: &str, word: &str, now: Timestamp) -> Result<(), String> {
        let paid = |payment: &&Value| payment["order_id"] == order && payment["captured"] == true;
        let payment = self.payments.values().find(paid).ok_or("nobody paid it")?.clone();
        let status = match word {
            "created" => "open",
            other => other,
        };
        let dispute = json!({
            "id": format!("disp_{}", order.trim_start_matches("order_")), "entity": "dispute",
            "payment_id": payment["id"], "amount": payment["amount"], "currency": payment["currency"],
            "amount_deducted": if word == "lost" { payment["amount"].clone() } else { 0.into() },
            "reason_code": "goods_or_services_not_received", "respond_by": now.as_seconds() + 600_000,
            "status": status, "phase": "chargeback", "created_at": now.as_seconds(),
        });
        self.tell(&format!("payment.dispute.{word}"), &[("payment", &payment), ("dispute", &dispute)], now);
        Ok(())
    }
}

/// Of a payment, as Razorpay's page and API sign it.
fn signature(order: &str, payment: &str) -> String {
    signing::hmac_sha256_hex(KEY_SECRET.as_bytes(), &[order.as_bytes(), b"|", payment.as_bytes()])
}
