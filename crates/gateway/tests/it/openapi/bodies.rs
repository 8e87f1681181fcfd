//! The descriptions of bodies and queries against the parser: its tables of names, and what it does with
//! values at the edge of what is documented.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use gateway::openapi::body::{Body, Form};
use gateway::openapi::operation::Operation;
use gateway::openapi::operations;
use serde_json::{Map, Value, json};

use crate::world::World;

const CUSTOMER: &str = "a-customer";
const NOBODY: &str = "pay_01h455vb4pex5vsknk084sn02q";

/// Every body of an operation, objects within included.
fn bodies(operation: &Operation) -> Vec<&'static Body> {
    fn within(form: &Form, found: &mut Vec<&'static Body>) {
        match form {
            Form::Object(body) => of(body, found),
            Form::OneOf(_, forms) => forms.iter().for_each(|form| within(form, found)),
            Form::OrNull(form) => within(form, found),
            _ => {}
        }
    }
    fn of(body: &'static Body, found: &mut Vec<&'static Body>) {
        found.push(body);
        body.fields.iter().for_each(|field| within(&field.form, found));
    }
    let mut found = Vec::new();
    operation.bodies.iter().for_each(|body| of(body, &mut found));
    found
}

#[test]
fn the_parsers_fields_are_the_documents() {
    // Several descriptions may share one table: together they have all of its names.
    let mut tables: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for body in operations().flat_map(bodies) {
        let known = body.parser.fields;
        for name in body.names() {
            assert!(known.contains(&name), "{}: the parser has no `{name}`", body.name);
        }
        let mut names: Vec<_> = body.names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), body.names().count(), "{}: a name stands twice", body.name);
        tables.entry(format!("{known:?}")).or_insert_with(|| known.iter().copied().collect());
    }
    for body in operations().flat_map(bodies) {
        if let Some(left) = tables.get_mut(&format!("{:?}", body.parser.fields)) {
            left.retain(|name| !body.names().any(|known| known == *name));
        }
    }
    tables.retain(|_, left| !left.is_empty());
    assert!(tables.is_empty(), "not documented: {:?}", tables.values());
}

#[test]
fn the_parsers_parameters_are_the_documents() {
    for operation in operations() {
        let known: BTreeSet<_> = operation.query.parser.iter().copied().collect();
        let parameters = operation.query.parameters.iter();
        let described: BTreeSet<_> = parameters
            .flat_map(|each| std::iter::once(each.name).chain(each.aliases.iter().copied()))
            .collect();
        assert_eq!(described, known, "{}", operation.id);
    }
}

/// Values that the document allows, and values that it does not.
fn probes(form: &Form) -> (Vec<Value>, Vec<Value>) {
    match form {
        Form::Text(rule) => {
            let mut bad = vec![json!(7), json!([]), json!("é".repeat(rule.length_max + 1)), json!("a\u{1}")];
            let mut good = vec![json!("é".repeat(rule.length_max)), json!("a")];
            (if rule.may_be_empty { &mut good } else { &mut bad }).push(json!(""));
            (good, bad)
        }
        Form::Pattern(_) => (vec![], vec![json!(true), json!([]), json!("\u{1}")]),
        // A wrong one is a 403, not a 422.
        Form::ClientSecret => (vec![], vec![json!(7), json!([])]),
        Form::Ip => {
            (vec![json!("203.0.113.7"), json!("2001:db8::7")], vec![json!("203.0.113.256"), json!(1)])
        }
        Form::Email => (vec![json!("a@example.com")], vec![json!("a"), json!(1)]),
        Form::Url => {
            let long = |length: usize| json!(format!("https://shop.example/{}", "a".repeat(length - 21)));
            (vec![json!("http://shop.example/x?y=1"), long(2048)], vec![json!("/x"), json!(1), long(2049)])
        }
        Form::Amount { zero } => {
            let most = 999_999_999_999_999_i64;
            let mut bad = vec![json!(-1), json!(most + 1), json!("5"), json!(1.5)];
            if !zero {
                bad.push(json!(0));
            }
            (vec![json!(1), json!(most)], bad)
        }
        Form::Integer { min, max } => {
            (vec![json!(min), json!(max)], vec![json!(min - 1), json!(max + 1), json!([])])
        }
        Form::IntegerOrText { min, max } => {
            let good = vec![json!(min), json!(max), json!(max.to_string())];
            (good, vec![json!(-1), json!(max + 1), json!("x"), json!([])])
        }
        Form::Decimal => {
            let good = vec![json!(1), json!(99.9), json!("99.90"), json!("1000")];
            (good, vec![json!(0), json!(-1), json!("1e3"), json!("99.999"), json!(true), json!([])])
        }
        Form::Flag => (vec![json!(true), json!(false)], vec![json!("true"), json!(1)]),
        Form::Words(words) => {
            (words.iter().map(|word| json!(word)).collect(), vec![json!("no_such_word"), json!(1)])
        }
        Form::ListOf(words) => (vec![json!(words)], vec![json!(["no_such_word"]), json!("a")]),
        Form::Currency => (vec![json!("USD"), json!("BTC")], vec![json!("usd"), json!("XXQ"), json!(1)]),
        Form::Metadata => {
            let entries = |count: usize| -> Map<String, Value> {
                (0..count).map(|number| (format!("n{number}"), json!(number))).collect()
            };
            let long = |length: usize| json!({"a": "b".repeat(length)});
            (
                vec![json!({}), json!(entries(50)), long(500)],
                vec![json!(entries(51)), long(501), json!({"a": []}), json!("a")],
            )
        }
        Form::MetadataPatch => {
            let good = vec![json!(null), json!({"a": null}), json!({"a": "b".repeat(500)})];
            (good, vec![json!({"a": "b".repeat(501)}), json!({"a": []}), json!("a")])
        }
        Form::OrNull(form) => {
            let (good, bad) = probes(form);
            (good.into_iter().chain([json!(null)]).collect(), bad)
        }
        Form::Instant => (vec![json!("2026-11-21T10:00:00Z")], vec![json!("yesterday"), json!([])]),
        Form::Object(_) | Form::OneOf(..) | Form::Schema(_) => (vec![], vec![json!(1.5), json!([])]),
    }
}

/// Whether the parser refused just this field, for what it is itself: a value that only does not go with
/// another field is not meant.
async fn is_refused(world: &World, operation: &Operation, body: &Value, pointer: &str) -> bool {
    // Whose method it is must be known before it is read; other ids need not exist.
    let id = if operation.path.starts_with("/customers/") { CUSTOMER } else { NOBODY };
    let mut path = operation.full_path().replace("{id}", id);
    if path.contains("{account}") {
        // Nothing is read for an account that nobody has.
        let secret = kernel::Secret::new("a merchant's own".to_owned());
        let account = world.node.payments.configure_events(world.scope().await, secret).await.unwrap();
        path = path.replace("{account}", &account.id.to_string());
    }
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let headers = [("content-type", "application/json")];
    let reply = world.call(method, &path, &headers, &body.to_string()).await;
    let problem = reply.json();
    let param = problem["param"].as_str().unwrap_or_default().to_owned();
    let by_others = match problem["code"].as_str().unwrap_or_default() {
        "invalid_value" => !problem["detail"].as_str().unwrap().contains("must be"),
        // What a provider takes at most is none of the parser's business.
        "invalid_amount" => body.pointer(pointer) == Some(&json!(999_999_999_999_999_i64)),
        code => code == "no_provider_account",
    };
    reply.status.as_u16() == 422
        && !by_others
        && (param == pointer || param.starts_with(&format!("{pointer}/")))
}

/// Tries every field of a body that stands at `base` within `whole`.
async fn probe(world: &World, operation: &Operation, whole: &Value, base: &str, body: &Body) -> usize {
    let mut tried = 0;
    for field in body.fields {
        let (good, bad) = probes(&field.form);
        for name in std::iter::once(&field.name).chain(field.aliases) {
            let pointer = format!("{base}/{name}");
            for (value, is_good) in
                good.iter().map(|value| (value, true)).chain(bad.iter().map(|value| (value, false)))
            {
                let mut request = whole.clone();
                let object = request.pointer_mut(base).unwrap().as_object_mut().unwrap();
                object.remove(field.name);
                object.insert((*name).to_owned(), value.clone());
                let refused = is_refused(world, operation, &request, &pointer).await;
                assert_eq!(refused, !is_good, "{} {pointer} = {value}", operation.id);
                tried += 1;
            }
        }
        if field.is_required {
            let mut request = whole.clone();
            request.pointer_mut(base).unwrap().as_object_mut().unwrap().remove(field.name);
            // Of an absence the parser may name the usual one of several forms: what counts is the refusal.
            assert!(
                is_refused(world, operation, &request, base).await,
                "{} {base}/{}",
                operation.id,
                field.name
            );
        }
    }
    tried
}

#[tokio::test]
async fn the_parser_keeps_what_is_documented() {
    let world = World::start().await;
    world.post("/api/v1/customers", &format!("{{\"reference\": \"{CUSTOMER}\"}}")).await;
    let mut tried = 0;
    for operation in operations() {
        for body in operation.bodies {
            let whole: Value = serde_json::from_str(body.example).unwrap();
            tried += probe(&world, operation, &whole, "", body).await;
            for field in body.fields {
                let within: Vec<&Body> = match &field.form {
                    Form::Object(inner) => vec![inner],
                    Form::OneOf(_, forms) => forms
                        .iter()
                        .filter_map(|form| match form {
                            Form::Object(inner) => Some(*inner),
                            _ => None,
                        })
                        .collect(),
                    _ => vec![],
                };
                for inner in within {
                    let mut request = whole.clone();
                    request[field.name] = serde_json::from_str(inner.example).unwrap();
                    let base = format!("/{}", field.name);
                    tried += probe(&world, operation, &request, &base, inner).await;
                }
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

/// What a query may say, and what it may not. Every value of a query is a text.
fn texts(form: &Form) -> (Vec<String>, Vec<String>) {
    let strings = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let numbers = |values: &[i64]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    match form {
        Form::Text(rule) => (
            vec!["%C3%A9".repeat(rule.length_max), "a".to_owned()],
            vec!["a".repeat(rule.length_max + 1), String::new(), "%01".to_owned()],
        ),
        Form::Amount { .. } => {
            let most = 999_999_999_999_999_i64;
            (numbers(&[0, most]), [numbers(&[-1, most + 1]), strings(&["1.5", "x"])].concat())
        }
        Form::Integer { min, max } => (numbers(&[*min, *max]), numbers(&[min - 1, max + 1])),
        Form::Currency => (strings(&["USD"]), strings(&["usd", "XXQ"])),
        Form::Instant => (strings(&["2026-11-21T10:00:00Z"]), strings(&["yesterday"])),
        Form::Pattern(_) | Form::Schema(_) | Form::Words(_) => (vec![], strings(&["%01", "no_such_word"])),
        _ => (vec![], vec![]),
    }
}

#[tokio::test]
async fn queries_keep_what_is_documented() {
    let world = World::start().await;
    let mut tried = 0;
    for operation in operations() {
        let path = operation.full_path().replace("{id}", NOBODY);
        for parameter in operation.query.parameters.iter().filter(|parameter| parameter.name != "cursor") {
            let (good, bad) = texts(&parameter.form);
            for name in std::iter::once(&parameter.name).chain(parameter.aliases) {
                let all =
                    good.iter().map(|value| (value, true)).chain(bad.iter().map(|value| (value, false)));
                for (value, is_good) in all {
                    let reply = world.get(&format!("{path}?{name}={value}")).await;
                    let refused = reply.status.as_u16() == 422 && reply.json()["param"] == **name;
                    // A provider must be one that there is; a payment, the merchant's own.
                    let by_others = matches!(*name, "provider" | "gateway" | "payment_id");
                    assert!(refused != is_good || by_others, "{} {name}={value}", operation.id);
                    tried += 1;
                }
            }
            if parameter.is_required {
                assert_eq!(world.get(&path).await.json()["param"], parameter.name, "{}", operation.id);
            }
        }
    }
    assert!(tried > 50, "{tried}");
}
