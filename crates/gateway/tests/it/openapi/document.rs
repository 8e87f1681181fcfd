//! The document as a whole: complete, consistent, served.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use gateway::openapi::{UNDOCUMENTED, document, operations};
use gateway::problem::CATALOGUE;
use gateway::{Access, routes};
use serde_json::Value;

use crate::world::World;

const ROOT: &str = "/api/v1";

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let mut described: BTreeSet<(String, String)> =
        operations().map(|operation| (operation.method.to_owned(), operation.full_path())).collect();
    let documented: BTreeSet<(String, String)> = document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    assert_eq!(documented, described);
    described.extend(UNDOCUMENTED.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())));
    let served: BTreeSet<(String, String)> = routes()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path))
        .filter(|(_, path)| !path.starts_with("/api/") || path.starts_with(ROOT))
        .collect();
    assert_eq!(described, served);
}

#[test]
fn the_unversioned_roots_routes_are_the_same() {
    let under = |root: &str| -> BTreeSet<(String, String)> {
        let routes = routes().into_iter();
        let below = routes.filter_map(|route| {
            let rest = route.path.strip_prefix(root)?.to_owned();
            (!rest.starts_with("/v1/")).then(|| (route.method.to_string(), rest))
        });
        below.collect()
    };
    assert_eq!(under("/api"), under(ROOT));
    assert!(!under("/api").is_empty());
}

#[test]
fn names_are_unique_and_fit_for_clients() {
    let mut seen = BTreeSet::new();
    for operation in operations() {
        let plain = operation.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(plain && operation.id.contains('_'), "{}", operation.id);
        assert!(seen.insert(operation.id), "{} stands twice", operation.id);
        let samples: BTreeSet<_> = operation.samples.iter().map(|sample| sample.name).collect();
        assert_eq!(samples.len(), operation.samples.len(), "{}: a sample's name stands twice", operation.id);
        let tags = document()["tags"].clone();
        assert!(tags.as_array().unwrap().iter().any(|tag| tag["name"] == operation.tag), "{}", operation.tag);
    }
}

#[test]
fn every_operation_has_a_sample() {
    // What is signed is signed for its moment; what the others show changes with each request.
    let without = [
        "receive_provider_notice",
        "receive_notice_for_one",
        "receive_event",
        "receive_event_of_account",
        "get_transaction",
        "get_metrics",
        "get_monitoring_health",
        "get_monitoring_errors",
    ];
    for operation in operations().filter(|operation| !without.contains(&operation.id)) {
        assert!(!operation.samples.is_empty(), "{} has no sample", operation.id);
    }
}

/// Every value below `name` anywhere.
fn all<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if key == name {
                    found.push(value);
                }
                all(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

#[test]
fn references_and_links_lead_somewhere() {
    let document = document();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 100);
    let mut used = BTreeSet::new();
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        used.insert(pointer.to_owned());
    }
    for group in ["schemas", "headers", "parameters"] {
        for name in document["components"][group].as_object().unwrap().keys() {
            let is_used = used.contains(&format!("/components/{group}/{name}"));
            assert!(is_used || name == "BrowserPayment", "{name} is used nowhere");
        }
    }
    let ids: BTreeSet<&str> = operations().map(|operation| operation.id).collect();
    for operation in operations() {
        for link in operation.answers.iter().flat_map(|answer| answer.links) {
            assert!(ids.contains(link.operation), "{} links to {}", operation.id, link.operation);
        }
    }
}

#[test]
fn every_code_is_documented_where_it_has_its_status() {
    let document = document();
    let mut documented: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                for code in response["x-codes"].as_array().into_iter().flatten() {
                    let code = code.as_str().unwrap().to_owned();
                    documented.entry(code).or_default().insert(status.parse().unwrap());
                }
            }
        }
    }
    // No operation answers these: one says that there is none, the others are of routes to come.
    let elsewhere = ["method_not_allowed", "restricted_key"];
    for entry in CATALOGUE.iter().filter(|entry| !elsewhere.contains(&entry.code)) {
        let statuses = documented.remove(entry.code).unwrap_or_default();
        assert_eq!(statuses, BTreeSet::from([entry.status]), "{}", entry.code);
    }
    assert!(documented.is_empty(), "{documented:?}");
}

#[test]
fn keys_and_idempotency_stand_where_the_routes_have_them() {
    let document = document();
    for route in routes().iter().filter(|route| route.path.starts_with(ROOT)) {
        let operation = &document["paths"][&route.path][route.method.as_str().to_lowercase()];
        let is_open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(is_open, route.access == Access::Public, "{} {}", route.method, route.path);
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let takes_key = parameters.iter().any(|parameter| {
            parameter["$ref"].as_str().is_some_and(|place| place.ends_with("/Idempotency-Key"))
        });
        assert_eq!(takes_key, route.is_idempotent, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn the_document_is_served_once() {
    let world = World::start().await;
    let reply = world.bare(Method::GET, "/openapi.json", &[], "").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(reply.json(), document());
    let tag = reply.header("etag").to_owned();
    let again = world.bare(Method::GET, "/openapi.json", &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let other = world.bare(Method::GET, "/openapi.json", &[("if-none-match", "\"other\"")], "").await;
    assert_eq!(other.status, StatusCode::OK);
}
