use kernel::Method;
use sandbox_bank::{BankConfig, SCENARIOS};
use serde_json::{Value, json};

use crate::shop::{Shop, charge_body, code, read};

#[tokio::test]
async fn a_card_becomes_a_token_and_the_token_a_charge() {
    let shop = Shop::new();
    let card = json!({"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2030, "cvc": "737"});
    let (status, token) = shop.post("/v1/tokens", card).await;
    assert_eq!((status, &token["object"]), (200, &json!("token")));
    assert!(!token.to_string().contains("42424242"));
    let (status, charge) = shop.charge("a1", token["id"].as_str().unwrap(), true).await;
    assert_eq!(status, 200);
    assert_eq!(charge["status"], "captured");
    assert_eq!(charge["amount_captured"], 1000);
    assert_eq!(
        charge["card"],
        json!({"brand": "visa", "last4": "4242", "country": "US", "issuer": "Sandbox Bank"})
    );
    assert_eq!(charge["approval_code"].as_str().unwrap().len(), 6);
    assert_eq!(shop.look_up("a1").await, charge);
    assert_eq!(shop.look_up(charge["id"].as_str().unwrap()).await, charge);
}

fn card(number: &str, exp_month: u8, cvc: &str) -> Value {
    json!({"number": number, "exp_month": exp_month, "exp_year": 2030, "cvc": cvc})
}

#[tokio::test]
async fn cards_that_are_none_become_no_token() {
    let shop = Shop::new();
    for (body, refused) in [
        (card("4242424242424241", 12, "737"), (422, "incorrect_number")),
        (card("4242424242424242", 13, "737"), (422, "invalid_expiry")),
        (card("4242424242424242", 12, "7377"), (422, "invalid_cvc")),
        (card("378282246310005", 12, "737"), (422, "invalid_cvc")),
        (json!({"number": "4242424242424242"}), (400, "invalid_request")),
    ] {
        let answer = shop.post("/v1/tokens", body).await;
        assert_eq!(code(&answer), refused);
        assert!(!answer.1.to_string().contains("4242"));
    }
}

#[tokio::test]
async fn every_scripted_decline_declines_with_its_code() {
    let shop = Shop::new();
    for name in [
        "generic_decline",
        "insufficient_funds",
        "lost_card",
        "stolen_card",
        "expired_card",
        "incorrect_cvc",
        "processing_error",
        "card_velocity_exceeded",
        "fraudulent",
        "do_not_honor",
        "issuer_unavailable",
        "incorrect_number",
        "card_not_supported",
        "amount_not_allowed",
        "authentication_required",
    ] {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
        let reference = name.replace('_', "");
        let (status, charge) = shop.charge(&reference, scenario.token, true).await;
        assert_eq!((status, &charge["status"]), (200, &json!("declined")), "{name}");
        assert_eq!(charge["decline"]["code"], name);
        assert!(charge["decline"]["network_code"].is_string(), "{name}");
        assert_eq!(charge["amount_approved"], 0);
        assert_eq!(shop.look_up(&reference).await, charge);
    }
}

#[tokio::test]
async fn a_delayed_charge_is_decided_a_day_later_and_told_by_notice() {
    let shop = Shop::new();
    for (token, status) in [("tok_delayed", "captured"), ("tok_delayed_fails", "declined")] {
        let (_, charge) = shop.charge(&token.replace('_', ""), token, true).await;
        assert_eq!(charge["status"], "processing");
        shop.wait(24 * 60 * 60 - 1).await;
        assert_eq!(shop.look_up(&token.replace('_', "")).await["status"], "processing");
        assert!(shop.take_notices().await.is_empty());
        shop.wait(1).await;
        assert_eq!(shop.look_up(&token.replace('_', "")).await["status"], status);
        let kinds: Vec<_> = shop.take_notices().await.into_iter().map(|(kind, ..)| kind).collect();
        assert_eq!(kinds, ["charge.updated"], "{token}");
    }
}

#[tokio::test]
async fn a_token_of_a_card_that_expired_is_declined() {
    let shop = Shop::new();
    let (_, charge) = shop.charge("old", "tok_sbx_visa.visa.4242.2026-10", true).await;
    assert_eq!(charge["decline"]["code"], "expired_card");
}

#[tokio::test]
async fn held_money_is_captured_in_parts_and_the_rest_released() {
    let shop = Shop::new();
    let (_, charge) = shop.charge("c", "tok_visa", false).await;
    assert_eq!((&charge["status"], &charge["amount_captured"]), (&json!("authorized"), &json!(0)));
    assert_eq!(shop.effect("c", "capture", "p1", 400).await.1["status"], "succeeded");
    assert_eq!(code(&shop.effect("c", "capture", "p2", 601).await), (422, "amount_too_large"));
    let last = json!({"reference": "p3", "amount": 100, "currency": "USD", "final": true});
    assert_eq!(shop.post("/v1/charges/c/captures", last).await.0, 200);
    assert_eq!(code(&shop.effect("c", "capture", "p4", 1).await), (422, "amount_too_large"));
    assert_eq!(code(&shop.effect("c", "void", "v", 1).await), (422, "amount_too_large"));
    assert_eq!(code(&shop.effect("c", "refund", "r1", 501).await), (422, "amount_too_large"));
    assert_eq!(shop.effect("c", "refund", "r2", 300).await.0, 200);
    assert_eq!(shop.effect("c", "refund", "r3", 200).await.0, 200);
    assert_eq!(code(&shop.effect("c", "refund", "r4", 1).await), (422, "amount_too_large"));
    let seen = shop.look_up("c").await;
    assert_eq!((&seen["amount_captured"], &seen["amount_refunded"]), (&json!(500), &json!(500)));
    assert_eq!(shop.look_up("p1").await["amount"], 400);
    assert_eq!(shop.look_up("r2").await["charge_reference"], "c");
}

#[tokio::test]
async fn a_void_releases_what_is_held_or_reverses_what_was_taken_at_once() {
    let shop = Shop::new();
    shop.charge("held", "tok_visa", false).await;
    assert_eq!(shop.effect("held", "void", "v1", 1000).await.0, 200);
    assert_eq!(shop.look_up("held").await["status"], "voided");
    assert_eq!(code(&shop.effect("held", "capture", "p1", 1).await), (422, "amount_too_large"));
    shop.charge("taken", "tok_visa", true).await;
    assert_eq!(shop.effect("taken", "void", "v2", 1000).await.0, 200);
    assert_eq!(code(&shop.effect("taken", "refund", "r1", 1).await), (422, "amount_too_large"));
}

#[tokio::test]
async fn an_authorisation_lapses_after_seven_days() {
    let shop = Shop::new();
    shop.charge("c", "tok_visa", false).await;
    shop.wait(7 * 24 * 60 * 60).await;
    assert_eq!(code(&shop.effect("c", "capture", "p", 1).await), (409, "authorization_expired"));
    assert_eq!(shop.look_up("c").await["status"], "voided");
}

#[tokio::test]
async fn a_reference_stands_for_one_thing() {
    let shop = Shop::new();
    let first = shop.charge("c", "tok_visa", true).await;
    shop.effect("c", "refund", "r", 400).await;
    // The same bytes get the same answer, whatever happened since; anything else under it is refused.
    assert_eq!(shop.charge("c", "tok_visa", true).await, first);
    assert_eq!(code(&shop.charge("c", "tok_mastercard", true).await), (409, "key_reused"));
    assert_eq!(code(&shop.effect("c", "refund", "c", 400).await), (409, "key_reused"));
    assert_eq!(code(&shop.effect("c", "refund", "r", 300).await), (409, "key_reused"));
    assert_eq!(code(&shop.charge("r", "tok_visa", true).await), (409, "key_reused"));
    let again = shop.effect("c", "refund", "r", 400).await;
    assert_eq!((again.0, &again.1["amount"]), (200, &json!(400)));
    assert_eq!(shop.look_up("c").await["amount_refunded"], 400);
}

#[tokio::test]
async fn a_first_answer_stays_as_it_was() {
    let shop = Shop::new();
    let capture = json!({"reference": "p", "amount": 1000, "currency": "USD", "final": true});
    shop.charge("c", "tok_visa", false).await;
    let first = shop.post("/v1/charges/c/captures", capture.clone()).await;
    // Nothing is left to capture, but this is not a second capture.
    assert_eq!(shop.post("/v1/charges/c/captures", capture).await, first);
    // The card has expired since: the answer has not.
    let charge = shop.charge("x", "tok_sbx_visa.visa.4242.2026-11", true).await;
    shop.wait(30 * 24 * 60 * 60).await;
    assert_eq!(shop.charge("x", "tok_sbx_visa.visa.4242.2026-11", true).await, charge);
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let shop = Shop::new();
    shop.charge("c", "tok_visa", true).await;
    let mut other = Shop { bank: shop.bank.clone(), clock: shop.clock.clone(), keys: shop.keys.clone() };
    other.keys = sandbox_bank::Keys::of("sbk_another_account_").unwrap();
    assert_eq!(code(&other.get("/v1/operations/c").await), (404, "no_such_operation"));
    assert_eq!(code(&other.effect("c", "refund", "r", 1).await), (404, "no_such_charge"));
    assert_eq!(other.charge("c", "tok_visa", true).await.0, 200);
}

#[tokio::test]
async fn requests_that_cannot_be_taken_on_are_refused() {
    let shop = Shop::new();
    shop.charge("known", "tok_visa", true).await;
    let with = |name: &str, value: Value| {
        let mut body = charge_body("fresh", "tok_visa", true);
        body[name] = value;
        body
    };
    for (body, refused) in [
        (with("amount", json!(-1)), (422, "amount_not_allowed")),
        (with("amount", json!(1.5)), (400, "invalid_request")),
        (with("currency", json!("XXX")), (400, "invalid_request")),
        (with("surprise", json!(1)), (400, "invalid_request")),
        (with("reference", json!("no spaces")), (400, "invalid_request")),
        (with("return_url", json!("javascript:alert(1)")), (400, "invalid_request")),
        (with("return_url", json!("https://x/\r\nset-cookie: a")), (400, "invalid_request")),
        (with("source", json!({"type": "card", "token": "tok_nothing"})), (422, "no_such_token")),
        (with("source", json!({"type": "cheque"})), (400, "invalid_request")),
    ] {
        assert_eq!(code(&shop.post("/v1/charges", body.clone()).await), refused, "{body}");
    }
    for (path, refused) in [
        ("/v1/charges/unknown/refunds", (404, "no_such_charge")),
        ("/v1/charges/known/thefts", (404, "no_such_path")),
        ("/v2/charges", (404, "no_such_path")),
        ("", (404, "no_such_path")),
    ] {
        let body = json!({"reference": "r", "amount": 1, "currency": "USD"});
        assert_eq!(code(&shop.post(path, body).await), refused, "{path}");
    }
    let euros = json!({"reference": "r", "amount": 1, "currency": "EUR"});
    let answer = shop.post("/v1/charges/known/refunds", euros).await;
    assert_eq!(code(&answer), (422, "currency_mismatch"));
    assert_eq!(code(&shop.effect("known", "refund", "r", 0).await), (422, "amount_not_allowed"));
    assert_eq!(code(&shop.effect("known", "capture", "r", 1).await), (409, "already_captured"));
    // Nothing of all that took the references.
    assert_eq!(shop.charge("fresh", "tok_visa", true).await.0, 200);
    assert_eq!(shop.effect("known", "refund", "r", 1).await.0, 200);
}

#[tokio::test]
async fn the_key_is_needed_and_both_names_of_a_reference_agree() {
    let shop = Shop::new();
    let body = charge_body("c", "tok_visa", true);
    let mut request = shop.request(Method::Post, "/v1/charges", &body);
    request.headers.retain(|(name, _)| name != "idempotency-key");
    let answer = read(shop.bank.handle(&request, shop.now()).await);
    assert_eq!(code(&answer), (400, "invalid_request"));
    request.headers.push(("idempotency-key".to_owned(), "d".to_owned()));
    let answer = read(shop.bank.handle(&request, shop.now()).await);
    assert_eq!(code(&answer), (400, "invalid_request"));
    for key in ["", "Bearer", "Bearer sk_test_0123456789abcdef", "Basic sbk_0123456789abcdef"] {
        request.headers = vec![("authorization".to_owned(), key.to_owned())];
        let answer = read(shop.bank.handle(&request, shop.now()).await);
        assert_eq!(code(&answer), (401, "invalid_api_key"));
    }
}

#[tokio::test]
async fn fees_are_told_on_what_is_taken() {
    let shop = Shop::with(BankConfig { fee_basis_points: 290, ..BankConfig::default() });
    assert_eq!(shop.charge("sale", "tok_visa", true).await.1["fee"], 29);
    assert_eq!(shop.charge("held", "tok_visa", false).await.1["fee"], Value::Null);
    assert_eq!(shop.effect("held", "capture", "p", 500).await.1["fee"], 15);
}

#[tokio::test]
async fn a_verification_holds_nothing() {
    let shop = Shop::new();
    let mut body = charge_body("c", "tok_visa", false);
    body["amount"] = json!(0);
    let (_, charge) = shop.post("/v1/charges", body).await;
    assert_eq!((&charge["status"], &charge["amount_approved"]), (&json!("authorized"), &json!(0)));
}

#[tokio::test]
async fn memory_is_bounded_and_forgets_the_oldest() {
    let shop = Shop::with(BankConfig { filed_max: 3, ..BankConfig::default() });
    for reference in ["a", "b", "c", "d"] {
        shop.charge(reference, "tok_visa", true).await;
    }
    assert_eq!(code(&shop.get("/v1/operations/a").await), (404, "no_such_operation"));
    assert_eq!(shop.look_up("b").await["reference"], "b");
    assert_eq!(shop.bank.statement(shop.now()).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thieves_at_once_get_one_refund() {
    let shop = std::sync::Arc::new(Shop::new());
    shop.charge("c", "tok_visa", true).await;
    let attempts = (0..16).map(|count| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.effect("c", "refund", &format!("r{count}"), 600).await.0 })
    });
    let mut paid = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        paid += i32::from(attempt.await.unwrap() == 200);
    }
    assert_eq!(paid, 1);
    assert_eq!(shop.look_up("c").await["amount_refunded"], 600);
}
