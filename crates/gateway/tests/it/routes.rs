//! The set of all routes: each is held against what every route must do.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use gateway::{Access, routes};

use crate::world::{Ids, World, altered, filled};

const NOBODY: &str = "pay_01h455vb4pex5vsknk084sn02q";
const NOBODYS: Ids<'_> = Ids {
    payment: NOBODY,
    refund: "re_01h455vb4pex5vsknk084sn02q",
    customer: "cus_01h455vb4pex5vsknk084sn02q",
    method: "pm_01h455vb4pex5vsknk084sn02q",
    key: "key_01h455vb4pex5vsknk084sn02q",
};

#[tokio::test]
async fn without_a_key_nothing_is_judged() {
    let world = World::start().await;
    for route in routes() {
        let path = filled(&route.path, Ids::all("anything"));
        let reply = world.bare(route.method.clone(), &path, &[], "{").await;
        let is_unauthorized = reply.status == StatusCode::UNAUTHORIZED;
        assert_eq!(is_unauthorized, route.access != Access::Public, "{} {path}", route.method);
        if is_unauthorized {
            let monitored = route.access == Access::Monitoring;
            let code = if monitored { "monitoring_key_required" } else { "missing_api_key" };
            assert_eq!(reply.problem(), (401, code.to_owned()));
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn wrong_keys_open_nothing() {
    let world = World::start().await;
    let unknown = altered(&world.key);
    let (known, twice) = (format!("Bearer {}", world.key), format!("Bearer {0} {0}", world.key));
    let keyed = |route: &&gateway::Route| !matches!(route.access, Access::Public | Access::Monitoring);
    for route in routes().iter().filter(keyed) {
        let path = filled(&route.path, NOBODYS);
        for (authorization, status, code) in [
            ("Bearer nonsense".to_owned(), 401, "invalid_api_key"),
            (format!("Bearer {unknown}"), 401, "invalid_api_key"),
            (format!("Basic {}", world.key), 401, "invalid_api_key"),
            (world.key.clone(), 401, "invalid_api_key"),
            (twice.clone(), 401, "invalid_api_key"),
        ] {
            let headers = [("authorization", authorization.as_str())];
            let reply = world.bare(route.method.clone(), &path, &headers, "").await;
            assert_eq!(reply.problem(), (status, code.to_owned()), "{authorization} {path}");
            assert!(!reply.text().contains(&unknown));
        }
        let headers = [("authorization", known.as_str()), ("authorization", known.as_str())];
        let reply = world.bare(route.method.clone(), &path, &headers, "").await;
        assert_eq!(reply.problem().0, 401);
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_there_are() {
    let world = World::start().await;
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for route in routes() {
        methods.entry(route.path).or_default().insert(route.method.to_string());
    }
    for (path, methods) in methods {
        let at = filled(&path, NOBODYS);
        for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::GET, Method::POST] {
            if methods.contains(method.as_str()) {
                continue;
            }
            let reply = world.call(method, &at, &[], "").await;
            assert_eq!(reply.problem(), (405, "method_not_allowed".to_owned()), "{path}");
            let allowed: BTreeSet<String> = reply.header("allow").split(',').map(str::to_owned).collect();
            assert!(methods.is_subset(&allowed), "{path}: {allowed:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    let world = World::start().await;
    for path in [
        "/index.html",
        "/api",
        "/api/v1",
        "/api/v2/payments",
        "/api/v1/payments/",
        "/api/v1/payments/pay_1/settle",
        "/api/v1/customers/",
        "/webhooks",
        "/return",
        "/sandbox",
        "//",
        "/%ff",
        "/api/v1/payments/a/b/c",
    ] {
        for method in [Method::GET, Method::POST] {
            let reply = world.call(method, path, &[], "").await;
            assert_eq!(reply.problem(), (404, "route_not_found".to_owned()), "{path}");
        }
    }
}

#[tokio::test]
async fn ids_that_are_not_this_merchants_are_not_found() {
    let world = World::start().await;
    let stranger = format!("Bearer {}", world.strangers_key().await);
    let payment = world.pay("").await;
    let refunded =
        world.post(&format!("/api/v1/payments/{}/refund", payment["id"].as_str().unwrap()), "").await;
    assert_eq!(refunded.status, StatusCode::CREATED, "{}", refunded.text());
    let (payment, refund) = (payment["id"].clone(), refunded.json()["id"].clone());
    let (payment, refund) = (payment.as_str().unwrap(), refund.as_str().unwrap());
    let made = world.post("/api/v1/customers", r#"{"reference": "ours"}"#).await.json();
    let method = world.method("ours").await;
    let key = world.post("/api/v1/api-keys", "").await.json()["id"].clone();
    let (customer, key) = (made["id"].as_str().unwrap(), key.as_str().unwrap());
    let theirs = Ids { payment, refund, customer, method: &method, key };
    for there in ["refunds/{id}", "customers/{id}", "payment-methods/{id}", "api-keys/{id}"] {
        let there = &format!("/api/v1/{there}");
        assert_eq!(world.get(&filled(there, theirs)).await.status, StatusCode::OK, "{there}");
    }
    let by_reference = Ids { customer: "ours", ..NOBODYS };
    let swapped = Ids { payment: refund, refund: payment, customer: payment, method: payment, key: payment };

    let mut tried = 0;
    for route in routes().iter().filter(|route| route.path.contains("{id}")) {
        let body = match route.path.rsplit('/').next() {
            Some("confirm") => r#"{"payment_method": "tok_visa"}"#,
            Some("increment") => r#"{"amount": 1}"#,
            _ => "",
        };
        let own = format!("Bearer {}", world.key);
        for (key, ids) in [
            (&stranger, theirs),
            (&stranger, by_reference),
            (&own, NOBODYS),
            (&own, swapped),
            (&own, Ids { payment: "pay_", refund: "re_", customer: "cus_", method: "pm_", key: "key_" }),
            (&own, Ids::all("x")),
            (&own, Ids::all("%ff")),
            (&own, Ids::all("4242424242424242")),
        ] {
            let path = filled(&route.path, ids);
            let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
            let reply = world.bare(route.method.clone(), &path, &headers, body).await;
            assert_eq!(reply.problem(), (404, "not_found".to_owned()), "{path}");
            tried += 1;
        }
    }
    assert!(tried >= 8 * 20);
    for body in [format!("{{\"payment_id\": \"{NOBODY}\"}}"), "{\"payment_id\": \"x\"}".to_owned()] {
        assert_eq!(world.post("/api/refunds", &body).await.problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(world.get("/api/refunds?payment_id=x").await.problem(), (404, "not_found".to_owned()));
}
