//! Requests of pages from other origins: those that are named, to the routes for browsers, and no others.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use gateway::{Access, routes};
use identity::KeyKind;
use kernel::Mode;

use crate::world::{Ids, Reply, World, filled};

const SHOP: &str = "https://shop.example.com";

async fn world() -> World {
    World::start_with(node::host::ports(), |config| {
        config.server.allowed_origins = vec![SHOP.to_owned(), "http://localhost:3000".to_owned()];
    })
    .await
}

async fn preflight(world: &World, path: &str, method: &Method, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method.as_str()),
        ("access-control-request-headers", "authorization,content-type,idempotency-key"),
    ];
    world.bare(Method::OPTIONS, path, &headers, "").await
}

#[tokio::test]
async fn preflights_are_answered_for_the_routes_of_browsers_alone() {
    let world = world().await;
    let for_browsers: BTreeSet<String> = routes()
        .into_iter()
        .filter(|route| matches!(route.access, Access::Publishable(_) | Access::ClientSecret(_)))
        .map(|route| route.path)
        .collect();
    assert_eq!(for_browsers.len(), 6, "three routes under two roots: {for_browsers:?}");
    for route in routes() {
        let path = filled(&route.path, Ids::all("pay_01h455vb4pex5vsknk084sn02q"));
        let reply = preflight(&world, &path, &route.method, SHOP).await;
        let allowed = reply.header("access-control-allow-origin");
        if !for_browsers.contains(&route.path) {
            assert_eq!((reply.status, allowed), (StatusCode::METHOD_NOT_ALLOWED, ""), "{path}");
            continue;
        }
        assert_eq!((reply.status, allowed), (StatusCode::NO_CONTENT, SHOP), "{path}");
        let is_offered = reply.header("access-control-allow-methods").contains(route.method.as_str());
        let is_for_them = matches!(route.access, Access::Publishable(_) | Access::ClientSecret(_));
        assert_eq!(is_offered, is_for_them, "{} {path}", route.method);
        assert!(reply.header("access-control-allow-headers").contains("authorization"));
        assert_eq!(reply.header("access-control-allow-credentials"), "");
        for origin in
            ["https://evil.example", "https://shop.example.com.evil.example", "null", "HTTPS://SHOP"]
        {
            let reply = preflight(&world, &path, &route.method, origin).await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin} {path}");
            assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    }
}

#[tokio::test]
async fn a_page_reads_answers_and_refusals() {
    let world = world().await;
    let key = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Publishable).await);
    let body = r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;
    let path = "/api/v1/payment-methods/tokenize";
    for (origin, body, status) in [(SHOP, body, 201), (SHOP, "{", 400), ("https://evil.example", body, 201)] {
        let headers =
            [("origin", origin), ("authorization", key.as_str()), ("content-type", "application/json")];
        let reply = world.bare(Method::POST, path, &headers, body).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
        let shown = if origin == SHOP { SHOP } else { "" };
        assert_eq!(reply.header("access-control-allow-origin"), shown);
        assert!(reply.header("vary").contains("origin"), "what a cache keeps is of one origin");
    }
    let without_key = world.bare(Method::POST, path, &[("origin", SHOP)], body).await;
    assert_eq!(without_key.problem().0, 401);
    assert_eq!(without_key.header("access-control-allow-origin"), SHOP, "a page can say what was wrong");
    let elsewhere = world.call(Method::GET, "/api/v1/payments", &[("origin", SHOP)], "").await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.header("access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn without_origins_there_is_nothing_of_it() {
    let world = World::start().await;
    let path = "/api/v1/payment-methods/tokenize";
    let reply = preflight(&world, path, &Method::POST, SHOP).await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (StatusCode::METHOD_NOT_ALLOWED, "")
    );
    let reply = world.bare(Method::POST, path, &[("origin", SHOP)], "{}").await;
    assert_eq!((reply.header("access-control-allow-origin"), reply.header("vary")), ("", ""));
}
