//! Golden requests and replies, call by call: the bytes that go out, and what each answer of Stripe's
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

use crate::Stripe;

const REFERENCE: &str = "0123456789abcdefABCDEFc01";
const CHARGE: &str = "0123456789abcdefABCDEFs01";
const CX: Context = Context { now: Timestamp::from_micros(1_795_000_000_000_000), nonce: [7; 16] };

fn account(settings: &[(&str, &str)]) -> ProviderAccount {
    let setting = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ProviderAccount {
        id: Id::from_uuid(Uuid::nil()),
        provider: "stripe".to_owned(),
        identity: "acct_1".to_owned(),
        settings: settings.iter().map(setting).collect::<BTreeMap<_, _>>(),
    }
}

fn extras() -> ProviderAccount {
    account(&[("multicapture", "true"), ("incremental_authorization", "true")])
}

/// What the replies so far make the next request, or the outcome.
fn next(account: &ProviderAccount, call: &Call, replies: &[(&str, u16, &str)]) -> Step {
    let kept: Vec<Distilled> = replies.iter().map(|(step, status, body)| kept(step, *status, body)).collect();
    Stripe.step(&CX, account, call, &kept)
}

/// A reply as it is kept, after a detour through its stored form.
fn kept(step: &str, status: u16, body: &str) -> Distilled {
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let stored = serde_json::to_string(&Stripe.distill(step, &reply)).unwrap();
    serde_json::from_str(&stored).unwrap()
}

fn request(account: &ProviderAccount, call: &Call, replies: &[(&str, u16, &str)]) -> Request {
    match next(account, call, replies) {
        Step::Send(request) => request,
        other => panic!("{other:?}"),
    }
}

/// Method, path and body on one line, brackets and all.
fn sent(call: &Call, replies: &[(&str, u16, &str)]) -> String {
    let request = request(&extras(), call, replies);
    let path = request.url.strip_prefix("https://api.stripe.com").unwrap();
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {path} {body}", request.method.as_str())
}

fn outcome(call: &Call, replies: &[(&str, u16, &str)]) -> Value {
    match next(&extras(), call, replies) {
        Step::Done(outcome) => serde_json::to_value(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, kernel::Currency::USD)
}

fn upstream(known: bool) -> Upstream {
    Upstream { reference: CHARGE.to_owned(), provider_reference: known.then(|| "pi_1".to_owned()) }
}

fn charge(token: &str) -> Charge {
    Charge {
        reference: REFERENCE.to_owned(),
        amount: dollars(1000),
        capture: CaptureMode::Automatic,
        instrument: Instrument::CardToken { token: token.to_owned() },
        return_url: "https://pay.example/return/pay_1?account=pa_1".to_owned(),
        description: Some("Order \"7\" & more".to_owned()),
        expires_in_seconds: None,
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: None,
    }
}

fn lookup(verb: Verb, known: Option<&str>) -> Call {
    Call::Lookup(Lookup {
        reference: REFERENCE.to_owned(),
        provider_reference: known.map(str::to_owned),
        verb,
        capture: None,
        amount: dollars(1000),
        charge: (verb != Verb::Charge).then(|| upstream(true)),
        replies: Vec::new(),
    })
}

/// A payment intent as Stripe answers it, with what nobody may keep.
fn intent(status: &str, more: &str) -> String {
    format!(
        r#"{{"id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": 1000,
        "currency": "usd", "status": "{status}", "capture_method": "automatic",
        "client_secret": "pi_1_secret_hidden", "receipt_email": "ada@shop.example",
        "metadata": {{"florin_reference": "{REFERENCE}", "buyer": "Ada Lovelace"}}{more}}}"#
    )
}
