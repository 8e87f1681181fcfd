//! Requests to Stripe, one function each. The same call makes the same bytes.

use kernel::{Auth, Effect, Method, Money, Request};
use provider_kit::{CaptureMode, Charge, Initiator, ProviderAccount, ThreeDSecure, Tokenize};

use crate::amount;
use crate::form::{Form, escape};
use crate::mapping::{mark, mark_name};
use crate::profile::SECRET_KEY;
use crate::wire::{CURRENCY, REFERENCE, VERB};

/// The version of the API whose forms stand in `wire`.
const VERSION: &str = "2024-06-20";

const LIVE: &str = "https://api.stripe.com";

/// What an answer about an intent brings with it: the charge, and what Stripe's books say of it.
const WHOLE_CHARGE: &str = "latest_charge.balance_transaction";

/// Whose call, and under which reference.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) account: &'a ProviderAccount,
    pub(crate) reference: &'a str,
}

impl Way<'_> {
    fn request(&self, step: &'static str, method: Method, path: &str, effect: Effect) -> Request {
        let base = Some(self.account.setting("base_url")).filter(|base| !base.is_empty()).unwrap_or(LIVE);
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("stripe-version".to_owned(), VERSION.to_owned()),
        ];
        let connected = self.account.setting("connected_account");
        if !connected.is_empty() {
            headers.push(("stripe-account".to_owned(), connected.to_owned()));
        }
        Request {
            step,
            key: format!("{}-{step}", self.reference),
            effect,
            method,
            url: format!("{}{path}", base.trim_end_matches('/')),
            headers,
            body: Vec::new(),
            auth: Auth::Bearer(SECRET_KEY),
            carries_card: false,
        }
    }

    fn get(&self, step: &'static str, path: &str, query: Form) -> Request {
        let query = query.into_text();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        self.request(step, Method::Get, &path, Effect::Read)
    }

    fn post(&self, step: &'static str, path: &str, form: Form) -> Request {
        self.post_under(step, path, form, &format!("{}-{step}", self.reference))
    }

    fn post_under(&self, step: &'static str, path: &str, form: Form, key: &str) -> Request {
        let mut request = self.request(step, Method::Post, path, Effect::Repeatable);
        request.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        request.headers.push(("idempotency-key".to_owned(), key.to_owned()));
        request.body = form.into_text().into_bytes();
        request
    }

    /// Makes a payment method of a card. Without an idempotency key: nothing can be charged by it alone,
    /// and a payment that is tried with a second card has the same reference.
    pub(crate) fn tokenize(&self, call: &Tokenize) -> Request {
        let card = &call.card;
        let cvc = card.cvc.as_ref().map(|cvc| cvc.expose().as_str());
        let holder = card.holder.as_ref().map(|holder| holder.expose().as_str());
        let form = Form::default()
            .with("type", "card")
            .with("card[number]", card.number.digits().expose())
            .number("card[exp_month]", i64::from(card.exp_month))
            .number("card[exp_year]", i64::from(card.exp_year))
            .maybe("card[cvc]", cvc)
            .maybe("billing_details[name]", holder);
        let mut request = self.post("tokenize", "/v1/payment_methods", form);
        request.headers.retain(|(name, _)| name != "idempotency-key");
        Request { effect: Effect::Read, carries_card: true, ..request }
    }

    /// Reads a payment method: whose it is.
    pub(crate) fn method(&self, token: &str) -> Request {
        self.get("method", &format!("/v1/payment_methods/{}", escaped(token)), Form::default())
    }

    /// Makes the customer that a stored card belongs to. It moves nothing, and under its key the same
    /// customer is answered again: there is nothing to find out about it after a crash.
    pub(crate) fn customer(&self) -> Request {
        let form = Form::default().with(&metadata(REFERENCE), self.reference);
        Request { effect: Effect::Read, ..self.post("customer", "/v1/customers", form) }
    }

    /// Holds or takes money.
    pub(crate) fn charge(&self, call: &Charge, units: i64, token: &str, customer: Option<&str>) -> Request {
        let capture = match call.capture {
            CaptureMode::Automatic => "automatic",
            CaptureMode::Manual => "manual",
        };
        let is_manual = call.capture == CaptureMode::Manual;
        let form = Form::default()
            .number("amount", units)
            .with("currency", &amount::code(call.amount.currency))
            .with("confirm", "true")
            .with("capture_method", capture)
            .with("payment_method_types[]", "card");
        let form = with_instrument(form, token, customer)
            .with(&metadata(REFERENCE), self.reference)
            .maybe("description", call.description.as_deref());
        let form = with_presence(form, call, customer);
        let form = self.with_option(form, is_manual, "multicapture", "request_multicapture");
        let form = self.with_option(
            form,
            is_manual,
            "incremental_authorization",
            "request_incremental_authorization",
        );
        self.post("charge", "/v1/payment_intents", form.with("expand[]", WHOLE_CHARGE))
    }

    /// Asks for what Stripe offers to some accounts, where the account's setting says so.
    fn with_option(&self, form: Form, is_manual: bool, setting: &str, option: &str) -> Form {
        if !is_manual || self.account.setting(setting) != "true" {
            return form;
        }
        form.with(&format!("payment_method_options[card][{option}]"), "if_available")
    }

    /// Verifies a card without taking anything.
    pub(crate) fn verify(&self, call: &Charge, token: &str, customer: Option<&str>) -> Request {
        let form = Form::default()
            .with("confirm", "true")
            .with("payment_method_types[]", "card")
            .with("usage", "off_session");
        let form = with_instrument(form, token, customer)
            .with(&metadata(REFERENCE), self.reference)
            .with(&metadata(CURRENCY), call.amount.currency.code())
            .maybe("description", call.description.as_deref());
        let form = with_three_d_secure(form, call).with("return_url", &call.return_url);
        self.post("verify", "/v1/setup_intents", form)
    }

    /// Makes an intent that somebody else began ours. The key is the intent's, not ours: of two payments
    /// that take up the same intent, Stripe refuses the second.
    pub(crate) fn claim(&self, intent: &str) -> Request {
        let form = Form::default().with(&metadata(REFERENCE), self.reference).with("expand[]", WHOLE_CHARGE);
        let path = format!("/v1/payment_intents/{}", escaped(intent));
        self.post_under("claim", &path, form, &format!("florin-{intent}"))
    }

    /// Confirms an intent that somebody else began.
    pub(crate) fn confirm(&self, intent: &str, call: &Charge) -> Request {
        let form = Form::default().with("return_url", &call.return_url).with("expand[]", WHOLE_CHARGE);
        self.post("confirm", &format!("/v1/payment_intents/{}/confirm", escaped(intent)), form)
    }

    /// Takes held money. The mark in the metadata is written by the same call.
    pub(crate) fn capture(&self, intent: &str, units: i64, is_final: bool) -> Request {
        let form = Form::default()
            .number("amount_to_capture", units)
            .with(&metadata(&mark_name(self.reference)), &mark("capture", units));
        let form = if is_final { form } else { form.with("final_capture", "false") };
        self.post("capture", &format!("/v1/payment_intents/{}/capture", escaped(intent)), form)
    }

    /// Holds more: Stripe is told the new whole.
    pub(crate) fn increment(&self, intent: &str, whole: i64, added: i64) -> Request {
        let form = Form::default()
            .number("amount", whole)
            .with(&metadata(&mark_name(self.reference)), &mark("increment", added));
        let path = format!("/v1/payment_intents/{}/increment_authorization", escaped(intent));
        self.post("increment", &path, form)
    }

    /// Releases held money, or gives up a charge that waits.
    pub(crate) fn cancel(&self, step: &'static str, intent: &str) -> Request {
        let path = format!("/v1/{}/{}/cancel", collection(intent), escaped(intent));
        self.post(step, &path, Form::default())
    }

    /// Gives taken money back. `verb` says why: a refund, or the reversal of a charge that should not be.
    pub(crate) fn refund(&self, intent: &str, units: i64, verb: &str, reason: Option<&str>) -> Request {
        let form = Form::default()
            .with("payment_intent", intent)
            .number("amount", units)
            .with(&metadata(REFERENCE), self.reference)
            .with(&metadata(VERB), verb)
            .maybe("reason", reason);
        self.post("refund", "/v1/refunds", form)
    }

    /// Reads an intent by its id.
    pub(crate) fn read(&self, intent: &str) -> Request {
        let path = format!("/v1/{}/{}", collection(intent), escaped(intent));
        let query = if intent.starts_with("seti_") {
            Form::default()
        } else {
            Form::default().with("expand[]", WHOLE_CHARGE)
        };
        self.get("read", &path, query)
    }

    /// Searches the payment intent that carries a reference. Two would be one too many, and are seen.
    pub(crate) fn find(&self, reference: &str) -> Request {
        let query = Form::default()
            .with("query", &format!("metadata['{REFERENCE}']:'{reference}'"))
            .number("limit", 2)
            .with("expand[]", &format!("data.{WHOLE_CHARGE}"));
        self.get("find", "/v1/payment_intents/search", query)
    }

    /// The newest set-up intents: Stripe cannot search them.
    pub(crate) fn set_ups(&self) -> Request {
        self.get("setups", "/v1/setup_intents", Form::default().number("limit", 100))
    }

    /// The refunds of an intent.
    pub(crate) fn refunds(&self, intent: &str) -> Request {
        let query = Form::default().with("payment_intent", intent).number("limit", 100);
        self.get("refunds", "/v1/refunds", query)
    }

    /// One refund.
    pub(crate) fn one_refund(&self, id: &str) -> Request {
        self.get("one_refund", &format!("/v1/refunds/{}", escaped(id)), Form::default())
    }

    /// Who we are.
    pub(crate) fn account(&self) -> Request {
        self.get("account", "/v1/account", Form::default())
    }

    /// What the account holds, which says whether it is a test account.
    pub(crate) fn balance(&self) -> Request {
        self.get("balance", "/v1/balance", Form::default())
    }
}

/// The instrument, and whose it is.
fn with_instrument(form: Form, token: &str, customer: Option<&str>) -> Form {
    let form = form.maybe("customer", customer);
    if token.starts_with("tok_") {
        form.with("payment_method_data[type]", "card").with("payment_method_data[card][token]", token)
    } else {
        form.with("payment_method", token)
    }
}

/// Who is there: the payer, who can be asked and sent elsewhere, or nobody.
fn with_presence(form: Form, call: &Charge, customer: Option<&str>) -> Form {
    match &call.initiator {
        Initiator::Customer => {
            let form =
                if call.stores_credential { form.with("setup_future_usage", "off_session") } else { form };
            with_three_d_secure(form, call).with("return_url", &call.return_url)
        }
        // A card that Stripe itself stored is linked there already.
        Initiator::Merchant { network_transaction_id } => {
            let link = network_transaction_id.as_deref().filter(|_| customer.is_none());
            let name = "payment_method_options[card][mit_exemption][network_transaction_id]";
            form.with("off_session", "true").maybe(name, link)
        }
    }
}

fn with_three_d_secure(form: Form, call: &Charge) -> Form {
    match call.three_d_secure {
        ThreeDSecure::Automatic => form,
        ThreeDSecure::Required => form.with("payment_method_options[card][request_three_d_secure]", "any"),
    }
}

fn metadata(name: &str) -> String {
    format!("metadata[{name}]")
}

/// Where an id lives.
fn collection(intent: &str) -> &'static str {
    if intent.starts_with("seti_") { "setup_intents" } else { "payment_intents" }
}

/// An id as part of a path: tokens come from merchants.
fn escaped(id: &str) -> String {
    let mut path = String::with_capacity(id.len());
    escape(id, &mut path);
    path
}

/// The amount of a call in Stripe's units, or why it cannot be sent.
pub(crate) fn units(amount: Money) -> Result<i64, String> {
    amount::units(amount)
        .map_err(|error| format!("{} cannot be charged in such amounts: {error}", amount.currency))
}
