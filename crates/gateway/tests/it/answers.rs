//! What answers look like, in the words of the specification.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::{CARD, World};

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

const PAID: &[&str] = &[
    "amount",
    "amount_authorized",
    "amount_capturable",
    "amount_captured",
    "amount_refundable",
    "amount_refunded",
    "attempts",
    "capture_method",
    "client_secret",
    "completed_at",
    "created_at",
    "currency",
    "customer_id",
    "id",
    "last_error",
    "metadata",
    "mode",
    "network_transaction_id",
    "object",
    "payment_method",
    "provider",
    "provider_account_id",
    "provider_metadata",
    "provider_reference",
    "provider_response",
    "refunds",
    "status",
    "updated_at",
];

#[tokio::test]
async fn a_card_payment_has_the_documented_fields_and_no_others() {
    let world = World::start().await;
    let body = CARD.replacen('{', "{\"customer_id\": \"cust_123\", ", 1);
    let made = world.post("/api/payments", &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let payment = made.json();
    let found: Vec<_> = names(&payment).into_iter().filter(|name| *name != "expires_at").collect();
    assert_eq!(found, PAID);
    for (name, value) in [
        ("object", json!("payment")),
        ("mode", json!("test")),
        ("status", json!("paid")),
        ("amount", json!(1000)),
        ("currency", json!("USD")),
        ("amount_authorized", json!(1000)),
        ("amount_captured", json!(1000)),
        ("amount_refunded", json!(0)),
        ("amount_capturable", json!(0)),
        ("amount_refundable", json!(1000)),
        ("capture_method", json!("automatic")),
        ("customer_id", json!("cust_123")),
        ("metadata", json!({})),
        ("provider", json!("sandbox")),
        ("refunds", json!([])),
        ("last_error", json!(null)),
    ] {
        assert_eq!(payment[name], value, "{name}");
    }
    let id = payment["id"].as_str().unwrap();
    assert!(id.starts_with("pay_") && id.len() == 30);
    assert!(payment["provider_account_id"].as_str().unwrap().starts_with("pa_"));
    assert!(payment["created_at"].as_str().unwrap().ends_with('Z'));
    let secret = payment["client_secret"].as_str().unwrap();
    assert!(secret.strip_prefix(id).unwrap().starts_with("_secret_") && secret.len() == id.len() + 40);
    let card = &payment["payment_method"]["card"];
    assert_eq!(payment["payment_method"]["type"], "card");
    assert_eq!(
        (&card["brand"], &card["last4"], &card["bin"]),
        (&json!("visa"), &json!("4242"), &json!("424242"))
    );
    assert_eq!((&card["exp_month"], &card["exp_year"]), (&json!(12), &json!(2037)));
    assert_eq!(names(&payment["attempts"][0]), ["amount", "created_at", "error", "id", "provider", "status"]);
    assert_eq!(payment["attempts"][0]["status"], "captured");
    assert!(payment["attempts"][0]["id"].as_str().unwrap().starts_with("att_"));
    assert_eq!(made.header("location"), format!("/api/v1/payments/{id}"));
    assert_eq!(made.header("cache-control"), "no-store");
    assert!(!made.text().contains("4242424242424242"));

    let read = world.get(&format!("/api/payments/{id}")).await;
    assert_eq!((read.status, read.json()), (StatusCode::OK, payment));
}

#[tokio::test]
async fn the_documents_expired_card_is_a_stored_decline() {
    let world = World::start().await;
    let reply = world.post("/api/payments", &CARD.replace("2037", "2025")).await;
    assert_eq!(reply.problem(), (402, "card_declined".to_owned()));
    let document = reply.json();
    assert_eq!(document["decline_code"], "expired_card");
    assert_eq!((&document["advice"], &document["retryable"]), (&json!("other_method"), &json!(false)));
    let payment =
        world.get(&format!("/api/payments/{}", document["payment_id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&payment["status"], &payment["attempts"][0]["status"]),
        (&json!("failed"), &json!("declined"))
    );
    assert_eq!(payment["last_error"]["decline_code"], "expired_card");
}

#[tokio::test]
async fn the_documents_upi_request_is_answered_in_their_words() {
    let world = World::start().await;
    let body = r#"{"user_id": "123e4567-e89b-12d3-a456-426614174000",
        "merchant_id": "123e4567-e89b-12d3-a456-426614174001", "amount_paisa": 10000, "currency": "INR",
        "payment_method": "UPI", "payment_details": {"vpa": "success@upi"},
        "description": "Payment for order #12345", "callback_url": "https://merchant.com/webhook",
        "metadata": {"order_id": "12345", "customer_email": "user@example.com"}}"#;
    let made = world.post("/api/v1/payments", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let payment = made.json();
    assert_eq!(payment["payment_id"], payment["id"]);
    assert_eq!((&payment["status"], &payment["waiting_for"]), (&json!("pending"), &json!("customer")));
    assert_eq!((&payment["amount_paisa"], &payment["fees_paisa"]), (&json!(10000), &json!(0)));
    assert_eq!(payment["order_id"], "12345");
    let url = payment["payment_url"].as_str().unwrap();
    assert!(url.starts_with("upi://pay?pa=merchant@bank&") && url.contains("&am=100.00&cu=INR&"), "{url}");
    let code = payment["qr_code"].as_str().unwrap();
    assert!(code.starts_with("data:image/png;base64,iVBORw0KGgo"), "{code}");
    assert!(payment["expires_at"].is_string());
    assert_eq!(payment["next_action"], json!({"type": "qr_code", "payload": url, "image": code}));

    // The payer approves; a later look still has the documents' words.
    let path = format!("/api/v1/payments/{}", payment["id"].as_str().unwrap());
    let mut paid = Value::Null;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let account = payment["provider_account_id"].as_str().unwrap();
        let back = format!("/return/{}?account={account}", payment["id"].as_str().unwrap());
        world.get(&back).await;
        paid = world.get(&path).await.json();
        if paid["status"] == "paid" {
            break;
        }
    }
    assert_eq!(paid["status"], "paid", "{paid}");
    assert_eq!((&paid["payment_url"], &paid["qr_code"]), (&payment["payment_url"], &payment["qr_code"]));
    assert_eq!(paid["external_txn_id"], paid["provider_reference"]);
    assert!(paid["gateway_response"]["rrn"].is_string(), "{paid}");
    assert!(paid["processed_at"].is_string());

    let refunded = world.post(&format!("{path}/refund"), r#"{"amount_paisa": 4000, "reason": "x"}"#).await;
    let refund = refunded.json();
    assert_eq!((refunded.status, &refund["amount_paisa"]), (StatusCode::CREATED, &json!(4000)), "{refund}");
    assert_eq!(refund["refund_id"], refund["id"]);
}

#[tokio::test]
async fn paisa_are_rupees_only() {
    let world = World::start().await;
    let payment = world.pay("").await;
    let path = format!("/api/payments/{}", payment["id"].as_str().unwrap());
    let refused = world.post(&format!("{path}/refund"), r#"{"amount_paisa": 5}"#).await;
    assert_eq!(refused.problem(), (422, "invalid_currency".to_owned()));
    let body = format!("{{\"payment_id\": {}, \"amount_paisa\": 5}}", payment["id"]);
    assert_eq!(world.post("/api/refunds", &body).await.problem(), (422, "invalid_currency".to_owned()));
    let refused = world.post(&format!("{path}/capture"), r#"{"amount_paisa": 5}"#).await;
    assert_eq!(refused.problem(), (422, "invalid_currency".to_owned()));
}

#[tokio::test]
async fn captures_refunds_and_voids_show_in_the_payment() {
    let world = World::start().await;
    let payment = world.pay(r#""capture_method": "manual", "#).await;
    assert_eq!((&payment["status"], &payment["amount_capturable"]), (&json!("authorized"), &json!(1000)));
    let path = format!("/api/v1/payments/{}", payment["id"].as_str().unwrap());
    let captured = world.post(&format!("{path}/capture"), r#"{"amount": 600}"#).await;
    assert_eq!((captured.status, &captured.json()["status"]), (StatusCode::OK, &json!("paid")));
    let over = world.post(&format!("{path}/capture"), r#"{"amount": 401}"#).await;
    assert_eq!(over.problem(), (422, "beyond_capturable".to_owned()));
    let body = r#"{"amount": 250, "reason": "late", "metadata": {"a": 1}}"#;
    let refunded = world.post(&format!("{path}/refund"), body).await;
    let refund = refunded.json();
    assert_eq!(refunded.status, StatusCode::CREATED);
    assert_eq!(
        names(&refund),
        [
            "amount",
            "created_at",
            "currency",
            "id",
            "metadata",
            "mode",
            "object",
            "payment_id",
            "provider_reference",
            "reason",
            "settled_at",
            "status"
        ]
    );
    assert_eq!((&refund["status"], &refund["payment_id"]), (&json!("succeeded"), &payment["id"]));
    let over = world.post(&format!("{path}/refund"), r#"{"amount": 351}"#).await;
    assert_eq!(over.problem(), (422, "beyond_refundable".to_owned()));
    let now = world.get(&path).await.json();
    assert_eq!((&now["status"], &now["amount_refunded"]), (&json!("partially_refunded"), &json!(250)));
    assert_eq!(now["refunds"][0]["id"], refund["id"]);
    let listed =
        world.get(&format!("/api/refunds?payment_id={}", payment["id"].as_str().unwrap())).await.json();
    assert_eq!(listed["data"], json!([refund]));

    let held = world.pay(r#""capture_method": "manual", "#).await;
    let path = format!("/api/v1/payments/{}", held["id"].as_str().unwrap());
    let voided = world.post(&format!("{path}/void"), "").await;
    assert_eq!((voided.status, &voided.json()["status"]), (StatusCode::OK, &json!("cancelled")));
    let late = world.post(&format!("{path}/capture"), "").await;
    assert_eq!(late.problem(), (409, "invalid_state".to_owned()));
}

#[tokio::test]
async fn an_order_is_charged_once() {
    let world = World::start().await;
    world.pay(r#""order_id": "o1", "#).await;
    let body = CARD.replacen('{', "{\"order_id\": \"o1\", ", 1);
    assert_eq!(world.post("/api/payments", &body).await.problem(), (409, "order_already_charged".to_owned()));
    world.pay(r#""order_id": "o1", "allow_duplicate_order": true, "#).await;
}

#[tokio::test]
async fn lists_page_by_cursor() {
    let world = World::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.pay("").await["id"].clone());
    }
    made.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/v1/payments?limit=2".to_owned());
    let mut pages = 0;
    loop {
        let page = world.get(&path).await.json();
        assert_eq!(page["object"], "list");
        seen.extend(page["data"].as_array().unwrap().iter().map(|payment| payment["id"].clone()));
        pages += 1;
        assert_eq!(page["has_more"], page.get("next_cursor").is_some());
        let Some(cursor) = page.get("next_cursor") else { break };
        path = format!("/api/v1/payments?limit=2&cursor={}", cursor.as_str().unwrap());
    }
    assert_eq!((seen, pages), (made, 3));
    assert_eq!(world.get("/api/v1/refunds").await.json()["data"], json!([]));
    for (path, code) in [
        ("/api/payments?limit=0", "invalid_parameter"),
        ("/api/payments?cursor=x", "invalid_parameter"),
        ("/api/payments?order_id=", "invalid_parameter"),
        ("/api/payments?limt=1", "unknown_parameter"),
        ("/api/refunds?cursor=x", "invalid_parameter"),
    ] {
        assert_eq!(world.get(path).await.problem(), (422, code.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn what_the_provider_cannot_do_is_no_fault_of_ours() {
    let world = World::start().await;
    let body = r#"{"amount": 5, "currency": "USD", "payment_method": {"type": "upi"}}"#;
    let reply = world.post("/api/payments", body).await;
    assert!(matches!(reply.status.as_u16(), 402 | 422), "{}", reply.text());
    let body = r#"{"amount": 0, "currency": "USD", "purpose": "verification", "payment_method": "tok_visa"}"#;
    let verified = world.post("/api/payments", body).await.json();
    assert_eq!((&verified["status"], &verified["purpose"]), (&json!("authorized"), &json!("verification")));
    // It is final: nothing is held that could be taken, given up or made more.
    for verb in ["capture", "cancel", "void"] {
        let path = format!("/api/v1/payments/{}/{verb}", verified["id"].as_str().unwrap());
        assert_eq!(world.post(&path, "").await.problem(), (409, "invalid_state".to_owned()), "{verb}");
    }
}

#[tokio::test]
async fn an_unconfirmed_payment_waits_for_confirmation() {
    let world = World::start().await;
    let made = world.post("/api/payments", r#"{"amount": 5, "currency": "EUR"}"#).await;
    let payment = made.json();
    assert_eq!((&payment["status"], &payment["waiting_for"]), (&json!("pending"), &json!("confirmation")));
    let path = format!("/api/payments/{}/confirm", payment["id"].as_str().unwrap());
    let confirmed = world.post(&path, r#"{"payment_method": {"type": "card", "token": "tok_visa"}}"#).await;
    assert_eq!(
        (confirmed.status, &confirmed.json()["status"]),
        (StatusCode::OK, &json!("paid")),
        "{}",
        confirmed.text()
    );
}
