//! Update, increment, confirm with what is stored, scenarios and the payer's fields, over HTTP.

use axum::http::{Method, StatusCode};
use kernel::Mode;
use serde_json::{Value, json};

use crate::world::{CARD, Reply, World};

async fn patch(world: &World, id: &str, body: &str) -> Reply {
    let path = format!("/api/v1/payments/{id}");
    world.call(Method::PATCH, &path, &[("content-type", "application/json")], body).await
}

fn id_of(payment: &Value) -> String {
    payment["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_known_of_the_payer_is_shown() {
    let world = World::start().await;
    let given = json!({
        "ip_address": "::ffff:203.0.113.7", "device_fingerprint": "dev-1", "user_agent": "Mozilla/5.0",
        "terminal_id": "till-4",
        "billing_address": {"name": "Ζωή 🌊", "line1": "1 Main St", "city": "Αθήνα", "country": "GR"},
        "shipping_address": {"postal_code": "SW1A 1AA", "country": "GB"},
    });
    let fields = given.to_string();
    let inner = fields.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap();
    let payment = world.pay(&format!("{inner}, ")).await;
    for (name, value) in given.as_object().unwrap() {
        if name != "ip_address" {
            assert_eq!(&payment[name], value, "{name}");
        }
    }
    // In its canonical form.
    assert_eq!(payment["ip_address"], "203.0.113.7");
    let card = &payment["payment_method"]["card"];
    assert_eq!((&card["country"], &card["issuer"]), (&json!("US"), &json!("Sandbox Bank")));
    assert_eq!(payment["provider_metadata"]["charge_id"], payment["provider_reference"]);
    assert_eq!(payment["provider_metadata"]["reference"].as_str().unwrap().len(), 25);
    assert_eq!(payment["three_d_secure"], Value::Null);
}

#[tokio::test]
async fn authentication_is_shown_where_it_was_asked() {
    let world = World::start().await;
    let payment = world.pay("\"three_d_secure\": \"required\", ").await;
    assert_eq!(payment["three_d_secure"], "required");
    assert_eq!(
        payment["payment_method"]["card"]["three_d_secure"],
        json!({"status": "authenticated", "version": "2.2", "eci": "05"})
    );
}

#[tokio::test]
async fn off_session_with_a_token() {
    let world = World::start().await;
    let body = |token: &str, link: &str| {
        format!(
            "{{\"amount\": 700, \"currency\": \"EUR\", \"off_session\": true, \"customer_id\": \"c\", \
             {link}\"payment_method\": \"{token}\"}}"
        )
    };
    let link = "\"network_transaction_id\": \"113800505060894\", ";
    let paid = world.post("/api/payments", &body("tok_three_d_secure_unless_stored", link)).await;
    assert_eq!((paid.status, paid.json()["off_session"].clone()), (StatusCode::CREATED, json!(true)));
    let declined = world.post("/api/payments", &body("tok_three_d_secure_always", link)).await;
    assert_eq!(declined.problem(), (402, "card_declined".to_owned()));
    assert_eq!(declined.json()["decline_code"], "authentication_required");
}

#[tokio::test]
async fn a_payment_is_updated() {
    let world = World::start().await;
    let body = r#"{"amount": 500, "currency": "USD", "description": "one", "metadata": {"a": "1", "b": 2}}"#;
    let id = id_of(&world.post("/api/payments", body).await.json());
    let update = r#"{"amount": 900, "order_id": "o-1", "description": null, "customer_id": "cust_9",
        "metadata": {"a": null, "c": true}, "shipping_address": {"country": "FR"}}"#;
    let reply = patch(&world, &id, update).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let payment = reply.json();
    for (name, value) in [
        ("amount", json!(900)),
        ("order_id", json!("o-1")),
        ("description", Value::Null),
        ("customer_id", json!("cust_9")),
        ("metadata", json!({"b": 2, "c": true})),
        ("shipping_address", json!({"country": "FR"})),
    ] {
        assert_eq!(payment[name], value, "{name}");
    }
    for (body, param) in [
        (r#"{"amount": null}"#, "/amount"),
        (r#"{"amount": 0}"#, "/amount"),
        (r#"{"description": "4242 4242 4242 4242"}"#, "/description"),
        (r#"{"metadata": {"a": []}}"#, "/metadata/a"),
        (r#"{"shipping_address": {"country": "ZZ"}}"#, "/shipping_address/country"),
        (r#"{"status": "paid"}"#, "/status"),
        (r#"{"amount_paisa": 100}"#, "/amount_paisa"),
    ] {
        let refused = patch(&world, &id, body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["param"]), (422, &json!(param)), "{body}");
    }
    let confirm = format!("/api/payments/{id}/confirm");
    let paid = world.post(&confirm, r#"{"payment_method": "tok_visa"}"#).await;
    assert_eq!((&paid.json()["status"], &paid.json()["amount_captured"]), (&json!("paid"), &json!(900)));
    for (body, param) in [
        (r#"{"amount": 1}"#, "/amount"),
        (r#"{"currency": "EUR"}"#, "/currency"),
        (r#"{"order_id": null}"#, "/order_id"),
    ] {
        let refused = patch(&world, &id, body).await;
        assert_eq!(refused.problem(), (409, "invalid_state".to_owned()), "{body}");
        let document = refused.json();
        assert_eq!(document["param"], param);
        assert!(document["detail"].as_str().unwrap().contains("`metadata`"), "{document}");
    }
    assert_eq!(patch(&world, &id, r#"{"description": "late"}"#).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_increment_and_what_refuses_one() {
    let world = World::start().await;
    let id = id_of(&world.pay("\"capture_method\": \"manual\", ").await);
    let path = format!("/api/payments/{id}/increment");
    let grown = world.post(&path, r#"{"amount": 234}"#).await;
    assert_eq!(grown.status, StatusCode::OK, "{}", grown.text());
    let payment = grown.json();
    assert_eq!((&payment["amount"], &payment["amount_authorized"]), (&json!(1234), &json!(1234)));
    assert_eq!(payment["amount_capturable"], 1234);
    assert_eq!(world.post(&path, "{}").await.problem(), (422, "missing_field".to_owned()));
    assert_eq!(world.post(&path, r#"{"amount": 0}"#).await.problem(), (422, "invalid_amount".to_owned()));
    let part = world.post(&format!("/api/payments/{id}/capture"), r#"{"amount": 234, "final": true}"#).await;
    assert_eq!(
        (&part.json()["amount_captured"], &part.json()["amount_capturable"]),
        (&json!(234), &json!(0))
    );
    assert_eq!(world.post(&path, r#"{"amount": 5}"#).await.problem(), (409, "invalid_state".to_owned()));
    let declined = CARD.replace("4242424242424242", "4000009900034003").replacen(
        '{',
        "{\"capture_method\": \"manual\", ",
        1,
    );
    let id = id_of(&world.post("/api/payments", &declined).await.json());
    let refused = world.post(&format!("/api/payments/{id}/increment"), r#"{"amount": 5}"#).await;
    assert_eq!(refused.problem(), (402, "operation_declined".to_owned()));
    assert_eq!(refused.json()["decline_code"], "insufficient_funds");
}

#[tokio::test]
async fn create_now_and_confirm_later() {
    let world = World::start().await;
    let body = CARD.replacen('{', "{\"confirm\": false, ", 1);
    let made = world.post("/api/payments", &body).await;
    assert_eq!((made.status, &made.json()["status"]), (StatusCode::CREATED, &json!("pending")));
    assert_eq!(made.json()["payment_method"]["card"]["last4"], "4242");
    let confirm = format!("/api/payments/{}/confirm", id_of(&made.json()));
    let paid = world.post(&confirm, "").await;
    assert_eq!((paid.status, &paid.json()["status"]), (StatusCode::OK, &json!("paid")));
    let bare = id_of(&world.post("/api/payments", r#"{"amount": 5, "currency": "USD"}"#).await.json());
    let refused = world.post(&format!("/api/payments/{bare}/confirm"), "").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["param"]), (422, &json!("/payment_method")));
}

#[tokio::test]
async fn another_method_takes_the_place_of_a_challenge() {
    let world = World::start().await;
    let made = world.post("/api/payments", &CARD.replace("4242424242424242", "4000000000003220")).await;
    assert_eq!(made.json()["status"], "authorizing");
    let confirm = format!("/api/payments/{}/confirm", id_of(&made.json()));
    let paid = world.post(&confirm, r#"{"payment_method": "tok_mastercard"}"#).await;
    let payment = paid.json();
    assert_eq!((paid.status, &payment["status"]), (StatusCode::OK, &json!("paid")), "{payment}");
    assert_eq!(payment["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(payment["payment_method"]["card"]["brand"], "mastercard");
}

#[tokio::test]
async fn a_token_that_the_provider_does_not_know_reads_like_no_declined_card() {
    let world = World::start().await;
    let body = r#"{"amount": 1000, "currency": "USD", "payment_method": "tok_of_somebody_else"}"#;
    let refused = world.post("/api/payments", body).await;
    assert_eq!(refused.problem(), (402, "unknown_token".to_owned()));
    let document = refused.json();
    assert_eq!((&document["advice"], &document["decline_code"]), (&"other_method".into(), &Value::Null));
    let payment =
        world.get(&format!("/api/payments/{}", document["payment_id"].as_str().unwrap())).await.json();
    assert_eq!(payment["status"], "failed");
    assert_eq!(payment["last_error"]["code"], "unknown_token");
}

#[tokio::test]
async fn a_provider_that_takes_no_more_requests_is_asked_again_later() {
    let world = World::start().await;
    let headers = [("content-type", "application/json"), ("x-florin-sandbox-scenario", "rate_limited")];
    let refused = world.call(Method::POST, "/api/payments", &headers, CARD).await;
    assert_eq!(refused.problem(), (402, "provider_rate_limited".to_owned()));
    assert_eq!(
        (&refused.json()["advice"], &refused.json()["retryable"]),
        (&"retry_later".into(), &true.into())
    );
}

#[tokio::test]
async fn a_scenario_by_header() {
    let world = World::start().await;
    let headers =
        |name: &'static str| [("content-type", "application/json"), ("x-florin-sandbox-scenario", name)];
    let declined = world.call(Method::POST, "/api/payments", &headers("lost_card"), CARD).await;
    assert_eq!(declined.problem(), (402, "card_declined".to_owned()));
    assert_eq!(declined.json()["decline_code"], "lost_card");
    let asked = world.call(Method::POST, "/api/payments", &headers("three_d_secure"), CARD).await;
    assert_eq!(asked.json()["next_action"]["type"], "three_d_secure");
    let id = id_of(&world.pay("").await);
    let refund = format!("/api/payments/{id}/refund");
    let refused = world.call(Method::POST, &refund, &headers("rate_limited"), "").await;
    assert_eq!(refused.problem(), (402, "provider_rate_limited".to_owned()));
    assert_eq!(refused.json()["retryable"], true);
    let unknown = world.call(Method::POST, "/api/payments", &headers("nonsense"), CARD).await;
    assert_eq!(unknown.problem(), (422, "invalid_scenario".to_owned()));
    let detail = unknown.json()["detail"].as_str().unwrap().to_owned();
    for name in ["timeout_before", "timeout_after", "garbage", "slow", "duplicate_notices"] {
        assert!(detail.contains(name), "{detail}");
    }
    let live = world.another_key(Mode::Live, identity::KeyKind::Secret).await;
    let authorization = format!("Bearer {live}");
    let all = [("authorization", authorization.as_str()), ("x-florin-sandbox-scenario", "visa")];
    let refused = world.bare(Method::GET, "/api/payments", &all, "").await;
    assert_eq!(refused.problem(), (422, "invalid_scenario".to_owned()));
}

#[tokio::test]
async fn a_delayed_capture_is_said_and_held() {
    let world = World::start().await;
    let payment = world.pay("\"capture_delay_seconds\": 3600, ").await;
    assert_eq!((&payment["status"], &payment["capture_method"]), (&json!("authorized"), &json!("automatic")));
    assert_eq!(payment["capture_delay_seconds"], 3600);
}
