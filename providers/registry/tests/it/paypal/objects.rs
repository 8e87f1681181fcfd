//! What the fake keeps, and what moves it.

use std::collections::BTreeMap;

use kernel::{Reply, Timestamp};
use provider_kit::conformance::{Moved, Wanted};
use serde_json::{Value, json};

/// The card numbers that behave so.
pub(crate) fn number(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Approved => "4111111111111111",
        Wanted::Declined => "4000000000009995",
        Wanted::Challenged => "4000000000003220",
        Wanted::Unmapped => "5555555555554444",
    }
}

/// An order, and where its payer comes back to.
pub(crate) struct Order {
    pub(crate) json: Value,
    return_url: String,
}

pub(crate) struct State {
    pub(crate) base: String,
    count: usize,
    pub(crate) moved: Moved,
    /// Bodies of notices that were not fetched yet.
    pub(crate) sent: Vec<Vec<u8>>,
    /// Card numbers by payment token.
    cards: BTreeMap<String, String>,
    pub(crate) orders: BTreeMap<String, Order>,
    /// Ours, which PayPal takes once.
    invoices: Vec<String>,
    /// By request id: what was asked, and what was answered.
    pub(crate) answers: BTreeMap<String, ((String, Vec<u8>), Reply)>,
}

pub(crate) type Answer = Result<Value, (u16, Value)>;

/// An error of PayPal's.
pub(crate) fn issue(status: u16, issue: &str) -> (u16, Value) {
    let name = if status == 404 { "RESOURCE_NOT_FOUND" } else { "UNPROCESSABLE_ENTITY" };
    let body = json!({
        "name": name, "message": "The requested action could not be performed.", "debug_id": "90957fca61718",
        "details": [{"issue": issue, "description": format!("because of {issue}")}], "links": [],
    });
    (status, body)
}

fn minor(amount: &Value) -> i64 {
    amount["value"].as_str().unwrap().replace('.', "").parse().unwrap()
}

fn value(minor: i64) -> Value {
    json!({"currency_code": "USD", "value": format!("{}.{:02}", minor / 100, minor % 100)})
}

impl State {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            count: 0,
            moved: Moved::default(),
            sent: Vec::new(),
            cards: BTreeMap::new(),
            orders: BTreeMap::new(),
            invoices: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn new_id(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{:08}", self.count)
    }

    fn tell(&mut self, kind: &str, resource: &Value, now: Timestamp) {
        let event = json!({
            "id": self.new_id("WH-"), "event_version": "1.0", "event_type": kind,
            "create_time": now.to_string(), "resource": resource, "links": [],
        });
        self.sent.push(serde_json::to_vec(&event).unwrap());
    }

    pub(crate) fn keep_card(&mut self, body: &Value) -> Value {
        let card = &body["payment_source"]["card"];
        let number = card["number"].as_str().unwrap().to_owned();
        let id = self.new_id("tk");
        let shown = shown_card(&number);
        self.cards.insert(id.clone(), number);
        json!({"id": id, "customer": {"id": "cust_1"}, "payment_source": {"card": shown}, "links": []})
    }

    /// Makes an order. A PayPal account that is to be asked is sent to its page.
    pub(crate) fn create(&mut self, body: &Value) -> Value {
        let id = self.new_id("5O19012785");
        let wallet = &body["payment_source"]["paypal"];
        let (status, rel) = if wallet.is_object() {
            ("PAYER_ACTION_REQUIRED", "payer-action")
        } else {
            ("CREATED", "approve")
        };
        let mut unit = body["purchase_units"][0].clone();
        unit["reference_id"] = "default".into();
        unit["payee"] = json!({"email_address": "owner@shop.example", "merchant_id": "QF5K2FNE3Q4KA"});
        let mut order = json!({
            "id": id, "status": status, "intent": body["intent"], "purchase_units": [unit],
            "create_time": "2026-11-21T10:00:00Z",
            "links": [
                {"href": format!("{}/v2/checkout/orders/{id}", self.base), "rel": "self", "method": "GET"},
                {"href": format!("{}/checkoutnow?token={id}", self.base), "rel": rel, "method": "GET"},
            ],
        });
        if wallet.is_object() {
            order["payment_source"] = json!({"paypal": {"attributes": wallet["attributes"]}});
        }
        let return_url = wallet["experience_context"]["return_url"].as_str().unwrap_or_default().to_owned();
        self.orders.insert(id, Order { json: order.clone(), return_url });
        order
    }

    /// The payer agrees, or passes the challenge; the answer is where the browser goes.
    pub(crate) fn approve(&mut self, id: &str, now: Timestamp) -> Result<String, String> {
        let order = self.orders.get_mut(id).ok_or("no such order")?;
        if order.json["status"] != "PAYER_ACTION_REQUIRED" {
            return Err(format!("it is {}", order.json["status"]));
        }
        order.json["status"] = "APPROVED".into();
        if order.json["payment_source"]["paypal"].is_object() {
            let source = &mut order.json["payment_source"]["paypal"];
            source["email_address"] = "ada@shop.example".into();
            source["name"] = json!({"given_name": "Ada", "surname": "Lovelace"});
            order.json["payer"] = json!({"email_address": "ada@shop.example", "payer_id": "QYR5Z8XDVJNXQ"});
        }
        let (json, url) = (order.json.clone(), order.return_url.clone());
        self.tell("CHECKOUT.ORDER.APPROVED", &json, now);
        let join = if url.contains('?') { '&' } else { '?' };
        Ok(format!("{url}{join}token={id}&PayerID=QYR5Z8XDVJNXQ"))
    }

    /// Captures or authorizes an order, once.
    pub(crate) fn complete(&mut self, id: &str, verb: &str, body: &Value, now: Timestamp) -> Answer {
        let missing = || issue(404, "INVALID_RESOURCE_ID");
        let mut order = self.orders.get(id).ok_or_else(missing)?.json.clone();
        let intent = if verb == "capture" { "CAPTURE" } else { "AUTHORIZE" };
        if order["intent"] != intent {
            return Err(issue(422, "ACTION_DOES_NOT_MATCH_INTENT"));
        }
        if order["status"] == "COMPLETED" {
            let word = if verb == "capture" { "ORDER_ALREADY_CAPTURED" } else { "ORDER_ALREADY_AUTHORIZED" };
            return Err(issue(422, word));
        }
        let source = &body["payment_source"];
        let wanted = if source["card"].is_object() {
            let token = source["card"]["vault_id"].as_str().unwrap_or_default();
            let number = self.cards.get(token).cloned().ok_or_else(|| issue(422, "TOKEN_ID_NOT_FOUND"))?;
            order["payment_source"] = json!({"card": shown_card(&number)});
            if let Some(url) = source["card"]["experience_context"]["return_url"].as_str() {
                url.clone_into(&mut self.orders.get_mut(id).unwrap().return_url);
            }
            let all = [Wanted::Approved, Wanted::Declined, Wanted::Challenged, Wanted::Unmapped];
            all.into_iter().find(|wanted| self::number(*wanted) == number).unwrap_or(Wanted::Approved)
        } else if source["paypal"]["vault_id"] == "vault-of-ada" || order["status"] == "APPROVED" {
            Wanted::Approved
        } else {
            return Err(issue(422, "ORDER_NOT_APPROVED"));
        };
        if wanted == Wanted::Challenged && order["status"] != "APPROVED" {
            order["status"] = "PAYER_ACTION_REQUIRED".into();
            order["links"][1]["rel"] = "payer-action".into();
            self.orders.get_mut(id).unwrap().json = order.clone();
            return Ok(order);
        }
        self.take_invoice(&order["purchase_units"][0]["invoice_id"])?;
        if order["payment_source"]["paypal"]["attributes"]["vault"]["store_in_vault"] == "ON_SUCCESS" {
            order["payment_source"]["paypal"]["attributes"]["vault"] = json!({
                "id": "vault-of-ada", "status": "VAULTED", "customer": {"id": "cust_1"},
            });
        }
        self.pay(&mut order, verb, wanted, now);
        self.orders.get_mut(id).unwrap().json = order.clone();
        Ok(order)
    }

    fn take_invoice(&mut self, invoice: &Value) -> Result<(), (u16, Value)> {
        let Some(invoice) = invoice.as_str() else { return Ok(()) };
        if self.invoices.iter().any(|known| known == invoice) {
            return Err(issue(422, "DUPLICATE_INVOICE_ID"));
        }
        self.invoices.push(invoice.to_owned());
        Ok(())
    }

    fn pay(&mut self, order: &mut Value, verb: &str, wanted: Wanted, now: Timestamp) {
        let unit = order["purchase_units"][0].clone();
        let (amount, order_id) = (minor(&unit["amount"]), order["id"].clone());
        let (kind, list) =
            if verb == "capture" { ("CAPTURE", "captures") } else { ("AUTHORIZATION", "authorizations") };
        let status = match (wanted, verb) {
            (Wanted::Unmapped, _) => "OF_NEXT_YEAR",
            (Wanted::Declined, "capture") => "DECLINED",
            (Wanted::Declined, _) => "DENIED",
            (_, "capture") => "COMPLETED",
            _ => "CREATED",
        };
        let mut made = json!({
            "id": self.new_id(if verb == "capture" { "3C67" } else { "0VF5" }), "status": status,
            "amount": unit["amount"], "custom_id": unit["custom_id"], "invoice_id": unit["invoice_id"],
            "final_capture": true, "create_time": now.to_string(),
            "network_transaction_reference": {"id": "104116621312232", "network": "VISA"},
            "supplementary_data": {"related_ids": {"order_id": order_id}},
            "seller_receivable_breakdown": {
                "gross_amount": unit["amount"], "paypal_fee": value(59), "net_amount": value(amount - 59),
            },
        });
        order["status"] = "COMPLETED".into();
        let is_done = matches!(wanted, Wanted::Approved | Wanted::Challenged);
        if wanted == Wanted::Declined {
            made["processor_response"] = json!({"response_code": "5120", "payment_advice_code": "02"});
        }
        if is_done {
            self.moved.approved += amount;
            self.moved.taken += if verb == "capture" { amount } else { 0 };
        }
        order["purchase_units"][0]["payments"] = json!({list: [made.clone()]});
        if wanted != Wanted::Unmapped {
            let word = match (is_done, verb) {
                (true, "capture") => "COMPLETED",
                (true, _) => "CREATED",
                (false, _) => "DENIED",
            };
            if is_done || verb == "capture" {
                self.tell(&format!("PAYMENT.{kind}.{word}"), &made, now);
            }
        }
    }

    /// Something that was done to an order, by its id.
    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<&Value> {
        let all = self
            .orders
            .values()
            .filter_map(|order| order.json["purchase_units"][0]["payments"][kind].as_array());
        all.flatten().find(|made| made["id"] == id)
    }

    fn order_with(&self, kind: &str, id: &str) -> Result<String, (u16, Value)> {
        let has = |order: &Order| {
            let made = order.json["purchase_units"][0]["payments"][kind].as_array();
            made.is_some_and(|made| made.iter().any(|made| made["id"] == id))
        };
        let found = self.orders.iter().find(|(_, order)| has(order));
        found.map(|(id, _)| id.clone()).ok_or_else(|| issue(404, "INVALID_RESOURCE_ID"))
    }

    fn change(&mut self, order: &str, kind: &str, id: &str, change: impl Fn(&mut Value)) {
        let payments = &mut self.orders.get_mut(order).unwrap().json["purchase_units"][0]["payments"];
        payments[kind].as_array_mut().unwrap().iter_mut().filter(|made| made["id"] == id).for_each(change);
    }

    fn add(&mut self, order: &str, kind: &str, made: &Value) {
        let payments = &mut self.orders.get_mut(order).unwrap().json["purchase_units"][0]["payments"];
        if payments[kind].is_null() {
            payments[kind] = json!([]);
        }
        payments[kind].as_array_mut().unwrap().push(made.clone());
    }

    fn sum(&self, order: &str, kind: &str) -> i64 {
        let made = self.orders[order].json["purchase_units"][0]["payments"][kind].as_array();
        made.map_or(0, |made| made.iter().map(|made| minor(&made["amount"])).sum())
    }

    pub(crate) fn capture(&mut self, id: &str, body: &Value, now: Timestamp) -> Answer {
        let order = self.order_with("authorizations", id)?;
        let held = self.find("authorizations", id).unwrap().clone();
        if !["CREATED", "PARTIALLY_CAPTURED"].contains(&held["status"].as_str().unwrap()) {
            return Err(issue(422, "AUTHORIZATION_ALREADY_CAPTURED"));
        }
        let amount = minor(&body["amount"]);
        if self.sum(&order, "captures") + amount > minor(&held["amount"]) {
            return Err(issue(422, "MAX_CAPTURE_AMOUNT_EXCEEDED"));
        }
        self.take_invoice(&body["invoice_id"])?;
        let is_final = body["final_capture"] == true;
        let taken = json!({
            "id": self.new_id("2GG2"), "status": "COMPLETED", "amount": body["amount"],
            "custom_id": held["custom_id"], "invoice_id": body["invoice_id"], "final_capture": is_final,
            "supplementary_data": {"related_ids": {"order_id": order, "authorization_id": id}},
            "seller_receivable_breakdown": {"paypal_fee": value(30)},
        });
        self.moved.taken += amount;
        self.add(&order, "captures", &taken);
        let status = if is_final { "CAPTURED" } else { "PARTIALLY_CAPTURED" };
        self.change(&order, "authorizations", id, |held| held["status"] = status.into());
        self.tell("PAYMENT.CAPTURE.COMPLETED", &taken, now);
        Ok(taken)
    }

    pub(crate) fn void(&mut self, id: &str) -> Answer {
        let order = self.order_with("authorizations", id)?;
        let status = self.find("authorizations", id).unwrap()["status"].clone();
        match status.as_str().unwrap() {
            "VOIDED" => return Err(issue(422, "PREVIOUSLY_VOIDED")),
            "CAPTURED" => return Err(issue(422, "AUTHORIZATION_ALREADY_CAPTURED")),
            _ => {}
        }
        self.change(&order, "authorizations", id, |held| held["status"] = "VOIDED".into());
        Ok(self.find("authorizations", id).unwrap().clone())
    }

    pub(crate) fn refund(&mut self, id: &str, body: &Value, now: Timestamp) -> Answer {
        let order = self.order_with("captures", id)?;
        let taken = self.find("captures", id).unwrap().clone();
        // Without an amount all that is left goes back.
        let up = format!("{}/v2/payments/captures/{id}", self.base);
        let of_it = |refund: &&Value| refund["links"][1]["href"] == up.as_str();
        let refunds = self.orders[&order].json["purchase_units"][0]["payments"]["refunds"].as_array();
        let given: i64 = refunds
            .map_or(0, |refunds| refunds.iter().filter(of_it).map(|refund| minor(&refund["amount"])).sum());
        let whole = minor(&taken["amount"]);
        let amount = if body["amount"].is_object() { minor(&body["amount"]) } else { whole - given };
        if given + amount > whole {
            return Err(issue(422, "REFUND_AMOUNT_EXCEEDED"));
        }
        let refund_id = self.new_id("1JU0");
        let own = format!("{}/v2/payments/refunds/{refund_id}", self.base);
        let refund = json!({
            "id": refund_id, "status": "COMPLETED", "amount": value(amount),
            "custom_id": body["custom_id"], "invoice_id": body["invoice_id"],
            "note_to_payer": body["note_to_payer"],
            "links": [
                {"rel": "self", "method": "GET", "href": own},
                {"rel": "up", "method": "GET", "href": up},
            ],
        });
        self.moved.returned += amount;
        self.add(&order, "refunds", &refund);
        let status = if given + amount == whole { "REFUNDED" } else { "PARTIALLY_REFUNDED" };
        self.change(&order, "captures", id, |taken| taken["status"] = status.into());
        self.tell("PAYMENT.CAPTURE.REFUNDED", &refund, now);
        Ok(refund)
    }

    pub(crate) fn dispute(&mut self, order: &str, now: Timestamp) -> Result<(), String> {
        let order = self.orders.get(order).ok_or("no such order")?.json.clone();
        let taken = &order["purchase_units"][0]["payments"]["captures"][0];
        let dispute = json!({
            "dispute_id": self.new_id("PP-D-"), "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "WAITING_FOR_SELLER_RESPONSE", "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_amount": taken["amount"],
            "disputed_transactions": [{
                "seller_transaction_id": taken["id"], "buyer": {"name": "Ada Lovelace"},
            }],
        });
        self.tell("CUSTOMER.DISPUTE.CREATED", &dispute, now);
        Ok(())
    }
}

fn shown_card(number: &str) -> Value {
    json!({
        "name": "Ada Lovelace", "brand": "VISA", "last_digits": number.get(number.len() - 4..),
        "expiry": "2030-12",
        "bin_details": {"bin": number.get(..6), "issuing_bank": "BANK OF EXAMPLE", "bin_country_code": "US"},
    })
}
