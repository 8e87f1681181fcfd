//! Limits on volume under a race: never over by one cent, on any store, on two nodes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use node::config::BankPlace;
use node::{Config, Node};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

const LIMIT: i64 = 10_000;

fn limited(config: &mut Config) {
    config.limits.daily_volume = Some(LIMIT);
    config.limits.monthly_volume = Some(3 * LIMIT);
}

async fn pay(router: &Router, key: &str, amount: i64, token: &str) -> (u16, Value) {
    let body = format!("{{\"amount\": {amount}, \"currency\": \"USD\", \"payment_method\": \"{token}\"}}");
    let request = Request::builder().method(Method::POST).uri("/api/v1/payments");
    let request = request.header("authorization", format!("Bearer {key}")).body(Body::from(body)).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap())
}

/// Many payments of odd amounts at once, a third of them declined; then the rest of the limit to the
/// cent, and not one cent more.
async fn race(routers: &[Router], key: &str, node: &Node) {
    let payments = (0..90_i64).map(|number| {
        let router = &routers[usize::try_from(number).unwrap() % routers.len()];
        let token = if number % 3 == 0 { "tok_insufficient_funds" } else { "tok_visa" };
        pay(router, key, 301 + 7 * number, token)
    });
    let mut taken = 0;
    let (mut paid, mut declined, mut refused) = (0, 0, 0);
    for (status, answer) in futures_util::future::join_all(payments).await {
        match status {
            201 => {
                paid += 1;
                taken += answer["amount"].as_i64().unwrap();
            }
            402 => declined += 1,
            422 => {
                refused += 1;
                assert_eq!(answer["code"], "limit_exceeded", "{answer}");
            }
            _ => panic!("{answer}"),
        }
    }
    assert!(taken <= LIMIT, "{taken} were taken");
    assert!(paid > 0 && declined > 0 && refused > 0, "{paid} {declined} {refused}");
    let rest = LIMIT - taken;
    let (status, answer) = pay(&routers[0], key, rest + 1, "tok_visa").await;
    assert_eq!(status, 422, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("daily_volume_limit") && detail.contains(&format!("{rest} minor")), "{detail}");
    if rest > 0 {
        assert_eq!(pay(&routers[0], key, rest, "tok_visa").await.0, 201, "what declines took is there again");
    }
    assert_eq!(pay(&routers[routers.len() - 1], key, 1, "tok_visa").await.0, 422);
    let books = node.check_books().await.unwrap();
    assert!(books.is_clean(), "{:?}", books.wrong());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_over_by_one_cent_on_sqlite() {
    let world = World::start_with(node::host::ports(), limited).await;
    race(std::slice::from_ref(&world.router), &world.key, &world.node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_over_by_one_cent_with_two_nodes_on_postgres() {
    let Some(database) = testkit::Database::create().await else { return };
    let mut nodes: Vec<Arc<Node>> = Vec::new();
    let mut key = None;
    for _ in 0..2 {
        let mut config = Config::defaults().unwrap();
        config.database.url = Some(kernel::Secret::new(database.url().to_owned()));
        config.sandbox.bank = BankPlace::Store;
        config.encryption_key = Some(kernel::Secret::new("k".repeat(32)));
        config.server.public_url = Some("http://florin.test".to_owned());
        limited(&mut config);
        let node = node::start(config, node::host::ports()).await.unwrap();
        key = key.or(node.first_start().await.unwrap());
        nodes.push(node);
    }
    let routers: Vec<Router> = nodes.iter().map(|node| gateway::router(Arc::clone(node))).collect();
    race(&routers, key.unwrap().expose(), &nodes[0]).await;
    for node in nodes {
        node.stop(std::time::Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_refusal_names_the_limit_and_uses_no_key() {
    let world = World::start_with(node::host::ports(), |config| {
        config.limits.max_transaction_amount.insert(kernel::Currency::USD, 999);
    })
    .await;
    let headers = [("idempotency-key", "k-1")];
    let refused = world.call(Method::POST, "/api/payments", &headers, crate::world::CARD).await;
    assert_eq!(refused.problem(), (422, "limit_exceeded".to_owned()));
    assert_eq!(refused.json()["param"], "/amount");
    assert!(refused.json()["detail"].as_str().unwrap().contains("max_transaction_amount"));
    let smaller = crate::world::CARD.replace("1000", "999");
    let paid = world.call(Method::POST, "/api/payments", &headers, &smaller).await;
    assert_eq!(paid.status, 201, "{}", paid.text());
    // Without a charge nothing is counted; with one, the limit holds however it comes.
    let made = world.post("/api/payments", "{\"amount\": 1000, \"currency\": \"USD\"}").await.json();
    let path = format!("/api/payments/{}/confirm", made["id"].as_str().unwrap());
    let refused = world.post(&path, "{\"payment_method\": \"tok_visa\"}").await;
    assert_eq!(refused.problem(), (422, "limit_exceeded".to_owned()));
}
