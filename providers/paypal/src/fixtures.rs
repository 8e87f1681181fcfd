//! Golden requests and replies, call by call: the bytes that go out, and what each answer of PayPal's
//! documentation becomes. The conformance suite shows that provider and fake agree; this shows on what.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is a failed test")]

mod notices;
mod replies;
mod requests;

use std::collections::BTreeMap;

use kernel::{Distilled, Id, Money, Reply, Request, Timestamp};
use provider_kit::{
    Call, CaptureMode, Charge, Context, Initiator, Instrument, Lookup, Provider, ProviderAccount, Step,
    ThreeDSecure, Upstream, Verb,
};
use serde_json::Value;
use uuid::Uuid;

use crate::Paypal;

const REFERENCE: &str = "0123456789abcdefABCDEFc01";
const CHARGE: &str = "0123456789abcdefABCDEFs01";
const CX: Context = Context { now: Timestamp::from_micros(1_795_000_000_000_000), nonce: [7; 16] };

fn account(settings: &[(&str, &str)]) -> ProviderAccount {
    let setting = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ProviderAccount {
        id: Id::from_uuid(Uuid::nil()),
        provider: "paypal".to_owned(),
        identity: "key_1".to_owned(),
        settings: settings.iter().map(setting).collect::<BTreeMap<_, _>>(),
    }
}

type Told<'a> = (&'a str, u16, &'a str);

fn next(call: &Call, replies: &[Told<'_>]) -> Step {
    let kept: Vec<Distilled> = replies.iter().map(|(step, status, body)| kept(step, *status, body)).collect();
    Paypal.step(&CX, &account(&[]), call, &kept)
}

/// A reply as it is kept, after a detour through its stored form.
fn kept(step: &str, status: u16, body: &str) -> Distilled {
    if step == provider_kit::CONSENTED {
        return Distilled::of(step, &serde_json::from_str::<Value>(body).unwrap());
    }
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let stored = serde_json::to_string(&Paypal.distill(step, &reply)).unwrap();
    serde_json::from_str(&stored).unwrap()
}

fn request(call: &Call, replies: &[Told<'_>]) -> Request {
    match next(call, replies) {
        Step::Send(request) => request,
        other => panic!("{other:?}"),
    }
}

/// Method, path and body on one line.
fn sent(call: &Call, replies: &[Told<'_>]) -> String {
    let request = request(call, replies);
    let path = request.url.strip_prefix("https://api-m.paypal.com").unwrap();
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {path} {body}", request.method.as_str())
}

fn outcome(call: &Call, replies: &[Told<'_>]) -> Value {
    match next(call, replies) {
        Step::Done(outcome) => serde_json::to_value(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, kernel::Currency::USD)
}

fn upstream() -> Upstream {
    Upstream { reference: CHARGE.to_owned(), provider_reference: Some("5O1".to_owned()) }
}

fn charge(instrument: Instrument) -> Charge {
    Charge {
        reference: CHARGE.to_owned(),
        amount: dollars(1000),
        capture: CaptureMode::Automatic,
        instrument,
        return_url: "https://pay.example/return/pay_1?account=pa_1".to_owned(),
        description: Some("Order \"7\" & more".to_owned()),
        expires_in_seconds: None,
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: None,
    }
}

fn wallet() -> Charge {
    charge(Instrument::Paypal { token: None })
}

fn card() -> Charge {
    charge(Instrument::CardToken { token: "tk1".to_owned() })
}

fn lookup(verb: Verb, known: Option<&str>) -> Lookup {
    let reference = if verb == Verb::Charge { CHARGE } else { REFERENCE };
    Lookup {
        reference: reference.to_owned(),
        provider_reference: known.map(str::to_owned),
        verb,
        capture: None,
        amount: dollars(1000),
        charge: (verb != Verb::Charge).then(upstream),
        replies: Vec::new(),
    }
}

/// An order as PayPal answers it, with what nobody may keep.
fn order(status: &str, payments: &str) -> String {
    format!(
        r#"{{"id": "5O1", "status": "{status}", "intent": "CAPTURE",
        "payer": {{"email_address": "ada@shop.example", "name": {{"given_name": "Ada"}}}},
        "payment_source": {{"paypal": {{"email_address": "ada@shop.example", "account_id": "QYR5"}}}},
        "purchase_units": [{{"reference_id": "default", "custom_id": "{CHARGE}",
        "shipping": {{"name": {{"full_name": "Ada Lovelace"}}}}, "payments": {{{payments}}}}}],
        "links": [{{"href": "https://www.paypal.com/checkoutnow?token=5O1", "rel": "payer-action"}}]}}"#
    )
}

fn captured(id: &str, status: &str, value: &str, more: &str) -> String {
    format!(
        r#"{{"id": "{id}", "status": "{status}", "amount": {{"currency_code": "USD", "value": "{value}"}},
        "custom_id": "{CHARGE}"{more}}}"#
    )
}
