//! The clock of a test merchant over HTTP: what takes days takes a call.

use serde_json::{Value, json};

use crate::cards::check_books;
use crate::on_both_stores;
use crate::server::{Place, Server, wait};

on_both_stores!(
    held_money_lapses_after_seven_days,
    a_delayed_capture_is_made_in_time,
    what_nobody_finishes_expires,
    the_bank_follows_the_merchants_clock,
    a_clock_answers_and_refuses,
    a_lost_dispute_is_seen_on_its_payment,
);

const DAY: u64 = 24 * 3600;

fn advance(server: &Server, seconds: u64) -> Value {
    let moved = server.post("/api/v1/test/clock", &json!({"advance_seconds": seconds}));
    assert_eq!(moved.status, 200, "{moved:?}");
    moved.json()
}

fn create(server: &Server, more: &Value) -> Value {
    let mut body = json!({"amount": 1000, "currency": "USD", "payment_method": "tok_visa"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = server.post("/api/v1/payments", &body);
    assert!(matches!(made.status, 201 | 402), "{made:?}");
    let made = made.json();
    let id = made["id"].as_str().or_else(|| made["payment_id"].as_str()).unwrap();
    server.get(&format!("/api/v1/payments/{id}"))
}

fn id(payment: &Value) -> &str {
    payment["id"].as_str().unwrap()
}

fn held_money_lapses_after_seven_days(place: &Place) {
    let server = place.serve(&[], None);
    let held = create(&server, &json!({"capture_method": "manual"}));
    let partly = create(&server, &json!({"capture_method": "manual"}));
    let path = format!("/api/v1/payments/{}/capture", id(&partly));
    assert_eq!(server.post(&path, &json!({"amount": 400})).status, 200);
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("authorized"), &json!(1000)));
    assert_eq!(held.get("expires_at"), None, "{held}");
    advance(&server, 7 * DAY - 60);
    assert_eq!(server.get(&format!("/api/v1/payments/{}", id(&held)))["status"], "authorized");
    advance(&server, 60);
    let lapsed = server.wait_for(id(&held), "cancelled");
    assert_eq!((&lapsed["amount_capturable"], &lapsed["amount_captured"]), (&json!(0), &json!(0)));
    let rest = server.get(&format!("/api/v1/payments/{}", id(&partly)));
    assert_eq!((&rest["status"], &rest["amount_captured"]), (&json!("paid"), &json!(400)), "{rest}");
    check_books(place);
    server.stop();
}

fn a_delayed_capture_is_made_in_time(place: &Place) {
    let server = place.serve(&[], None);
    let held = create(&server, &json!({"capture_delay_seconds": 3600}));
    assert_eq!(held["status"], "authorized", "{held}");
    advance(&server, 3599);
    assert_eq!(server.get(&format!("/api/v1/payments/{}", id(&held)))["status"], "authorized");
    advance(&server, 2);
    let paid = server.wait_for(id(&held), "paid");
    assert_eq!(paid["amount_captured"], 1000, "{paid}");
    // Killed between the move and what follows from it, another process makes it, once.
    let held = create(&server, &json!({"capture_delay_seconds": 3600}));
    let key = server.key.clone();
    advance(&server, 3601);
    server.kill();
    let server = place.serve(&[], Some(&key));
    let paid = server.wait_for(id(&held), "paid");
    assert_eq!(paid["amount_captured"], 1000, "{paid}");
    check_books(place);
    server.stop();
}

fn what_nobody_finishes_expires(place: &Place) {
    let server = place.serve(&[], None);
    let pending = server.post("/api/v1/payments", &json!({"amount": 5, "currency": "EUR"})).json();
    let failed = create(&server, &json!({"payment_method": "tok_insufficient_funds"}));
    assert_eq!((&pending["status"], &failed["status"]), (&json!("pending"), &json!("failed")));
    assert!(pending["expires_at"].is_string() && failed["expires_at"].is_string(), "{pending} {failed}");
    let upi = json!({"amount_paisa": 500, "currency": "INR", "payment_method": "UPI",
        "payment_details": {"vpa": "timeout@upi"}});
    let upi = server.post("/api/v1/payments", &upi).json();
    advance(&server, 15 * 60);
    server.wait_for(upi["payment_id"].as_str().unwrap(), "cancelled");
    assert_eq!(server.get(&format!("/api/v1/payments/{}", id(&pending)))["status"], "pending");
    advance(&server, DAY);
    for payment in [&pending, &failed] {
        let expired = server.wait_for(id(payment), "cancelled");
        assert_eq!(expired.get("expires_at"), None, "{expired}");
    }
    check_books(place);
    server.stop();
}

fn the_bank_follows_the_merchants_clock(place: &Place) {
    let server = place.serve(&[("FLORIN_SANDBOX__UPI_DELAY", "10m")], None);
    let upi = json!({"amount_paisa": 500, "currency": "INR", "payment_method": "UPI",
        "payment_details": {"vpa": "success@upi"}});
    let upi = server.post("/api/v1/payments", &upi).json();
    let id = upi["payment_id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/api/v1/payments/{id}"))["status"], "pending");
    advance(&server, 10 * 60);
    server.wait_for(id, "paid");
    check_books(place);
    server.stop();
}

fn a_clock_answers_and_refuses(place: &Place) {
    let server = place.serve(&[], None);
    let clock = server.get("/api/v1/test/clock");
    assert_eq!((&clock["object"], &clock["offset_seconds"]), (&json!("test_clock"), &json!(0)));
    let moved = server.post_with_key("/api/v1/test/clock", "k", &json!({"advance_seconds": 100}));
    let again = server.post_with_key("/api/v1/test/clock", "k", &json!({"advance_seconds": 100}));
    assert_eq!((moved.json(), again.header("idempotent-replayed")), (again.json(), Some("true")));
    assert_eq!(server.get("/api/v1/test/clock")["offset_seconds"], 100);
    let to = server.post("/api/v1/test/clock", &json!({"now": "2040-01-01T00:00:00Z"}));
    assert_eq!(to.json()["now"], "2040-01-01T00:00:00.000Z", "{to:?}");
    for (body, param) in [
        (json!({"now": "2039-12-31T23:59:59Z"}), "/now"),
        (json!({"advance_seconds": 0}), "/advance_seconds"),
        (json!({"advance_seconds": -1}), "/advance_seconds"),
        (json!({"advance_seconds": 315_360_001}), "/advance_seconds"),
        (json!({"now": "tomorrow"}), "/now"),
        (json!({}), "/advance_seconds"),
        (json!({"now": "2041-01-01T00:00:00Z", "advance_seconds": 1}), "/now"),
        (json!({"advance": 1}), "/advance"),
    ] {
        let refused = server.post("/api/v1/test/clock", &body);
        assert_eq!((refused.status, &refused.json()["param"]), (422, &json!(param)), "{refused:?}");
    }
    let made = create(&server, &json!({"payment_method": "tok_insufficient_funds"}));
    assert!(made["created_at"].as_str().unwrap().starts_with("2040-01-01T"), "{made}");
    server.stop();
}

fn a_lost_dispute_is_seen_on_its_payment(place: &Place) {
    let server = place.serve(&[], None);
    let body = json!({"amount": 1000, "currency": "USD", "payment_method": "tok_dispute_lost"});
    let made = server.post("/api/v1/payments", &body).json();
    let paid = server.wait_for(id(&made), "paid");
    assert!(paid.get("disputes").is_none() && paid.get("amount_disputed").is_none(), "{paid}");
    let path = format!("/api/v1/payments/{}", id(&paid));
    let lost = wait(|| {
        advance(&server, DAY);
        Some(server.get(&path)).filter(|payment| payment["disputes"][0]["status"] == "lost")
    });
    let lost = lost.unwrap_or_else(|| panic!("{}", server.get(&path)));
    let amounts = ["amount_captured", "amount_refunded", "amount_dispute_lost", "amount_refundable"];
    assert_eq!(amounts.map(|name| lost[name].as_i64()), [Some(1000), Some(0), Some(1000), Some(0)], "{lost}");
    assert_eq!((&lost["status"], &lost["disputes"][0]["amount"]), (&"paid".into(), &1000.into()), "{lost}");
    assert!(lost.get("amount_disputed").is_none(), "{lost}");
    check_books(place);
    server.stop();
}
