//! Every text that a request may have, in every script: kept exactly, or refused by name.

use std::collections::BTreeSet;

use axum::http::Method;
use gateway::openapi::body::{Body, Form};
use gateway::openapi::operations;
use serde_json::{Map, Value, json};

use crate::openapi::need::prepared;
use crate::world::World;

/// Latin with marks, Arabic and Hebrew (right to left), Chinese, emoji with joiners, letters beyond the
/// first plane, and marks that change the direction.
const TEXTS: [&str; 7] =
    ["Zoë Ångström", "محمد علي", "שלום עולם", "王小明", "😀👩‍👩‍👧‍👦🏳️‍🌈", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "a\u{202e}b\u{200f}c"];

/// The pointers of all texts of a body, with the longest that each may be.
fn texts(base: &str, whole: &Value, body: &'static Body, found: &mut Vec<(String, usize, Value)>) {
    for field in body.fields {
        let pointer = format!("{base}/{}", field.name);
        let mut within = |inner: &'static Body| {
            let mut whole = whole.clone();
            let object = whole.pointer_mut(base).and_then(Value::as_object_mut).unwrap();
            object.insert(field.name.to_owned(), serde_json::from_str(inner.example).unwrap());
            texts(&pointer, &whole, inner, found);
        };
        match &field.form {
            Form::Text(rule) | Form::OrNull(Form::Text(rule)) => {
                found.push((pointer, rule.length_max, whole.clone()));
            }
            Form::Object(inner) | Form::OrNull(Form::Object(inner)) => within(inner),
            Form::OneOf(_, forms) => {
                let inner = forms.iter().filter_map(|form| match form {
                    Form::Object(inner) => Some(*inner),
                    _ => None,
                });
                inner.for_each(within);
            }
            Form::Metadata | Form::MetadataPatch => {
                found.push((format!("{pointer}/key"), 500, whole.clone()));
            }
            _ => {}
        }
    }
}

/// `body` with a text in the place of `pointer`.
fn with_text(body: &Value, pointer: &str, text: &str) -> Value {
    let mut body = body.clone();
    let (above, name) = pointer.rsplit_once('/').unwrap();
    if body.pointer(above).is_none() {
        let (root, member) = above.rsplit_once('/').unwrap();
        let object = body.pointer_mut(root).and_then(Value::as_object_mut).unwrap();
        object.insert(member.to_owned(), Value::Object(Map::new()));
    }
    let object = body.pointer_mut(above).and_then(Value::as_object_mut).unwrap();
    object.insert(name.to_owned(), json!(text));
    body
}

#[tokio::test]
async fn every_text_is_kept_or_refused_by_name() {
    let mut kept = BTreeSet::new();
    for operation in operations().filter(|operation| !operation.samples.is_empty()) {
        // Texts that stand for customers must be new ones.
        let world = World::start().await;
        for body in operation.bodies {
            let example: Value = serde_json::from_str(body.example).unwrap();
            let mut found = Vec::new();
            texts("", &example, body, &mut found);
            for (pointer, longest, whole) in found {
                for text in TEXTS {
                    let text: String = text.chars().take(longest).collect();
                    let id = prepared(&world, operation.samples[0].needs).await;
                    let path = operation.full_path().replace("{id}", &id);
                    let mut request = with_text(&whole, &pointer, &text);
                    if pointer != "/reference" {
                        request.as_object_mut().unwrap().remove("reference");
                    }
                    let request = request.to_string();
                    let request = request.replace("pay_01h455vb4pex5vsknk084sn02q", &id);
                    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
                    let headers = [("content-type", "application/json")];
                    let reply = world.call(method, &path, &headers, &request).await;
                    let answer = reply.json();
                    let name = format!("{} {pointer}", operation.id);
                    assert!(reply.status.as_u16() < 500, "{name}: {answer}");
                    if reply.status.is_success() {
                        if let Some(shown) = answer.pointer(&pointer) {
                            assert_eq!(shown, &json!(text), "{name}");
                            kept.insert(name);
                        }
                    } else {
                        // A text that stands for something else, such as a provider's id, names nothing;
                        // one that excludes another is refused by the name of either.
                        let param = answer["param"].as_str().unwrap_or_default();
                        let above = pointer.rsplit_once('/').unwrap().0;
                        let is_named = pointer.starts_with(param) || param.starts_with(above);
                        let is_named = is_named || matches!(reply.status.as_u16(), 402 | 404);
                        assert!(is_named, "{name}: {answer}");
                    }
                }
            }
        }
    }
    // What a merchant writes comes back as it is.
    for expected in [
        "create_payment /customer_id",
        "create_payment /order_id",
        "create_payment /description",
        "create_payment /statement_descriptor",
        "create_payment /metadata/key",
        "create_payment /billing_address/name",
        "create_payment /shipping_address/line1",
        "update_payment /description",
        "update_payment /metadata/key",
        "refund_payment /reason",
        "refund_payment /metadata/key",
        "create_refund /reason",
        "create_customer /name",
        "create_customer /reference",
        "create_customer /address/city",
        "update_customer /description",
        "tokenize_payment_method /display_name",
    ] {
        assert!(kept.contains(expected), "{expected} is not among {kept:#?}");
    }
}
