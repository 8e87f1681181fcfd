//! Never twice: idempotency keys, the refund race, signals and crashes in the middle of things.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use crate::cards::{APPROVED, card, check_books, id, pay};
use crate::http::Response;
use crate::on_both_stores;
use crate::server::{Place, wait};

on_both_stores!(
    a_key_is_answered_once,
    two_parallel_refunds_of_60_on_100,
    parallel_requests_under_one_key_charge_once,
    nothing_is_half_done_after_sigterm_under_load,
    a_client_that_hangs_up_changes_nothing,
    a_bank_that_misbehaves_charges_once,
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

fn a_client_that_hangs_up_changes_nothing(place: &Place) {
    let server = place.serve(&[("FLORIN_SANDBOX__LATENCY", "400ms")], None);
    let body = card(1000, APPROVED).to_string();
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let (key, length) = (&server.key, body.len());
    let head = format!(
        "POST /api/v1/payments HTTP/1.1\r\nhost: florin\r\nauthorization: Bearer {key}\r\n\
         idempotency-key: gone\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let open = wait(|| server.get("/api/v1/payments")["data"].as_array().unwrap().first().cloned());
    drop(stream);
    let open = open.expect("the payment is there as soon as it is reserved");
    server.wait_for(id(&open), "paid");
    let again = server.post_with_key("/api/v1/payments", "gone", &card(1000, APPROVED));
    assert_eq!((again.status, &again.json()["id"]), (201, &open["id"]));
    server.stop();
}

/// Every fault of the bank at once, in one of ten requests each. Clients repeat under their key until
/// they are told; then each key has one payment, charged once, and the books agree.
fn a_bank_that_misbehaves_charges_once(place: &Place) {
    let faults = [
        ("FLORIN_SANDBOX__FAULTS__TIMEOUT_BEFORE", "100"),
        ("FLORIN_SANDBOX__FAULTS__TIMEOUT_AFTER", "100"),
        ("FLORIN_SANDBOX__FAULTS__SERVER_ERROR_BEFORE", "100"),
        ("FLORIN_SANDBOX__FAULTS__SERVER_ERROR_AFTER", "100"),
        ("FLORIN_SANDBOX__FAULTS__GARBAGE", "100"),
        ("FLORIN_SANDBOX__FAULTS__DUPLICATE_NOTICE", "300"),
        ("FLORIN_SANDBOX__FAULTS__LATE_NOTICE", "300"),
    ];
    let server = Arc::new(place.serve(&faults, None));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                for number in 0..5 {
                    let key = format!("faults-{client}-{number}");
                    let told = wait(|| {
                        let answer = server.post_with_key("/api/v1/payments", &key, &card(1000, APPROVED));
                        assert!(matches!(answer.status, 201 | 202 | 402 | 409 | 503), "{answer:?}");
                        Some(answer).filter(|answer| matches!(answer.status, 201 | 402))
                    });
                    assert!(told.is_some(), "{key} stays undecided\n{}", server.logs());
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let payments = server.get("/api/v1/payments?limit=100");
    let payments = payments["data"].as_array().unwrap();
    assert!(payments.len() >= 40, "{}", payments.len());
    for payment in payments {
        let captured = payment["amount_captured"].as_i64().unwrap();
        assert!(captured == 1000 && payment["status"] == "paid" || captured == 0, "{payment}");
    }
    check_books(place);
}
