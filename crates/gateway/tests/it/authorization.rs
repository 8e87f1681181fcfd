//! Who may use which route: the whole table, every route against every kind of key.
//!
//! A new route that has no row here fails; so does a row without its route.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use gateway::{Access, routes};
use identity::{AccessScope, AccessScopes, KeyKind, NewKey};
use kernel::{Actor, Mode, Scope};

use crate::world::{Ids, World, altered, filled};

/// Method, path below `/api/v1` and `/api`, the scope that a restricted key needs (`unrestricted`: no
/// restricted key will do), what a publishable key is answered without and with the client secret of
/// the payment in the path, and what another merchant's key and the other mode's are answered. `in`:
/// let in, whatever then comes of it. A path that begins with two slashes stands beside the API.
const TABLE: &str = "
    POST   /payments                  payments:write  403  403  in
    GET    /payments                  payments:read   403  403  in
    GET    /payments/search           payments:read   403  403  in
    GET    /payments/{id}             payments:read   403  in   404
    GET    /payments/{id}/timeline    payments:read   403  403  404
    PATCH  /payments/{id}             payments:write  403  403  404
    POST   /payments/{id}/confirm     payments:write  403  in   404
    POST   /payments/{id}/increment   payments:write  403  403  404
    POST   /payments/{id}/capture     payments:write  403  403  404
    POST   /payments/{id}/cancel      payments:write  403  403  404
    POST   /payments/{id}/void        payments:write  403  403  404
    POST   /payments/{id}/refund      refunds:write   403  403  404
    POST   /refunds                   refunds:write   403  403  404
    GET    /refunds                   refunds:read    403  403  in
    GET    /refunds/{id}              refunds:read    403  403  404
    POST   /customers                 customers:write 403  403  in
    GET    /customers                 customers:read  403  403  in
    GET    /customers/{id}            customers:read  403  403  404
    PATCH  /customers/{id}            customers:write 403  403  404
    DELETE /customers/{id}            customers:write 403  403  404
    GET    /customers/{id}/payment_methods        customers:read        403  403  404
    POST   /customers/{id}/payment_methods        payment_methods:write 403  403  404
    POST   /customers/{id}/default_payment_method customers:write       403  403  404
    GET    /users/{id}/payment-methods            customers:read        403  403  404
    POST   /payment-methods/tokenize              payment_methods:write in   in   in
    GET    /payment-methods/{id}                  customers:read        403  403  404
    POST   /payment-methods/{id}/detach           payment_methods:write 403  403  404
    DELETE /payment-methods/{id}                  payment_methods:write 403  403  404
    GET    /test/clock                test:write      403  403  in
    POST   /test/clock                test:write      403  403  in
    GET    /providers                 accounts:read   403  403  in
    GET    //transaction/{tx_id}      payments:read   403  403  404
    POST   /api-keys                  api_keys:write  403  403  in
    GET    /api-keys                  api_keys:read   403  403  in
    GET    /api-keys/{id}             api_keys:read   403  403  404
    POST   /api-keys/{id}/rotate      api_keys:write  403  403  404
    POST   /api-keys/{id}/revoke      api_keys:write  403  403  404
";

/// Routes that need no key, each with the reason.
const PUBLIC: &[(&str, &str)] = &[
    ("GET /", "says where the documentation and the health are"),
    ("GET /health", "for monitoring: whether it works, and nothing of any merchant"),
    ("GET /metrics", "for monitoring: sums over all merchants, to neighbours alone"),
    ("GET /ready", "for load balancers: whether it takes requests"),
    ("GET /return/{payment}", "a browser that comes back: shows nothing, and looks the charge up"),
    ("POST /return/{payment}", "the same, as a form"),
    ("POST /webhooks/payments", "an event of another system: refused unless its signature is right"),
    ("POST /webhooks/payments/{account}", "the same, with a merchant's own secret"),
    ("POST /webhooks/{provider}", "a provider's notice for its one account"),
    ("POST /webhooks/{provider}/{account}", "a provider's notice: stored, then its signature is verified"),
    ("GET /docs", "a page over that document"),
    ("GET /docs/errors", "what each code means"),
    ("GET /docs/assets/{name}", "files of these pages"),
    ("GET /redoc", "another page over that document"),
    ("GET /openapi.json", "the documentation of this API: the same for everybody"),
];

/// Routes for whoever has the monitoring key, and nobody else.
const MONITORING: &[&str] = &["GET /monitoring/errors", "GET /monitoring/health"];

struct Row {
    method: Method,
    path: String,
    scope: Option<AccessScope>,
    publishable: String,
    with_client_secret: String,
    elsewhere: String,
}

fn table() -> Vec<Row> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty());
    let rows = lines.flat_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [method, path, scope, publishable, with_client_secret, elsewhere] = words[..] else {
            panic!("{line}")
        };
        let beside = path.strip_prefix('/').filter(|rest| rest.starts_with('/'));
        let paths = match beside {
            Some(path) => vec![path.to_owned()],
            None => vec![format!("/api/v1{path}"), format!("/api{path}")],
        };
        paths
            .into_iter()
            .map(move |path| Row {
                method: method.parse().unwrap(),
                path,
                scope: (scope != "unrestricted").then(|| scope.parse().unwrap()),
                publishable: publishable.to_owned(),
                with_client_secret: with_client_secret.to_owned(),
                elsewhere: elsewhere.to_owned(),
            })
            .collect::<Vec<_>>()
    });
    rows.collect()
}

struct Keys {
    world: World,
    secret: String,
    publishable: String,
    strangers: String,
    live: String,
    expired: String,
    revoked: String,
    payment: String,
    refund: String,
    method: String,
    /// One that can do no more than manage keys, so that whoever may do that may follow it.
    key: String,
    client_secret: String,
}

impl Keys {
    async fn make() -> Self {
        let world = World::start().await;
        let paid = world.pay("").await;
        let payment = paid["id"].as_str().unwrap().to_owned();
        world.post("/api/customers", r#"{"reference": "anna"}"#).await;
        let method = world.method("anna").await;
        let refunded = world.post(&format!("/api/payments/{payment}/refund"), "{\"amount\": 1}").await.json();
        let scope = world.scope().await;
        let identity = &world.node.identity;
        let narrow = world.post("/api/v1/api-keys", r#"{"scopes": ["api_keys:write"]}"#).await.json();
        let short = NewKey { expires_in: Some(Duration::from_millis(1)), ..KeyKind::Secret.into() };
        let expired = identity.create_key(scope, short, &Actor::Node, None).await.unwrap().1;
        let (ended, revoked) = identity.create_key(scope, KeyKind::Secret, &Actor::Node, None).await.unwrap();
        identity.revoke_key(scope.merchant, ended.id, &Actor::Node, None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        Self {
            secret: world.key.clone(),
            publishable: world.another_key(Mode::Test, KeyKind::Publishable).await,
            strangers: world.strangers_key().await,
            live: world.another_key(Mode::Live, KeyKind::Secret).await,
            expired: expired.expose().clone(),
            revoked: revoked.expose().clone(),
            refund: refunded["id"].as_str().unwrap().to_owned(),
            method,
            key: narrow["id"].as_str().unwrap().to_owned(),
            client_secret: paid["client_secret"].as_str().unwrap().to_owned(),
            payment,
            world,
        }
    }

    fn ids(&self) -> Ids<'_> {
        let (payment, refund) = (self.payment.as_str(), self.refund.as_str());
        Ids { payment, refund, customer: "anna", method: &self.method, key: &self.key }
    }

    async fn restricted(&self, scopes: impl IntoIterator<Item = AccessScope>) -> String {
        let scopes: AccessScopes = scopes.into_iter().collect();
        let wanted = NewKey { scopes, ..KeyKind::Secret.into() };
        let scope = self.world.scope().await;
        let made = self.world.node.identity.create_key(scope, wanted, &Actor::Node, None).await.unwrap();
        made.1.expose().clone()
    }

    /// What a key is answered at a row.
    async fn answer(&self, row: &Row, key: Option<&str>, client_secret: Option<&str>) -> (u16, String) {
        let mut path = filled(&row.path, self.ids());
        let mut body = if row.path.ends_with("/refunds") && row.method == Method::POST {
            format!("{{\"payment_id\": \"{}\"}}", self.payment)
        } else if row.path.ends_with("/api-keys") {
            "{\"scopes\": [\"api_keys:write\"]}".to_owned()
        } else if row.path.ends_with("/confirm") {
            "{\"payment_method\": \"tok_visa\"}".to_owned()
        } else if row.path.ends_with("/increment") {
            "{\"amount\": 1}".to_owned()
        } else {
            "{}".to_owned()
        };
        match client_secret {
            Some(secret) if row.method == Method::GET => path = format!("{path}?client_secret={secret}"),
            Some(secret) => {
                let rest = body.strip_prefix('{').unwrap().to_owned();
                let comma = if rest == "}" { "" } else { "," };
                body = format!("{{\"client_secret\": \"{secret}\"{comma}{rest}");
            }
            None => {}
        }
        let mut request = Request::builder().method(row.method.clone()).uri(path);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = if row.method == Method::GET { String::new() } else { body };
        let reply = self.world.send(request.body(Body::from(body)).unwrap()).await;
        let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
        (reply.status.as_u16(), code)
    }
}

/// Whether an answer is what the table says.
fn agrees(answer: &(u16, String), expected: &str) -> bool {
    match expected {
        "in" => answer.0 != 401 && answer.0 != 403,
        status => answer.0.to_string() == status,
    }
}

#[test]
fn the_table_has_every_route_and_nothing_else() {
    let mut expected: BTreeSet<String> =
        table().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    expected.extend(PUBLIC.iter().map(|(route, _)| (*route).to_owned()));
    expected.extend(MONITORING.iter().map(|route| (*route).to_owned()));
    let served: BTreeSet<String> =
        routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let missing: Vec<_> = served.difference(&expected).collect();
    assert!(missing.is_empty(), "say in the table who may use {missing:?}");
    assert!(expected.is_subset(&served), "{:?}", expected.difference(&served));
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        let is_public = PUBLIC.iter().any(|(public, _)| *public == name);
        assert_eq!(route.access == Access::Public, is_public, "{name}");
        assert_eq!(route.access == Access::Monitoring, MONITORING.contains(&name.as_str()), "{name}");
    }
}

#[tokio::test]
async fn every_route_answers_every_kind_of_key_as_the_table_says() {
    let keys = Keys::make().await;
    let unknown = altered(&keys.secret);
    for row in table() {
        let route = format!("{} {}", row.method, row.path);
        for (what, key) in [
            ("none", None),
            ("wrong", Some(unknown.as_str())),
            ("expired", Some(keys.expired.as_str())),
            ("revoked", Some(keys.revoked.as_str())),
        ] {
            for client_secret in [None, Some(keys.client_secret.as_str())] {
                let answer = keys.answer(&row, key, client_secret).await;
                assert_eq!(answer.0, 401, "{what} {route}: {answer:?}");
            }
        }
        let pk = Some(keys.publishable.as_str());
        let cs = Some(keys.client_secret.as_str());
        for (what, answer, expected) in [
            ("publishable", keys.answer(&row, pk, None).await, &row.publishable),
            ("with client secret", keys.answer(&row, pk, cs).await, &row.with_client_secret),
            ("secret", keys.answer(&row, Some(&keys.secret), None).await, &"in".to_owned()),
            ("stranger", keys.answer(&row, Some(&keys.strangers), None).await, &row.elsewhere),
            ("other mode", keys.answer(&row, Some(&keys.live), None).await, &row.elsewhere),
        ] {
            assert!(agrees(&answer, expected), "{what} {route}: {answer:?}, should be {expected}");
        }
    }
}

#[tokio::test]
async fn a_restricted_key_does_what_its_scopes_say() {
    let keys = Keys::make().await;
    for scope in AccessScope::ALL {
        let only = keys.restricted([scope]).await;
        for row in table() {
            let answer = keys.answer(&row, Some(&only), None).await;
            let route = format!("{} {}", row.method, row.path);
            if row.scope == Some(scope) {
                assert!(agrees(&answer, "in"), "{scope} {route}: {answer:?}");
            } else {
                assert_eq!(answer, (403, "missing_scope".to_owned()), "{scope} {route}");
            }
        }
    }
    // All of them together open every route.
    let all = keys.restricted(AccessScope::ALL).await;
    for row in table() {
        let answer = keys.answer(&row, Some(&all), None).await;
        assert!(agrees(&answer, "in"), "{} {}: {answer:?}", row.method, row.path);
    }
}

#[tokio::test]
async fn a_client_secret_opens_its_payment_alone() {
    let keys = Keys::make().await;
    let other = keys.world.pay("").await;
    let others_secret = other["client_secret"].as_str().unwrap();
    let scope = keys.world.scope().await;
    let their_key = {
        let merchant = keys.world.node.identity.create_merchant("Other", &Actor::Node, None).await.unwrap();
        let theirs = Scope { merchant: merchant.id, ..scope };
        let made =
            keys.world.node.identity.create_key(theirs, KeyKind::Publishable, &Actor::Node, None).await;
        made.unwrap().1.expose().clone()
    };
    let live = keys.world.another_key(Mode::Live, KeyKind::Publishable).await;
    let wrong = |code: &str| (403, code.to_owned());
    for row in table().into_iter().filter(|row| row.with_client_secret == "in" && row.publishable != "in") {
        let flipped = altered(&keys.client_secret);
        let pk = keys.publishable.as_str();
        for (key, given, expected) in [
            (pk, others_secret, wrong("wrong_client_secret")),
            (pk, flipped.as_str(), wrong("wrong_client_secret")),
            (pk, "x", wrong("wrong_client_secret")),
            (live.as_str(), keys.client_secret.as_str(), wrong("wrong_client_secret")),
            // A secret key needs none; a wrong one means that something was mixed up.
            (keys.secret.as_str(), others_secret, wrong("wrong_client_secret")),
            // Another merchant's publishable key learns nothing, not even with the right secret.
            (their_key.as_str(), keys.client_secret.as_str(), (404, "not_found".to_owned())),
        ] {
            let answer = keys.answer(&row, Some(key), Some(given)).await;
            assert_eq!(answer, expected, "{} {} {given}", row.method, row.path);
        }
    }
}

#[tokio::test]
async fn a_browser_confirms_and_reads_its_payment_in_the_reduced_form() {
    let world = World::start().await;
    let publishable = world.another_key(Mode::Test, KeyKind::Publishable).await;
    let body = r#"{"amount": 1000, "currency": "USD", "customer_id": "ada-1", "order_id": "o-1",
        "description": "private words", "metadata": {"note": "private note"}}"#;
    let made = world.post("/api/v1/payments", body).await.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let authorization = format!("Bearer {publishable}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let confirm = format!("{{\"payment_method\": \"tok_visa\", \"client_secret\": \"{secret}\"}}");
    let path = format!("/api/v1/payments/{id}");
    let routed = confirm.replace("\"client", "\"provider\": \"sandbox\", \"client");
    let refused = world.bare(Method::POST, &format!("{path}/confirm"), &headers, &routed).await;
    assert_eq!(refused.problem(), (403, "publishable_key_not_allowed".to_owned()));

    // The merchant's own idempotency keys are not a browser's: neither finds the other's answer.
    let keyed = [headers[0], headers[1], ("idempotency-key", "k-1")];
    let own = world.call(Method::POST, "/api/v1/payments", &[("idempotency-key", "k-1")], body).await;
    assert_eq!(own.status, 201, "{}", own.text());
    let paid = world.bare(Method::POST, &format!("{path}/confirm"), &keyed, &confirm).await;
    assert_eq!(paid.json()["status"], "paid", "{}", paid.text());
    let again = world.bare(Method::POST, &format!("{path}/confirm"), &keyed, &confirm).await;
    assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.text());

    let read = world.bare(Method::GET, &format!("{path}?client_secret={secret}"), &headers, "").await;
    for reply in [paid, again, read] {
        let object = reply.json();
        let members: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let allowed: BTreeSet<&str> = [
            "id",
            "object",
            "mode",
            "status",
            "waiting_for",
            "amount",
            "currency",
            "capture_method",
            "payment_method",
            "next_action",
            "client_secret",
            "last_error",
            "created_at",
            "expires_at",
        ]
        .into();
        assert!(members.is_subset(&allowed), "{:?}", members.difference(&allowed));
        for private in ["ada-1", "o-1", "private", "provider", "fingerprint"] {
            assert!(!reply.text().contains(private), "{private} in {}", reply.text());
        }
    }
}
