use provider_kit::signing;
use sandbox_bank::{BankConfig, Faults, SIGNATURE_HEADER};
use serde_json::{Value, json};

use crate::shop::{Shop, charge_body, code};

/// Types and statuses of what is due, in order.
async fn told(shop: &Shop) -> Vec<(String, String)> {
    let notices = shop.take_notices().await;
    notices.into_iter().map(|(kind, data, _)| (kind, data["status"].as_str().unwrap().to_owned())).collect()
}

fn line(kind: &str, status: &str) -> (String, String) {
    (kind.to_owned(), status.to_owned())
}

#[tokio::test]
async fn what_an_answer_told_is_not_told_again() {
    let shop = Shop::new();
    shop.charge("c", "tok_visa", true).await;
    shop.effect("c", "refund", "r", 100).await;
    shop.wait(1000).await;
    assert_eq!(told(&shop).await, []);
}

#[tokio::test]
async fn everything_is_told_where_that_is_wanted() {
    let shop = Shop::with(BankConfig { notifies_all: true, ..BankConfig::default() });
    shop.charge("c", "tok_visa", false).await;
    shop.effect("c", "capture", "p", 600).await;
    shop.effect("c", "refund", "r", 100).await;
    shop.effect("c", "void", "v", 400).await;
    shop.charge("d", "tok_three_d_secure", false).await;
    shop.post("/v1/charges/d/cancels", json!({"reference": "x"})).await;
    let expected = [
        line("charge.updated", "authorized"),
        line("capture.updated", "succeeded"),
        line("refund.updated", "succeeded"),
        line("void.updated", "succeeded"),
        line("charge.updated", "requires_action"),
        line("charge.updated", "cancelled"),
    ];
    assert_eq!(told(&shop).await, expected);
}

#[tokio::test]
async fn a_late_success_is_told_when_it_comes_and_signed() {
    let shop = Shop::new();
    let mut body = charge_body("c", "tok_late_success", true);
    body["notice_url"] = json!("http://127.0.0.1:8000/webhooks/sandbox/pa_1");
    shop.post("/v1/charges", body).await;
    shop.wait(2).await;
    assert_eq!(told(&shop).await, []);
    shop.wait(1).await;
    let (kind, data, notice) = shop.take_notices().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &data["status"], &data["reference"]),
        ("charge.updated", &json!("captured"), &json!("c"))
    );
    assert_eq!(notice.account, shop.keys.identity.to_string());
    assert_eq!(notice.url.as_deref(), Some("http://127.0.0.1:8000/webhooks/sandbox/pa_1"));
    let (_, signature) = notice.headers.iter().find(|(name, _)| name == SIGNATURE_HEADER).unwrap();
    let secret = shop.keys.webhook_secret.expose().as_bytes();
    let tolerance = std::time::Duration::from_mins(5);
    signing::verify_timestamped(secret, signature, &notice.body, shop.now(), tolerance).unwrap();
    assert_eq!(told(&shop).await, []);
}

#[tokio::test]
async fn duplicates_are_the_same_notice_three_times() {
    let shop = Shop::new();
    shop.charge("c", "tok_duplicate_notices", true).await;
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.extend(shop.take_notices().await.into_iter().map(|(_, _, notice)| notice.body));
        shop.wait(1).await;
    }
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn reordered_notices_tell_the_second_thing_first() {
    let shop = Shop::new();
    shop.charge("c", "tok_reordered_notices", true).await;
    shop.wait(10).await;
    let expected = [line("charge.updated", "captured"), line("charge.updated", "processing")];
    assert_eq!(told(&shop).await, expected);
}

#[tokio::test]
async fn a_notice_can_overtake_the_answer() {
    let shop = Shop::new();
    let reply =
        shop.send(kernel::Method::Post, "/v1/charges", &charge_body("c", "tok_notice_first", true)).await;
    assert!(matches!(reply, sandbox_bank::BankReply::Answer { after, .. } if after.as_secs() == 3));
    assert_eq!(told(&shop).await, [line("charge.updated", "captured")]);
}

#[tokio::test]
async fn refunds_settle_and_fail_later() {
    for (token, first, then) in [
        ("tok_refund_pending", "pending", "succeeded"),
        ("tok_refund_pending_fails", "pending", "failed"),
        ("tok_refund_fails_late", "succeeded", "failed"),
    ] {
        let shop = Shop::new();
        shop.charge("c", token, true).await;
        let answer = shop.effect("c", "refund", "r", 1000).await;
        assert_eq!(answer.1["status"], first, "{token}");
        assert_eq!(shop.look_up("r").await["status"], first, "{token}");
        assert_eq!(code(&shop.effect("c", "refund", "r2", 1).await), (422, "amount_too_large"));
        shop.wait(2).await;
        assert_eq!(told(&shop).await, [line("refund.updated", then)], "{token}");
        assert_eq!(shop.look_up("r").await["status"], then, "{token}");
        assert_eq!(shop.effect("c", "refund", "r", 1000).await, answer, "{token}");
        let left = if then == "failed" { 200 } else { 422 };
        assert_eq!(shop.effect("c", "refund", "r2", 1).await.0, left, "{token}");
    }
}

#[tokio::test]
async fn disputes_open_and_are_decided() {
    for (token, decided) in [("tok_dispute_lost", "lost"), ("tok_dispute_won", "won")] {
        let shop = Shop::with(BankConfig { dispute_fee_minor: 1500, ..BankConfig::default() });
        shop.charge("c", token, true).await;
        shop.effect("c", "refund", "r", 300).await;
        shop.wait(2).await;
        let (kind, data, _) = shop.take_notices().await.pop().unwrap();
        assert_eq!(
            (kind.as_str(), &data["status"], &data["amount"]),
            ("dispute.updated", &json!("open"), &json!(700))
        );
        assert_eq!((&data["fee"], &data["charge_reference"]), (&json!(1500), &json!("c")));
        assert_eq!(code(&shop.effect("c", "refund", "r2", 1).await), (409, "charge_disputed"));
        shop.wait(5).await;
        assert_eq!(told(&shop).await, [line("dispute.updated", decided)]);
        let lost = if decided == "lost" { 700 } else { 0 };
        assert_eq!(shop.look_up("c").await["amount_disputed"], lost);
    }
}

#[tokio::test]
async fn a_dispute_about_nothing_never_opens() {
    let shop = Shop::new();
    shop.charge("c", "tok_dispute_lost", true).await;
    shop.effect("c", "refund", "r", 1000).await;
    shop.wait(10).await;
    assert_eq!(told(&shop).await, []);
    assert_eq!(shop.look_up("c").await["amount_disputed"], 0);
}

#[tokio::test]
async fn the_dashboard_is_told_by_notice_alone() {
    let shop = Shop::new();
    let (_, charge) = shop.charge("c", "tok_visa", true).await;
    let account = shop.keys.identity;
    let refund = shop.bank.dashboard_refund(account, "c", Some(400), shop.now()).await.unwrap();
    let (kind, data, _) = shop.take_notices().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &data["reference"], &data["charge"]),
        ("refund.updated", &Value::Null, &charge["id"])
    );
    assert_eq!(shop.look_up(&refund.to_string()).await["amount"], 400);
    let dispute = shop.bank.dashboard_dispute(account, "c", Some(100), shop.now()).await.unwrap();
    assert_eq!(told(&shop).await, [line("dispute.updated", "open")]);
    shop.wait(1000).await;
    assert_eq!(told(&shop).await, []);
    shop.bank.dashboard_decide(account, "c", dispute, true, shop.now()).await.unwrap();
    shop.bank.dashboard_decide(account, "c", dispute, false, shop.now()).await.unwrap();
    assert_eq!(told(&shop).await, [line("dispute.updated", "won"), line("dispute.updated", "lost")]);
    assert!(shop.bank.dashboard_refund(account, "c", Some(501), shop.now()).await.is_err());
    assert!(shop.bank.dashboard_refund(account, "none", None, shop.now()).await.is_err());
    assert!(shop.bank.dashboard_dispute(account, "c", Some(0), shop.now()).await.is_err());
}

#[tokio::test]
async fn a_notice_that_nobody_takes_comes_again_and_then_no_more() {
    let shop = Shop::new();
    shop.charge("c", "tok_late_success", true).await;
    shop.wait(3).await;
    let mut tries = 0;
    for _ in 0..40 {
        for notice in shop.bank.due_notices(shop.now(), 100).await {
            tries += 1;
            shop.bank.postpone(&notice.id, shop.now()).await;
            assert_eq!(shop.bank.due_notices(shop.now(), 100).await, []);
        }
        shop.wait(3600).await;
    }
    assert_eq!(tries, 12);
}

#[tokio::test]
async fn configured_faults_repeat_and_delay_notices() {
    let faults = Faults { duplicate_notice: 1000, ..Faults::default() };
    let shop = Shop::with(BankConfig { faults, ..BankConfig::default() });
    shop.charge("c", "tok_late_success", true).await;
    shop.wait(3).await;
    assert_eq!(told(&shop).await.len(), 1);
    shop.wait(1).await;
    assert_eq!(told(&shop).await.len(), 1);
    shop.wait(10).await;
    assert_eq!(told(&shop).await.len(), 0);
    let faults = Faults { late_notice: 1000, ..Faults::default() };
    let shop = Shop::with(BankConfig { faults, ..BankConfig::default() });
    for count in 0..10 {
        shop.charge(&format!("c{count}"), "tok_late_success", true).await;
    }
    shop.wait(3).await;
    assert!(told(&shop).await.len() < 10);
    shop.wait(3).await;
    told(&shop).await;
    let lines = shop.bank.due_notices(shop.now(), 100).await;
    assert_eq!(lines, []);
}
