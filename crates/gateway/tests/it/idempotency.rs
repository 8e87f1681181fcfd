//! Every mutating route repeats its first answer under the same idempotency key.

use axum::http::{Method, StatusCode};
use gateway::routes;
use serde_json::Value;
use testkit::Database;

use crate::world::{CARD, Reply, World};

async fn keyed(world: &World, path: &str, key: &str, body: &str) -> Reply {
    keyed_by(world, Method::POST, path, key, body).await
}

async fn keyed_by(world: &World, method: Method, path: &str, key: &str, body: &str) -> Reply {
    let headers = [("idempotency-key", key), ("content-type", "application/json")];
    world.call(method, path, &headers, body).await
}

/// Path and body of a request that the route carries out.
async fn prepared(world: &World, method: &Method, path: &str) -> (String, String) {
    if path.contains("/customers") || path.contains("/payment-methods") {
        return prepared_customer(world, method, path).await;
    }
    if path.contains("/api-keys") {
        let made = world.post("/api/v1/api-keys", "").await.json();
        let body = match path.rsplit('/').next().unwrap() {
            "rotate" => r#"{"overlap_seconds": 600}"#,
            "revoke" => "",
            _ => r#"{"kind": "secret", "expires_in_seconds": 86400}"#,
        };
        return (path.replace("{id}", made["id"].as_str().unwrap()), body.to_owned());
    }
    let held = r#""capture_method": "manual", "#;
    let id = |payment: Value| payment["id"].as_str().unwrap().to_owned();
    let verb = path.rsplit('/').next().unwrap();
    let (payment, body) = match verb {
        "payments" => (String::new(), CARD.to_owned()),
        "confirm" => {
            let made = world.post("/api/v1/payments", r#"{"amount": 5, "currency": "EUR"}"#).await;
            (id(made.json()), r#"{"payment_method": "tok_visa"}"#.to_owned())
        }
        "capture" => (id(world.pay(held).await), r#"{"amount": 400}"#.to_owned()),
        "increment" => (id(world.pay(held).await), r#"{"amount": 600}"#.to_owned()),
        "cancel" | "void" => (id(world.pay(held).await), String::new()),
        "refund" => (id(world.pay("").await), r#"{"amount": 300, "reason": "x"}"#.to_owned()),
        "refunds" => {
            let payment = id(world.pay("").await);
            (String::new(), format!("{{\"payment_id\": \"{payment}\", \"amount\": 300}}"))
        }
        "clock" => (String::new(), r#"{"advance_seconds": 100}"#.to_owned()),
        "{id}" if path.contains("/payments/") => {
            (id(world.pay("").await), r#"{"description": "00"}"#.to_owned())
        }
        other => panic!("say how to call {other}"),
    };
    (path.replace("{id}", &payment), body)
}

async fn prepared_customer(world: &World, method: &Method, path: &str) -> (String, String) {
    let made = world.post("/api/v1/customers", r#"{"name": "A"}"#).await.json();
    if path.contains("/payment-methods/{id}") {
        return (path.replace("{id}", &world.method("of-a-method").await), String::new());
    }
    let card = r#"{"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2037},
        "display_name": "N 100"}"#;
    let body = match (method, path.rsplit('/').next().unwrap()) {
        (&Method::POST, "tokenize" | "payment_methods") => card.to_owned(),
        (&Method::POST, "default_payment_method") => {
            let method = world.method(made["id"].as_str().unwrap()).await;
            format!("{{\"payment_method\": \"{method}\"}}")
        }
        (&Method::POST, "customers") => r#"{"name": "B 100", "email": "b@example.com"}"#.to_owned(),
        (&Method::PATCH, "{id}") => r#"{"name": "C 100", "metadata": {"a": 1}}"#.to_owned(),
        (&Method::DELETE, "{id}") => String::new(),
        other => panic!("say how to call {other:?}"),
    };
    (path.replace("{id}", made["id"].as_str().unwrap()), body)
}

async fn every_mutating_route_repeats(world: World) {
    for (number, route) in routes().iter().filter(|route| route.is_idempotent).enumerate() {
        let (path, body) = prepared(&world, &route.method, &route.path).await;
        let key = format!("key-{number}");
        let send = |path: String, body: String| {
            let (world, method, key) = (&world, route.method.clone(), key.clone());
            async move { keyed_by(world, method, &path, &key, &body).await }
        };
        let first = send(path.clone(), body.clone()).await;
        assert!(first.status.is_success(), "{path}: {}", first.text());
        assert_eq!(first.header("idempotent-replayed"), "", "{path}");
        // The text of a key is shown once: a repeat has all but that.
        let mut shown = first.json();
        let text = shown.as_object_mut().unwrap().remove("key");
        assert_eq!(text.is_some(), path.contains("/api-keys") && !path.ends_with("/revoke"), "{path}");
        let spaced = body.replace(':', " : ");
        for body in [&body, &spaced] {
            let again = send(path.clone(), body.clone()).await;
            assert_eq!(again.header("idempotent-replayed"), "true", "{path}: {}", again.text());
            assert_eq!((again.status, again.json()), (first.status, shown.clone()), "{path}");
        }
        // The other root is the same route.
        let other = if path.starts_with("/api/v1") {
            path.replacen("/api/v1", "/api", 1)
        } else {
            path.replacen("/api", "/api/v1", 1)
        };
        assert_eq!(send(other, body.clone()).await.header("idempotent-replayed"), "true");
        // Another body under the same key is refused, and nothing happens.
        let changed = match body.as_str() {
            "" | "{}" => continue,
            body if body.contains("\"pm_") => "{\"payment_method\": null}".to_owned(),
            body if body.contains("tok_visa") => body.replace("tok_visa", "tok_amex"),
            body if body.contains("1000") => body.replace("1000", "1001"),
            body => body.replace("00", "01"),
        };
        let reused = send(path.clone(), changed).await;
        assert_eq!(reused.problem(), (422, "idempotency_key_reused".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn every_mutating_route_repeats_its_answer_on_sqlite() {
    every_mutating_route_repeats(World::start().await).await;
}

#[tokio::test]
async fn every_mutating_route_repeats_its_answer_on_postgres() {
    let Some(database) = Database::create().await else { return };
    every_mutating_route_repeats(World::start_on(Some(&database)).await).await;
}

#[tokio::test]
async fn a_decline_is_repeated_too() {
    let world = World::start().await;
    let body = CARD.replace("4242424242424242", "4000000000009995");
    let first = keyed(&world, "/api/payments", "k", &body).await;
    assert_eq!(first.problem(), (402, "card_declined".to_owned()));
    let document = first.json();
    assert_eq!(
        (&document["decline_code"], &document["retryable"]),
        (&"insufficient_funds".into(), &true.into())
    );
    let again = keyed(&world, "/api/payments", "k", &body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["payment_id"], document["payment_id"]);
    // The security code is no part of what is compared: it is not kept, not even as a MAC.
    let other = body.replace("\"123\"", "\"999\"");
    assert_eq!(keyed(&world, "/api/payments", "k", &other).await.header("idempotent-replayed"), "true");
    let other = body.replace("4000000000009995", "4000 0000 0000 9995");
    assert_eq!(keyed(&world, "/api/payments", "k", &other).await.header("idempotent-replayed"), "true");
    let other = body.replace("4000000000009995", "4000000000009987");
    assert_eq!(keyed(&world, "/api/payments", "k", &other).await.problem().1, "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_of_one_route_is_not_one_of_another() {
    let world = World::start().await;
    let held = world.pay(r#""capture_method": "manual", "#).await;
    let path = format!("/api/payments/{}", held["id"].as_str().unwrap());
    assert_eq!(keyed(&world, &format!("{path}/capture"), "k", "").await.status, StatusCode::OK);
    let reused = keyed(&world, &format!("{path}/refund"), "k", "").await;
    assert_eq!(reused.problem(), (422, "idempotency_key_reused".to_owned()));
    // Nor is it one of another payment, on the same route with the same body.
    let other = world.pay(r#""capture_method": "manual", "#).await;
    let path = format!("/api/payments/{}/capture", other["id"].as_str().unwrap());
    assert_eq!(keyed(&world, &path, "k", "").await.problem().1, "idempotency_key_reused");
}

#[tokio::test]
async fn a_request_that_wrote_nothing_consumes_no_key() {
    let world = World::start().await;
    for (path, body) in [
        ("/api/payments", "{"),
        ("/api/payments", r#"{"amount": 0, "currency": "USD"}"#),
        ("/api/payments/pay_1/capture", ""),
        ("/api/refunds", r#"{"payment_id": "pay_1"}"#),
    ] {
        assert!(keyed(&world, path, "k", body).await.status.is_client_error());
    }
    let made = keyed(&world, "/api/payments", "k", CARD).await;
    assert_eq!((made.status, made.header("idempotent-replayed")), (StatusCode::CREATED, ""));
}

#[tokio::test]
async fn keys_are_visible_ascii() {
    let world = World::start().await;
    for key in ["", "a b", "a\tb", &"x".repeat(256)] {
        let reply = keyed(&world, "/api/payments", key, CARD).await;
        assert_eq!(reply.problem(), (400, "invalid_idempotency_key".to_owned()), "{key:?}");
    }
    let headers = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let twice = world.call(Method::POST, "/api/payments", &headers, CARD).await;
    assert_eq!(twice.problem(), (400, "invalid_idempotency_key".to_owned()));
    assert_eq!(keyed(&world, "/api/payments", &"x".repeat(255), CARD).await.status, StatusCode::CREATED);
}
