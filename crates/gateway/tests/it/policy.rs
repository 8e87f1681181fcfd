//! What the operator's configuration does not allow.

use axum::http::Method;
use identity::KeyKind;
use kernel::Mode;

use crate::world::World;

const CARD: &str = r#""payment_method": {"type": "card", "card_number": "4242424242424242", "exp_month": 12,
    "exp_year": 2030, "cvc": "123"}"#;

async fn create(world: &World, fields: &str) -> (u16, String) {
    let reply = world.post("/api/payments", &format!("{{\"amount\": 1000, {fields}}}")).await;
    let body = reply.json();
    (reply.status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn other_currencies_than_the_supported_ones_are_refused() {
    let world = World::start_with(node::host::ports(), |config| {
        config.payment.supported_currencies = vec!["EUR".parse().unwrap(), "USD".parse().unwrap()];
    })
    .await;
    assert_eq!(create(&world, "\"currency\": \"EUR\"").await.0, 201);
    let refused = world.post("/api/payments", "{\"amount\": 1000, \"currency\": \"GBP\"}").await;
    let body = refused.json();
    assert_eq!((refused.status.as_u16(), &body["code"]), (422, &"currency_not_supported".into()), "{body}");
    assert_eq!(body["param"], "/currency");
    assert!(body["detail"].as_str().unwrap().contains("EUR, USD"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pci_mode_takes_raw_cards_from_browsers_alone() {
    let world =
        World::start_with(node::host::ports(), |config| config.server.pci_compliance_mode = true).await;
    let with_card = format!("\"currency\": \"USD\", {CARD}");
    assert_eq!(create(&world, &with_card).await, (422, "raw_card_not_allowed".to_owned()));
    let token = "\"currency\": \"USD\", \"payment_method\": \"tok_visa\"";
    assert_eq!(create(&world, token).await.0, 201);

    let open = world.post("/api/payments", "{\"amount\": 1000, \"currency\": \"USD\"}").await.json();
    let path = format!("/api/payments/{}/confirm", open["id"].as_str().unwrap());
    let refused = world.post(&path, &format!("{{{CARD}}}")).await;
    assert_eq!(refused.json()["code"], "raw_card_not_allowed");
    let browser = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Publishable).await);
    let body = format!("{{{CARD}, \"client_secret\": {}}}", open["client_secret"]);
    let paid = world.bare(Method::POST, &path, &[("authorization", browser.as_str())], &body).await;
    assert_eq!((paid.status.as_u16(), &paid.json()["status"]), (200, &"paid".into()), "{:?}", paid.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vault_no_card_number_is_taken_from_anybody() {
    let world = World::start_with(node::host::ports(), |config| config.vault.enabled = false).await;
    let with_card = format!("\"currency\": \"USD\", {CARD}");
    assert_eq!(create(&world, &with_card).await, (422, "raw_card_not_allowed".to_owned()));
    let token = "\"currency\": \"USD\", \"payment_method\": \"tok_visa\"";
    assert_eq!(create(&world, token).await.0, 201);
    let open = world.post("/api/payments", "{\"amount\": 1000, \"currency\": \"USD\"}").await.json();
    let path = format!("/api/payments/{}/confirm", open["id"].as_str().unwrap());
    let browser = format!("Bearer {}", world.another_key(Mode::Test, KeyKind::Publishable).await);
    let body = format!("{{{CARD}, \"client_secret\": {}}}", open["client_secret"]);
    let refused = world.bare(Method::POST, &path, &[("authorization", browser.as_str())], &body).await;
    assert_eq!(refused.json()["code"], "raw_card_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn mock_is_the_sandbox() {
    let world = World::start().await;
    for field in ["provider", "gateway"] {
        let token = "\"currency\": \"USD\", \"payment_method\": \"tok_visa\"";
        let fields = format!("{token}, \"{field}\": \"mock\"");
        assert_eq!(create(&world, &fields).await.0, 201, "{field}");
    }
}
