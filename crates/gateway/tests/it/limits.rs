//! Rate limits at the edge: who is counted, what a refusal says, and what is left alone.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, Request};
use identity::{KeyKind, NewKey};
use kernel::{Actor, Mode};
use node::Config;

use crate::world::{CARD, Reply, World, altered};

/// A request as if a connection had brought it.
async fn from(world: &World, peer: &str, headers: &[(&str, &str)], method: Method, path: &str) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let address: SocketAddr = format!("{peer}:4711").parse().unwrap();
    let mut request = request.body(Body::empty()).unwrap();
    gateway::mark_peer(&mut request, address);
    world.send(request).await
}

async fn world(configure: impl FnOnce(&mut Config)) -> World {
    World::start_with(node::host::ports(), |config| {
        config.rate_limit.test_mode = true;
        configure(config);
    })
    .await
}

fn limited(reply: &Reply) -> bool {
    if reply.status.as_u16() != 429 {
        return false;
    }
    assert_eq!(reply.problem(), (429, "rate_limited".to_owned()));
    let seconds: u32 = reply.header("retry-after").parse().unwrap();
    assert!(seconds >= 1, "{seconds}");
    assert_eq!(reply.header("ratelimit-remaining"), "0");
    assert_eq!(reply.json()["retryable"], true);
    true
}

#[tokio::test]
async fn a_key_has_so_many_requests_and_is_told_how_many_are_left() {
    let world = world(|config| config.rate_limit.api = "3/h".parse().ok()).await;
    for left in ["2", "1", "0"] {
        let reply = world.get("/api/v1/payments").await;
        assert_eq!((reply.header("ratelimit-limit"), reply.header("ratelimit-remaining")), ("3", left));
        assert!(reply.header("ratelimit-reset").parse::<u32>().unwrap() > 0);
    }
    let refused = world.call(Method::POST, "/api/payments", &[("idempotency-key", "k-1")], CARD).await;
    assert!(limited(&refused), "{}", refused.text());
    // Another key of the same merchant is counted for itself; what was refused used no key.
    let other = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Secret).await);
    let headers = [("authorization", other.as_str()), ("idempotency-key", "k-1")];
    let paid = world.bare(Method::POST, "/api/payments", &headers, CARD).await;
    assert_eq!((paid.status.as_u16(), paid.header("idempotent-replayed")), (201, ""), "{}", paid.text());
    // A problem says what is left, too.
    let problem = world.bare(Method::GET, "/api/payments/x", &headers[..1], "").await;
    assert_eq!((problem.status.as_u16(), problem.header("ratelimit-remaining")), (404, "1"));
}

#[tokio::test]
async fn test_worlds_are_left_alone_and_live_ones_are_not() {
    let world =
        World::start_with(node::host::ports(), |config| config.rate_limit.api = "2/h".parse().ok()).await;
    for _ in 0..5 {
        let reply = world.get("/api/v1/payments").await;
        assert_eq!((reply.status.as_u16(), reply.header("ratelimit-limit")), (200, ""));
    }
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    let headers = [("authorization", live.as_str())];
    let get = || world.bare(Method::GET, "/api/v1/payments", &headers, "");
    assert_eq!((get().await.status.as_u16(), get().await.status.as_u16()), (200, 200));
    assert!(limited(&get().await));

    let off = World::start_with(node::host::ports(), |config| {
        config.rate_limit.api = "1/h".parse().ok();
        config.rate_limit.enabled = false;
        config.rate_limit.test_mode = true;
    })
    .await;
    for _ in 0..3 {
        assert_eq!(off.get("/api/v1/payments").await.status, 200);
    }
}

#[tokio::test]
async fn guessing_is_slowed_by_address_and_a_known_key_is_not() {
    let world =
        World::start_with(node::host::ports(), |config| config.rate_limit.api = "3/h".parse().ok()).await;
    let guess = format!("Bearer {}", altered(&world.key));
    let known = format!("Bearer {}", world.key);
    let (guesses, none, own) = ([("authorization", guess.as_str())], [], [("authorization", known.as_str())]);
    let get = |peer: &'static str, headers| from(&world, peer, headers, Method::GET, "/api/v1/payments");
    assert_eq!(get("192.0.2.1", &own).await.status, 200);
    assert_eq!(get("192.0.2.1", &guesses).await.status, 401);
    assert_eq!(get("192.0.2.1", &none).await.status, 401);
    assert_eq!(get("192.0.2.1", &guesses).await.status, 401);
    assert!(limited(&get("192.0.2.1", &guesses).await));
    assert!(limited(&get("192.0.2.1", &none).await));
    for _ in 0..5 {
        assert_eq!(get("192.0.2.1", &own).await.status, 200, "a key in use is never slowed by guesses");
    }
    assert_eq!(get("192.0.2.2", &guesses).await.status, 401, "another address is another guesser");
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_caller_is_counted_and_a_liar_is_not_believed() {
    let world = World::start_with(node::host::ports(), |config| {
        config.rate_limit.api = "1/h".parse().ok();
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let get = |peer: &'static str, caller: &'static str| async {
        from(&world, peer, &[("x-forwarded-for", caller)], Method::GET, "/api/v1/payments").await
    };
    assert_eq!(get("10.0.0.1", "203.0.113.1").await.status, 401);
    assert!(limited(&get("10.0.0.2", "203.0.113.1").await));
    assert_eq!(get("10.0.0.1", "203.0.113.2").await.status, 401);
    assert_eq!(get("198.51.100.7", "203.0.113.3").await.status, 401);
    assert!(limited(&get("198.51.100.7", "203.0.113.4").await), "his own address was counted");
}

#[tokio::test]
async fn a_live_key_comes_over_tls_or_from_a_trusted_neighbour() {
    let world = World::start_with(node::host::ports(), |config| {
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    let test = format!("Bearer {}", world.key);
    for (peer, protocol, key, status) in [
        ("127.0.0.1", None, &live, 200),
        ("10.0.0.1", Some("https"), &live, 200),
        ("10.0.0.1", None, &live, 200),
        ("10.0.0.1", Some("http"), &live, 403),
        ("198.51.100.7", None, &live, 403),
        ("198.51.100.7", Some("https"), &live, 403),
        ("198.51.100.7", None, &test, 200),
    ] {
        let mut headers = vec![("authorization", key.as_str()), ("x-forwarded-for", "203.0.113.9")];
        headers.extend(protocol.map(|protocol| ("x-forwarded-proto", protocol)));
        let reply = from(&world, peer, &headers, Method::GET, "/api/v1/payments").await;
        assert_eq!(reply.status.as_u16(), status, "{peer} {protocol:?} {}", reply.text());
    }
}

#[tokio::test]
async fn strangers_send_live_keys_over_tls_alone() {
    let world = World::start_with(node::host::ports(), |config| {
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    for (peer, protocol, is_encrypted, status) in [
        ("198.51.100.7", None, true, 200),
        ("198.51.100.7", Some("http"), true, 200),
        ("198.51.100.7", None, false, 403),
        ("10.0.0.1", Some("http"), true, 403),
        ("10.0.0.1", Some("https"), true, 200),
    ] {
        let mut request = Request::builder().uri("/api/v1/payments").header("authorization", &live);
        if let Some(protocol) = protocol {
            request = request.header("x-forwarded-proto", protocol);
        }
        let mut request = request.body(Body::empty()).unwrap();
        gateway::mark_peer(&mut request, format!("{peer}:4711").parse().unwrap());
        if is_encrypted {
            gateway::mark_encrypted(&mut request);
        }
        let reply = world.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{peer} {protocol:?} {is_encrypted} {}", reply.text());
    }
}

#[tokio::test]
async fn a_key_bound_to_addresses_is_refused_elsewhere() {
    let world = World::start_with(node::host::ports(), |config| {
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let wanted = NewKey { allowed_ips: vec!["203.0.113.0/24".parse().unwrap()], ..KeyKind::Secret.into() };
    let scope = world.scope().await;
    let (_, text) = world.node.identity.create_key(scope, wanted, &Actor::Node, None).await.unwrap();
    let key = format!("Bearer {}", text.expose());
    let key = ("authorization", key.as_str());
    for (peer, forwarded, status) in [
        ("203.0.113.9", None, 200),
        ("198.51.100.7", None, 403),
        ("198.51.100.7", Some("203.0.113.9"), 403),
        ("10.0.0.1", Some("203.0.113.9"), 200),
        ("10.0.0.1", Some("198.51.100.7"), 403),
        ("10.0.0.1", None, 403),
    ] {
        let mut headers = vec![key];
        headers.extend(forwarded.map(|address| ("x-forwarded-for", address)));
        let reply = from(&world, peer, &headers, Method::GET, "/api/v1/payments").await;
        assert_eq!(reply.status.as_u16(), status, "{peer} {forwarded:?} {}", reply.text());
    }
}

#[tokio::test]
async fn an_order_has_so_many_attempts_however_they_come() {
    let world = world(|config| {
        config.rate_limit.order = "3/h".parse().ok();
        config.rate_limit.customer = None;
    })
    .await;
    let declined = CARD.replace("4242424242424242", "4000000000000002");
    let body = declined.replacen('{', "{\"order_id\": \"o-1\",", 1);
    let first = world.call(Method::POST, "/api/payments", &[("idempotency-key", "k-1")], &body).await;
    let payment = first.problem();
    assert_eq!(payment.0, 402, "{}", first.text());
    let id = first.json()["payment_id"].as_str().unwrap().to_owned();
    let confirm = "{\"payment_method\": \"tok_insufficient_funds\"}";
    let again = world.post(&format!("/api/payments/{id}/confirm"), confirm).await;
    assert_eq!(again.status, 402, "{}", again.text());
    assert_eq!(world.post("/api/payments", &body).await.status, 402);
    assert!(limited(&world.post("/api/payments", &body).await));
    assert!(limited(&world.post(&format!("/api/payments/{id}/confirm"), confirm).await));
    // The first request, repeated, is no new attempt: its answer is given again.
    let again = world.call(Method::POST, "/api/payments", &[("idempotency-key", "k-1")], &body).await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (402, "true"));
    // Another order, and an order of another merchant, are counted apart.
    assert_eq!(world.post("/api/payments", &body.replace("o-1", "o-2")).await.status, 402);
    let stranger = format!("Bearer {}", world.strangers_key().await);
    let reply = world.bare(Method::POST, "/api/payments", &[("authorization", &stranger)], &body).await;
    assert_eq!(reply.status, 402, "{}", reply.text());
    // Without a charge there is no attempt.
    let unconfirmed = r#"{"amount": 1, "currency": "USD", "order_id": "o-1"}"#;
    assert_eq!(world.post("/api/payments", unconfirmed).await.status, 201);
}

#[tokio::test]
async fn a_customer_and_a_payment_have_so_many_attempts() {
    let world = world(|config| {
        config.rate_limit.order = "2/h".parse().ok();
        config.rate_limit.customer = "3/h".parse().ok();
    })
    .await;
    let pay =
        || async { world.post("/api/payments", &CARD.replacen('{', "{\"customer_id\": \"ada\",", 1)).await };
    for _ in 0..3 {
        assert_eq!(pay().await.status, 201);
    }
    assert!(limited(&pay().await));
    // By our id she is the same customer.
    let ada = world.get("/api/customers?reference=ada").await.json()["data"][0]["id"].clone();
    let by_id = CARD.replacen('{', &format!("{{\"customer_id\": {ada},"), 1);
    assert!(limited(&world.post("/api/payments", &by_id).await));
    let made = world.post("/api/payments", r#"{"amount": 1, "currency": "USD"}"#).await.json();
    let path = format!("/api/payments/{}/confirm", made["id"].as_str().unwrap());
    for status in [402, 402, 429] {
        let reply = world.post(&path, "{\"payment_method\": \"tok_insufficient_funds\"}").await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    }
}

#[tokio::test]
async fn notices_are_counted_by_address() {
    let world = world(|config| config.rate_limit.webhooks = "2/h".parse().ok()).await;
    let path = "/webhooks/sandbox/pa_01h455vb4pex5vsknk084sn02q";
    for status in [404, 404] {
        let reply = from(&world, "192.0.2.1", &[], Method::POST, path).await;
        assert_eq!(reply.status.as_u16(), status);
    }
    assert!(limited(&from(&world, "192.0.2.1", &[], Method::POST, path).await));
    assert_eq!(from(&world, "192.0.2.2", &[], Method::POST, path).await.status, 404);
}

#[tokio::test]
async fn browsers_share_a_publishable_key_and_not_its_limit() {
    let world = world(|config| config.rate_limit.api = "2/h".parse().ok()).await;
    let scope = world.scope().await;
    let made = world.node.identity.create_key(scope, KeyKind::Publishable, &Actor::Node, None).await.unwrap();
    let key = format!("Bearer {}", made.1.expose());
    let path = "/api/v1/payments/pay_01h455vb4pex5vsknk084sn02q?client_secret=x";
    let headers = [("authorization", key.as_str())];
    for (peer, status) in [("192.0.2.1", 403), ("192.0.2.1", 403), ("192.0.2.1", 429), ("192.0.2.2", 403)] {
        let reply = from(&world, peer, &headers, Method::GET, path).await;
        assert_eq!(reply.status.as_u16(), status, "{peer} {}", reply.text());
    }
}
