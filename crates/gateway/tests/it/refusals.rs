//! One row for each way in which a create request is refused.

use crate::commands::{create, with};
use crate::world::World;

/// Code, pointer, body. `+ …` are fields beside an amount and a currency, `card …` fields of a card's
/// method, `dated card …` beside a good number and month, `good card …` beside a year too, `upi …` fields of
/// the details of UPI. LONG stands for 129 letters.
const TABLE: &str = r#"
invalid_type         -                             []
invalid_type         -                             "x"
missing_field        /amount                       {}
missing_field        /amount                       {"amount": null, "currency": "USD"}
missing_field        /currency                     {"amount": 1}
invalid_amount       /amount                       {"amount": 0, "currency": "USD"}
invalid_amount       /amount                       {"amount": -1, "currency": "USD"}
invalid_amount       /amount                       {"amount": 10.0, "currency": "USD"}
invalid_amount       /amount                       {"amount": 1e3, "currency": "USD"}
invalid_amount       /amount                       {"amount": 9223372036854775808, "currency": "USD"}
invalid_amount       /amount_paisa                 {"amount_paisa": 0}
invalid_type         /amount                       {"amount": "1000", "currency": "USD"}
invalid_type         /amount                       {"amount": true, "currency": "USD"}
invalid_currency     /currency                     {"amount": 1000, "currency": "usd"}
invalid_currency     /currency                     {"amount_paisa": 1000, "currency": "USD"}
invalid_type         /currency                     {"amount": 1000, "currency": 840}
conflicting_fields   /amount_paisa                 + "amount_paisa": 1000
invalid_amount       /amount                       + "purpose": "verification"
invalid_value        /purpose                      + "purpose": "gift"
invalid_value        /capture_method               + "capture_method": "manuel"
invalid_type         /confirm                      + "confirm": "yes"
missing_field        /payment_method               + "confirm": true
unknown_field        /amuont                       + "amuont": 1
invalid_type         /billing_address              + "billing_address": "Main Street 1"
invalid_value        /billing_address/country      + "billing_address": {"country": "usa"}
invalid_value        /shipping_address/country     + "shipping_address": {"country": "XX"}
unknown_field        /billing_address/street       + "billing_address": {"street": "x"}
card_number_in_text  /billing_address/line1        + "billing_address": {"line1": "4242 4242 4242 4242"}
card_number_in_text  /shipping_address/name        + "shipping_address": {"name": "4242424242424242"}
invalid_text         /billing_address/city         + "billing_address": {"city": ""}
invalid_value        /ip_address                   + "ip_address": "203.0.113.256"
invalid_value        /ip_address                   + "ip_address": "localhost"
card_number_in_text  /user_agent                   + "user_agent": "4242424242424242"
invalid_text         /terminal_id                  + "terminal_id": ""
invalid_value        /capture_delay_seconds        + "capture_delay_seconds": 2592001
invalid_value        /capture_delay_seconds        + "capture_delay_seconds": -1
invalid_type         /capture_delay_seconds        + "capture_delay_seconds": "60"
conflicting_fields   /capture_delay_seconds        + "capture_delay_seconds": 60, "capture_method": "manual"
invalid_value        /three_d_secure               + "three_d_secure": "always"
missing_field        /off_session                  + "network_transaction_id": "1", "customer_id": "c"
invalid_type         /off_session                  + "off_session": "yes", "payment_method": "tok_visa"
missing_field        /customer_id                  + "off_session": true, "payment_method": "tok_visa"
invalid_value        /confirm                      + "off_session": true, "customer_id": "c", "confirm": false
invalid_value        /payment_method           + "off_session": true, "user_id": "c", "payment_method": "UPI"
unsupported_field    /wallet_type                  + "wallet_type": "paypal"
conflicting_fields   /user_id                      + "customer_id": "a", "user_id": "a"
invalid_value        /customer_id                  + "customer_id": "cus_123"
invalid_text         /customer_id                  + "customer_id": ""
invalid_text         /order_id                     + "order_id": "a\u0000b"
invalid_text         /order_id                     + "order_id": "LONG"
invalid_type         /order_id                     + "order_id": 12345
invalid_text         /description                  + "description": "a\u0007"
card_number_in_text  /description                  + "description": "4242 4242 4242 4242"
card_number_in_text  /statement_descriptor         + "statement_descriptor": "4242424242424242"
invalid_text         /statement_descriptor         + "statement_descriptor": "ABCDEFGHIJKLMNOPQRSTUVW"
invalid_value        /customer_email               + "customer_email": "nobody"
invalid_url          /return_url                   + "return_url": "/done"
invalid_url          /return_url                   + "return_url": "javascript:alert(1)"
invalid_url          /return_url                   + "return_url": "https://a b"
invalid_url          /return_url                   + "return_url": "https://a\r\nset-cookie:x"
invalid_url          /return_url                   + "return_url": "https://u:p@shop.example"
invalid_url          /callback_url                 + "callback_url": "ftp://shop.example"
invalid_type         /callback_url                 + "callback_url": 1
conflicting_fields   /gateway                      + "provider": "a", "gateway": "b"
invalid_type         /allow_duplicate_order        + "allow_duplicate_order": 1
invalid_type         /metadata                     + "metadata": []
invalid_type         /payment_method               + "payment_method": 1
missing_field        /payment_method/type          + "payment_method": {}
invalid_type         /payment_method/type          + "payment_method": {"type": 1}
unsupported_field    /payment_method/type          + "payment_method": {"type": "cash"}
invalid_value        /payment_method/type          + "payment_method": {"type": "magic"}
invalid_value        /payment_method               + "payment_method": "pm_1"
invalid_value        /payment_method/id            + "payment_method": {"id": "pm_1"}
invalid_value        /payment_method/id            + "payment_method": {"type": "card", "id": "tok_visa"}
invalid_value        /payment_method/type          + "payment_method": {"type": "magic", "id": "pm_1"}
missing_field        /payment_method               + "save_payment_method": true
missing_field        /payment_details              + "payment_method": "card"
missing_field        /payment_method               + "payment_details": {}
conflicting_fields   /payment_details              + "payment_method": {"type": "upi"}, "payment_details": 1
invalid_vpa          /payment_method/vpa           + "payment_method": {"type": "upi", "vpa": "nobody"}
invalid_vpa          /payment_details/vpa          upi "vpa": "a@b"
unknown_field        /payment_details/card_number  upi "card_number": "1"
missing_field        /payment_method/card_number   card "exp_month": 1
invalid_type         /payment_method/card_number   card "card_number": 4242424242424242
invalid_card_number  /payment_method/card_number   card "card_number": "4242424242424241"
missing_field        /payment_method/exp_month     card "card_number": "4242424242424242"
invalid_expiry       /payment_method/exp_month     card "card_number": "4242424242424242", "exp_month": 13
invalid_expiry       /payment_method/exp_month     card "card_number": "4242424242424242", "exp_month": 1.0
missing_field        /payment_method/exp_year      dated card "cvc": "123"
invalid_expiry       /payment_method/exp_year      dated card "exp_year": 203
invalid_type         /payment_method/exp_year      dated card "exp_year": true
invalid_cvc          /payment_method/cvc           good card "cvc": "12"
invalid_cvc          /payment_method/cvc           good card "cvc": "12a"
invalid_type         /payment_method/cvc           good card "cvc": 123
conflicting_fields   /payment_method/cvv           good card "cvc": "123", "cvv": "123"
conflicting_fields   /payment_method/card_number   good card "token": "tok_visa"
conflicting_fields   /payment_method/number        good card "number": "4242424242424242"
card_number_in_text  /payment_method/holder_name   good card "holder_name": "4242424242424242"
unknown_field        /payment_method/cvc2          good card "cvc2": "123"
conflicting_fields   /payment_method/card_number   good card "id": "pm_1"
"#;

const DATED: &str = r#""card_number": "4242424242424242", "exp_month": 12"#;

fn body(text: &str) -> String {
    let text = text.replace("LONG", &"x".repeat(129));
    let card = |fields: &str| with(&format!("\"payment_method\": {{\"type\": \"card\", {fields}}}"));
    if let Some(fields) = text.strip_prefix("+ ") {
        with(fields)
    } else if let Some(fields) = text.strip_prefix("card ") {
        card(fields)
    } else if let Some(fields) = text.strip_prefix("dated card ") {
        card(&format!("{DATED}, {fields}"))
    } else if let Some(fields) = text.strip_prefix("good card ") {
        card(&format!("{DATED}, \"exp_year\": 2037, {fields}"))
    } else if let Some(fields) = text.strip_prefix("upi ") {
        with(&format!("\"payment_method\": \"UPI\", \"payment_details\": {{{fields}}}"))
    } else {
        text
    }
}

#[test]
fn every_refusal_names_its_field() {
    for row in TABLE.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (code, rest) = row.split_once(' ').unwrap();
        let (pointer, text) = rest.trim_start().split_once(' ').unwrap();
        let problem = create(&body(text.trim_start())).unwrap_err();
        let expected = (422, code, Some(if pointer == "-" { "" } else { pointer }));
        let found = (problem.entry().status, problem.entry().code, problem.param());
        assert_eq!(found, expected, "{row}: {}", problem.detail());
        let document = String::from_utf8(problem.document("req_1")).unwrap();
        assert!(!document.contains("42424242"), "{document}");
    }
}

const MONEY: &str = r#""amount": 1000, "currency": "USD""#;

#[tokio::test]
async fn names_of_stripe_are_told_what_stands_here() {
    let world = World::start().await;
    for (path, body, says) in [
        ("payments", r#"{"receipt_email": "a@b.example"}"#, "`customer_email`"),
        ("payments", r#"{"setup_future_usage": "off_session"}"#, "`save_payment_method`"),
        ("payments", r#"{"customer": "cus_1"}"#, "`customer_id`"),
        ("payments", r#"{"payment_method_types": ["card"]}"#, "leave it out"),
        ("payments", &format!(r#"{{{MONEY}, "payment_method": "pm_card_visa"}}"#), "`tok_visa`"),
        (
            "payments",
            &format!(r#"{{{MONEY}, "payment_method": {{"type": "card", "card": {{}}}}}}"#),
            "beside `type`",
        ),
        ("payments/pay_01h455vb4pex5vsknk084sn02q/capture", r#"{"amount_to_capture": 5}"#, "`amount`"),
        ("refunds", r#"{"payment_intent": "pi_1"}"#, "`payment_id`"),
    ] {
        let refused = world.post(&format!("/api/v1/{path}"), body).await.json();
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{body}: {detail}");
    }
    for (query, says) in [("starting_after=x", "`cursor`"), ("created[gte]=1", "`created_from`")] {
        let refused = world.get(&format!("/api/v1/payments?{query}")).await.json();
        assert!(refused["detail"].as_str().unwrap().contains(says), "{query}: {refused}");
    }
    // What is not here has no counterpart to be told of.
    let refused = world.post("/api/v1/refunds", r#"{"receipt_email": "a@b.example"}"#).await.json();
    assert!(!refused["detail"].as_str().unwrap().contains("Stripe"), "{refused}");
}
