//! Golden requests and replies, call by call: the bytes that go out, and what each answer of Razorpay's
//! documentation becomes. The conformance suite shows that provider and fake agree; this shows on what.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is a failed test")]

mod notices;
mod replies;
mod requests;

use std::collections::BTreeMap;

use kernel::{Distilled, Id, Money, Reply, Request, Timestamp};
use provider_kit::{
    Call, CaptureMode, Charge, Context, Initiator, Instrument, Lookup, MethodKind, Payee, Provider,
    ProviderAccount, Step, ThreeDSecure, Upstream, Verb,
};
use serde_json::Value;
use uuid::Uuid;

use crate::Razorpay;

const REFERENCE: &str = "0123456789abcdefABCDEFc01";
const CHARGE: &str = "0123456789abcdefABCDEFs01";
const CX: Context = Context { now: Timestamp::from_micros(1_795_000_000_000_000), nonce: [7; 16] };
const BACK: &str = "https://pay.example/return/pay_1?account=pa_1";

/// What an account needs for payments that do not begin on Razorpay's page.
const DIRECT: &[(&str, &str)] = &[
    ("key_id", "rzp_test_1"),
    ("business_name", "Ada's shop"),
    ("payer_email", "shop@ada.example"),
    ("payer_contact", "+919000090000"),
];
/// An account with nothing but its key.
const BARE: &[(&str, &str)] = &[("key_id", "rzp_test_1")];

fn account(settings: &[(&str, &str)]) -> ProviderAccount {
    let setting = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ProviderAccount {
        id: Id::from_uuid(Uuid::nil()),
        provider: "razorpay".to_owned(),
        identity: "key_1".to_owned(),
        settings: settings.iter().map(setting).collect::<BTreeMap<_, _>>(),
    }
}

type Told<'a> = (&'a str, u16, &'a str);

fn next_at(settings: &[(&str, &str)], call: &Call, replies: &[Told<'_>]) -> Step {
    let kept: Vec<Distilled> = replies.iter().map(|(step, status, body)| kept(step, *status, body)).collect();
    Razorpay.step(&CX, &account(settings), call, &kept)
}

fn next(call: &Call, replies: &[Told<'_>]) -> Step {
    next_at(DIRECT, call, replies)
}

/// A reply as it is kept, after a detour through its stored form.
fn kept(step: &str, status: u16, body: &str) -> Distilled {
    if step == provider_kit::CONSENTED {
        return Distilled::of(step, &serde_json::from_str::<Value>(body).unwrap());
    }
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let stored = serde_json::to_string(&Razorpay.distill(step, &reply)).unwrap();
    serde_json::from_str(&stored).unwrap()
}

fn request_at(settings: &[(&str, &str)], call: &Call, replies: &[Told<'_>]) -> Request {
    match next_at(settings, call, replies) {
        Step::Send(request) => request,
        other => panic!("{other:?}"),
    }
}

fn request(call: &Call, replies: &[Told<'_>]) -> Request {
    request_at(DIRECT, call, replies)
}

fn written(request: &Request) -> String {
    let path = request.url.strip_prefix("https://api.razorpay.com/v1").unwrap();
    let body = String::from_utf8(request.body.clone()).unwrap();
    format!("{} {path} {body}", request.method.as_str())
}

/// Method, path and body on one line.
fn sent(call: &Call, replies: &[Told<'_>]) -> String {
    written(&request(call, replies))
}

fn outcome_at(settings: &[(&str, &str)], call: &Call, replies: &[Told<'_>]) -> Value {
    match next_at(settings, call, replies) {
        Step::Done(outcome) => serde_json::to_value(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn outcome(call: &Call, replies: &[Told<'_>]) -> Value {
    outcome_at(DIRECT, call, replies)
}

fn rupees(minor: i64) -> Money {
    Money::new(minor, kernel::Currency::INR)
}

fn upstream() -> Upstream {
    Upstream { reference: CHARGE.to_owned(), provider_reference: Some("order_1".to_owned()) }
}

fn charge(instrument: Instrument) -> Charge {
    Charge {
        reference: CHARGE.to_owned(),
        amount: rupees(1000),
        capture: CaptureMode::Automatic,
        instrument,
        return_url: BACK.to_owned(),
        description: Some("Order \"7\" & more".to_owned()),
        expires_in_seconds: Some(900),
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: None,
    }
}

fn page() -> Charge {
    charge(Instrument::Hosted { method: MethodKind::Checkout, at: None })
}

fn at(method: MethodKind, code: Option<&str>) -> Charge {
    charge(Instrument::Hosted { method, at: code.map(str::to_owned) })
}

fn upi(vpa: Option<&str>) -> Charge {
    let payee = Payee { vpa: "shop@bank".to_owned(), name: "Shop".to_owned() };
    charge(Instrument::Upi { vpa: vpa.map(str::to_owned), payee })
}

/// A stored card, with nobody there.
fn stored() -> Charge {
    let charge = charge(Instrument::CardToken { token: "cust_1/token_1".to_owned() });
    Charge { initiator: Initiator::Merchant { network_transaction_id: None }, ..charge }
}

fn lookup(verb: Verb, known: Option<&str>) -> Lookup {
    let reference = if verb == Verb::Charge { CHARGE } else { REFERENCE };
    Lookup {
        reference: reference.to_owned(),
        provider_reference: known.map(str::to_owned),
        verb,
        capture: None,
        amount: rupees(1000),
        charge: (verb != Verb::Charge).then(upstream),
        replies: Vec::new(),
    }
}

/// An order as Razorpay answers it, paid in a way and captured so.
fn order(way: &str, capture: &str) -> String {
    format!(
        r#"{{"id": "order_1", "entity": "order", "amount": 1000, "amount_paid": 0, "amount_due": 1000,
        "currency": "INR", "receipt": "{CHARGE}", "offer_id": null, "status": "attempted", "attempts": 1,
        "notes": {{"florin_reference": "{CHARGE}", "florin_way": "{way}", "florin_capture": "{capture}",
        "florin_return": "{BACK}", "theirs": "ada@shop.example"}}, "created_at": 1795000000}}"#
    )
}

/// A payment as Razorpay answers it, with what nobody may keep.
fn payment(id: &str, status: &str, more: &str) -> String {
    format!(
        r#"{{"id": "{id}", "entity": "payment", "amount": 1000, "currency": "INR", "status": "{status}",
        "order_id": "order_1", "method": "card", "captured": {}, "vpa": "ada@bank",
        "email": "ada@shop.example", "contact": "+919999999999", "notes": [], "fee": 24, "tax": 4,
        "card": {{"name": "Ada Lovelace", "last4": "1111", "network": "Visa", "issuer": "UTIB"}},
        "acquirer_data": {{"rrn": "033814379298"}}, "created_at": 1795000001{more}}}"#,
        status == "captured"
    )
}

fn list(items: &[String]) -> String {
    format!(r#"{{"entity": "collection", "count": {}, "items": [{}]}}"#, items.len(), items.join(","))
}

fn failure(description: &str, reason: &str) -> String {
    format!(
        r#"{{"error": {{"code": "BAD_REQUEST_ERROR", "description": "{description}", "source": "customer",
        "step": "payment_authorization", "reason": "{reason}", "metadata": {{}}, "field": null}}}}"#
    )
}
