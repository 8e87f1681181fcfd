//! Never twice: idempotency keys, the refund race, signals and crashes in the middle of things.

use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use crate::cards::{APPROVED, card, check_books, id, pay};
use crate::http::Response;
use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(
    a_key_is_answered_once,
    two_parallel_refunds_of_60_on_100,
    parallel_requests_under_one_key_charge_once,
    nothing_is_half_done_after_sigterm_under_load,
);

fn a_key_is_answered_once(place: &Place) {
    let server = place.serve(&[], None);
    let first = server.post_with_key("/api/v1/payments", "key-1", &card(1000, APPROVED));
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = server.post_with_key("/api/v1/payments", "key-1", &card(1000, APPROVED));
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.json(), first.json());
    let other = server.post_with_key("/api/v1/payments", "key-1", &card(1001, APPROVED));
    assert_eq!(other.status, 422, "{other:?}");

    let declined = server.post_with_key("/api/v1/payments", "key-2", &card(1000, "4000000000009995"));
    let again = server.post_with_key("/api/v1/payments", "key-2", &card(1000, "4000000000009995"));
    assert_eq!((declined.status, again.status), (402, 402));
    assert_eq!(declined.json()["payment_id"], again.json()["payment_id"]);
    let key = server.key.clone();
    server.stop();

    let server = place.serve(&[], Some(&key));
    let replayed = server.post_with_key("/api/v1/payments", "key-1", &card(1000, APPROVED));
    assert_eq!(replayed.json(), first.json(), "after a restart too");
    server.stop();
}

fn two_parallel_refunds_of_60_on_100(place: &Place) {
    let server = Arc::new(place.serve(&[], None));
    for _ in 0..5 {
        let paid = pay(&server, &card(100, APPROVED));
        let path = format!("/api/v1/payments/{}/refund", id(&paid));
        let both: Vec<_> = (0..2)
            .map(|_| {
                let (server, path) = (Arc::clone(&server), path.clone());
                thread::spawn(move || server.post(&path, &json!({"amount": 60})))
            })
            .collect();
        let mut statuses: Vec<u16> = both.into_iter().map(|thread| thread.join().unwrap().status).collect();
        statuses.sort_unstable();
        assert!(matches!(statuses.as_slice(), [200 | 201, 409 | 422]), "{statuses:?}");
        let payment = server.get(&format!("/api/v1/payments/{}", id(&paid)));
        assert_eq!(payment["amount_refunded"], 60, "{payment}");
    }
    check_books(place);
}

fn parallel_requests_under_one_key_charge_once(place: &Place) {
    let server = Arc::new(place.serve(&[], None));
    let all: Vec<_> = (0..8)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || server.post_with_key("/api/v1/payments", "one", &card(1000, APPROVED)))
        })
        .collect();
    let answers: Vec<_> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
    let created: Vec<Value> =
        answers.iter().filter(|answer| answer.status == 201).map(Response::json).collect();
    assert!(!created.is_empty());
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 202 | 409), "{answer:?}");
    }
    assert!(created.iter().all(|payment| payment["id"] == created[0]["id"]));
    let listed = server.get("/api/v1/payments");
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
}

fn nothing_is_half_done_after_sigterm_under_load(place: &Place) {
    let server = Arc::new(place.serve(&[], None));
    let key = server.key.clone();
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                let mut answered = Vec::new();
                // Until the server takes no more connections.
                for number in 0..10_000 {
                    let key = format!("load-{client}-{number}");
                    let body = card(1000, APPROVED).to_string();
                    match server.try_ask("POST", "/api/v1/payments", &[("idempotency-key", &key)], &body) {
                        Ok(answer) => answered.push((key, answer)),
                        Err(_) => break,
                    }
                }
                answered
            })
        })
        .collect();
    thread::sleep(std::time::Duration::from_millis(500));
    server.signal("TERM");
    let answered: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let server = Arc::into_inner(server).unwrap();
    assert!(server.end().success());
    assert!(!answered.is_empty());
    assert!(answered.iter().all(|(_, answer)| matches!(answer.status, 201 | 503)), "{answered:?}");

    let server = place.serve(&[], Some(&key));
    for (idempotency_key, answer) in answered.iter().filter(|(_, answer)| answer.status == 201) {
        let found = server.post_with_key("/api/v1/payments", idempotency_key, &card(1000, APPROVED));
        assert_eq!(found.json(), answer.json());
    }
    for payment in server.get("/api/v1/payments?limit=100")["data"].as_array().unwrap() {
        assert_eq!(payment["status"], "paid", "{payment}");
    }
    check_books(place);
    server.stop();
}
