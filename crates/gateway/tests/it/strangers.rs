//! Another merchant's ids, and the other mode's, in every parameter and in every field of every body:
//! nothing is shown, nothing is changed, and where an id is looked up the answer is 404.

use axum::http::Method;
use gateway::openapi::Operation;
use gateway::openapi::body::{Body, Form};
use gateway::openapi::operation::Need;
use gateway::openapi::operations;
use identity::KeyKind;
use kernel::Mode;
use serde_json::{Value, json};

use crate::openapi::need::prepared;
use crate::world::{Reply, World};

/// Stands in everything that the first merchant has, and may stand in no answer of another's.
const PRIVATE: &str = "only-the-first-merchants-words";

/// What the first merchant has.
struct Owned {
    payment: String,
    refund: String,
    customer: String,
    method: String,
    key: String,
    /// References that lead to them.
    references: Vec<String>,
}

impl Owned {
    async fn make(world: &World) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body =
            json!({"reference": format!("ref-{PRIVATE}"), "name": PRIVATE, "email": "own@example.com"});
        let customer = world.post("/api/v1/customers", &body.to_string()).await.json();
        let customer = text(&customer["id"]);
        let method = world.method(&customer).await;
        let fields = format!(
            r#""description": "{PRIVATE}", "customer_id": "{customer}", "order_id": "order-{PRIVATE}",
               "metadata": {{"note": "{PRIVATE}"}}, "#
        );
        let paid = world.pay(&fields).await;
        let payment = text(&paid["id"]);
        let refund = json!({"amount": 1, "reason": PRIVATE}).to_string();
        let refund = world.post(&format!("/api/v1/payments/{payment}/refund"), &refund).await.json();
        let key = text(&world.post("/api/v1/api-keys", "").await.json()["id"]);
        world.node.catch_up_search().await.unwrap();
        let references = vec![
            text(&paid["attempts"][0]["id"]),
            text(&paid["provider_reference"]),
            text(&paid["network_transaction_id"]),
            text(&paid["client_secret"]),
            format!("order-{PRIVATE}"),
            format!("ref-{PRIVATE}"),
            world.scope().await.merchant.to_string(),
        ];
        Self { payment, refund: text(&refund["id"]), customer, method, key, references }
    }

    fn of(&self, kind: Need) -> &String {
        match kind {
            Need::PaymentMethod => &self.method,
            Need::Customer => &self.customer,
            _ => &self.payment,
        }
    }

    fn ids(&self) -> impl Iterator<Item = &String> {
        [&self.payment, &self.refund, &self.customer, &self.method, &self.key]
            .into_iter()
            .chain(&self.references)
    }

    /// All of it, as the owner sees it.
    async fn seen(&self, world: &World) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in [
            format!("payments/{}", self.payment),
            format!("payments/{}/timeline?limit=100", self.payment),
            format!("refunds/{}", self.refund),
            format!("customers/{}", self.customer),
            format!("customers/{}/payment_methods", self.customer),
            format!("payment-methods/{}", self.method),
            format!("api-keys/{}", self.key),
            "api-keys?limit=100".to_owned(),
        ] {
            let reply = world.get(&format!("/api/v1/{path}")).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.text());
            seen.push(reply.json());
        }
        seen
    }
}

async fn send(world: &World, operation: &Operation, path: &str, body: &str) -> Reply {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    world.call(method, path, &[("content-type", "application/json")], body).await
}

/// Bodies with `id` in the place of each field that takes a text, an id or one of several forms.
fn bodies(body: &'static Body, whole: &Value, base: &str, id: &str, found: &mut Vec<(String, Value)>) {
    for field in body.fields {
        let pointer = format!("{base}/{}", field.name);
        let with = |value: Value| {
            let mut whole = whole.clone();
            let object = whole.pointer_mut(base).and_then(Value::as_object_mut).unwrap();
            object.insert(field.name.to_owned(), value);
            whole
        };
        let mut within = |inner: &'static Body| {
            let whole = with(serde_json::from_str(inner.example).unwrap());
            bodies(inner, &whole, &pointer, id, found);
        };
        match &field.form {
            Form::Object(inner) => within(inner),
            Form::OneOf(_, forms) => {
                let inner = forms.iter().filter_map(|form| match form {
                    Form::Object(inner) => Some(*inner),
                    _ => None,
                });
                inner.for_each(within);
                found.push((pointer.clone(), with(json!(id))));
            }
            // A reference that a merchant chooses is its own, whatever it is.
            Form::Flag | Form::Currency | Form::Amount { .. } | Form::Integer { .. } => {}
            _ => found.push((pointer.clone(), with(json!(id)))),
        }
    }
}

/// The bodies' fields in which an id that is another's must be answered with 404, and its kind.
const LOOKED_UP: &[(&str, &str, Need)] = &[
    ("CreatePayment", "/payment_method", Need::PaymentMethod),
    ("CreatePayment", "/customer_id", Need::Customer),
    ("CreatePaymentInPaisa", "/user_id", Need::Customer),
    ("UpdatePayment", "/customer_id", Need::Customer),
    ("ConfirmPayment", "/payment_method", Need::PaymentMethod),
    ("UpdateCustomer", "/default_payment_method", Need::PaymentMethod),
    ("CreateRefund", "/payment_id", Need::PaidPayment),
    ("TokenizeCard", "/customer_id", Need::Customer),
    ("TokenizeUpi", "/customer_id", Need::Customer),
    ("AttachStoredPaymentMethod", "/payment_method", Need::PaymentMethod),
    ("DefaultPaymentMethod", "/payment_method", Need::PaymentMethod),
];

/// What an answer may not hold, whatever was asked with this text.
fn check_shows_nothing(what: &str, id: &str, reply: &Reply) {
    assert!(reply.status.as_u16() < 500, "{what}: {}", reply.text());
    assert!(!reply.text().contains(PRIVATE) || id.contains(PRIVATE), "{what}: {}", reply.text());
}

fn of_the_api() -> impl Iterator<Item = &'static Operation> {
    operations().filter(|operation| operation.full_path().starts_with("/api/"))
}

async fn nothing_by_path_and_query(other: &World, first: &Owned) {
    for operation in of_the_api() {
        for id in first.ids() {
            if operation.path.contains("{id}") {
                let path = operation.full_path().replace("{id}", id);
                for body in ["{}", operation.bodies.first().map_or("", |body| body.example)] {
                    let reply = send(other, operation, &path, body).await;
                    let status = reply.status.as_u16();
                    assert!(status == 404 || status == 422, "{} {path}: {}", operation.id, reply.text());
                    check_shows_nothing(&path, id, &reply);
                }
            }
            let own = prepared(other, operation.samples[0].needs).await;
            let path = operation.full_path().replace("{id}", &own);
            for parameter in operation.query.parameters {
                let with_id = format!("{path}?{}={id}", parameter.name);
                let reply = send(other, operation, &with_id, "").await;
                let status = reply.status.as_u16();
                assert!(matches!(status, 200 | 403 | 404 | 422), "{with_id}: {}", reply.text());
                let items = reply.json()["data"].as_array().map_or(0, Vec::len);
                assert!(status != 200 || items == 0, "{with_id}: {}", reply.text());
                check_shows_nothing(&with_id, id, &reply);
            }
        }
    }
}

async fn nothing_by_bodies(other: &World, first: &Owned) {
    let mut missed: Vec<_> = LOOKED_UP.iter().map(|(body, pointer, _)| (*body, *pointer)).collect();
    for operation in of_the_api() {
        let pairs = operation.bodies.iter().flat_map(|body| first.ids().map(move |id| (*body, id)));
        for (body, id) in pairs {
            let whole: Value = serde_json::from_str(body.example).unwrap();
            let mut found = Vec::new();
            bodies(body, &whole, "", id, &mut found);
            for (pointer, request) in found {
                let own = prepared(other, operation.samples[0].needs).await;
                let path = operation.full_path().replace("{id}", &own);
                let reply = send(other, operation, &path, &request.to_string()).await;
                let what = format!("{} {pointer} = {id}", operation.id);
                check_shows_nothing(&what, id, &reply);
                let is_looked_up = LOOKED_UP.iter().any(|(name, field, kind)| {
                    *name == body.name && *field == pointer && first.of(*kind) == id
                });
                if is_looked_up {
                    assert_eq!(reply.problem(), (404, "not_found".to_owned()), "{what}: {}", reply.text());
                    missed.retain(|known| *known != (body.name, pointer.as_str()));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?} were never tried");
}

#[tokio::test]
async fn another_merchant_finds_nothing_by_any_id_anywhere() {
    let world = World::start().await;
    let stranger = world.with_key(world.strangers_key().await);
    let first = Owned::make(&world).await;
    let before = first.seen(&world).await;
    nothing_by_path_and_query(&stranger, &first).await;
    // Last, because a text that no id is looked up by may become the stranger's own reference.
    nothing_by_bodies(&stranger, &first).await;
    assert_eq!(first.seen(&world).await, before, "nothing of the first merchant's has changed");
}

#[tokio::test]
async fn the_other_mode_finds_nothing_by_any_id_anywhere() {
    let world = World::start().await;
    // A live world has no provider in this build, so nothing of its own stands in the paths.
    let live = world.with_key(world.another_key(Mode::Live, KeyKind::Secret).await);
    let first = Owned::make(&world).await;
    let before = first.seen(&world).await;
    for operation in of_the_api() {
        for id in first.ids() {
            let path = operation.full_path().replace("{id}", id);
            for parameter in operation.query.parameters {
                let with_id = format!("{path}?{}={id}", parameter.name);
                check_shows_nothing(&with_id, id, &send(&live, operation, &with_id, "").await);
            }
            for body in operation.bodies {
                let whole: Value = serde_json::from_str(body.example).unwrap();
                let mut found = Vec::new();
                bodies(body, &whole, "", id, &mut found);
                for (pointer, request) in found {
                    let reply = send(&live, operation, &path, &request.to_string()).await;
                    check_shows_nothing(&format!("{} {pointer} = {id}", operation.id), id, &reply);
                }
            }
        }
    }
    assert_eq!(first.seen(&world).await, before, "nothing of the test world has changed");
}
