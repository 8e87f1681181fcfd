//! Two nodes on one PostgreSQL.

use std::sync::Arc;
use std::thread;

use serde_json::json;

use crate::cards::{APPROVED, card, check_books, id, pay};
use crate::server::{Place, Server, wait};

fn two(place: &Place) -> (Server, Server) {
    let one = place.serve(&[], None);
    let other = place.serve(&[], Some(&one.key));
    (one, other)
}

#[test]
fn they_share_idempotency_and_the_refund_race() {
    let Some(place) = Place::postgres("two_nodes") else { return };
    let (one, other) = two(&place);
    let (one, other) = (Arc::new(one), Arc::new(other));

    let first = one.post_with_key("/api/v1/payments", "shared", &card(1000, APPROVED));
    let again = other.post_with_key("/api/v1/payments", "shared", &card(1000, APPROVED));
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((again.json(), again.header("idempotent-replayed")), (first.json(), Some("true")));

    for _ in 0..10 {
        let paid = pay(&one, &card(100, APPROVED));
        let path = format!("/api/v1/payments/{}/refund", id(&paid));
        let both = [Arc::clone(&one), Arc::clone(&other)].map(|node| {
            let path = path.clone();
            thread::spawn(move || node.post(&path, &json!({"amount": 60})))
        });
        let mut statuses = both.map(|thread| thread.join().unwrap().status);
        statuses.sort_unstable();
        assert!(matches!(statuses, [200 | 201, 409 | 422]), "{statuses:?}");
        let payment = other.get(&format!("/api/v1/payments/{}", id(&paid)));
        assert_eq!(payment["amount_refunded"], 60, "{payment}");
    }

    let keys: Vec<_> = (0..8)
        .map(|number| {
            let node = Arc::clone(if number % 2 == 0 { &one } else { &other });
            thread::spawn(move || node.post_with_key("/api/v1/payments", "race", &card(500, APPROVED)))
        })
        .collect();
    let answers: Vec<_> = keys.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut ids: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json()["id"].clone())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{answers:?}");
    check_books(&place);
}

#[test]
fn what_a_killed_node_left_unknown_the_other_resolves() {
    let Some(place) = Place::postgres("killed_node") else { return };
    let slow = [("FLORIN_SANDBOX__LATENCY", "1500ms"), ("FLORIN_SERVER__ANSWER_WITHIN", "10s")];
    let one = Arc::new(place.serve(&slow, None));
    let other = place.serve(&[], Some(&one.key));
    // The first is in the middle of a call when it dies: reserved, sent, not settled.
    let client = thread::spawn({
        let one = Arc::clone(&one);
        move || {
            one.try_ask(
                "POST",
                "/api/v1/payments",
                &[("idempotency-key", "dies")],
                &card(1000, APPROVED).to_string(),
            )
        }
    });
    let reserved = wait(|| {
        let listed = other.get("/api/v1/payments");
        listed["data"].as_array().unwrap().first().map(|payment| payment["id"].as_str().unwrap().to_owned())
    });
    let payment = reserved.expect("the other node sees the payment as it is reserved");
    one.signal("KILL");
    assert!(client.join().unwrap().is_err(), "its client got no answer");
    other.wait_for(&payment, "paid");
    // The key is answered with what came of it.
    let again = wait(|| {
        let again = other.post_with_key("/api/v1/payments", "dies", &card(1000, APPROVED));
        Some(again).filter(|again| again.status == 201)
    });
    assert_eq!(again.expect("an answer").json()["id"], payment.as_str());
    assert_eq!(other.get("/api/v1/payments")["data"].as_array().unwrap().len(), 1);
    check_books(&place);
}
