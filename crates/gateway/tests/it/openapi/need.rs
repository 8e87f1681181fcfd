//! What must be there before a sample can be run.

use gateway::openapi::operation::Need;
use serde_json::Value;

use crate::world::World;

const HELD: &str = r#""capture_method": "manual", "#;

/// To be stored.
const CARD: &str = r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// Makes it; its id.
pub(crate) async fn prepared(world: &World, need: Need) -> String {
    match need {
        Need::Nothing => String::new(),
        Need::OpenPayment => {
            id(&world.post("/api/v1/payments", r#"{"amount": 1000, "currency": "USD"}"#).await.json())
        }
        Need::HeldPayment => id(&world.pay(HELD).await),
        Need::PaidPayment => id(&world.pay("").await),
        Need::RefundedPayment => {
            let payment = id(&world.pay("").await);
            refund(world, &payment).await;
            payment
        }
        Need::Customer => {
            let body = r#"{"name": "Ada Byron", "email": "ada@example.com", "metadata": {"tier": "gold"}}"#;
            id(&world.post("/api/v1/customers", body).await.json())
        }
        Need::CustomerWithMethod => {
            let customer = Box::pin(prepared(world, Need::Customer)).await;
            world.post(&format!("/api/v1/customers/{customer}/payment_methods"), CARD).await;
            customer
        }
        Need::ApiKey => {
            let body = r#"{"scopes": ["payments:read", "refunds:write"], "expires_in_seconds": 7776000}"#;
            id(&world.post("/api/v1/api-keys", body).await.json())
        }
        Need::PaymentMethod => id(&world.post("/api/v1/payment-methods/tokenize", CARD).await.json()),
        Need::Refund => {
            let payment = id(&world.pay("").await);
            refund(world, &payment).await
        }
    }
}

async fn refund(world: &World, payment: &str) -> String {
    id(&world.post(&format!("/api/v1/payments/{payment}/refund"), r#"{"amount": 400}"#).await.json())
}
