//! Requests to PayPal, one function each. The same call makes the same bytes.

use kernel::{Auth, Effect, Method, Request};
use provider_kit::{CaptureMode, Charge, Initiator, Instrument, ProviderAccount, ThreeDSecure, Tokenize};
use serde_json::{Value as Json, json};

use crate::amount::Value;
use crate::profile::{CLIENT_ID, CLIENT_SECRET};

const LIVE: &str = "https://api-m.paypal.com";
const SANDBOX: &str = "https://api-m.sandbox.paypal.com";

/// Longer descriptions are cut: PayPal refuses them.
const DESCRIPTION_MAX: usize = 127;

/// The address of the API that an account uses.
pub(crate) fn base(account: &ProviderAccount) -> &str {
    let own = account.setting("base_url").trim_end_matches('/');
    match own {
        "" if account.setting("environment") == "sandbox" => SANDBOX,
        "" => LIVE,
        own => own,
    }
}

/// Whose call, and under which reference.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) account: &'a ProviderAccount,
    pub(crate) reference: &'a str,
}

impl Way<'_> {
    fn request(&self, step: &'static str, method: Method, path: &str, effect: Effect) -> Request {
        let base = base(self.account);
        Request {
            step,
            key: format!("{}-{step}", self.reference),
            effect,
            method,
            url: format!("{base}{path}"),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
            auth: Auth::OAuth {
                client_id: CLIENT_ID,
                client_secret: CLIENT_SECRET,
                token_url: format!("{base}/v1/oauth2/token"),
            },
            carries_card: false,
        }
    }

    fn get(&self, step: &'static str, path: &str) -> Request {
        self.request(step, Method::Get, path, Effect::Read)
    }

    fn post(&self, step: &'static str, path: &str, body: &Json) -> Request {
        let mut request = self.request(step, Method::Post, path, Effect::Repeatable);
        for (name, value) in [
            ("content-type", "application/json"),
            // The whole object, not its id alone.
            ("prefer", "return=representation"),
            ("paypal-request-id", &request.key.clone()),
        ] {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        request.body = body.to_string().into_bytes();
        request
    }

    /// Makes PayPal keep a card. Nothing can be charged by it alone, and without a request id: a payment that
    /// is tried with a second card has the same reference.
    pub(crate) fn tokenize(&self, call: &Tokenize) -> Request {
        let card = &call.card;
        let mut body = json!({
            "number": card.number.digits().expose().as_str(),
            "expiry": format!("{:04}-{:02}", card.exp_year, card.exp_month),
        });
        if let Some(cvc) = &card.cvc {
            put(&mut body, "security_code", cvc.expose().as_str());
        }
        if let Some(holder) = &card.holder {
            put(&mut body, "name", holder.expose().as_str());
        }
        let body = json!({"payment_source": {"card": body}});
        let mut request = self.post("tokenize", "/v3/vault/payment-tokens", &body);
        request.headers.retain(|(name, _)| name != "paypal-request-id");
        Request { effect: Effect::Read, carries_card: true, ..request }
    }

    /// Makes an order. It moves nothing before it is captured or authorized, which only we can ask for, and
    /// under its key the same order is answered again: there is nothing to find out about it after a crash.
    pub(crate) fn order(&self, call: &Charge, amount: &Value) -> Request {
        let intent = match call.capture {
            CaptureMode::Automatic => "CAPTURE",
            CaptureMode::Manual => "AUTHORIZE",
        };
        let mut unit = json!({
            "custom_id": self.reference,
            "invoice_id": self.reference,
            "amount": amount,
        });
        if let Some(description) = call.description.as_deref() {
            put(&mut unit, "description", description.chars().take(DESCRIPTION_MAX).collect::<String>());
        }
        let mut body = json!({"intent": intent, "purchase_units": [unit]});
        if matches!(call.instrument, Instrument::Paypal { token: None }) {
            put(&mut body, "payment_source", json!({"paypal": self.wallet(call)}));
        }
        Request { effect: Effect::Read, ..self.post("order", "/v2/checkout/orders", &body) }
    }

    /// A PayPal account whose owner is asked.
    fn wallet(&self, call: &Charge) -> Json {
        let mut context = json!({
            "return_url": call.return_url,
            "cancel_url": call.return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        });
        let brand = self.account.setting("brand_name");
        if !brand.is_empty() {
            put(&mut context, "brand_name", brand);
        }
        let mut wallet = json!({"experience_context": context});
        if call.stores_credential {
            put(
                &mut wallet,
                "attributes",
                json!({"vault": {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}}),
            );
        }
        wallet
    }

    /// Holds or takes the money of an order, by what was stored.
    pub(crate) fn pay(&self, order: &str, call: &Charge) -> Option<Request> {
        let source = match &call.instrument {
            Instrument::CardToken { token } => json!({"card": card(token, call)}),
            Instrument::Paypal { token: Some(token) } => json!({"paypal": stored_wallet(token, call)}),
            Instrument::Paypal { token: None } | Instrument::Upi { .. } | Instrument::Hosted { .. } => {
                return None;
            }
        };
        Some(self.post("pay", &completion(order, call.capture), &json!({"payment_source": source})))
    }

    /// Holds or takes the money of an order that its payer approved.
    pub(crate) fn finish(&self, order: &str, call: &Charge) -> Request {
        self.post("finish", &completion(order, call.capture), &json!({}))
    }

    /// Reads an order, with what was done to it.
    pub(crate) fn read(&self, order: &str) -> Request {
        self.get("read", &format!("/v2/checkout/orders/{}", escaped(order)))
    }

    /// Takes held money.
    pub(crate) fn capture(&self, authorization: &str, amount: &Value, is_final: bool) -> Request {
        let path = format!("/v2/payments/authorizations/{}/capture", escaped(authorization));
        let body = json!({"amount": amount, "invoice_id": self.reference, "final_capture": is_final});
        self.post("capture", &path, &body)
    }

    /// Releases held money.
    pub(crate) fn void(&self, authorization: &str) -> Request {
        let path = format!("/v2/payments/authorizations/{}/void", escaped(authorization));
        let mut request = self.post("void", &path, &json!({}));
        request.body = Vec::new();
        request
    }

    /// Gives taken money back. `step` is `refund`, or `undo` of a charge that should not be.
    pub(crate) fn refund(
        &self,
        step: &'static str,
        capture: &str,
        amount: &Value,
        note: Option<&str>,
    ) -> Request {
        let path = format!("/v2/payments/captures/{}/refund", escaped(capture));
        let mut body = json!({"amount": amount, "custom_id": self.reference, "invoice_id": self.reference});
        if let Some(note) = note {
            put(&mut body, "note_to_payer", note.chars().take(255).collect::<String>());
        }
        self.post(step, &path, &body)
    }

    /// One refund.
    pub(crate) fn one_refund(&self, id: &str) -> Request {
        self.get("one_refund", &format!("/v2/payments/refunds/{}", escaped(id)))
    }

    /// One capture.
    pub(crate) fn taken(&self, id: &str) -> Request {
        self.get("taken", &format!("/v2/payments/captures/{}", escaped(id)))
    }

    /// Our endpoints for notices.
    pub(crate) fn webhooks(&self) -> Request {
        self.get("webhooks", "/v1/notifications/webhooks")
    }

    /// The certificate that a notice is signed under: public, and asked for without saying who asks.
    pub(crate) fn certificate(&self, url: &str) -> Request {
        let request = self.request("certificate", Method::Get, "", Effect::Read);
        Request { url: url.to_owned(), auth: Auth::None, headers: Vec::new(), ..request }
    }
}

/// Adds a field to an object.
fn put(object: &mut Json, name: &str, value: impl Into<Json>) {
    if let Json::Object(fields) = object {
        fields.insert(name.to_owned(), value.into());
    }
}

fn completion(order: &str, capture: CaptureMode) -> String {
    let verb = match capture {
        CaptureMode::Automatic => "capture",
        CaptureMode::Manual => "authorize",
    };
    format!("/v2/checkout/orders/{}/{verb}", escaped(order))
}

/// A card that PayPal keeps.
fn card(token: &str, call: &Charge) -> Json {
    let mut card = json!({"vault_id": token});
    match &call.initiator {
        Initiator::Customer => {
            let method = match call.three_d_secure {
                ThreeDSecure::Automatic => "SCA_WHEN_REQUIRED",
                ThreeDSecure::Required => "SCA_ALWAYS",
            };
            put(&mut card, "attributes", json!({"verification": {"method": method}}));
            put(
                &mut card,
                "experience_context",
                json!({"return_url": call.return_url, "cancel_url": call.return_url}),
            );
            if call.stores_credential {
                put(
                    &mut card,
                    "stored_credential",
                    json!({"payment_initiator": "CUSTOMER", "payment_type": "ONE_TIME", "usage": "FIRST"}),
                );
            }
        }
        Initiator::Merchant { network_transaction_id } => {
            let mut stored = json!({
                "payment_initiator": "MERCHANT", "payment_type": "UNSCHEDULED", "usage": "SUBSEQUENT",
            });
            if let Some(link) = network_transaction_id {
                put(&mut stored, "previous_network_transaction_reference", json!({"id": link}));
            }
            put(&mut card, "stored_credential", stored);
        }
    }
    card
}

/// A PayPal account whose owner agreed before.
fn stored_wallet(token: &str, call: &Charge) -> Json {
    let mut wallet = json!({"vault_id": token});
    if !call.initiator.is_customer() {
        put(
            &mut wallet,
            "stored_credential",
            json!({"payment_initiator": "MERCHANT", "usage": "SUBSEQUENT"}),
        );
    }
    wallet
}

/// An id as part of a path: tokens come from merchants. PayPal's are letters, digits, `-` and `_`; anything
/// else is percent-encoded (RFC 3986).
fn escaped(id: &str) -> String {
    let mut path = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push_str(&provider_kit::signing::hex(&[byte]).to_ascii_uppercase());
        }
    }
    path
}
