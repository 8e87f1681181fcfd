//! Customers and their methods over both stores, and made at the same time by two nodes.

use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use crate::cards::{APPROVED, check_books, id, pay};
use crate::http::Response;
use crate::on_both_stores;
use crate::server::{Place, Server};

on_both_stores!(a_customer_pays_again_and_is_forgotten,);

fn send(server: &Server, method: &str, path: &str, body: &Value) -> Response {
    server.ask(method, path, &[], &body.to_string())
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(id).collect()
}

fn a_customer_pays_again_and_is_forgotten(place: &Place) {
    let server = place.serve(&[], None);
    let anna = json!({"reference": "anna", "name": "Anna 王 😀", "email": "anna@example.com",
        "metadata": {"tier": "gold"}});
    let made = server.post("/api/v1/customers", &anna);
    assert_eq!(made.status, 201, "{made:?}");
    for body in [json!({"reference": "bert", "email": "bert@example.com"}), json!({"name": "nobody"})] {
        assert_eq!(server.post("/api/v1/customers", &body).status, 201);
    }
    let again = server.post("/api/v1/customers", &anna);
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("customer_exists")));
    let found = server.get("/api/v1/customers?email=ANNA%40example.com");
    assert_eq!(ids(&found), [id(&made.json())], "{found}");
    assert_eq!(server.get("/api/v1/customers")["data"].as_array().unwrap().len(), 3);
    let patched = send(&server, "PATCH", "/api/v1/customers/anna", &json!({"metadata": {"tier": null}}));
    assert_eq!((patched.status, &patched.json()["metadata"]), (200, &json!({})));

    let tokenized = server.post(
        "/api/v1/payment-methods/tokenize",
        &json!({"user_id": "anna", "type": "CARD", "details": {"card_number": APPROVED, "expiry_month": "12",
            "expiry_year": "30", "cvv": "123", "holder_name": "Anna"}, "display_name": "mine"}),
    );
    assert_eq!(tokenized.status, 201, "{tokenized:?}");
    let method = tokenized.json()["token"].as_str().unwrap().to_owned();
    let path = "/api/v1/customers/anna/default_payment_method";
    assert_eq!(server.post(path, &json!({"payment_method": method})).status, 200);
    let first = pay(&server, &json!({"amount": 1000, "currency": "USD", "payment_method": method}));
    assert_eq!((&first["status"], &first["customer_id"]), (&json!("paid"), &json!("anna")), "{first}");
    let stored = server.get(&format!("/api/v1/payment-methods/{method}"));
    assert_eq!(stored["network_transaction_id"], first["network_transaction_id"], "{stored}");
    let later = json!({"amount": 500, "currency": "USD", "customer_id": "anna", "off_session": true});
    let later = pay(&server, &later);
    assert_eq!((&later["status"], &later["payment_method"]["id"]), (&json!("paid"), &json!(method)));
    let saved = json!({"amount": 700, "currency": "USD", "customer_id": "anna", "save_payment_method": true,
        "payment_method": {"type": "card", "card_number": APPROVED, "exp_month": 1, "exp_year": 2031}});
    pay(&server, &saved);
    let methods = server.get("/api/v1/users/anna/payment-methods");
    assert_eq!(methods["data"].as_array().unwrap().len(), 2, "{methods}");
    let other = id(&methods["data"][0]).to_owned();
    let detached = server.post(&format!("/api/v1/payment-methods/{other}/detach"), &json!({}));
    assert_eq!(detached.status, 200, "{detached:?}");

    let gone = send(&server, "DELETE", "/api/v1/customers/anna", &json!({}));
    assert_eq!((gone.status, &gone.json()["deleted"]), (200, &json!(true)), "{gone:?}");
    for path in ["customers/anna", "users/anna/payment-methods", &format!("payment-methods/{method}")] {
        let missing = send(&server, "GET", &format!("/api/v1/{path}"), &Value::Null);
        assert_eq!(missing.status, 404, "{path}");
    }
    assert_eq!(server.get(&format!("/api/v1/payments/{}", id(&first)))["customer_id"], "anna");
    assert_eq!(server.post("/api/v1/customers", &anna).status, 201, "the reference is free");
    check_books(place);
    server.stop();
}

#[test]
fn two_nodes_make_one_customer() {
    let Some(place) = Place::postgres("two_nodes_customers") else { return };
    let one = place.serve(&[], None);
    let other = Arc::new(place.serve(&[], Some(&one.key)));
    let one = Arc::new(one);
    for round in 0..5 {
        let reference = format!("c-{round}");
        let creates: Vec<_> = (0..6)
            .map(|number| {
                let node = Arc::clone(if number % 2 == 0 { &one } else { &other });
                let reference = reference.clone();
                thread::spawn(move || match number % 3 {
                    // In passing, by a payment and by a card, and by itself.
                    0 => node.post("/api/v1/customers", &json!({"reference": reference})).status,
                    1 => {
                        let body = json!({"amount": 1, "currency": "USD", "customer_id": reference});
                        node.post("/api/v1/payments", &body).status
                    }
                    _ => {
                        let card = json!({"number": APPROVED, "exp_month": 1, "exp_year": 2031});
                        let body = json!({"customer_id": reference, "card": card});
                        node.post("/api/v1/payment-methods/tokenize", &body).status
                    }
                })
            })
            .collect();
        let statuses: Vec<u16> = creates.into_iter().map(|create| create.join().unwrap()).collect();
        assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
        let found = other.get(&format!("/api/v1/customers?reference={reference}"));
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
        let methods = one.get(&format!("/api/v1/customers/{reference}/payment_methods"));
        let tokenized = [2, 5].iter().filter(|number| statuses[**number] == 201).count();
        assert_eq!(methods["data"].as_array().unwrap().len(), tokenized, "{methods} {statuses:?}");
    }
}
