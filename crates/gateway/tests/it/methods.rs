//! Payment methods: tokenized, attached, made default, charged again, detached, deleted.

use axum::http::{Method, StatusCode};
use identity::KeyKind;
use kernel::Mode;
use serde_json::{Value, json};

use crate::world::{CARD, Reply, World, hasty};

/// The source document's request as it stands.
const DOCUMENT: &str = r#"{
  "user_id": "123e4567-e89b-12d3-a456-426614174000",
  "type": "CARD",
  "details": {
    "card_number": "4111111111111111",
    "expiry_month": "12",
    "expiry_year": "25",
    "cvv": "123",
    "holder_name": "John Doe"
  },
  "display_name": "**** **** **** 1111"
}"#;

const USER: &str = "123e4567-e89b-12d3-a456-426614174000";

async fn delete(world: &World, path: &str) -> Reply {
    world.call(Method::DELETE, path, &[], "").await
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect()
}

async fn listed(world: &World, customer: &str) -> Vec<String> {
    let list = world.get(&format!("/api/v1/customers/{customer}/payment_methods")).await.json();
    ids(&list).into_iter().map(str::to_owned).collect()
}

fn paying(fields: &str) -> String {
    format!("{{\"amount\": 1000, \"currency\": \"USD\", {fields}}}")
}

async fn make_default(world: &World, customer: &str, method: &str) -> Reply {
    let path = format!("/api/v1/customers/{customer}/default_payment_method");
    world.post(&path, &format!("{{\"payment_method\": \"{method}\"}}")).await
}

#[tokio::test]
async fn the_documents_tokenize_request_works_as_it_stands() {
    let world = World::start().await;
    let reply = world.post("/api/v1/payment-methods/tokenize", DOCUMENT).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    let made = reply.json();
    assert_eq!(made["object"], "payment_method");
    assert_eq!(made["token"], made["id"]);
    for (name, value) in [
        ("type", json!("card")),
        ("last_4", json!("1111")),
        ("expiry_month", json!("12")),
        ("expiry_year", json!("25")),
        ("card_type", json!("visa")),
        ("display_name", json!("**** **** **** 1111")),
        ("customer_id", json!(USER)),
        ("is_default", json!(false)),
    ] {
        assert_eq!(made[name], value, "{name} of {made}");
    }
    assert!(made["issuer_bank"].is_string() && made["card"]["fingerprint"].is_string(), "{made}");
    assert_eq!((&made["card"]["exp_year"], &made["card"]["bin"]), (&json!(2025), &json!("411111")));
    let list = world.get(&format!("/api/v1/users/{USER}/payment-methods")).await.json();
    assert_eq!(list["object"], "list");
    let mut plain = made.clone();
    for name in ["token", "last_4", "expiry_month", "expiry_year", "card_type", "issuer_bank"] {
        plain.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(list["data"], json!([plain]));
    let path = format!("/api/payment-methods/{}", made["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.json(), plain);
    // The number is neither shown nor kept.
    assert!(!reply.text().contains("4111111111111111"));
}

#[tokio::test]
async fn a_repeat_is_known_by_the_card_and_not_by_its_code() {
    let world = World::start().await;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let tokenize = |body: String| {
        let world = &world;
        async move { world.call(Method::POST, "/api/payment-methods/tokenize", &headers, &body).await }
    };
    let first = tokenize(DOCUMENT.to_owned()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    for same in [DOCUMENT.replace("\"123\"", "\"999\""), DOCUMENT.replace("41111111", "4111 1111 ")] {
        let again = tokenize(same).await;
        assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.text());
        assert_eq!(again.json(), first.json());
    }
    let other = tokenize(DOCUMENT.replace("4111111111111111", "4242424242424242")).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    assert_eq!(listed(&world, USER).await.len(), 1);
    // What was deleted is not brought back.
    delete(&world, &format!("/api/payment-methods/{}", first.json()["id"].as_str().unwrap())).await;
    assert_eq!(tokenize(DOCUMENT.to_owned()).await.problem().0, 404);
}

#[tokio::test]
async fn our_own_forms() {
    let world = World::start().await;
    let card = r#""card": {"number": "5555 5555 5555 4444", "exp_month": 1, "exp_year": 2031}"#;
    for body in [
        format!("{{{card}}}"),
        format!("{{\"type\": \"card\", {card}, \"display_name\": \"Zoë 😀\"}}"),
        r#"{"type": "card", "card": {"token": "tok_visa"}}"#.to_owned(),
        r#"{"type": "UPI", "details": {"vpa": "success@upi"}}"#.to_owned(),
        r#"{"upi": {"vpa": "success@upi"}, "customer_id": "u"}"#.to_owned(),
    ] {
        let made = world.post("/api/payment-methods/tokenize", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{body}: {}", made.text());
        let made = made.json();
        assert_eq!(made["customer_id"].is_string(), body.contains("customer_id"), "{made}");
        if body.contains("Zoë") {
            assert_eq!(made["display_name"], "Zoë 😀");
        }
    }
    for (body, code, param) in [
        ("{}", "missing_field", "/card"),
        (r#"{"type": "upi"}"#, "missing_field", "/upi"),
        (r#"{"upi": {}}"#, "missing_field", "/upi"),
        (r#"{"type": "cash"}"#, "unsupported_field", "/type"),
        (r#"{"type": 1}"#, "invalid_type", "/type"),
        (r#"{"type": "card", "upi": {"vpa": "a@bc"}, "card": {}}"#, "conflicting_fields", "/upi"),
        (r#"{"card": {}, "details": {}}"#, "conflicting_fields", "/card"),
        (r#"{"card": {"number": "4242424242424241"}}"#, "invalid_card_number", "/card/number"),
        (r#"{"details": {"card_number": "4242424242424242"}}"#, "missing_field", "/details/exp_month"),
        (r#"{"card": {"id": "pm_1"}}"#, "unknown_field", "/card/id"),
        (r#"{"crad": {}}"#, "unknown_field", "/crad"),
    ] {
        let refused = world.post("/api/payment-methods/tokenize", body).await;
        assert_eq!(refused.problem(), (422, code.to_owned()), "{body}");
        assert_eq!(refused.json()["param"], param, "{body}");
    }
    let named = format!("{{{card}, \"display_name\": \"5555555555554444\"}}");
    let refused = world.post("/api/payment-methods/tokenize", &named).await;
    assert_eq!(refused.problem(), (422, "card_number_in_text".to_owned()));
}

#[tokio::test]
async fn a_method_is_attached_once_and_only_to_one() {
    let world = World::start().await;
    for reference in ["anna", "bert"] {
        world.post("/api/customers", &format!("{{\"reference\": \"{reference}\"}}")).await;
    }
    let card = r#"{"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;
    let loose = world.post("/api/payment-methods/tokenize", card).await.json();
    let pm = loose["id"].as_str().unwrap();
    let body = format!("{{\"payment_method\": \"{pm}\"}}");
    let attached = world.post("/api/v1/customers/anna/payment_methods", &body).await;
    assert_eq!((attached.status, &attached.json()["customer_id"]), (StatusCode::OK, &json!("anna")));
    let again = world.post("/api/v1/customers/anna/payment_methods", &body).await;
    assert_eq!(again.json(), attached.json(), "nothing changes");
    let other = world.post("/api/v1/customers/bert/payment_methods", &body).await;
    assert_eq!(other.problem(), (409, "payment_method_state".to_owned()));
    assert_eq!(listed(&world, "bert").await, [""; 0]);
    // A card, straight to the customer. The same card twice is two methods of one fingerprint.
    let second = world.post("/api/v1/customers/anna/payment_methods", card).await.json();
    assert_eq!(second["card"]["fingerprint"], loose["card"]["fingerprint"]);
    assert_eq!(listed(&world, "anna").await, [second["id"].as_str().unwrap(), pm]);
    // Whom nobody knows gets no method here.
    let nobody = world.post("/api/v1/customers/carl/payment_methods", card).await;
    assert_eq!(nobody.problem(), (404, "not_found".to_owned()));
    let path = "/api/v1/customers/anna/payment_methods";
    let unknown = world.post(path, r#"{"payment_method": "pm_01h455vb4pex5vsknk084sn02q"}"#).await;
    assert_eq!(unknown.problem(), (404, "not_found".to_owned()));
    for (body, code) in [
        (r#"{"payment_method": "x"}"#, "invalid_value"),
        (r#"{"payment_method": null}"#, "missing_field"),
        (r#"{"payment_method": "pm_01h455vb4pex5vsknk084sn02q", "card": {}}"#, "unknown_field"),
    ] {
        let refused = world.post("/api/v1/customers/anna/payment_methods", body).await;
        assert_eq!(refused.problem(), (422, code.to_owned()), "{body}");
    }
    // Pages.
    let page = world.get("/api/v1/customers/anna/payment_methods?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/users/anna/payment-methods?limit=1&cursor={cursor}")).await.json();
    assert_eq!((ids(&rest), &rest["has_more"]), (vec![pm], &json!(false)));
}

#[tokio::test]
async fn a_stored_method_is_charged_in_all_its_forms() {
    let world = World::start().await;
    let pm = world.method("anna").await;
    for method in [
        format!("\"{pm}\""),
        format!("{{\"id\": \"{pm}\"}}"),
        format!("{{\"type\": \"card\", \"id\": \"{pm}\"}}"),
    ] {
        for customer in ["", ", \"customer_id\": \"anna\""] {
            let body = paying(&format!("\"payment_method\": {method}{customer}"));
            let paid = world.post("/api/v1/payments", &body).await;
            assert_eq!(paid.status, StatusCode::CREATED, "{}", paid.text());
            let paid = paid.json();
            assert_eq!(paid["status"], "paid");
            assert_eq!(paid["customer_id"], "anna", "whose method it is");
            assert_eq!(paid["payment_method"]["id"], pm);
            assert_eq!(paid["payment_method"]["card"]["last4"], "4242");
        }
    }
    let open = world.post("/api/v1/payments", &paying("\"customer_id\": \"anna\"")).await.json();
    let path = format!("/api/v1/payments/{}/confirm", open["id"].as_str().unwrap());
    let paid = world.post(&path, &format!("{{\"payment_method\": \"{pm}\"}}")).await.json();
    assert_eq!((&paid["status"], &paid["payment_method"]["id"]), (&json!("paid"), &json!(pm)), "{paid}");
}

#[tokio::test]
async fn another_customers_or_merchants_method_is_refused() {
    let world = World::start().await;
    let pm = world.method("anna").await;
    world.post("/api/customers", r#"{"reference": "bert"}"#).await;
    for customer in ["bert", "somebody-new"] {
        let body = paying(&format!("\"payment_method\": \"{pm}\", \"customer_id\": \"{customer}\""));
        let refused = world.post("/api/v1/payments", &body).await;
        assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()), "{customer}");
    }
    assert_eq!(world.get("/api/customers/somebody-new").await.problem().0, 404, "nothing was written");
    let open = world.post("/api/v1/payments", &paying("\"customer_id\": \"bert\"")).await.json();
    let path = format!("/api/v1/payments/{}/confirm", open["id"].as_str().unwrap());
    let refused = world.post(&path, &format!("{{\"payment_method\": \"{pm}\"}}")).await;
    assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()));
    // Another merchant's answers are those of one that never was.
    let stranger = format!("Bearer {}", world.strangers_key().await);
    let headers = [("authorization", stranger.as_str()), ("content-type", "application/json")];
    let texts: Vec<String> = {
        let mut texts = Vec::new();
        for id in [pm.as_str(), "pm_01h455vb4pex5vsknk084sn02q"] {
            world.bare(Method::POST, "/api/customers", &headers, r#"{"reference": "theirs"}"#).await;
            for (path, body) in [
                ("/api/payments", paying(&format!("\"payment_method\": \"{id}\""))),
                ("/api/payments", paying(&format!("\"payment_method\": {{\"id\": \"{id}\"}}"))),
                ("/api/customers/theirs/payment_methods", format!("{{\"payment_method\": \"{id}\"}}")),
                ("/api/customers/theirs/default_payment_method", format!("{{\"payment_method\": \"{id}\"}}")),
            ] {
                let refused = world.bare(Method::POST, path, &headers, &body).await;
                assert_eq!(refused.problem(), (404, "not_found".to_owned()), "{path}");
                texts.push(refused.json()["detail"].to_string());
            }
        }
        texts
    };
    assert_eq!(texts[..4], texts[4..]);
}

#[tokio::test]
async fn the_default_is_charged_off_session_with_its_network_transaction() {
    let world = World::start().await;
    world.post("/api/customers", r#"{"reference": "anna"}"#).await;
    let without = paying("\"customer_id\": \"anna\", \"off_session\": true");
    let refused = world.post("/api/payments", &without).await;
    assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()));
    let (pm, other) = (world.method("anna").await, world.method("anna").await);
    let customer = make_default(&world, "anna", &pm).await.json();
    assert_eq!(customer["default_payment_method"], pm);
    assert_eq!(world.get(&format!("/api/payment-methods/{pm}")).await.json()["is_default"], true);
    assert_eq!(world.get(&format!("/api/payment-methods/{other}")).await.json()["is_default"], false);

    // The first charge that the customer begins gives the method the network's id of it.
    let first = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{pm}\""))).await.json();
    let link = first["network_transaction_id"].as_str().unwrap().to_owned();
    let method = world.get(&format!("/api/payment-methods/{pm}")).await.json();
    assert_eq!(method["network_transaction_id"], link);
    let second = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{pm}\""))).await.json();
    assert_ne!(second["network_transaction_id"], link);
    let method = world.get(&format!("/api/payment-methods/{pm}")).await.json();
    assert_eq!(method["network_transaction_id"], link, "that of the first");

    let charged = world.post("/api/payments", &without).await;
    assert_eq!(charged.status, StatusCode::CREATED, "{}", charged.text());
    let charged = charged.json();
    assert_eq!((&charged["status"], &charged["payment_method"]["id"]), (&json!("paid"), &json!(pm)));
    let id = kernel::Id::parse(charged["id"].as_str().unwrap()).unwrap();
    let operations = world.node.payments.operations(world.scope().await, id).await.unwrap();
    let sent = format!("{:?}", operations[0].call);
    assert!(sent.contains(&link), "the merchant's charge names the first: {sent}");

    let cleared =
        world.post("/api/customers/anna/default_payment_method", r#"{"payment_method": null}"#).await;
    assert_eq!(cleared.json()["default_payment_method"], Value::Null);
    let body = format!("{{\"default_payment_method\": \"{other}\"}}");
    let headers = [("content-type", "application/json")];
    let patched = world.call(Method::PATCH, "/api/customers/anna", &headers, &body).await.json();
    assert_eq!(patched["default_payment_method"], other);
    delete(&world, &format!("/api/payment-methods/{other}")).await;
    let anna = world.get("/api/customers/anna").await.json();
    assert_eq!(anna["default_payment_method"], Value::Null, "a default that is gone is none");
}

#[tokio::test]
async fn a_detached_method_can_be_read_and_never_be_charged() {
    let world = World::start().await;
    let pm = world.method("anna").await;
    make_default(&world, "anna", &pm).await;
    let later = paying(&format!("\"payment_method\": \"{pm}\", \"confirm\": false"));
    let earlier = world.post("/api/payments", &later).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/payment-methods/{pm}");
    let detached = world.post(&format!("{path}/detach"), "").await;
    assert_eq!(detached.status, StatusCode::OK, "{}", detached.text());
    let shown = detached.json();
    assert!(shown["customer_id"].is_null() && shown["detached_at"].is_string(), "{shown}");
    assert_eq!(world.get(&path).await.json(), shown);
    assert_eq!(listed(&world, "anna").await, [""; 0]);
    assert_eq!(world.get("/api/customers/anna").await.json()["default_payment_method"], Value::Null);
    for fields in [
        format!("\"payment_method\": \"{pm}\""),
        format!("\"payment_method\": \"{pm}\", \"customer_id\": \"anna\", \"off_session\": true"),
    ] {
        let refused = world.post("/api/payments", &paying(&fields)).await;
        assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()));
    }
    // Nor by a payment that was made with it before.
    let refused = world.post(&format!("/api/payments/{earlier}/confirm"), "").await;
    assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()));
    let body = format!("{{\"payment_method\": \"{pm}\"}}");
    let refused = world.post("/api/customers/anna/payment_methods", &body).await;
    assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()));
    assert_eq!(world.post(&format!("{path}/detach"), "").await.problem().0, 409);
    assert_eq!(
        delete(&world, &path).await.json(),
        json!({"id": pm, "object": "payment_method", "deleted": true})
    );
    assert_eq!(world.get(&path).await.problem().0, 404);
    assert_eq!(delete(&world, &path).await.problem().0, 404);
    let refused = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{pm}\""))).await;
    assert_eq!(refused.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_payment_can_save_its_method() {
    let world = World::start().await;
    let save = CARD.replacen('{', "{\"customer_id\": \"anna\", \"save_payment_method\": true, ", 1);
    let paid = world.post("/api/payments", &save).await.json();
    let pm = paid["payment_method"]["id"].as_str().unwrap().to_owned();
    let kept = world.get(&format!("/api/payment-methods/{pm}")).await.json();
    assert_eq!((&kept["customer_id"], &kept["card"]["last4"]), (&json!("anna"), &json!("4242")));
    assert_eq!(kept["network_transaction_id"], paid["network_transaction_id"], "of its first charge");
    let again = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{pm}\""))).await.json();
    assert_eq!(again["status"], "paid");
    // A provider's token is saved as well; a method that is nobody's becomes the customer's.
    let fields = "\"payment_method\": \"tok_visa\", \"customer_id\": \"anna\", \"save_payment_method\": true";
    let token = world.post("/api/payments", &paying(fields)).await.json();
    assert!(token["payment_method"]["id"].is_string(), "{token}");
    let card = r#"{"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;
    let loose =
        world.post("/api/payment-methods/tokenize", card).await.json()["id"].as_str().unwrap().to_owned();
    let open = world.post("/api/payments", &paying("\"customer_id\": \"anna\"")).await.json();
    let path = format!("/api/payments/{}/confirm", open["id"].as_str().unwrap());
    let body = format!("{{\"payment_method\": \"{loose}\", \"save_payment_method\": true}}");
    assert_eq!(world.post(&path, &body).await.json()["payment_method"]["id"], loose);
    assert_eq!(listed(&world, "anna").await.len(), 3);
    let method = world.get(&format!("/api/payment-methods/{loose}")).await.json();
    assert_eq!(method["customer_id"], "anna");
    // Whose? And what cannot be charged is not kept.
    let nobodys = CARD.replacen('{', "{\"save_payment_method\": true, ", 1);
    let refused = world.post("/api/payments", &nobodys).await;
    assert_eq!(
        (refused.problem(), &refused.json()["param"]),
        ((422, "invalid_value".to_owned()), &json!("/customer_id"))
    );
    let expired = world.post("/api/payments", &save.replace("2037", "2025")).await;
    assert_eq!(expired.problem().0, 402);
    assert_eq!(listed(&world, "anna").await.len(), 3);
    // Not saved unless asked for.
    let plain = world.pay("\"customer_id\": \"anna\", ").await;
    assert_eq!(plain["payment_method"]["id"], Value::Null);
    // A repeat under the same key keeps nothing more.
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    for _ in 0..2 {
        world.call(Method::POST, "/api/payments", &headers, &save).await;
    }
    assert_eq!(listed(&world, "anna").await.len(), 4);
}

#[tokio::test]
async fn a_publishable_key_tokenizes_and_nothing_else() {
    let world = World::start().await;
    let publishable = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Publishable).await);
    let headers = [("authorization", publishable.as_str()), ("content-type", "application/json")];
    let card = r#"{"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}}"#;
    let made = world.bare(Method::POST, "/api/payment-methods/tokenize", &headers, card).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    // Anybody has this key: it must not say which of many numbers is a card that was seen here.
    let shown = made.json()["card"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(shown, ["brand", "exp_month", "exp_year", "last4"]);
    let of_secret = world.post("/api/payment-methods/tokenize", card).await.json();
    assert!(of_secret["card"]["bin"].is_string(), "{of_secret}");
    let refused = world.bare(Method::POST, "/api/payment-methods/tokenize", &headers, DOCUMENT).await;
    assert_eq!(refused.problem(), (403, "publishable_key_not_allowed".to_owned()));
    let pm = made.json()["id"].as_str().unwrap().to_owned();
    let paid = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{pm}\""))).await.json();
    assert_eq!(paid["status"], "paid");
}

#[tokio::test]
async fn races_leave_one_truth() {
    let world = World::start().await;
    world.post("/api/customers", r#"{"reference": "anna"}"#).await;
    let (one, two) = (world.method("anna").await, world.method("anna").await);
    let defaults = futures_util::future::join_all((0..8).map(|n| {
        let method = if n % 2 == 0 { &one } else { &two };
        make_default(&world, "anna", method)
    }))
    .await;
    assert!(defaults.iter().all(|reply| matches!(reply.status.as_u16(), 200 | 409)));
    let chosen = world.get("/api/customers/anna").await.json()["default_payment_method"].clone();
    let list = world.get("/api/customers/anna/payment_methods").await.json();
    let flagged: Vec<&Value> =
        list["data"].as_array().unwrap().iter().filter(|m| m["is_default"] == true).collect();
    assert_eq!(flagged.len(), 1);
    assert_eq!(flagged[0]["id"], chosen);
    // One method, two customers at the same time.
    world.post("/api/customers", r#"{"reference": "bert"}"#).await;
    let card = r#"{"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;
    let loose =
        world.post("/api/payment-methods/tokenize", card).await.json()["id"].as_str().unwrap().to_owned();
    let body = format!("{{\"payment_method\": \"{loose}\"}}");
    let attached = futures_util::future::join_all(["anna", "bert"].map(|customer| {
        let path = format!("/api/customers/{customer}/payment_methods");
        let (world, body) = (&world, &body);
        async move { world.post(&path, body).await.status }
    }))
    .await;
    assert_eq!(attached.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{attached:?}");
    assert_eq!(listed(&world, "anna").await.len() + listed(&world, "bert").await.len(), 3);
    // A customer that is deleted while a method comes keeps none.
    let path = "/api/customers/anna/payment_methods";
    let (gone, _, _) =
        tokio::join!(delete(&world, "/api/customers/anna"), world.post(path, card), world.post(path, card));
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.text());
    assert_eq!(world.get(path).await.problem().0, 404);
    for id in [&one, &two] {
        assert_eq!(world.get(&format!("/api/payment-methods/{id}")).await.problem().0, 404);
        let refused = world.post("/api/payments", &paying(&format!("\"payment_method\": \"{id}\""))).await;
        assert_eq!(refused.problem().0, 404);
    }
}

#[tokio::test]
async fn no_number_and_no_code_stand_in_the_files() {
    let world = World::start_with(hasty(), |_| {}).await;
    let body = r#"{"user_id": "u-77", "type": "CARD", "details": {"card_number": "4000 0566 5566 5556",
        "expiry_month": "12", "expiry_year": "37", "cvv": "918", "holder_name": "Johanna Doe"},
        "display_name": "Johannas Karte"}"#;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let made = world.call(Method::POST, "/api/payment-methods/tokenize", &headers, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let save = CARD.replace("4242424242424242", "4000056655665556").replace("\"123\"", "\"918\"").replacen(
        '{',
        "{\"customer_id\": \"u-77\", \"save_payment_method\": true, ",
        1,
    );
    assert_eq!(world.post("/api/payments", &save).await.status, StatusCode::CREATED);
    let files = world.files();
    assert!(World::kept(&files, "u-77"), "the files are the right ones");
    for text in ["4000056655665556", "4000 0566", "\"918\"", "Johanna", "cvv", "cvc"] {
        assert!(!World::kept(&files, text), "{text}");
    }
}

#[tokio::test]
async fn a_page_charges_its_own_payments_methods_alone() {
    let world = World::start().await;
    let publishable = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Publishable).await);
    let headers = [("authorization", publishable.as_str()), ("content-type", "application/json")];
    let made = world.post("/api/v1/payment-methods/tokenize", DOCUMENT).await.json();
    let anothers = made["id"].as_str().unwrap();
    let own = DOCUMENT
        .replace("\"user_id\": \"123e4567-e89b-12d3-a456-426614174000\",", "")
        .replace("\"25\"", "\"37\"");
    let own = world.bare(Method::POST, "/api/v1/payment-methods/tokenize", &headers, &own).await;
    assert_eq!(own.status, StatusCode::CREATED, "{}", own.text());
    let own = own.json()["id"].as_str().unwrap().to_owned();
    let payment = world.post("/api/v1/payments", r#"{"amount": 500, "currency": "USD"}"#).await.json();
    let path = format!("/api/v1/payments/{}/confirm", payment["id"].as_str().unwrap());
    let body = |method: &str, more: &str| {
        let secret = &payment["client_secret"];
        format!("{{\"payment_method\": \"{method}\", \"client_secret\": {secret}{more}}}")
    };
    for method in [anothers, "pm_01h455vb4pex5vsknk084sn02q"] {
        let refused = world.bare(Method::POST, &path, &headers, &body(method, "")).await;
        assert_eq!(refused.problem(), (422, "payment_method_not_usable".to_owned()), "{method}");
    }
    let kept =
        world.bare(Method::POST, &path, &headers, &body(&own, ", \"save_payment_method\": true")).await;
    assert_eq!(kept.problem(), (403, "publishable_key_not_allowed".to_owned()));
    let paid = world.bare(Method::POST, &path, &headers, &body(&own, "")).await;
    assert_eq!((paid.status, &paid.json()["status"]), (StatusCode::OK, &json!("paid")), "{}", paid.text());
}
