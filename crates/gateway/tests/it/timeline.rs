//! The timeline, and the list of providers.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use payments::RecordExchanges;
use serde_json::Value;

use crate::world::World;

/// All pages of a payment's timeline.
async fn timeline(world: &World, id: &str, limit: u32) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let reply = world.get(&format!("/api/v1/payments/{id}/timeline?limit={limit}{cursor}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let page = reply.json();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

fn types(moments: &[Value]) -> BTreeSet<&str> {
    moments.iter().map(|moment| moment["type"].as_str().unwrap()).collect()
}

/// Waits for what is written in the background.
async fn eventually(world: &World, id: &str, kind: &str) -> Vec<Value> {
    for _ in 0..200 {
        let moments = timeline(world, id, 100).await;
        if types(&moments).contains(kind) {
            return moments;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there is no {kind}")
}

#[tokio::test]
async fn a_timeline_tells_everything_in_order_and_in_pages() {
    let world = World::start().await;
    let id = world.pay("").await["id"].as_str().unwrap().to_owned();
    let refunded = world.post(&format!("/api/v1/payments/{id}/refund"), r#"{"amount": 400}"#).await;
    assert_eq!(refunded.status, StatusCode::CREATED);
    let whole = timeline(&world, &id, 100).await;
    assert_eq!(types(&whole), BTreeSet::from(["attempt", "event", "operation", "posting"]));
    let times: Vec<_> = whole.iter().map(|moment| moment["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let kinds: Vec<_> = whole.iter().filter_map(|moment| moment["kind"].as_str()).collect();
    let place = |kind| kinds.iter().position(|known| *known == kind).unwrap_or_else(|| panic!("{kinds:?}"));
    assert!(place("payment.created") < place("capture"), "{kinds:?}");
    let operations: Vec<_> = whole.iter().filter(|moment| moment["type"] == "operation").collect();
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["reference"].as_str().unwrap().len(), 25);
    for limit in [1, 3] {
        assert_eq!(timeline(&world, &id, limit).await, whole, "pages of {limit}");
    }
    for query in ["limit=0", "cursor=x", "cursor=", "status=1"] {
        assert_eq!(world.get(&format!("/api/v1/payments/{id}/timeline?{query}")).await.problem().0, 422);
    }
    // A cursor is of its payment alone.
    let cursor = world.get(&format!("/api/v1/payments/{id}/timeline?limit=1")).await.json();
    let other = world.pay("").await["id"].as_str().unwrap().to_owned();
    let path =
        format!("/api/v1/payments/{other}/timeline?cursor={}", cursor["next_cursor"].as_str().unwrap());
    assert_eq!(world.get(&path).await.problem().0, 422);
}

const CARD: &str = "4000000000000002";

/// A declined payment that carries everything that must not be kept.
async fn declined(world: &World) -> String {
    let body = format!(
        r#"{{"amount": 1000, "currency": "USD", "customer_email": "ann@shop.example",
            "description": "for ann@shop.example", "payment_method": {{"type": "card",
            "card_number": "{CARD}", "exp_month": 12, "exp_year": 2037, "cvc": "987",
            "holder_name": "Ann Example"}}}}"#
    );
    let reply = world.post("/api/v1/payments", &body).await;
    assert_eq!(reply.status, StatusCode::PAYMENT_REQUIRED, "{}", reply.text());
    reply.json()["payment_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn failures_are_kept_redacted_and_success_is_not() {
    let world = World::start().await;
    let paid = world.pay("").await["id"].as_str().unwrap().to_owned();
    let id = declined(&world).await;
    let moments = eventually(&world, &id, "exchange").await;
    let exchange = moments.iter().find(|moment| moment["type"] == "exchange").unwrap();
    assert!(exchange["request"].is_object(), "{exchange}");
    assert!(exchange["response"].is_object(), "{exchange}");
    assert!(exchange["status"].as_u64().is_some() && exchange["method"] == "POST", "{exchange}");
    assert!(exchange["operation_id"].as_str().unwrap().starts_with(&id), "{exchange}");
    assert!(!types(&timeline(&world, &paid, 100).await).contains("exchange"));
}

#[tokio::test]
async fn all_are_kept_on_request_and_none_tells_a_secret() {
    let world = World::start_with(node::host::ports(), |config| {
        config.operation.record_exchanges = RecordExchanges::All;
    })
    .await;
    let paid = world.pay(r#""customer_email": "ann@shop.example","#).await["id"].as_str().unwrap().to_owned();
    let id = declined(&world).await;
    let mut text = String::new();
    for id in [&paid, &id] {
        eventually(&world, id, "exchange").await;
        // The tokenization is written by a commit of its own.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let moments = timeline(&world, id, 100).await;
        let tokenized = moments.iter().find(|moment| moment["verb"] == "tokenize").unwrap();
        assert!(tokenized["request"].is_null(), "what carries a card is not recorded: {tokenized}");
        text.push_str(&serde_json::to_string(&moments).unwrap());
    }
    for secret in
        [CARD, "4242424242424242", "\"987\"", "\"123\"", "Ann Example", "ann@shop.example", &world.key]
    {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn none_is_kept_if_so_configured() {
    let world = World::start_with(node::host::ports(), |config| {
        config.operation.record_exchanges = RecordExchanges::None;
    })
    .await;
    let id = declined(&world).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!types(&timeline(&world, &id, 100).await).contains("exchange"));
}

#[tokio::test]
async fn providers_show_what_they_can_do_and_limits_hold() {
    let world = World::start().await;
    let reply = world.get("/api/v1/providers").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let list = reply.json();
    let sandbox = list["data"].as_array().unwrap().iter().find(|item| item["id"] == "sandbox").unwrap();
    assert_eq!(sandbox["methods"], serde_json::json!(["card", "upi"]));
    assert!(sandbox["account_ids"][0].as_str().unwrap().starts_with("pa_"));
    assert!(sandbox["currencies"].as_array().unwrap().contains(&Value::from("USD")));
    assert!(sandbox["capabilities"].as_array().unwrap().contains(&Value::from("partial_capture")));
    let maximum = sandbox["limits"]["maximum_amount"].as_i64().unwrap();
    for (amount, allowed) in [(maximum, true), (maximum + 1, false)] {
        let body = crate::world::CARD.replace("1000", &amount.to_string());
        let reply = world.post("/api/v1/payments", &body).await;
        assert_eq!(reply.status == StatusCode::CREATED, allowed, "{}", reply.text());
        if !allowed {
            assert_eq!((reply.json()["param"].clone(), reply.problem().0), (Value::from("/amount"), 422));
        }
    }
}
