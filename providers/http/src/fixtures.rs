//! The requests and answers of the protocol, as its page has them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is a failed test")]

use std::collections::BTreeMap;

use kernel::{Auth, Credentials, Currency, Id, Money, Reply, Secret, Timestamp};
use provider_kit::{
    Call, Capability, CaptureMode, Charge, Check, Context, Delivery, Incoming, Initiator, Instrument, Lookup,
    Probe, Provider, ProviderAccount, Refund, Step, ThreeDSecure, Upstream, Verb, WebhookError,
    standard_webhooks,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Http;

const REFERENCE: &str = "0351UDNaBhj4FmmmFyY00ws01";
const CX: Context = Context { now: Timestamp::from_micros(1_795_255_200_000_000), nonce: [7; 16] };

fn account(capabilities: &str) -> ProviderAccount {
    let settings = [("base_url", "https://adapter.example/pay/"), ("capabilities", capabilities)];
    ProviderAccount {
        id: Id::from_uuid(Uuid::nil()),
        provider: "http".to_owned(),
        identity: "https://adapter.example/pay".to_owned(),
        settings: settings
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>(),
    }
}

fn charge() -> Call {
    Call::Charge(Charge {
        reference: REFERENCE.to_owned(),
        amount: Money::new(1000, Currency::USD),
        capture: CaptureMode::Automatic,
        instrument: Instrument::CardToken { token: "tok_1".to_owned() },
        return_url: "https://pay.example.com/return/pay_1".to_owned(),
        description: None,
        expires_in_seconds: Some(86_400),
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: Some("of_another_bank".to_owned()),
    })
}

fn sent(call: &Call) -> kernel::Request {
    match Http.step(&CX, &account(""), call, &[]) {
        Step::Send(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_are_the_pages() {
    let request = sent(&charge());
    assert_eq!(request.url, "https://adapter.example/pay/charges");
    assert_eq!((request.key.as_str(), &request.auth), (REFERENCE, &Auth::Signed("signing_secret")));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"reference": REFERENCE, "amount": 1000, "currency": "USD", "capture": true,
            "source": {"type": "card", "token": "tok_1"}, "expires_in_seconds": 86400,
            "return_url": "https://pay.example.com/return/pay_1"})
    );
    let upstream = |provider_reference: Option<&str>| Upstream {
        reference: REFERENCE.to_owned(),
        provider_reference: provider_reference.map(str::to_owned),
    };
    for (known, path) in [(Some("ch_1"), "ch_1"), (None, REFERENCE)] {
        let refund = Call::Refund(Refund {
            reference: REFERENCE.replace('s', "f"),
            amount: Money::new(300, Currency::USD),
            charge: upstream(known),
            reason: Some("sent back".to_owned()),
            scenario: None,
        });
        let request = sent(&refund);
        assert_eq!(request.url, format!("https://adapter.example/pay/charges/{path}/refunds"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&body["amount"], &body["reason"]), (&json!(300), &json!("sent back")));
    }
    let lookup = Call::Lookup(Lookup {
        reference: REFERENCE.to_owned(),
        provider_reference: None,
        verb: Verb::Charge,
        capture: Some(CaptureMode::Automatic),
        amount: Money::new(1000, Currency::USD),
        charge: None,
        replies: Vec::new(),
    });
    let request = sent(&lookup);
    assert_eq!(request.url, format!("https://adapter.example/pay/operations/{REFERENCE}"));
    assert!(request.body.is_empty() && request.effect == kernel::Effect::Read);
}

#[test]
fn answers_are_the_pages() {
    let object = |status: &str| {
        format!(
            r#"{{"object": "charge", "id": "ch_1", "reference": "{REFERENCE}", "status": "{status}",
            "amount": 1000, "amount_approved": 1000, "currency": "USD", "fee": 29, "extra": {{"name": "Ada"}},
            "decline": {{"code": "insufficient_funds", "network_code": "51"}},
            "action": {{"type": "three_d_secure", "url": "https://acs.example/1"}}}}"#
        )
    };
    for (status, body, expected) in [
        (200, object("captured"), "approved"),
        (200, object("authorized"), "approved"),
        (201, object("requires_action"), "action_required"),
        (200, object("processing"), "pending"),
        (200, object("declined"), "declined"),
        (200, object("expired"), "declined"),
        (200, object("of_next_year"), "unknown"),
        (200, object("captured").replace(REFERENCE, "another"), "unknown"),
        (200, object("captured").replace("\"charge\"", "\"refund\""), "unknown"),
        (409, r#"{"error": {"code": "key_reused", "message": "another body"}}"#.to_owned(), "refused"),
        (401, r#"{"error": {"code": "signature", "message": "wrong"}}"#.to_owned(), "refused"),
        (404, "<html>no such page</html>".to_owned(), "unknown"),
        (502, r#"{"error": {"code": "busy", "message": "later"}}"#.to_owned(), "unknown"),
    ] {
        let reply = Reply { status, headers: Vec::new(), body: body.clone().into_bytes() };
        let kept = Http.distill("charge", &reply);
        match Http.step(&CX, &account(""), &charge(), &[kept]) {
            Step::Done(outcome) => {
                let outcome = serde_json::to_value(outcome).unwrap();
                assert_eq!(outcome["outcome"], expected, "{status} {body}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_notice_is_believed_when_it_is_signed() {
    let secret = || Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
    let credentials = Credentials::new(vec![("webhook_secret".to_owned(), secret())]);
    let body =
        br#"{"type": "refund.updated", "timestamp": "2026-11-21T10:00:00Z", "data": {"object": "refund",
        "id": "re_1", "charge": "ch_1", "status": "succeeded", "amount": 300, "currency": "USD"}}"#;
    let read = |delivery: &Delivery| Http.webhook(&CX, &account(""), &credentials, delivery, &[]);
    let headers = standard_webhooks::sign(&secret(), "msg_1", CX.now, body);
    let genuine = Delivery { headers, body: body.to_vec(), received_at: CX.now };
    let Ok(Incoming::Notices(notices)) = read(&genuine) else { panic!("a genuine notice is refused") };
    let said = serde_json::to_value(notices).unwrap();
    assert_eq!(said[0]["id"], "msg_1");
    assert_eq!(
        (&said[0]["about"]["ours"], &said[0]["about"]["charge_reference"]),
        (&Value::Null, &json!("ch_1"))
    );
    assert_eq!(
        (&said[0]["fact"]["verb"], &said[0]["fact"]["state"]["amount"]["minor"]),
        (&json!("refund"), &json!(300))
    );
    let other = standard_webhooks::sign(&Secret::new("another".to_owned()), "msg_1", CX.now, body);
    assert_eq!(read(&Delivery { headers: other, ..genuine.clone() }), Err(WebhookError::Signature));
    let strange = br#"{"type": "payout.paid", "data": {}}"#;
    let headers = standard_webhooks::sign(&secret(), "msg_2", CX.now, strange);
    let Ok(Incoming::Notices(notices)) = read(&Delivery { headers, body: strange.to_vec(), ..genuine })
    else {
        panic!("a notice of an unknown type is refused")
    };
    assert_eq!(serde_json::to_value(notices).unwrap()[0]["fact"]["fact"], "other");
}

#[test]
fn an_account_offers_what_its_adapter_has() {
    let few = account("void, refund");
    for (capability, offered) in
        [(Capability::Void, true), (Capability::Refund, true), (Capability::Increment, false)]
    {
        assert_eq!(Http.offers(&few, capability), offered, "{capability:?}");
        assert!(Http.offers(&account(""), capability), "{capability:?}");
    }
}

#[test]
fn a_probe_says_what_works_and_what_does_not() {
    let probed = |capabilities: &str, status: u16, body: &str, secrets: &[&str]| -> Vec<&'static str> {
        let secrets = secrets.iter().map(|name| ((*name).to_owned(), Secret::new("x".to_owned())));
        let credentials = Credentials::new(secrets.collect());
        let account = account(capabilities);
        let Probe::Send(request) = Http.probe(&CX, &account, &credentials, &[]) else { panic!("not asked") };
        assert_eq!(request.url, "https://adapter.example/pay/capabilities");
        let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let kept = Http.distill(request.step, &reply);
        let Probe::Done(checks) = Http.probe(&CX, &account, &credentials, &[kept]) else {
            panic!("asked twice")
        };
        checks.into_iter().filter(|check: &Check| !check.works).map(|check| check.what).collect()
    };
    let both: &[&str] = &["signing_secret", "webhook_secret"];
    let document = r#"{"protocol": "1", "name": "A", "capabilities": ["void", "refund"]}"#;
    let nothing: [&str; 0] = [];
    assert_eq!(probed("void, refund", 200, document, both), nothing);
    assert_eq!(probed("void", 200, document, &["signing_secret"]), ["webhooks"]);
    assert_eq!(probed("", 200, document, both), ["capabilities"]);
    assert_eq!(
        probed("void", 200, &document.replace("void", "viod"), both),
        ["capabilities", "capabilities"]
    );
    assert_eq!(probed("void", 200, &document.replace("\"1\"", "\"2\""), both), ["protocol"]);
    let refused = r#"{"error": {"code": "signature", "message": "wrong"}}"#;
    assert_eq!(probed("void", 401, refused, both), ["credentials"]);
    assert_eq!(probed("void", 200, "<html>", both), ["answers"]);
}
