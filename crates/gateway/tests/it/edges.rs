//! Sizes, types, ids, keys: the edges of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use identity::KeyKind;
use kernel::{Ids, Mode};
use serde_json::Value;
use uuid::Uuid;

use crate::world::{CARD, World};

#[tokio::test]
async fn bodies_are_limited_and_json() {
    let world = World::start().await;
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(256 * 1024));
    assert_eq!(world.post("/api/payments", &large).await.problem(), (413, "body_too_large".to_owned()));
    // The largest body is read and judged.
    let fitting = format!("{}{}", CARD, " ".repeat(256 * 1024 - CARD.len()));
    assert_eq!(world.post("/api/payments", &fitting).await.status, StatusCode::CREATED);
    for (headers, status) in [
        (vec![("content-type", "text/plain")], 415),
        (vec![("content-type", "application/x-www-form-urlencoded")], 415),
        (vec![("content-type", "application/json; charset=latin1")], 415),
        (vec![("content-type", "application/json"), ("content-encoding", "gzip")], 415),
        (vec![("content-type", "Application/JSON; charset=UTF-8")], 201),
        (vec![("content-type", "application/vnd.api+json")], 201),
        (vec![], 201),
    ] {
        let reply = world.call(Method::POST, "/api/payments", &headers, CARD).await;
        assert_eq!(reply.status.as_u16(), status, "{headers:?} {}", reply.text());
    }
    let refused = world.post("/api/payments?limit=1", CARD).await;
    assert_eq!(refused.problem(), (422, "unknown_parameter".to_owned()));
    let broken = world.post("/api/payments", "{\"amount\": 1,\n \"currency\": }").await;
    assert_eq!(broken.problem(), (400, "invalid_json".to_owned()));
    let document = broken.json();
    assert_eq!(
        (&document["line"], &document["column"], &document["param"]),
        (&2.into(), &14.into(), &"/currency".into())
    );
    assert_eq!(world.post("/api/payments", "").await.problem(), (422, "missing_field".to_owned()));
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let world = World::start().await;
    for path in ["/api/payments", "/nowhere"] {
        let own = world.call(Method::GET, path, &[], "").await;
        assert!(own.header("x-request-id").starts_with("req_"));
        let given = world.call(Method::GET, path, &[("x-request-id", "shop-4711:a.b_c")], "").await;
        assert_eq!(given.header("x-request-id"), "shop-4711:a.b_c");
        for unfit in ["short", "with blank in it", "<script>alert(1)", &"x".repeat(129)] {
            let reply = world.call(Method::GET, path, &[("x-request-id", unfit)], "").await;
            assert!(reply.header("x-request-id").starts_with("req_"), "{unfit}");
        }
    }
}

#[tokio::test]
async fn a_live_world_has_no_clock_to_move() {
    let world = World::start().await;
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    for method in [Method::GET, Method::POST] {
        let headers = [("authorization", live.as_str())];
        let refused = world.bare(method, "/api/v1/test/clock", &headers, "").await;
        assert_eq!(refused.problem(), (422, "test_mode_only".to_owned()));
    }
}

#[tokio::test]
async fn live_worlds_are_another_merchants() {
    let world = World::start().await;
    let payment = world.pay("").await;
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    let path = format!("/api/payments/{}", payment["id"].as_str().unwrap());
    let headers = [("authorization", live.as_str())];
    assert_eq!(world.bare(Method::GET, &path, &headers, "").await.problem(), (404, "not_found".to_owned()));
    // The sandbox never serves a live world.
    let charged = world.bare(Method::POST, "/api/payments", &headers, CARD).await;
    assert_eq!(charged.problem(), (422, "no_provider_account".to_owned()));
}

#[tokio::test]
async fn a_provider_without_an_account_is_refused() {
    let world = World::start().await;
    for provider in ["stripe", "nobody"] {
        let body = CARD.replacen('{', &format!("{{\"gateway\": \"{provider}\", "), 1);
        assert_eq!(world.post("/api/payments", &body).await.problem().0, 422, "{provider}");
    }
    world.pay(r#""provider": "sandbox", "#).await;
}

struct Failing(Arc<dyn Ids>, Arc<AtomicBool>);

impl Ids for Failing {
    fn uuid(&self) -> Uuid {
        assert!(!self.1.load(Ordering::SeqCst), "a panic with 4242424242424242 in it");
        self.0.uuid()
    }
}

#[tokio::test]
async fn a_panic_is_a_500_with_nothing_in_it() {
    let mut ports = node::host::ports();
    let fails = Arc::new(AtomicBool::new(false));
    ports.ids = Arc::new(Failing(Arc::clone(&ports.ids), Arc::clone(&fails)));
    let world = World::start_with(ports, |_| {}).await;
    fails.store(true, Ordering::SeqCst);
    let headers = [("x-request-id", "panicking")];
    let reply = world.call(Method::POST, "/api/payments", &headers, CARD).await;
    assert_eq!(reply.problem(), (500, "internal".to_owned()));
    assert_eq!(reply.json()["request_id"], "panicking");
    assert!(!reply.text().contains("4242") && !reply.text().contains("panic with"));
    fails.store(false, Ordering::SeqCst);
    world.pay("").await;
}

#[tokio::test]
async fn notices_are_stored_for_known_accounts_alone() {
    let world = World::start().await;
    let payment = world.pay("").await;
    let account = payment["provider_account_id"].as_str().unwrap();
    let path = format!("/webhooks/sandbox/{account}");
    let forged = world.bare(Method::POST, &path, &[("sandbox-signature", "x")], "\u{0}anything").await;
    assert_eq!(forged.problem(), (403, "wrong_signature".to_owned()));
    for path in [
        "/webhooks/sandbox/pa_01h455vb4pex5vsknk084sn02q".to_owned(),
        "/webhooks/sandbox/x".to_owned(),
        format!("/webhooks/stripe/{account}"),
    ] {
        assert_eq!(world.bare(Method::POST, &path, &[], "{}").await.problem(), (404, "not_found".to_owned()));
    }
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(world.bare(Method::POST, &path, &[], &large).await.problem().0, 413);
}

#[tokio::test]
async fn declines_say_no_more_than_they_know() {
    let world = World::start().await;
    for (number, decline, retryable) in [
        ("4000000000000002", "generic_decline", false),
        ("4000000000009987", "lost_card", false),
        ("4000000000000119", "processing_error", true),
    ] {
        let reply = world.post("/api/payments", &CARD.replace("4242424242424242", number)).await;
        let document: Value = reply.json();
        assert_eq!(reply.problem().0, 402);
        assert_eq!((&document["decline_code"], &document["retryable"]), (&decline.into(), &retryable.into()));
        assert!(document["payment_id"].as_str().unwrap().starts_with("pay_"));
    }
}
