//! Customers: made, found by both names, changed, listed, deleted; and what stays of them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Reply, World, hasty};

const ANNA: &str = r#"{"reference": "shop-7", "name": "Anna Muster", "email": "Anna@Example.com",
    "phone": "+49 30 1234567", "address": {"line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115",
    "country": "DE"}, "description": "since 2019", "metadata": {"tier": "gold", "visits": 3}}"#;

async fn made(world: &World, body: &str) -> Value {
    let reply = world.post("/api/v1/customers", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()
}

async fn patch(world: &World, path: &str, body: &str) -> Reply {
    world.call(Method::PATCH, path, &[("content-type", "application/json")], body).await
}

async fn delete(world: &World, path: &str) -> Reply {
    world.call(Method::DELETE, path, &[], "").await
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_customer_is_found_by_both_names() {
    let world = World::start().await;
    let reply = world.post("/api/v1/customers", ANNA).await;
    let anna = reply.json();
    let id = anna["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("/api/v1/customers/{id}"));
    let mut expected: Value = serde_json::from_str(ANNA).unwrap();
    expected["id"] = json!(id);
    expected["object"] = json!("customer");
    for time in ["created_at", "updated_at"] {
        expected[time] = anna[time].clone();
    }
    assert_eq!(anna, expected);
    for name in [id, "shop-7"] {
        assert_eq!(world.get(&format!("/api/customers/{name}")).await.json(), anna, "{name}");
    }
    // Payments name it by either, and answer with the merchant's reference.
    for name in [id, "shop-7"] {
        let paid = world.pay(&format!("\"customer_id\": \"{name}\", ")).await;
        assert_eq!(paid["customer_id"], "shop-7");
    }
    let paid = world.pay(r#""user_id": "new-one", "#).await;
    assert_eq!(paid["customer_id"], "new-one");
    let created = world.get("/api/customers/new-one").await.json();
    assert_eq!((&created["reference"], &created["metadata"]), (&json!("new-one"), &json!({})));
}

#[tokio::test]
async fn a_patch_merges_and_null_removes() {
    let world = World::start().await;
    let anna = made(&world, ANNA).await;
    let path = "/api/v1/customers/shop-7";
    let body = r#"{"name": "Anna M.", "phone": null, "address": {"city": "Bonn"},
        "metadata": {"tier": null, "visits": 4, "new": true}}"#;
    let changed = patch(&world, path, body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(changed["name"], "Anna M.");
    assert_eq!(changed["email"], "Anna@Example.com");
    assert_eq!(changed["phone"], Value::Null);
    assert_eq!(changed["address"], json!({"city": "Bonn"}));
    assert_eq!(changed["metadata"], json!({"visits": 4, "new": true}));
    assert_eq!(changed["created_at"], anna["created_at"]);
    assert_eq!(world.get(path).await.json(), changed);
    assert_eq!(patch(&world, path, "{}").await.json(), changed, "nothing named, nothing changed");
    let emptied = patch(&world, path, r#"{"metadata": null, "email": null}"#).await.json();
    assert_eq!((&emptied["metadata"], &emptied["email"]), (&json!({}), &Value::Null));
    for (body, param) in [
        (r#"{"reference": "other"}"#, "/reference"),
        (r#"{"reference": null}"#, "/reference"),
        (r#"{"default_payment_method": "x"}"#, "/default_payment_method"),
    ] {
        let refused = patch(&world, path, body).await;
        assert_eq!(refused.problem(), (422, "invalid_value".to_owned()), "{body}");
        assert_eq!(refused.json()["param"], param);
    }
    let unknown = r#"{"default_payment_method": "pm_01h455vb4pex5vsknk084sn02q"}"#;
    assert_eq!(patch(&world, path, unknown).await.problem(), (404, "not_found".to_owned()));
    assert_eq!(patch(&world, path, r#"{"reference": "shop-7"}"#).await.status, StatusCode::OK);
    // One without a reference may get one, once, if nobody has it.
    let nameless = made(&world, "{}").await;
    let path = format!("/api/v1/customers/{}", nameless["id"].as_str().unwrap());
    let taken = patch(&world, &path, r#"{"reference": "shop-7"}"#).await;
    assert_eq!(taken.problem(), (409, "customer_exists".to_owned()));
    assert_eq!(patch(&world, &path, r#"{"reference": "shop-8"}"#).await.json()["reference"], "shop-8");
    // Fifty entries in all, not in one request.
    let many: Vec<String> = (0..50).map(|n| format!("\"k{n}\": {n}")).collect();
    let body = format!("{{\"metadata\": {{{}}}}}", many.join(","));
    assert_eq!(patch(&world, &path, &body).await.status, StatusCode::OK);
    let over = patch(&world, &path, r#"{"metadata": {"k50": 1}}"#).await;
    assert_eq!((over.status.as_u16(), &over.json()["param"]), (422, &json!("/metadata")));
    let swapped = patch(&world, &path, r#"{"metadata": {"k50": 1, "k0": null}}"#).await;
    assert_eq!(swapped.status, StatusCode::OK);
}

#[tokio::test]
async fn every_refusal_names_its_field() {
    let world = World::start().await;
    for (body, code, param) in [
        (r#"{"reference": "cus_1"}"#, "invalid_value", "/reference"),
        (r#"{"reference": "cus_01h455vb4pex5vsknk084sn02q"}"#, "invalid_value", "/reference"),
        (r#"{"reference": ""}"#, "invalid_text", "/reference"),
        (r#"{"name": 1}"#, "invalid_type", "/name"),
        (r#"{"name": "4242 4242 4242 4242"}"#, "card_number_in_text", "/name"),
        (r#"{"description": "his card: 4242424242424242"}"#, "card_number_in_text", "/description"),
        (r#"{"metadata": {"a": "4242424242424242"}}"#, "card_number_in_text", "/metadata/a"),
        (r#"{"metadata": {"a": null}}"#, "invalid_metadata", "/metadata/a"),
        (r#"{"address": {"line1": "4242424242424242"}}"#, "card_number_in_text", "/address/line1"),
        (r#"{"address": {"country": "de"}}"#, "invalid_value", "/address/country"),
        (r#"{"address": {"street": "x"}}"#, "unknown_field", "/address/street"),
        (r#"{"address": "x"}"#, "invalid_type", "/address"),
        (r#"{"email": "nobody"}"#, "invalid_value", "/email"),
        (r#"{"nmae": "x"}"#, "unknown_field", "/nmae"),
        (r#"{"id": "cus_1"}"#, "unknown_field", "/id"),
    ] {
        let refused = world.post("/api/customers", body).await;
        assert_eq!(refused.problem(), (422, code.to_owned()), "{body}");
        assert_eq!(refused.json()["param"], param, "{body}");
    }
    // What begins like an id and is none, and an id that is none of this merchant's.
    let named = |id: &str| format!(r#"{{"amount": 1, "currency": "USD", "customer_id": "{id}"}}"#);
    let refused = world.post("/api/payments", &named("cus_123")).await;
    assert_eq!(refused.problem(), (422, "invalid_value".to_owned()));
    assert_eq!(refused.json()["param"], "/customer_id");
    let unknown = world.post("/api/payments", &named("cus_01h455vb4pex5vsknk084sn02q")).await;
    assert_eq!(unknown.problem(), (404, "not_found".to_owned()));
    for query in
        ["created_from=yesterday", "created_to=2026-13-01T00:00:00Z", "email=", "reference=%00", "limit=0"]
    {
        let refused = world.get(&format!("/api/customers?{query}")).await;
        assert_eq!(refused.problem(), (422, "invalid_parameter".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn lists_are_newest_first_and_narrowed() {
    let world = World::start().await;
    let mut all = Vec::new();
    for n in 0..5 {
        let body = format!(r#"{{"reference": "r{n}", "email": "{}@example.com"}}"#, n % 2);
        all.insert(0, made(&world, &body).await["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids(&world.get("/api/customers").await.json()), all);
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/customers?limit=2{next}")).await.json();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        // What comes in between moves nothing.
        made(&world, "{}").await;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen, all);
    let of = |query: &str| {
        let path = format!("/api/customers?{query}");
        let world = &world;
        async move { ids(&world.get(&path).await.json()).into_iter().map(str::to_owned).collect::<Vec<_>>() }
    };
    assert_eq!(of("email=0%40EXAMPLE.com").await, [all[0].clone(), all[2].clone(), all[4].clone()]);
    assert_eq!(of("reference=r3").await, [all[1].clone()]);
    assert_eq!(of("reference=r3&email=0%40example.com").await, [""; 0]);
    assert_eq!(of("created_from=2020-01-01T00:00:00Z&reference=r3").await.len(), 1);
    assert_eq!(of("created_to=2020-01-01T00:00:00Z").await.len(), 0);
    let (from, to) = ("created_from=2020-01-01T00:00:00Z", "created_to=2100-01-01T00:00:00Z");
    assert_eq!(of(&format!("{from}&{to}&reference=r0")).await.len(), 1);
    // Another list's cursor is none of this one's.
    let payments = gateway::input::encode_cursor(gateway::input::CursorKind::Payments, uuid::Uuid::nil());
    assert_eq!(
        world.get(&format!("/api/customers?cursor={payments}")).await.problem().1,
        "invalid_parameter"
    );
}

#[tokio::test]
async fn a_deleted_customer_is_gone_from_every_read() {
    let world = World::start().await;
    let anna = made(&world, ANNA).await;
    let id = anna["id"].as_str().unwrap();
    let paid = world.pay(r#""customer_id": "shop-7", "#).await;
    let gone = delete(&world, "/api/v1/customers/shop-7").await;
    assert_eq!(gone.json(), json!({"id": id, "object": "customer", "deleted": true}));
    for name in [id, "shop-7"] {
        let path = format!("/api/customers/{name}");
        assert_eq!(world.get(&path).await.problem().0, 404);
        assert_eq!(patch(&world, &path, r#"{"name": "x"}"#).await.problem().0, 404);
        assert_eq!(delete(&world, &path).await.problem().0, 404);
    }
    for query in ["", "?email=anna%40example.com", "?reference=shop-7"] {
        assert_eq!(ids(&world.get(&format!("/api/customers{query}")).await.json()), [""; 0], "{query}");
    }
    let kept = world.get(&format!("/api/payments/{}", paid["id"].as_str().unwrap())).await.json();
    assert_eq!(kept["customer_id"], "shop-7");
    let body = format!(r#"{{"amount": 1, "currency": "USD", "customer_id": "{id}"}}"#);
    assert_eq!(world.post("/api/payments", &body).await.problem().0, 404);
    // The reference may name somebody else now.
    let other = made(&world, r#"{"reference": "shop-7"}"#).await;
    assert_ne!(other["id"], anna["id"]);
    assert_eq!(world.pay(r#""customer_id": "shop-7", "#).await["customer_id"], "shop-7");
}

#[tokio::test]
async fn a_replay_does_not_bring_a_deleted_customer_back() {
    let world = World::start().await;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let first = world.call(Method::POST, "/api/customers", &headers, ANNA).await;
    assert_eq!(first.status, StatusCode::CREATED);
    delete(&world, "/api/customers/shop-7").await;
    let again = world.call(Method::POST, "/api/customers", &headers, ANNA).await;
    assert_eq!(again.problem(), (404, "not_found".to_owned()));
    assert!(!again.text().contains("Anna"));
}

#[tokio::test]
async fn every_script_comes_back_as_it_went_in() {
    let world = World::start().await;
    let texts =
        ["Zoë Ångström", "محمد علي", "שלום עולם", "王小明", "😀👩‍👩‍👧‍👦🏳️‍🌈", "a\u{202e}b\u{200f}c", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢"];
    for (n, text) in texts.iter().enumerate() {
        let email = format!("{}@example.com", text.replace(' ', "."));
        let body = json!({"reference": format!("{text} {n}"), "name": text, "phone": text,
            "description": format!("{text}\n{text}"), "email": email,
            "address": {"line1": text, "line2": text, "city": text, "state": text, "postal_code": text},
            "metadata": {text.chars().take(40).collect::<String>(): text}});
        let anna = made(&world, &body.to_string()).await;
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&anna[name], value, "{name}");
        }
        let path: String = body["reference"].as_str().unwrap().bytes().map(|b| format!("%{b:02x}")).collect();
        assert_eq!(world.get(&format!("/api/customers/{path}")).await.json(), anna);
        let email: String = body["email"].as_str().unwrap().bytes().map(|b| format!("%{b:02x}")).collect();
        assert_eq!(ids(&world.get(&format!("/api/customers?email={email}")).await.json()).len(), 1);
    }
}

#[tokio::test]
async fn nothing_personal_stands_in_the_files() {
    let world = World::start_with(hasty(), |_| {}).await;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let first = world.call(Method::POST, "/api/customers", &headers, ANNA).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    patch(&world, "/api/customers/shop-7", r#"{"name": "Berta Beispiel"}"#).await;
    // Sealed from the first write on: neither the rows nor the log, the claims or the journal hold them,
    // before the deletion as after it.
    for deleted in [false, true] {
        if deleted {
            assert_eq!(delete(&world, "/api/customers/shop-7").await.status, StatusCode::OK);
        }
        let files = world.files();
        assert!(World::kept(&files, "shop-7"), "the files are the right ones");
        for text in ["Anna", "Berta", "anna@", "Anna@", "Hauptstr", "+49 30", "since 2019", "gold", "10115"] {
            assert!(!World::kept(&files, text), "{text}, deleted: {deleted}");
        }
    }
}

#[tokio::test]
async fn two_at_once_make_one_customer() {
    let world = World::start().await;
    let requests = (0..8).map(|_| world.post("/api/customers", ANNA));
    let replies = futures_util::future::join_all(requests).await;
    let made = replies.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    for refused in replies.iter().filter(|reply| reply.status != StatusCode::CREATED) {
        assert_eq!(refused.problem(), (409, "customer_exists".to_owned()));
    }
    // Payments that name a new customer at the same time make one, too.
    let paid = futures_util::future::join_all((0..8).map(|_| world.pay(r#""customer_id": "n", "#))).await;
    assert!(paid.iter().all(|payment| payment["customer_id"] == "n"));
    assert_eq!(ids(&world.get("/api/customers?reference=n").await.json()).len(), 1);
    // Changes of one customer at the same time are all made.
    let changes = (0..8).map(|n| {
        let body = format!(r#"{{"metadata": {{"k{n}": {n}}}}}"#);
        let world = &world;
        async move { patch(world, "/api/customers/shop-7", &body).await.status }
    });
    let statuses = futures_util::future::join_all(changes).await;
    let done = statuses.iter().filter(|status| **status == StatusCode::OK).count();
    let anna = world.get("/api/customers/shop-7").await.json();
    assert_eq!(anna["metadata"].as_object().unwrap().len(), 2 + done, "{statuses:?}");
}
