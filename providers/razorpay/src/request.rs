//! Requests to Razorpay, one function each. The same call makes the same bytes.

use kernel::{Auth, Currency, Effect, Method, Request, Timestamp};
use provider_kit::{CaptureMode, Charge, Instrument, MethodKind, ProviderAccount};
use serde_json::{Value as Json, json};

use crate::profile::{CHARGED_MINUTES, CONSENT_MINUTES, HELD_MINUTES, KEY_ID, KEY_SECRET};

const LIVE: &str = "https://api.razorpay.com";

/// Longer descriptions are cut.
const DESCRIPTION_MAX: usize = 255;

/// Razorpay's longest note, in characters.
const NOTE_MAX: usize = 256;

/// How many of a list are asked for at once, the most that Razorpay gives.
pub(crate) const LIST_MAX: usize = 100;

/// Up to so much a stored card is charged without its owner, in paise: above it the Reserve Bank of India
/// asks for them.
const MANDATE_MOST: i64 = 1_500_000;

/// For how long a payer agrees to later charges, in seconds: ten years.
const MANDATE_SECONDS: i64 = 10 * 365 * 24 * 60 * 60;

/// The names of our notes on an order: what a look-up must know of the charge.
pub(crate) mod note {
    /// Our reference.
    pub(crate) const REFERENCE: &str = "florin_reference";
    /// `automatic` or `manual`.
    pub(crate) const CAPTURE: &str = "florin_capture";
    /// How it is paid: see [`super::way`].
    pub(crate) const WAY: &str = "florin_way";
    /// Where the payer's browser goes afterwards.
    pub(crate) const RETURN: &str = "florin_return";
    /// Which method Razorpay's page shows.
    pub(crate) const METHOD: &str = "florin_method";
    /// Whose saved methods it shows.
    pub(crate) const CUSTOMER: &str = "florin_customer";
    /// The method is being saved.
    pub(crate) const SAVES: &str = "florin_saves";
}

/// The ways in which an order is paid.
pub(crate) mod way {
    /// On Razorpay's page, in as many tries as the payer likes.
    pub(crate) const PAGE: &str = "page";
    /// In one try that we begin and the payer finishes.
    pub(crate) const ASKED: &str = "asked";
    /// In one try with a stored method, without the payer.
    pub(crate) const CHARGED: &str = "charged";
}

/// The address of the API that an account uses.
pub(crate) fn base(account: &ProviderAccount) -> &str {
    let own = account.setting("base_url").trim_end_matches('/');
    if own.is_empty() { LIVE } else { own }
}

/// Whether an account has what Razorpay wants to know of a payer whom we begin a payment for.
pub(crate) fn knows_payer(account: &ProviderAccount) -> bool {
    !account.setting("payer_email").is_empty() && !account.setting("payer_contact").is_empty()
}

/// The customer and the token of a stored method.
pub(crate) fn stored(token: &str) -> Option<(&str, &str)> {
    token.split_once('/').filter(|(customer, token)| !customer.is_empty() && !token.is_empty())
}

/// How a charge is paid.
pub(crate) fn way_of(account: &ProviderAccount, call: &Charge) -> &'static str {
    match &call.instrument {
        Instrument::CardToken { .. } if !call.initiator.is_customer() => way::CHARGED,
        _ if call.stores_credential || !knows_payer(account) => way::PAGE,
        Instrument::Upi { .. }
        | Instrument::Hosted { method: MethodKind::Emi, .. }
        | Instrument::Hosted { method: MethodKind::NetBanking | MethodKind::Wallet, at: Some(_) } => {
            way::ASKED
        }
        _ => way::PAGE,
    }
}

/// Razorpay's word for a method.
pub(crate) fn method_of(instrument: &Instrument) -> &'static str {
    match instrument {
        Instrument::CardToken { .. } => "card",
        Instrument::Upi { .. } => "upi",
        Instrument::Hosted { method: MethodKind::NetBanking, .. } => "netbanking",
        Instrument::Hosted { method: MethodKind::Wallet, .. } => "wallet",
        Instrument::Hosted { method: MethodKind::Emi, .. } => "cardless_emi",
        Instrument::Hosted { .. } | Instrument::Paypal { .. } => "",
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
        Request {
            step,
            key: format!("{}-{step}", self.reference),
            effect,
            method,
            url: format!("{}/v1{path}", base(self.account)),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
            auth: Auth::Basic(KEY_ID, KEY_SECRET),
            carries_card: false,
        }
    }

    fn get(&self, step: &'static str, path: &str) -> Request {
        self.request(step, Method::Get, path, Effect::Read)
    }

    fn post(&self, step: &'static str, path: &str, effect: Effect, body: &Json) -> Request {
        let mut request = self.request(step, Method::Post, path, effect);
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        request.body = body.to_string().into_bytes();
        request
    }

    /// Makes the customer whose method is being saved: of nobody's name, for none is needed.
    pub(crate) fn customer(&self) -> Request {
        let body = json!({"fail_existing": "0", "notes": {note::REFERENCE: self.reference}});
        self.post("customer", "/customers", Effect::Read, &body)
    }

    /// Makes an order. It moves nothing before somebody pays it, and one whose answer was lost is known to
    /// nobody who could.
    pub(crate) fn order(&self, call: &Charge, units: i64, customer: Option<&str>, now: Timestamp) -> Request {
        let way = way_of(self.account, call);
        let (capture, word) = match call.capture {
            CaptureMode::Automatic if way == way::CHARGED => (by_razorpay(), "automatic"),
            CaptureMode::Automatic => (by_us(CONSENT_MINUTES), "automatic"),
            CaptureMode::Manual => (by_us(HELD_MINUTES), "manual"),
        };
        let mut notes = json!({
            note::REFERENCE: self.reference, note::WAY: way, note::CAPTURE: word,
            note::METHOD: method_of(&call.instrument),
        });
        let back = Some(call.return_url.as_str()).filter(|url| url.chars().count() <= NOTE_MAX);
        let saves = (customer.is_some() && call.stores_credential).then_some("1");
        let named = [(note::RETURN, back), (note::CUSTOMER, customer), (note::SAVES, saves)];
        for (name, value) in named {
            put(&mut notes, name, value.unwrap_or_default());
        }
        if let Json::Object(fields) = &mut notes {
            fields.retain(|_, value| value != "");
        }
        let mut body = json!({
            "amount": units, "currency": call.amount.currency.code(), "receipt": self.reference,
            "payment": capture, "notes": notes,
        });
        if let Some(customer) = customer {
            put(&mut body, "customer_id", customer);
        }
        if saves.is_some() && call.amount.currency == Currency::INR {
            put(
                &mut body,
                "token",
                json!({
                    "max_amount": units.max(MANDATE_MOST), "frequency": "as_presented",
                    "expire_at": now.as_seconds().saturating_add(MANDATE_SECONDS),
                }),
            );
        }
        self.post("order", "/orders", Effect::Read, &body)
    }

    /// What every payment says that we begin.
    fn payment(&self, order: &str, call: &Charge, units: i64) -> Json {
        let mut body = json!({
            "amount": units, "currency": call.amount.currency.code(), "order_id": order,
            "email": self.account.setting("payer_email"), "contact": self.account.setting("payer_contact"),
            "notes": {note::REFERENCE: self.reference},
        });
        if let Some(description) = call.description.as_deref() {
            put(&mut body, "description", description.chars().take(DESCRIPTION_MAX).collect::<String>());
        }
        body
    }

    /// Begins a payment that its payer finishes in an app or at a bank. Not twice: each asks them anew.
    pub(crate) fn ask(&self, order: &str, call: &Charge, units: i64) -> Request {
        let mut body = self.payment(order, call, units);
        put(&mut body, "method", method_of(&call.instrument));
        put(&mut body, "user_agent", "Florin");
        put(&mut body, "referer", call.return_url.as_str());
        put(&mut body, "callback_url", call.return_url.as_str());
        let ip = self.account.setting("payer_ip");
        if !ip.is_empty() {
            put(&mut body, "ip", ip);
        }
        match &call.instrument {
            Instrument::Upi { vpa: Some(vpa), .. } => {
                let minutes = call.expires_in_seconds.map_or(5, |seconds| seconds.div_ceil(60));
                let minutes = minutes.clamp(1, 5760);
                put(&mut body, "upi", json!({"flow": "collect", "vpa": vpa, "expiry_time": minutes}));
            }
            Instrument::Upi { vpa: None, .. } => put(&mut body, "upi", json!({"flow": "intent"})),
            Instrument::Hosted { method, at: Some(at) } => {
                let field = match method {
                    MethodKind::NetBanking => "bank",
                    MethodKind::Wallet => "wallet",
                    _ => "provider_name",
                };
                put(&mut body, field, at.as_str());
            }
            Instrument::Hosted { at: None, .. }
            | Instrument::CardToken { .. }
            | Instrument::Paypal { .. } => {}
        }
        self.post("ask", "/payments/create/json", Effect::Once, &body)
    }

    /// Charges a stored method without its owner. Not twice: nothing at Razorpay would refuse a second.
    pub(crate) fn pay(&self, order: &str, call: &Charge, units: i64, method: (&str, &str)) -> Request {
        let mut body = self.payment(order, call, units);
        put(&mut body, "customer_id", method.0);
        put(&mut body, "token", method.1);
        put(&mut body, "recurring", true);
        self.post("pay", "/payments/create/recurring", Effect::Once, &body)
    }

    /// Reads an order.
    pub(crate) fn read(&self, order: &str) -> Request {
        self.get("read", &format!("/orders/{}", escaped(order)))
    }

    /// Finds orders by our reference.
    pub(crate) fn find(&self, reference: &str) -> Request {
        self.get("find", &format!("/orders?count={LIST_MAX}&receipt={}", escaped(reference)))
    }

    /// Any order: whether we are known at all.
    pub(crate) fn probe(&self) -> Request {
        self.get("probe", "/orders?count=1")
    }

    /// Reads the tries to pay an order. `step` is `payments`, or `proof` of what a capture did.
    pub(crate) fn payments(&self, step: &'static str, order: &str) -> Request {
        self.get(step, &format!("/orders/{}/payments?expand%5B%5D=card", escaped(order)))
    }

    /// Reads one payment.
    pub(crate) fn paid(&self, payment: &str) -> Request {
        self.get("paid", &format!("/payments/{}?expand%5B%5D=card", escaped(payment)))
    }

    /// Takes held money: all of it, once, whoever asks how often.
    pub(crate) fn capture(&self, payment: &str, units: i64, currency: &str) -> Request {
        let path = format!("/payments/{}/capture", escaped(payment));
        self.post("capture", &path, Effect::Repeatable, &json!({"amount": units, "currency": currency}))
    }

    /// Gives taken money back. `step` is `refund`, or `undo` of a charge that should not be.
    pub(crate) fn refund(
        &self,
        step: &'static str,
        payment: &str,
        units: i64,
        reason: Option<&str>,
    ) -> Request {
        let path = format!("/payments/{}/refund", escaped(payment));
        let speed = self.account.setting("refund_speed");
        let mut body = json!({
            "amount": units, "speed": if speed.is_empty() { "normal" } else { speed },
            "receipt": self.reference, "notes": {note::REFERENCE: self.reference},
        });
        if let (Some(reason), Some(notes)) = (reason, body.get_mut("notes")) {
            put(notes, "reason", reason.chars().take(NOTE_MAX).collect::<String>());
        }
        let mut request = self.post(step, &path, Effect::Repeatable, &body);
        request.headers.push(("x-refund-idempotency".to_owned(), self.reference.to_owned()));
        request
    }

    /// The refunds of a payment.
    pub(crate) fn refunds(&self, payment: &str) -> Request {
        self.get("refunds", &format!("/payments/{}/refunds?count={LIST_MAX}", escaped(payment)))
    }

    /// One refund.
    pub(crate) fn one_refund(&self, id: &str) -> Request {
        self.get("one_refund", &format!("/refunds/{}", escaped(id)))
    }
}

/// Nobody but us captures; what nobody captured goes back to the payer after so many minutes.
fn by_us(minutes: u32) -> Json {
    json!({
        "capture": "manual",
        "capture_options": {"manual_expiry_period": minutes, "refund_speed": "normal"},
    })
}

/// Razorpay captures, and what a bank says too late goes back.
fn by_razorpay() -> Json {
    json!({
        "capture": "automatic",
        "capture_options": {
            "automatic_expiry_period": CHARGED_MINUTES, "manual_expiry_period": CHARGED_MINUTES,
            "refund_speed": "normal",
        },
    })
}

/// Adds a field to an object.
fn put(object: &mut Json, name: &str, value: impl Into<Json>) {
    if let Json::Object(fields) = object {
        fields.insert(name.to_owned(), value.into());
    }
}

/// An id as part of an address. Razorpay's are letters, digits and `_`; anything else is percent-encoded
/// (RFC 3986).
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
