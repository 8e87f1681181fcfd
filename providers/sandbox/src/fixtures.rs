//! Golden requests and replies, call by call: the bytes that go out, and what each recorded answer of
//! the bank becomes. The conformance suite shows that bank and provider agree; this shows on what.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is a failed test")]

use std::collections::BTreeMap;

use kernel::{CardNumber, Credentials, Currency, Id, Method, Money, Reply, Request, Secret, Timestamp};
use provider_kit::{
    Call, Cancel, Capture, CaptureMode, Card, Charge, Context, Delivery, Incoming, Increment, Initiator,
    Instrument, Lookup, Payee, Provider, ProviderAccount, Refund, Step, ThreeDSecure, Tokenize, Upstream,
    Verb, Void, WebhookError, signing,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Sandbox;

const REFERENCE: &str = "0123456789abcdefABCDEFc01";
const CX: Context = Context { now: Timestamp::from_micros(1_795_000_000_000_000), nonce: [7; 16] };

fn account(settings: &[(&str, &str)]) -> ProviderAccount {
    let setting = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ProviderAccount {
        id: Id::from_uuid(Uuid::nil()),
        provider: "sandbox".to_owned(),
        identity: "acct_1".to_owned(),
        settings: settings.iter().map(setting).collect::<BTreeMap<_, _>>(),
    }
}

fn request(account: &ProviderAccount, call: &Call) -> Request {
    match Sandbox.step(&CX, account, call, &[]) {
        Step::Send(request) => request,
        other => panic!("{other:?}"),
    }
}

/// Method, URL and body on one line.
fn sent(call: &Call) -> String {
    let request = request(&account(&[]), call);
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {} {body}", request.method.as_str(), request.url)
}

/// The outcome's stored form, after a detour through the stored form of the distilled reply.
fn outcome(call: &Call, status: u16, body: &str) -> Value {
    let account = account(&[]);
    let request = request(&account, call);
    let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let distilled = serde_json::to_string(&Sandbox.distill(request.step, &reply)).unwrap();
    let distilled = serde_json::from_str(&distilled).unwrap();
    match Sandbox.step(&CX, &account, call, &[distilled]) {
        Step::Done(outcome) => serde_json::to_value(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn reference() -> String {
    REFERENCE.to_owned()
}

fn dollars(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn upstream(provider_reference: Option<&str>) -> Upstream {
    let reference = "0123456789abcdefABCDEFa01".to_owned();
    Upstream { reference, provider_reference: provider_reference.map(str::to_owned) }
}

fn charge() -> Charge {
    Charge {
        reference: reference(),
        amount: dollars(1000),
        capture: CaptureMode::Automatic,
        instrument: Instrument::CardToken { token: "tok_visa".to_owned() },
        return_url: "https://pay.example/return/pay_1".to_owned(),
        description: Some("Order \"7\"".to_owned()),
        expires_in_seconds: None,
        initiator: Initiator::Customer,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        scenario: None,
    }
}

fn lookup(verb: Verb) -> Call {
    let (reference, amount) = (reference(), dollars(1000));
    Call::Lookup(Lookup {
        reference,
        provider_reference: None,
        verb,
        capture: None,
        amount,
        charge: None,
        replies: Vec::new(),
    })
}

#[test]
fn tokenize() {
    let call = Call::Tokenize(Tokenize {
        reference: reference(),
        card: Card {
            number: CardNumber::parse("4242 4242 4242 4242").unwrap(),
            exp_month: 3,
            exp_year: 2030,
            cvc: Some(Secret::new("737".to_owned())),
            holder: None,
        },
    });
    assert_eq!(
        sent(&call),
        "POST http://sandbox.invalid/v1/tokens \
         {\"number\":\"4242424242424242\",\"exp_month\":3,\"exp_year\":2030,\"cvc\":\"737\"}"
    );
    assert!(request(&account(&[]), &call).carries_card);
    assert_eq!(
        outcome(&call, 200, r#"{"object":"token","id":"tok_sbx_visa.visa.4242.2030-03"}"#),
        json!({"outcome": "tokenized", "token": "tok_sbx_visa.visa.4242.2030-03", "card": null})
    );
    assert_eq!(outcome(&call, 200, r#"{"object":"charge","id":"sbx_1"}"#)["outcome"], "unknown");
}

#[test]
fn charge_of_a_card() {
    let call = Call::Charge(charge());
    assert_eq!(
        sent(&call),
        "POST http://sandbox.invalid/v1/charges \
         {\"reference\":\"0123456789abcdefABCDEFc01\",\"amount\":1000,\"currency\":\"USD\",\"capture\":true,\
         \"source\":{\"type\":\"card\",\"token\":\"tok_visa\"},\
         \"return_url\":\"https://pay.example/return/pay_1\",\"description\":\"Order \\\"7\\\"\"}"
    );
    let request = request(&account(&[]), &call);
    assert_eq!((request.step, request.key.as_str()), ("charge", REFERENCE));
    assert!(request.headers.contains(&("idempotency-key".to_owned(), reference())));
    assert!(!request.carries_card);
    let approved = r#"{"object":"charge","id":"sbx_1","reference":"0123456789abcdefABCDEFc01",
        "status":"captured","amount":1000,"currency":"USD","amount_approved":1000,"amount_captured":1000,
        "amount_refunded":0,"amount_disputed":0,"created":1795000000,"card":{"brand":"visa","last4":"4242"},
        "network_transaction_id":"113800505060894","approval_code":"376638","fee":29,"new_field":true}"#;
    assert_eq!(
        outcome(&call, 200, approved),
        json!({
            "outcome": "approved",
            "amount": {"minor": 1000, "currency": "USD"},
            "reference": "sbx_1",
            "network_transaction_id": "113800505060894",
            "fee": {"minor": 29, "currency": "USD"},
            "facts": {"approval_code": "376638"},
            "card": {"brand": "visa", "last4": "4242"},
        })
    );
}

#[test]
fn charge_that_waits_or_is_declined() {
    let call = Call::Charge(charge());
    let answer = |rest: &str| {
        format!(r#"{{"object":"charge","id":"sbx_1","reference":"{REFERENCE}","currency":"USD",{rest}}}"#)
    };
    for (rest, expected) in [
        (
            r#""status":"requires_action","action":{"type":"three_d_secure","url":"https://bank/c"}"#,
            json!({"outcome": "action_required", "reference": "sbx_1",
                "action": {"type": "three_d_secure", "url": "https://bank/c"}}),
        ),
        (r#""status":"processing""#, json!({"outcome": "pending", "reference": "sbx_1"})),
        (
            r#""status":"declined","decline":{"code":"insufficient_funds","network_code":"51"}"#,
            json!({"outcome": "declined", "code": "insufficient_funds", "raw_code": "insufficient_funds",
                "network_code": "51", "advice": "retry_later", "reference": "sbx_1"}),
        ),
        (
            r#""status":"declined","decline":{"code":"moon_phase"}"#,
            json!({"outcome": "declined", "code": "generic_decline", "raw_code": "moon_phase",
                "network_code": null, "advice": "other_method", "reference": "sbx_1"}),
        ),
        (
            r#""status":"expired","decline":{"code":"expired"}"#,
            json!({"outcome": "declined", "code": "expired", "raw_code": "expired",
                "network_code": null, "advice": "retry_now", "reference": "sbx_1"}),
        ),
        (r#""status":"in_review""#, json!({"outcome": "unknown", "raw": "charge with status in_review"})),
        (
            r#""status":"requires_action","action":{"type":"fax","number":"1"}"#,
            json!({"outcome": "unknown", "raw": "an action that nobody knows"}),
        ),
        (r#""status":"captured""#, json!({"outcome": "unknown", "raw": "an approval without an amount"})),
    ] {
        assert_eq!(outcome(&call, 200, &answer(rest)), expected, "{rest}");
    }
}

#[test]
fn charge_of_a_upi_payer() {
    let call = Call::Charge(Charge {
        amount: Money::new(10_000, Currency::INR),
        instrument: Instrument::Upi {
            vpa: Some("success@upi".to_owned()),
            payee: Payee { vpa: "shop@florin".to_owned(), name: "Shop".to_owned() },
        },
        description: None,
        expires_in_seconds: Some(900),
        ..charge()
    });
    let account = account(&[
        ("base_url", "http://127.0.0.1:9000/sandbox/"),
        ("notice_url", "http://127.0.0.1:8000/webhooks/sandbox/pa_1"),
    ]);
    let request = request(&account, &call);
    assert_eq!(request.url, "http://127.0.0.1:9000/sandbox/v1/charges");
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        "{\"reference\":\"0123456789abcdefABCDEFc01\",\"amount\":10000,\"currency\":\"INR\",\"capture\":true,\
         \"source\":{\"type\":\"upi\",\"payer_vpa\":\"success@upi\",\"payee_vpa\":\"shop@florin\",\
         \"payee_name\":\"Shop\"},\"return_url\":\"https://pay.example/return/pay_1\",\
         \"expires_in_seconds\":900,\"notice_url\":\"http://127.0.0.1:8000/webhooks/sandbox/pa_1\"}"
    );
}

#[test]
fn what_is_done_to_a_charge() {
    let (amount, charge) = (dollars(400), upstream(Some("sbx_1")));
    let capture =
        Capture { reference: reference(), amount, charge: charge.clone(), is_final: true, scenario: None };
    let refund =
        Refund { reference: reference(), amount, charge, reason: Some("torn".to_owned()), scenario: None };
    let void = Void { reference: reference(), amount, charge: upstream(None), scenario: None };
    let cancel = Cancel { reference: reference(), charge: upstream(None), scenario: None };
    let increment = Increment {
        reference: reference(),
        amount,
        charge: upstream(None),
        scenario: Some("slow".to_owned()),
    };
    for (call, expected) in [
        (
            Call::Increment(increment),
            "POST http://sandbox.invalid/v1/charges/0123456789abcdefABCDEFa01/increments {\"reference\":\
             \"0123456789abcdefABCDEFc01\",\"amount\":400,\"currency\":\"USD\",\"scenario\":\"slow\"}",
        ),
        (
            Call::Capture(capture),
            "POST http://sandbox.invalid/v1/charges/sbx_1/captures {\"reference\":\
             \"0123456789abcdefABCDEFc01\",\"amount\":400,\"currency\":\"USD\",\"final\":true}",
        ),
        (
            Call::Refund(refund),
            "POST http://sandbox.invalid/v1/charges/sbx_1/refunds {\"reference\":\
             \"0123456789abcdefABCDEFc01\",\"amount\":400,\"currency\":\"USD\",\"reason\":\"torn\"}",
        ),
        (
            Call::Void(void),
            "POST http://sandbox.invalid/v1/charges/0123456789abcdefABCDEFa01/voids {\"reference\":\
             \"0123456789abcdefABCDEFc01\",\"amount\":400,\"currency\":\"USD\"}",
        ),
        (
            Call::Cancel(cancel),
            "POST http://sandbox.invalid/v1/charges/0123456789abcdefABCDEFa01/cancels {\"reference\":\
             \"0123456789abcdefABCDEFc01\"}",
        ),
    ] {
        assert_eq!(sent(&call), expected);
        let object = crate::mapping::word(call.verb());
        let answer = |status: &str| {
            format!(
                r#"{{"object":"{object}","id":"sbx_2","reference":"{REFERENCE}","charge":"sbx_1",
                "charge_reference":"x","status":"{status}","amount":400,"currency":"USD","created":1}}"#
            )
        };
        let approved = outcome(&call, 200, &answer("succeeded"));
        assert_eq!(approved["amount"], json!({"minor": 400, "currency": "USD"}));
        assert_eq!((&approved["outcome"], &approved["reference"]), (&json!("approved"), &json!("sbx_2")));
        let pending = outcome(&call, 200, &answer("pending"));
        let is_refund = call.verb() == Verb::Refund;
        assert_eq!(pending["outcome"], if is_refund { "pending" } else { "unknown" });
        let failed = outcome(&call, 200, &answer("failed"));
        assert_eq!(failed["outcome"], if is_refund { "declined" } else { "unknown" });
        // Another operation's answer is no answer.
        let strange = answer("succeeded").replace(REFERENCE, "somebodyElses");
        assert_eq!(outcome(&call, 200, &strange)["outcome"], "unknown");
    }
}

#[test]
fn look_up() {
    let call = lookup(Verb::Refund);
    assert_eq!(sent(&call), format!("GET http://sandbox.invalid/v1/operations/{REFERENCE} "));
    assert_eq!(request(&account(&[]), &call).method, Method::Get);
    let found = format!(
        r#"{{"object":"refund","id":"sbx_2","reference":"{REFERENCE}","status":"succeeded",
        "amount":400,"currency":"USD"}}"#
    );
    assert_eq!(outcome(&call, 200, &found)["outcome"], "approved");
    // A reference that stands for something else is nothing that is known of this refund.
    assert_eq!(outcome(&lookup(Verb::Charge), 200, &found)["outcome"], "unknown");
}

#[test]
fn refusals_prove_only_what_the_bank_itself_said() {
    let error = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"because"}}}}"#);
    let charge = Call::Charge(charge());
    for (call, status, body, expected) in [
        (&charge, 401, error("invalid_api_key"), "refused"),
        (&charge, 403, error("forbidden"), "refused"),
        (&charge, 404, error("no_such_path"), "refused"),
        (&charge, 409, error("key_reused"), "refused"),
        (&charge, 422, error("amount_not_allowed"), "refused"),
        (&charge, 429, error("rate_limited"), "refused"),
        (&charge, 408, error("timeout"), "unknown"),
        (&charge, 403, "<html>proxy</html>".to_owned(), "unknown"),
        (&charge, 503, error("unavailable"), "unknown"),
        (&charge, 502, "<html>Bad Gateway</html>".to_owned(), "unknown"),
        (&charge, 302, String::new(), "unknown"),
        (&charge, 200, "{\"object\":\"charge\",\"id\":".to_owned(), "unknown"),
        (&charge, 200, "[]".to_owned(), "unknown"),
        (&charge, 200, "{}".to_owned(), "unknown"),
        (&lookup(Verb::Charge), 404, error("no_such_operation"), "not_found"),
        (&lookup(Verb::Charge), 404, error("no_such_path"), "unknown"),
        (&lookup(Verb::Charge), 404, "<html>Not Found</html>".to_owned(), "unknown"),
        (&lookup(Verb::Charge), 401, error("invalid_api_key"), "unknown"),
        (&lookup(Verb::Charge), 429, error("rate_limited"), "unknown"),
    ] {
        assert_eq!(outcome(call, status, &body)["outcome"], expected, "{status} {body}");
    }
    let refused = outcome(&charge, 409, &error("key_reused"));
    let expected = json!({"outcome": "refused", "cause": "rule", "code": "key_reused", "message": "because"});
    assert_eq!(refused, expected);
    for (status, code, cause) in [
        (401, "invalid_api_key", "credentials"),
        (403, "forbidden", "credentials"),
        (429, "rate_limited", "rate_limit"),
        (422, "no_such_token", "unknown_token"),
        (422, "amount_not_allowed", "rule"),
    ] {
        assert_eq!(outcome(&charge, status, &error(code))["cause"], cause, "{code}");
    }
}

#[test]
fn what_cannot_be_read_is_kept_short_and_clean() {
    let body = format!("<p>card 4242424242424242\0</p>{}", "x".repeat(5000));
    let raw = outcome(&Call::Charge(charge()), 500, &body)["raw"].as_str().unwrap().to_owned();
    assert!(raw.starts_with("500: <p>card **************** </p>xxx") && raw.chars().count() <= 205, "{raw}");
}

/// A notice as the bank sends it, and its headers.
fn delivery(body: &str, secret: &str) -> Delivery {
    let signature = signing::timestamped_signature(secret.as_bytes(), CX.now, body.as_bytes());
    let headers = vec![("sandbox-signature".to_owned(), signature)];
    Delivery { headers, body: body.as_bytes().to_vec(), received_at: CX.now }
}

fn notices(delivery: &Delivery) -> Result<Value, WebhookError> {
    let secret = Secret::new("whsec_1".to_owned());
    let credentials = Credentials::new(vec![("webhook_secret".to_owned(), secret)]);
    match Sandbox.webhook(&CX, &account(&[]), &credentials, delivery, &[])? {
        Incoming::Notices(notices) => Ok(serde_json::to_value(notices).unwrap()),
        Incoming::Need(request) => panic!("{request:?}"),
    }
}

#[test]
fn notices_of_operations_and_disputes() {
    let refund = r#"{"object":"event","id":"evt_1","type":"refund.updated","account":"acct_1","created":1,
        "data":{"object":"refund","id":"sbx_2","reference":null,"charge":"sbx_1","charge_reference":"ours",
        "status":"failed","amount":400,"currency":"USD","created":1}}"#;
    assert_eq!(
        notices(&delivery(refund, "whsec_1")).unwrap(),
        json!([{
            "id": "evt_1",
            "about": {"ours": null, "provider_reference": "sbx_2", "charge_reference": "sbx_1",
                "charge_ours": "ours"},
            "fact": {"fact": "operation", "verb": "refund", "state": {"outcome": "declined",
                "code": "refund_not_allowed", "raw_code": "refund_failed", "network_code": null,
                "advice": "never", "reference": "sbx_2"}},
        }])
    );
    let dispute = r#"{"object":"event","id":"evt_2","type":"dispute.updated","account":"acct_1","created":1,
        "data":{"object":"dispute","id":"sbx_3","charge":"sbx_1","charge_reference":"ours","status":"lost",
        "amount":700,"currency":"USD","reason":"fraudulent","fee":1500}}"#;
    assert_eq!(
        notices(&delivery(dispute, "whsec_1")).unwrap()[0]["fact"],
        json!({"fact": "dispute", "reference": "sbx_3", "phase": "lost", "reason": "fraudulent",
            "amount": {"minor": 700, "currency": "USD"}, "fee": {"minor": 1500, "currency": "USD"}})
    );
}

#[test]
fn notices_that_mean_nothing_or_are_none() {
    let unknown = r#"{"id":"evt_3","type":"payout.paid","data":{"object":"payout","id":"po_1"}}"#;
    assert_eq!(
        notices(&delivery(unknown, "whsec_1")).unwrap()[0]["fact"],
        json!({"fact": "other", "kind": "payout.paid"})
    );
    assert_eq!(notices(&delivery(unknown, "whsec_2")), Err(WebhookError::Signature));
    let text = delivery("no json", "whsec_1");
    assert!(matches!(notices(&text), Err(WebhookError::Unreadable(_))));
}
