//! Cards: the first source document's request, capture, void, refund, 3-D Secure, faults by number.

use serde_json::{Value, json};

use crate::http;
use crate::on_both_stores;
use crate::server::{Place, Server};

on_both_stores!(
    the_first_create_request_of_the_source_documents,
    captures_and_voids,
    refunds_add_up,
    three_d_secure_goes_through_the_challenge_page_and_back,
    faults_are_found_out,
    errors_are_problem_documents,
);

/// A payment by a card number that the sandbox has a script for.
pub(crate) fn card(amount: i64, number: &str) -> Value {
    json!({"amount": amount, "currency": "USD", "payment_method": {"type": "card", "card_number": number,
        "exp_month": 12, "exp_year": 2030, "cvc": "123"}})
}

pub(crate) const APPROVED: &str = "4242424242424242";
const CHALLENGE: &str = "4000000000003220";
const DECLINED: &str = "4000000000009995";
const TIMEOUT_BEFORE: &str = "4000009900002000";
const TIMEOUT_AFTER: &str = "4000009900003008";
const SERVER_ERROR_AFTER: &str = "4000009900006001";
const GARBAGE: &str = "4000009900007009";

pub(crate) fn pay(server: &Server, body: &Value) -> Value {
    let response = server.post("/api/v1/payments", body);
    assert_eq!(response.status, 201, "{response:?}\n{}", server.logs());
    response.json()
}

pub(crate) fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_else(|| panic!("no id: {object}"))
}

fn the_first_create_request_of_the_source_documents(place: &Place) {
    let server = place.serve(&[], None);
    let mut body: Value = serde_json::from_str(
        r#"{
            "amount": 1000,
            "currency": "USD",
            "payment_method": {
              "type": "card",
              "card_number": "4242424242424242",
              "exp_month": 12,
              "exp_year": 2025,
              "cvc": "123"
            },
            "customer_id": "cust_123"
        }"#,
    )
    .unwrap();
    let declined = server.post("/api/payments", &body);
    assert_eq!(declined.status, 402, "{declined:?}");
    assert_eq!(declined.header("content-type"), Some("application/problem+json"));
    let problem = declined.json();
    assert_eq!(problem["code"], "card_declined");
    assert_eq!(problem["decline_code"], "expired_card");
    let payment = server.get(&format!("/api/payments/{}", problem["payment_id"].as_str().unwrap()));
    assert_eq!((&payment["status"], &payment["customer_id"]), (&json!("failed"), &json!("cust_123")));
    assert_eq!(payment["attempts"].as_array().unwrap().len(), 1, "{payment}");

    body["payment_method"]["exp_year"] = json!(2030);
    let paid = server.post("/api/payments", &body);
    assert_eq!((paid.status, &paid.json()["status"]), (201, &json!("paid")), "{paid:?}");
    server.stop();
}

fn captures_and_voids(place: &Place) {
    let server = place.serve(&[], None);
    let mut body = card(1000, APPROVED);
    body["capture_method"] = json!("manual");

    let held = pay(&server, &body);
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("authorized"), &json!(1000)));
    let path = format!("/api/v1/payments/{}/capture", id(&held));
    let part = server.post(&path, &json!({"amount": 400, "final": false}));
    assert_eq!(part.status, 200, "{part:?}");
    assert_eq!(
        (&part.json()["amount_captured"], &part.json()["amount_capturable"]),
        (&json!(400), &json!(600))
    );
    let rest = server.post(&path, &json!({}));
    assert_eq!((rest.status, &rest.json()["amount_captured"]), (200, &json!(1000)), "{rest:?}");
    assert_eq!(rest.json()["status"], "paid");
    assert_eq!(server.post(&path, &json!({})).status, 409, "nothing is left");

    let held = pay(&server, &body);
    let voided = server.post(&format!("/api/v1/payments/{}/void", id(&held)), &json!({}));
    assert_eq!((voided.status, &voided.json()["status"]), (200, &json!("cancelled")), "{voided:?}");
    assert_eq!(server.post(&format!("/api/v1/payments/{}/capture", id(&held)), &json!({})).status, 409);
    check_books(place);
    server.stop();
}

fn refunds_add_up(place: &Place) {
    let server = place.serve(&[], None);
    let paid = pay(&server, &card(1000, APPROVED));
    let path = format!("/api/v1/payments/{}/refund", id(&paid));
    let first = server.post(&path, &json!({"amount": 300, "reason": "one of three"}));
    assert!(matches!(first.status, 200 | 201), "{first:?}");
    assert_eq!(first.json()["amount"], 300);
    let too_much = server.post(&path, &json!({"amount": 701}));
    assert!(matches!(too_much.status, 409 | 422), "{too_much:?}");
    let part = server.get(&format!("/api/v1/payments/{}", id(&paid)));
    assert_eq!(part["status"], "partially_refunded");
    let rest = server.post(&path, &json!({}));
    assert_eq!(rest.json()["amount"], 700, "{rest:?}");
    let refunded = server.get(&format!("/api/v1/payments/{}", id(&paid)));
    assert_eq!((&refunded["status"], &refunded["amount_refunded"]), (&json!("refunded"), &json!(1000)));
    let listed = server.get("/api/v1/refunds");
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");
    check_books(place);
    server.stop();
}

fn three_d_secure_goes_through_the_challenge_page_and_back(place: &Place) {
    let server = place.serve(&[], None);
    for (choice, status) in [("complete", "paid"), ("fail", "failed")] {
        let mut body = card(1000, CHALLENGE);
        body["return_url"] = json!("https://shop.example.com/done?cart=7");
        let waiting = pay(&server, &body);
        assert_eq!(waiting["status"], "authorizing", "{waiting}");
        let page = waiting["next_action"]["url"].as_str().unwrap();
        let shown = http::send("GET", page, &[], "").unwrap();
        assert_eq!(shown.status, 200);
        assert!(shown.body.contains("Complete authentication"), "{}", shown.body);

        let form = [("content-type", "application/x-www-form-urlencoded")];
        let sent = http::send("POST", page, &form, &format!("choice={choice}")).unwrap();
        assert_eq!(sent.status, 303, "{sent:?}");
        let returned = sent.header("location").unwrap();
        assert!(returned.starts_with(&format!("{}/return/", server.url)), "{returned}");
        let back = http::send("GET", returned, &[], "").unwrap();
        let home = back.header("location").unwrap_or_else(|| panic!("{back:?}"));
        assert_eq!(home, format!("https://shop.example.com/done?cart=7&payment_id={}", id(&waiting)));
        // The look-up of the return was awaited: nothing else has to happen.
        let payment = server.get(&format!("/api/v1/payments/{}", id(&waiting)));
        assert_eq!(payment["status"], status, "{payment}");
    }
    server.stop();
}

/// Every fault twice: failed and not done, failed but done.
fn faults_are_found_out(place: &Place) {
    let server = place.serve(&[], None);
    for (number, ends) in
        [(TIMEOUT_AFTER, "paid"), (SERVER_ERROR_AFTER, "paid"), (GARBAGE, "paid"), (TIMEOUT_BEFORE, "failed")]
    {
        let unsure = server.post("/api/v1/payments", &card(1000, number));
        assert!(matches!(unsure.status, 201 | 202 | 402), "{number}: {unsure:?}");
        let payment = unsure.json();
        let id = payment["payment_id"].as_str().or(payment["id"].as_str()).unwrap().to_owned();
        if unsure.status == 202 {
            assert_eq!((&payment["status"], &payment["waiting_for"]), (&json!("pending"), &json!("unknown")));
            let again = server.post(&format!("/api/v1/payments/{id}/confirm"), &confirm(APPROVED));
            assert_eq!(again.status, 409, "while one charge is unknown no second one is sent: {again:?}");
        }
        if number != TIMEOUT_BEFORE {
            let found = server.wait_for(&id, ends);
            assert_eq!(found["amount_captured"], 1000, "{found}");
        }
    }
    let declined = server.post("/api/v1/payments", &card(1000, DECLINED));
    assert_eq!((declined.status, &declined.json()["decline_code"]), (402, &json!("insufficient_funds")));
    let again = server.post(
        &format!("/api/v1/payments/{}/confirm", declined.json()["payment_id"].as_str().unwrap()),
        &confirm(APPROVED),
    );
    assert_eq!((again.status, &again.json()["status"]), (200, &json!("paid")), "{again:?}");
    check_books(place);
    server.stop();
}

fn confirm(number: &str) -> Value {
    json!({"payment_method": {"type": "card", "card_number": number, "exp_month": 12, "exp_year": 2030,
        "cvc": "123"}})
}

fn errors_are_problem_documents(place: &Place) {
    let server = place.serve(&[], None);
    let huge = format!(r#"{{"description": "{}"}}"#, "x".repeat(2 << 20));
    for (method, path, body, status, code) in [
        ("GET", "/nothing", "", 404, "route_not_found"),
        ("GET", "/docs/nothing", "", 404, "route_not_found"),
        ("PUT", "/api/v1/payments", "{}", 405, "method_not_allowed"),
        ("GET", "/api/v1/payments/pay_01h455vb4pex5vsknk084sn02q", "", 404, "not_found"),
        ("POST", "/api/v1/payments", "{\"amount\": 1", 400, "invalid_json"),
        ("POST", "/api/v1/payments", "{\"amount\": 1.5, \"currency\": \"USD\"}", 422, ""),
        ("POST", "/api/v1/payments", "{\"amount\": 0, \"currency\": \"USD\"}", 422, ""),
        ("POST", "/api/v1/payments", "{\"amount\": -1, \"currency\": \"USD\"}", 422, ""),
        ("POST", "/api/v1/payments", "{\"amount\": 9223372036854775808, \"currency\": \"USD\"}", 422, ""),
        ("POST", "/api/v1/payments", "{\"amount\": 1, \"currency\": \"USX\"}", 422, ""),
        ("POST", "/api/v1/payments", "{\"amount\": 1, \"currency\": \"USD\", \"ammount\": 1}", 422, ""),
        ("POST", "/api/v1/payments", &huge, 413, ""),
    ] {
        let answer = server.ask(method, path, &[], body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        let problem = answer.json();
        assert!(code.is_empty() || problem["code"] == code, "{method} {path}: {problem}");
        assert!(problem["request_id"].is_string(), "{problem}");
    }
    let stranger = http::send("GET", &format!("{}/api/v1/payments", server.url), &[], "").unwrap();
    assert_eq!(stranger.status, 401);
    let forged = [("authorization", "Bearer sk_test_0000000000000000000000000000")];
    let forged = http::send("GET", &format!("{}/api/v1/payments", server.url), &forged, "").unwrap();
    assert_eq!(forged.status, 401);
    server.stop();
}

/// The books as an operator checks them, beside the running server.
pub(crate) fn check_books(place: &Place) {
    let output = place.run(&["ledger", "check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("the books balance"), "{said}");
}
