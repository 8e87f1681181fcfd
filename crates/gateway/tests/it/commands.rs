//! Bodies to commands: the documents' requests as they stand, and one row for each refusal.

use gateway::Problem;
use gateway::input::{capture, confirm_payment, create_payment, nothing, parse, read_body, refund};
use kernel::{Currency, Id, Mode, Money, Scope};
use payments::{AnswerForm, CreatePayment, CustomerRef, MethodInput, Purpose};
use proptest::prelude::*;
use uuid::Uuid;

fn scope(mode: Mode) -> Scope {
    Scope { merchant: Id::from_uuid(Uuid::from_u128(7)), mode }
}

pub(crate) fn create(body: &str) -> Result<CreatePayment, Problem> {
    create_payment(&read_body(body.as_bytes())?, scope(Mode::Test))
}

/// The minimal body with `fields` added.
pub(crate) fn with(fields: &str) -> String {
    format!("{{\"amount\": 1000, \"currency\": \"USD\", {fields}}}")
}

#[test]
fn the_documents_card_request_works_as_it_stands() {
    let body = r#"{
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
  }"#;
    let command = create(body).unwrap();
    assert_eq!(command.amount, Money::new(1000, Currency::USD));
    assert_eq!(command.customer, Some(CustomerRef::Reference("cust_123".to_owned())));
    assert!(command.confirm);
    assert_eq!((command.form, command.purpose), (AnswerForm::Canonical, Purpose::Payment));
    assert_eq!(command.capture_method, None);
    let Some(MethodInput::Card(card)) = command.method else { panic!("a card") };
    assert_eq!((card.number.last4(), card.exp_month, card.exp_year), ("4242", 12, 2025));
    assert_eq!(card.cvc.unwrap().expose(), "123");
}

#[test]
fn the_documents_upi_request_works_as_it_stands() {
    let body = r#"{
  "user_id": "123e4567-e89b-12d3-a456-426614174000",
  "merchant_id": "123e4567-e89b-12d3-a456-426614174001",
  "amount_paisa": 10000,
  "currency": "INR",
  "payment_method": "UPI",
  "payment_details": {
    "vpa": "user@paytm"
  },
  "description": "Payment for order #12345",
  "callback_url": "https://merchant.com/webhook",
  "metadata": {
    "order_id": "12345",
    "customer_email": "user@example.com"
  }
}"#;
    let command = create(body).unwrap();
    assert_eq!(command.amount, Money::new(10000, Currency::INR));
    assert_eq!(command.form, AnswerForm::Paisa);
    assert!(matches!(&command.method, Some(MethodInput::Upi { vpa: Some(vpa) }) if vpa == "user@paytm"));
    assert_eq!(command.callback_url.as_deref(), Some("https://merchant.com/webhook"));
    assert_eq!(command.metadata["order_id"], "12345");
    assert_eq!(command.order_id, None, "an order among the metadata guards nothing");
    // In live mode the merchant is the key's.
    let live = create_payment(&parse(body.as_bytes()).unwrap(), scope(Mode::Live)).unwrap_err();
    assert_eq!((live.entry().code, live.param()), ("invalid_value", Some("/merchant_id")));
}

#[test]
fn other_spellings_of_a_method() {
    for (fields, last4) in [
        (
            r#""payment_method": {"type": "CARD", "number": "5555 5555 5555 4444", "expiry_month": "07",
                "expiry_year": "31"}"#,
            "4444",
        ),
        (
            r#""payment_method": "card", "payment_details": {"card_number": "378282246310005",
                "exp_month": 1, "exp_year": 30, "cvv": "1234", "holder_name": "A B"}"#,
            "0005",
        ),
    ] {
        let Some(MethodInput::Card(card)) = create(&with(fields)).unwrap().method else { panic!("a card") };
        assert_eq!(card.number.last4(), last4);
        assert!(card.exp_year >= 2030);
    }
    for fields in
        [r#""payment_method": "tok_visa""#, r#""payment_method": {"type": "card", "token": "tok_visa"}"#]
    {
        let method = create(&with(fields)).unwrap().method;
        assert!(matches!(method, Some(MethodInput::Token(token)) if token == "tok_visa"));
    }
    let method = create(&with(r#""payment_method": {"type": "upi"}"#)).unwrap().method;
    assert!(matches!(method, Some(MethodInput::Upi { vpa: None })));
}

#[test]
fn confirm_is_asked_for_by_giving_a_method() {
    assert!(!create(&with(r#""description": """#)).unwrap().confirm);
    let confirmed =
        confirm_payment(&parse(br#"{"payment_method": "tok_visa", "gateway": "sandbox"}"#).unwrap());
    assert_eq!(confirmed.unwrap().provider.as_deref(), Some("sandbox"));
}

#[test]
fn amounts_up_to_the_last_one() {
    let amount = |text: &str| {
        create(&format!("{{\"amount\": {text}, \"currency\": \"JPY\"}}")).map(|c| c.amount.minor)
    };
    assert_eq!(amount("1").unwrap(), 1);
    assert_eq!(amount("999999999999999").unwrap(), 999_999_999_999_999);
    assert!(amount("1000000000000000").is_err());
    assert!(amount("9223372036854775808").is_err());
    assert!(amount("-0").is_err());
    let verified = create(
        r#"{"amount": 0, "currency": "USD", "purpose": "verification", "payment_method": "tok_visa"}"#,
    );
    assert_eq!(verified.unwrap().purpose, Purpose::Verification);
}

#[test]
fn the_nearest_known_name_is_suggested() {
    for (fields, suggestion) in [
        (r#""amuont_paisa": 1"#, "Did you mean `amount_paisa`?"),
        (r#""orderId": 1"#, "Did you mean `order_id`?"),
        (r#""ipaddress": 1"#, "Did you mean `ip_address`?"),
        (r#""capture_metod": 1"#, "Did you mean `capture_method`?"),
    ] {
        let problem = create(&with(fields)).unwrap_err();
        assert!(problem.detail().ends_with(suggestion), "{}", problem.detail());
    }
    let far = create(&with(r#""zzzzzzzz": 1"#)).unwrap_err();
    assert_eq!(far.detail(), "There is no field `zzzzzzzz`.");
    let lower = create(r#"{"amount": 1, "currency": "usd"}"#).unwrap_err();
    assert!(lower.detail().ends_with("Did you mean `USD`?"), "{}", lower.detail());
    // A name that holds a card number is not repeated.
    let secret = create(&with(r#""4242424242424242": 1"#)).unwrap_err();
    assert_eq!((secret.entry().code, secret.param()), ("unknown_field", Some("")));
    assert!(!secret.detail().contains("4242"));
}

#[test]
fn captures_refunds_and_cancels() {
    let captured = capture(&read_body(b"").unwrap()).unwrap();
    assert_eq!((captured.command.amount, captured.command.is_final, captured.in_paisa), (None, false, false));
    let captured = capture(&read_body(br#"{"amount_paisa": 5, "final": true}"#).unwrap()).unwrap();
    assert_eq!(
        (captured.command.amount, captured.command.is_final, captured.in_paisa),
        (Some(5), true, true)
    );

    let body = br#"{"amount_paisa": 10000, "reason": "Customer requested refund",
        "metadata": {"refund_request_id": "REF123"}}"#;
    let refunded = refund(&read_body(body).unwrap(), false).unwrap();
    assert_eq!(refunded.command.amount, Some(10000));
    assert_eq!(refunded.command.metadata["refund_request_id"], "REF123");
    assert!(refunded.in_paisa);

    let code =
        |body: &str, names_payment| refund(&read_body(body.as_bytes()).unwrap(), names_payment).unwrap_err();
    assert_eq!(code("{}", true).entry().code, "missing_field");
    assert_eq!(code(r#"{"payment_id": "pay_1"}"#, false).entry().code, "unknown_field");
    assert_eq!(code(r#"{"amount": 0}"#, false).entry().code, "invalid_amount");
    assert_eq!(code(r#"{"reason": "4242424242424242"}"#, false).entry().code, "card_number_in_text");

    assert!(nothing(&read_body(b" \n").unwrap()).is_ok());
    assert!(nothing(&read_body(b"{}").unwrap()).is_ok());
    assert_eq!(nothing(&read_body(br#"{"amount": 1}"#).unwrap()).unwrap_err().entry().code, "unknown_field");
}

#[test]
fn bad_json_is_a_400_with_its_place() {
    let problem = read_body(b"{\n \"amount\": 12a}").unwrap_err();
    assert_eq!((problem.entry().status, problem.entry().code), (400, "invalid_json"));
    let document: serde_json::Value = serde_json::from_slice(&problem.document("req_1")).unwrap();
    assert_eq!((&document["line"], &document["column"]), (&2.into(), &14.into()));
    let problem = read_body(b"{\"4242424242424242\": }").unwrap_err();
    assert_eq!(problem.param(), None, "a card number is not quoted as a pointer either");
}

/// A valid body with any one value replaced by any other, or any member renamed.
fn mutated() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        prop::sample::select(vec![
            "[]",
            "{}",
            "1e999",
            "\"4242424242424242\"",
            "\"UPI\"",
            "\"card\"",
            "\"cus_\""
        ])
        .prop_map(str::to_owned),
    ];
    let names = prop::sample::select(vec![
        "amount",
        "amount_paisa",
        "currency",
        "purpose",
        "capture_method",
        "confirm",
        "payment_method",
        "payment_details",
        "customer_id",
        "merchant_id",
        "order_id",
        "description",
        "metadata",
        "return_url",
        "callback_url",
        "type",
        "card_number",
        "exp_month",
        "exp_year",
        "cvc",
        "vpa",
        "token",
        "x",
    ]);
    let members = prop::collection::vec((names.clone(), value.clone()), 0..6);
    let inner = prop::collection::vec((names, value), 0..6);
    (members, inner, any::<bool>()).prop_map(|(members, inner, details)| {
        let object = |members: &[(&str, String)]| {
            let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            members.join(",")
        };
        let place = if details { "payment_details" } else { "payment_method" };
        let outer = object(&members);
        let comma = if outer.is_empty() { "" } else { "," };
        format!("{{{outer}{comma}\"{place}\":{{{}}}}}", object(&inner))
    })
}

proptest! {
    #[test]
    fn no_body_panics_or_is_our_fault(body in mutated()) {
        for result in [
            create(&body).map(|_| ()),
            read_body(body.as_bytes()).and_then(|node| confirm_payment(&node).map(|_| ())),
            read_body(body.as_bytes()).and_then(|node| capture(&node).map(|_| ())),
            read_body(body.as_bytes()).and_then(|node| refund(&node, true).map(|_| ())),
            read_body(body.as_bytes()).and_then(|node| nothing(&node)),
        ] {
            if let Err(problem) = result {
                prop_assert!((400..500).contains(&problem.entry().status));
                let document = String::from_utf8(problem.document("req_1")).unwrap();
                prop_assert!(!document.contains("4242424242424242"));
            }
        }
    }
}
