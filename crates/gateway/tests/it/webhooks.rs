//! What other systems and providers send, and what monitoring systems are told.

use std::collections::BTreeSet;

use axum::http::Method;
use kernel::{Mode, Query, Record as _, Secret};
use payments::{Quarantined, SignedEvent};
use provider_kit::signing::hmac_sha256_hex;
use serde_json::{Value, json};

use crate::world::{EVENTS_SECRET, MONITORING_KEY, Reply, World};

const PATH: &str = "/webhooks/payments";

/// An event as a sender writes it: the amount as it stands in the body.
#[derive(Clone)]
struct Event {
    tx_id: &'static str,
    amount: &'static str,
    currency: &'static str,
    timestamp: i64,
    secret: &'static str,
}

impl Event {
    fn now(world: &World) -> Self {
        let timestamp = world.node.clock.now().as_seconds();
        Self { tx_id: "tx-1", amount: "99.90", currency: "USD", timestamp, secret: EVENTS_SECRET }
    }

    fn signature(&self) -> String {
        let amount = self.amount.trim_matches('"');
        let message = format!("{}.{}.{amount}.{}", self.timestamp, self.tx_id, self.currency);
        hmac_sha256_hex(self.secret.as_bytes(), &[message.as_bytes()])
    }

    fn body(&self) -> String {
        format!(
            r#"{{"tx_id": "{}", "amount": {}, "currency": "{}", "timestamp": {}, "signature": "{}"}}"#,
            self.tx_id,
            self.amount,
            self.currency,
            self.timestamp,
            self.signature()
        )
    }
}

async fn send(world: &World, path: &str, body: &str) -> Reply {
    world.bare(Method::POST, path, &[("content-type", "application/json")], body).await
}

fn refused(reply: &Reply, status: u16, code: &str, param: &str) {
    assert_eq!(reply.problem(), (status, code.to_owned()), "{}", reply.text());
    assert_eq!(reply.json()["param"], param, "{}", reply.text());
}

async fn events(world: &World) -> Vec<SignedEvent> {
    let scope = world.scope().await;
    let query = Query::oldest(SignedEvent::TABLE, scope, 100);
    let found = world.node.store.of(scope).find::<SignedEvent>(query).await;
    found.unwrap().into_iter().map(|found| found.record).collect()
}

async fn quarantined(world: &World) -> Vec<Quarantined> {
    world.node.payments.quarantined(world.scope().await).await.unwrap()
}

#[tokio::test]
async fn an_event_is_taken_once_and_answered_the_same_each_time() {
    let world = World::start().await;
    let event = Event::now(&world);
    let taken = send(&world, PATH, &event.body()).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let said = taken.json();
    assert_eq!((&said["tx_id"], &said["status"]), (&json!("tx-1"), &json!("received")));
    assert!(taken.text().contains("\"amount\":99.90,"), "as it was sent: {}", taken.text());
    assert_eq!(said["currency"], "USD");
    assert!(said["received_at"].is_string() && said.get("ai_context").is_none());
    // Again, and signed anew a second later, and with the same amount otherwise written.
    let later = Event { timestamp: event.timestamp + 1, ..event.clone() };
    let otherwise = Event { amount: "\"99.9\"", ..event.clone() };
    for again in [&event, &later, &otherwise] {
        let again = send(&world, PATH, &again.body()).await;
        assert_eq!((again.status.as_u16(), again.text()), (200, taken.text()));
    }
    assert_eq!(events(&world).await.len(), 1);
    let read = world.get("/transaction/tx-1").await;
    assert_eq!((read.status.as_u16(), read.text()), (200, taken.text()));
    // It never moves money.
    assert_eq!(world.get("/api/payments").await.json()["data"], json!([]));
    assert_eq!(world.node.check_books().await.unwrap().wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn an_id_with_other_content_is_refused_and_the_first_stands() {
    let world = World::start().await;
    let event = Event::now(&world);
    let first = send(&world, PATH, &event.body()).await;
    for other in [Event { amount: "99.91", ..event.clone() }, Event { currency: "EUR", ..event.clone() }] {
        let reply = send(&world, PATH, &other.body()).await;
        refused(&reply, 409, "transaction_differs", "/tx_id");
    }
    assert_eq!(world.get("/transaction/tx-1").await.text(), first.text());
}

#[tokio::test]
async fn many_at_once_are_one() {
    let world = World::start().await;
    let body = Event::now(&world).body();
    let replies = futures_util::future::join_all((0..16).map(|_| send(&world, PATH, &body))).await;
    let said: BTreeSet<String> = replies.iter().map(Reply::text).collect();
    assert!(replies.iter().all(|reply| reply.status == 200), "{said:?}");
    assert_eq!((said.len(), events(&world).await.len()), (1, 1));
}

#[tokio::test]
async fn forged_stale_and_early_events_are_refused() {
    let world = World::start().await;
    let event = Event::now(&world);
    let wrong = Event { secret: "another secret", ..event.clone() };
    refused(&send(&world, PATH, &wrong.body()).await, 403, "wrong_signature", "/signature");
    for (said, sent) in [
        ("99.90", "99.91"),
        ("99.90", "99.9"),
        ("\"USD\"", "\"EUR\""),
        ("\"tx-1\"", "\"tx-2\""),
        ("\"signature\": \"", "\"signature\": \"0"),
    ] {
        let tampered = event.body().replace(said, sent);
        refused(&send(&world, PATH, &tampered).await, 403, "wrong_signature", "/signature");
    }
    for (apart, is_fresh) in [(-290, true), (-310, false), (50, true), (90, false)] {
        let tx_id = if apart < 0 { "before" } else { "ahead" };
        let other = Event { tx_id, timestamp: event.timestamp + apart, ..event.clone() };
        let reply = send(&world, PATH, &other.body()).await;
        if is_fresh {
            assert_eq!(reply.status, 200, "{apart}: {}", reply.text());
        } else {
            refused(&reply, 408, "event_not_fresh", "/timestamp");
        }
        // A stranger learns nothing about clocks.
        let forged = Event { secret: "another secret", ..other };
        refused(&send(&world, PATH, &forged.body()).await, 403, "wrong_signature", "/signature");
    }
    assert_eq!(events(&world).await.len(), 2);
    let reasons: BTreeSet<String> =
        quarantined(&world).await.into_iter().map(|rejected| rejected.reason).collect();
    assert_eq!(reasons, BTreeSet::from(["signature".to_owned(), "old".to_owned(), "ahead".to_owned()]));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let world = World::start().await;
    let event = Event::now(&world);
    let good: Value = serde_json::from_str(&event.body()).unwrap();
    for field in ["tx_id", "amount", "currency", "timestamp", "signature"] {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        let reply = send(&world, PATH, &without.to_string()).await;
        refused(&reply, 422, "missing_field", &format!("/{field}"));
    }
    for (field, value, code) in [
        ("tx_id", json!(""), "invalid_text"),
        ("tx_id", json!("<script>alert(1)</script>"), "invalid_text"),
        ("tx_id", json!("x".repeat(201)), "invalid_text"),
        ("tx_id", json!(7), "invalid_type"),
        ("amount", json!("1e3"), "invalid_amount"),
        ("amount", json!("1.999"), "invalid_amount"),
        ("amount", json!(0), "invalid_amount"),
        ("amount", json!(-1), "invalid_amount"),
        ("amount", json!("99999999999999999999999999999999999999999999999"), "invalid_amount"),
        ("amount", json!([]), "invalid_type"),
        ("currency", json!("usd"), "invalid_currency"),
        ("timestamp", json!("1795255200"), "invalid_type"),
        ("timestamp", json!(1.5), "invalid_value"),
        ("timestamp", json!(-1), "invalid_value"),
        ("amuont", json!(1), "unknown_field"),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let reply = send(&world, PATH, &wrong.to_string()).await;
        refused(&reply, 422, code, &format!("/{field}"));
    }
    assert_eq!(send(&world, PATH, "{").await.problem(), (400, "invalid_json".to_owned()));
    let xml = world.bare(Method::POST, PATH, &[("content-type", "application/xml")], "<a/>").await;
    assert_eq!(xml.problem().0, 415);
    let long = format!("{}{}", " ".repeat(16 * 1024), event.body());
    assert_eq!(send(&world, PATH, &long).await.problem().0, 413);
    assert!(events(&world).await.is_empty());
}

#[tokio::test]
async fn amounts_are_never_rounded() {
    let world = World::start().await;
    let event = Event::now(&world);
    for (tx_id, amount, currency) in [
        ("big", "9007199254740.93", "USD"),
        ("yen", "1000", "JPY"),
        ("dinar", "0.001", "KWD"),
        ("zeros", "5.0000", "USD"),
        ("text", "\"0.10\"", "EUR"),
    ] {
        let sent = Event { tx_id, amount, currency, ..event.clone() };
        let reply = send(&world, PATH, &sent.body()).await;
        assert_eq!(reply.status, 200, "{tx_id}: {}", reply.text());
        assert!(reply.text().contains(&format!("\"amount\":{amount},")), "{}", reply.text());
    }
    let minor: BTreeSet<(String, i64)> =
        events(&world).await.into_iter().map(|event| (event.tx_id, event.value.minor)).collect();
    let expected = [("big", 900_719_925_474_093), ("dinar", 1), ("text", 10), ("yen", 1000), ("zeros", 500)];
    assert_eq!(minor, expected.map(|(tx_id, minor)| (tx_id.to_owned(), minor)).into());
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_route() {
    let world = World::start_with(node::host::ports(), |config| config.webhooks.hmac_secret = None).await;
    let reply = send(&world, PATH, &Event::now(&world).body()).await;
    assert_eq!(reply.problem(), (404, "route_not_found".to_owned()));
}

#[tokio::test]
async fn another_merchants_secret_has_an_address_of_its_own() {
    let world = World::start().await;
    let theirs = world.with_key(world.strangers_key().await);
    let scope = theirs.scope().await;
    let secret = Secret::new("their own secret".to_owned());
    let account = world.node.payments.configure_events(scope, secret).await.unwrap();
    let path = format!("{PATH}/{}", account.id);
    let event = Event { secret: "their own secret", ..Event::now(&world) };
    let taken = send(&world, &path, &event.body()).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    // Each secret opens its own address, and each key its own records.
    refused(&send(&world, PATH, &event.body()).await, 403, "wrong_signature", "/signature");
    refused(&send(&world, &path, &Event::now(&world).body()).await, 403, "wrong_signature", "/signature");
    assert_eq!(theirs.get("/transaction/tx-1").await.text(), taken.text());
    assert_eq!(world.get("/transaction/tx-1").await.problem(), (404, "not_found".to_owned()));
    let live = world.with_key(world.another_key(Mode::Live, identity::KeyKind::Secret).await);
    assert_eq!(live.get("/transaction/tx-1").await.problem(), (404, "not_found".to_owned()));
    let sandbox = world.pay("").await["provider_account_id"].as_str().unwrap().to_owned();
    for account in ["x", "pa_01h455vb4pex5vsknk084sn02q", &sandbox] {
        let reply = send(&world, &format!("{PATH}/{account}"), &event.body()).await;
        assert_eq!(reply.problem(), (404, "not_found".to_owned()));
    }
    // It is no account that could charge.
    let paid = theirs.post("/api/payments", crate::world::CARD).await;
    assert_eq!(paid.json()["provider"], "sandbox", "{}", paid.text());
}

#[tokio::test]
async fn a_live_worlds_events_are_read_with_live_keys() {
    let world =
        World::start_with(node::host::ports(), |config| config.webhooks.mode = Some(Mode::Live)).await;
    let taken = send(&world, PATH, &Event::now(&world).body()).await;
    let live = world.with_key(world.another_key(Mode::Live, identity::KeyKind::Secret).await);
    assert_eq!(live.get("/transaction/tx-1").await.text(), taken.text());
    assert_eq!(world.get("/transaction/tx-1").await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_notice_needs_no_account_in_its_address_where_there_is_one() {
    let world = World::start().await;
    let body =
        r#"{"id": "evt_1", "type": "of.nothing.known", "data": {"id": "x", "object": "y", "status": "z"}}"#;
    let signed = async |path: &str| {
        let scope = world.scope().await;
        let account = world.node.payments.accounts(scope).await.unwrap().remove(0);
        let now = world.node.clock.now();
        let headers =
            world.node.payments.signed_headers(scope, account.id, now, body.as_bytes()).await.unwrap();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.bare(Method::POST, path, &headers, body).await
    };
    let taken = signed("/webhooks/sandbox").await;
    assert_eq!((taken.status.as_u16(), taken.json()), (200, json!({"received": true})), "{}", taken.text());
    for path in ["/webhooks/stripe", "/webhooks/nobody"] {
        assert_eq!(signed(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    world.strangers_key().await;
    tokio::time::sleep(std::time::Duration::from_millis(5100)).await;
    assert_eq!(signed("/webhooks/sandbox").await.problem(), (404, "not_found".to_owned()), "there are two");
}

#[tokio::test]
async fn monitoring_is_told_how_it_is_and_what_went_wrong() {
    let world = World::start().await;
    world.pay("").await;
    world.get("/api/payments/pay_x").await;
    for path in ["/monitoring/health", "/monitoring/errors"] {
        for headers in [vec![], vec![("x-api-key", "wrong")], vec![("x-api-key", MONITORING_KEY); 2]] {
            let reply = world.bare(Method::GET, path, &headers, "").await;
            assert_eq!(reply.problem(), (401, "monitoring_key_required".to_owned()));
        }
        let by_bearer = world.get(path).await;
        assert_eq!(by_bearer.problem(), (401, "monitoring_key_required".to_owned()));
    }
    let ask = async |path: &str| world.bare(Method::GET, path, &[("x-api-key", MONITORING_KEY)], "").await;
    let health = ask("/monitoring/health").await;
    assert_eq!(health.status, 200, "{}", health.text());
    let said = health.json();
    assert_eq!((&said["status"], &said["database"]["status"]), (&json!("healthy"), &json!("healthy")));
    assert_eq!(said["ai_service"]["status"], "not_configured");
    assert!(said["error_rates"]["requests"].as_u64().unwrap() >= 9, "{said}");
    assert!(said["error_rates"]["client_errors"].as_u64().unwrap() >= 7, "{said}");
    assert_eq!(said["error_rates"]["server_errors"], 0);
    assert!(said["processing_times"]["p99_ms"].as_u64().unwrap() >= 1, "{said}");
    let errors = ask("/monitoring/errors").await;
    assert_eq!(errors.status, 200, "{}", errors.text());
    assert!(errors.json()["summary"]["errors"].is_u64() && errors.json()["recent"].is_array());
    // Ten a minute, by the key: two were used.
    for _ in 0..8 {
        assert_eq!(ask("/monitoring/errors").await.status, 200);
    }
    assert_eq!(ask("/monitoring/health").await.problem(), (429, "rate_limited".to_owned()));
}

#[tokio::test]
async fn without_a_monitoring_key_nobody_is_let_in() {
    let world = World::start_with(node::host::ports(), |config| config.monitoring.api_key = None).await;
    for key in ["", MONITORING_KEY] {
        let reply = world.bare(Method::GET, "/monitoring/health", &[("x-api-key", key)], "").await;
        assert_eq!(reply.problem(), (401, "monitoring_key_required".to_owned()));
    }
}
