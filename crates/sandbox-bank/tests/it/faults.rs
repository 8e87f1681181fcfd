//! Every card with a fault, and faults by configuration: each done or not done as it says, and the
//! look-up and the repeat tell.

use std::time::Duration;

use kernel::Method;
use sandbox_bank::{BankConfig, BankReply, Faults};
use serde_json::{Value, json};

use crate::shop::{Shop, charge_body, code, read};

/// What the first send of a charge looks like.
#[derive(Debug, PartialEq)]
enum Seen {
    Silence,
    Status(u16, &'static str),
    Broken(u16),
}

async fn send(shop: &Shop, token: &str) -> (Seen, Duration) {
    match shop.send(Method::Post, "/v1/charges", &charge_body("c", token, true)).await {
        BankReply::Silence(_) => (Seen::Silence, Duration::ZERO),
        BankReply::Answer { after, reply } => match serde_json::from_slice::<Value>(&reply.body) {
            Ok(body) => {
                let known = ["captured", "declined", "processing", "in_review"];
                let status = known.into_iter().find(|known| body["status"] == *known).unwrap_or("none");
                (Seen::Status(reply.status, status), after)
            }
            Err(_) => (Seen::Broken(reply.status), after),
        },
    }
}

/// The look-up's status, or its refusal.
async fn looked_up(shop: &Shop) -> String {
    let (status, body) = shop.get("/v1/operations/c").await;
    body["status"].as_str().map_or_else(|| format!("{status}"), str::to_owned)
}

#[tokio::test]
async fn charges_go_wrong_as_their_cards_say() {
    // token; the first answer; the look-up at once; after ten seconds; the same request again then.
    for (token, first, soon, later, again) in [
        ("tok_timeout_before", Seen::Silence, "404", "404", Seen::Silence),
        ("tok_timeout_after", Seen::Silence, "captured", "captured", Seen::Status(200, "captured")),
        ("tok_timeout_invisible", Seen::Silence, "404", "captured", Seen::Status(200, "captured")),
        ("tok_server_error_before", Seen::Broken(500), "404", "404", Seen::Broken(500)),
        ("tok_server_error_after", Seen::Broken(502), "captured", "captured", Seen::Status(200, "captured")),
        ("tok_garbage", Seen::Broken(200), "captured", "captured", Seen::Status(200, "captured")),
        ("tok_slow", Seen::Status(200, "captured"), "captured", "captured", Seen::Status(200, "captured")),
        (
            "tok_late_success",
            Seen::Status(200, "declined"),
            "declined",
            "captured",
            Seen::Status(200, "declined"),
        ),
        ("tok_late_success_silent", Seen::Silence, "processing", "captured", Seen::Status(200, "processing")),
        (
            "tok_contradictory",
            Seen::Status(200, "declined"),
            "captured",
            "captured",
            Seen::Status(200, "declined"),
        ),
        ("tok_rate_limited", Seen::Status(429, "none"), "404", "404", Seen::Status(429, "none")),
        (
            "tok_unknown_status",
            Seen::Status(200, "in_review"),
            "in_review",
            "captured",
            Seen::Status(200, "in_review"),
        ),
        (
            "tok_reordered_notices",
            Seen::Status(200, "processing"),
            "processing",
            "captured",
            Seen::Status(200, "processing"),
        ),
    ] {
        let shop = Shop::new();
        let (seen, after) = send(&shop, token).await;
        assert_eq!(seen, first, "{token}");
        assert_eq!(after > Duration::ZERO, token == "tok_slow", "{token}");
        assert_eq!(looked_up(&shop).await, soon, "{token}");
        shop.wait(10).await;
        assert_eq!(looked_up(&shop).await, later, "{token}");
        assert_eq!(send(&shop, token).await.0, again, "{token}");
        let taken: i64 =
            shop.bank.statement(shop.now()).await.unwrap().iter().map(|line| line.captured_minor).sum();
        assert_eq!(taken, if later == "captured" { 1000 } else { 0 }, "{token}");
    }
}

#[tokio::test]
async fn effects_go_wrong_as_their_cards_say() {
    for (token, verb, is_done) in [
        ("tok_capture_timeout_before", "capture", false),
        ("tok_capture_timeout_after", "capture", true),
        ("tok_void_timeout_before", "void", false),
        ("tok_void_timeout_after", "void", true),
        ("tok_refund_timeout_before", "refund", false),
        ("tok_refund_timeout_after", "refund", true),
        ("tok_refund_server_error_after", "refund", true),
    ] {
        let shop = Shop::new();
        assert_eq!(shop.charge("c", token, verb == "refund").await.0, 200);
        let body = json!({"reference": "e", "amount": 400, "currency": "USD"});
        let path = format!("/v1/charges/c/{verb}s");
        match shop.send(Method::Post, &path, &body).await {
            BankReply::Silence(_) => assert!(token.contains("timeout"), "{token}"),
            BankReply::Answer { reply, .. } => assert_eq!(reply.status, 502, "{token}"),
        }
        let (status, found) = shop.get("/v1/operations/e").await;
        assert_eq!(status, if is_done { 200 } else { 404 }, "{token}: {found}");
        if is_done {
            assert_eq!(shop.post(&path, body).await.1["status"], "succeeded", "{token}");
        }
    }
}

#[tokio::test]
async fn less_and_more_than_asked() {
    let shop = Shop::new();
    let (_, part) = shop.charge("part", "tok_partial_approval", true).await;
    assert_eq!((&part["amount_approved"], &part["amount_captured"]), (&json!(500), &json!(500)));
    let (_, over) = shop.charge("over", "tok_over_approval", false).await;
    assert_eq!(over["amount_approved"], 1100);
    assert_eq!(code(&shop.effect("part", "refund", "r", 501).await), (422, "amount_too_large"));
}

#[tokio::test]
async fn configured_faults_hit_and_are_done_or_not_as_they_say() {
    let certain = |faults: Faults| Shop::with(BankConfig { faults, ..BankConfig::default() });
    for (faults, first, is_done) in [
        (Faults { timeout_before: 1000, ..Faults::default() }, Seen::Silence, false),
        (Faults { timeout_after: 1000, ..Faults::default() }, Seen::Silence, true),
        (Faults { server_error_before: 1000, ..Faults::default() }, Seen::Broken(500), false),
        (Faults { server_error_after: 1000, ..Faults::default() }, Seen::Broken(502), true),
        (Faults { garbage: 1000, ..Faults::default() }, Seen::Broken(200), true),
        (Faults { slow: 1000, ..Faults::default() }, Seen::Status(200, "captured"), true),
    ] {
        let shop = certain(faults);
        assert_eq!(send(&shop, "tok_visa").await.0, first, "{faults:?}");
        let lines = shop.bank.statement(shop.now()).await.unwrap();
        assert_eq!(lines.len(), usize::from(is_done), "{faults:?}");
    }
}

#[tokio::test]
async fn rare_faults_are_rare() {
    let faults = Faults { timeout_after: 100, ..Faults::default() };
    let shop = Shop::with(BankConfig { faults, ..BankConfig::default() });
    let mut silent = 0;
    for count in 0..1000 {
        let body = charge_body(&format!("c{count}"), "tok_visa", true);
        let reply = shop.send(Method::Post, "/v1/charges", &body).await;
        silent += i32::from(matches!(reply, BankReply::Silence(_)));
    }
    assert!((50..200).contains(&silent), "{silent} of 1000");
    assert_eq!(shop.bank.statement(shop.now()).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn latency_is_added_to_every_answer() {
    let latency = Duration::from_millis(80);
    let shop = Shop::with(BankConfig { latency, ..BankConfig::default() });
    let reply = shop.send(Method::Get, "/v1/operations/none", &Value::Null).await;
    let BankReply::Answer { after, .. } = &reply else { panic!("no answer") };
    assert_eq!(*after, latency);
    assert_eq!(code(&read(reply)), (404, "no_such_operation"));
}
