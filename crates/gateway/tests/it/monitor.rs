//! What monitoring asks.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_node_that_works_is_healthy_and_ready() {
    let world = World::start().await;
    let reply = world.bare(axum::http::Method::GET, "/health", &[], "").await;
    assert_eq!(reply.status, StatusCode::OK);
    let health = reply.json();
    assert_eq!(health["status"], "healthy", "{health}");
    assert_eq!(health["checks"]["database"], json!({"status": "healthy"}));
    assert_eq!(health["checks"]["sandbox"], json!({"status": "healthy"}));
    // Nobody has an account at the other providers of this build.
    assert_eq!(health["checks"].as_object().unwrap().len(), 2, "{health}");
    assert!(health["timestamp"].as_str().unwrap().ends_with('Z'), "{health}");
    let reply = world.get("/ready").await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"status": "ready"})));
}

#[tokio::test]
async fn a_node_that_stops_is_not_ready_and_still_healthy() {
    let world = World::start().await;
    world.node.begin_to_stop();
    let reply = world.get("/ready").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json(), json!({"status": "not_ready", "error": "the server is stopping"}));
    assert_eq!(world.get("/health").await.json()["status"], "healthy");
    // What still comes is served.
    world.pay("").await;
}

#[tokio::test]
async fn without_a_database_it_is_degraded_and_not_ready() {
    let world = World::start().await;
    world.node.store.close().await;
    let reply = world.get("/health").await;
    assert_eq!(reply.status, StatusCode::OK);
    let health = reply.json();
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(
        health["checks"]["database"],
        json!({"status": "unhealthy", "error": "the database cannot be used"})
    );
    assert_eq!(world.get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_provider_that_gives_no_answers_is_unhealthy() {
    let ports = crate::world::hasty();
    let world = World::start_with(ports, |config| config.sandbox.faults.server_error_before = 1000).await;
    for _ in 0..4 {
        world.post("/api/v1/payments", crate::world::CARD).await;
    }
    let health = world.get("/health").await.json();
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(health["checks"]["sandbox"]["status"], "unhealthy");
    assert_eq!(health["checks"]["database"]["status"], "healthy");
    // That is no reason to send requests elsewhere: every node has the same provider.
    assert_eq!(world.get("/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_figures_have_the_names_that_dashboards_know() {
    let world = World::start().await;
    world.pay("").await;
    let declined = crate::world::CARD.replace("4242424242424242", "4000000000009995");
    assert_eq!(world.post("/api/v1/payments", &declined).await.status, StatusCode::PAYMENT_REQUIRED);
    let reply = world.get("/metrics").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = reply.text();
    for part in [
        "payments_total{method=\"card\",status=\"paid\",currency=\"USD\"} ",
        "payments_total{method=\"card\",status=\"failed\",currency=\"USD\"} ",
        "payment_success_total{gateway=\"sandbox\"} ",
        "payment_failure_total{gateway=\"sandbox\",reason=\"insufficient_funds\"} ",
        "payment_processing_duration_seconds_bucket{method=\"card\",provider=\"sandbox\",le=\"0.01\"} ",
        "payment_processing_duration_seconds_bucket{method=\"card\",provider=\"sandbox\",le=\"10\"} ",
        "http_requests_total{route=\"/api/v1/payments\",method=\"POST\",status=\"201\"} ",
        "store_commits_total{store=\"main\",outcome=\"committed\"} ",
        "# HELP alerts_total ",
        "florin_build_info{version=\"",
    ] {
        assert!(text.contains(part), "no {part}\n{text}");
    }
}

#[tokio::test]
async fn made_up_paths_and_methods_make_no_series() {
    let world = World::start().await;
    for number in 0..50 {
        let method = axum::http::Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        world.bare(method, &format!("/made-up/{number}"), &[], "").await;
    }
    let text = world.get("/metrics").await.text();
    assert!(!text.contains("made-up") && !text.contains("method=\"M1"), "{text}");
    assert!(text.contains("http_requests_total{route=\"none\",method=\"other\",status=\"404\"} "), "{text}");
}

#[tokio::test]
async fn strangers_are_shown_no_figures() {
    let world = World::start().await;
    for headers in
        [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7"), ("x-real-ip", "1.1.1.1")]
    {
        let reply = world.bare(axum::http::Method::GET, "/metrics", &[headers], "").await;
        assert_eq!(reply.problem(), (403, "metrics_not_here".to_owned()));
    }
}

#[tokio::test]
async fn with_a_port_of_their_own_or_switched_off_the_figures_are_not_here() {
    for configure in
        [(|config: &mut node::Config| config.metrics.port = Some(9090)) as fn(&mut node::Config), |config| {
            config.metrics.enabled = false;
        }]
    {
        let world = World::start_with(node::host::ports(), configure).await;
        assert_eq!(world.get("/metrics").await.problem(), (404, "route_not_found".to_owned()));
    }
}

#[tokio::test]
async fn a_flood_of_health_checks_asks_the_database_once_a_second() {
    let world = World::start().await;
    world.get("/health").await;
    // What was asked a moment ago still counts, although the store is gone.
    world.node.store.close().await;
    for _ in 0..100 {
        assert_eq!(world.get("/health").await.json()["status"], "healthy");
    }
}
