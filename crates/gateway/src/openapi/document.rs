//! The document itself: routes and descriptions, put together.

use std::collections::BTreeMap;

use sandbox_bank::SCENARIOS;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::body::{Components, reference, with_aliases};
use super::operation::{Answer, Content, Link, Operation, Sample};
use super::{area, code, problems};
use crate::call::SCENARIO;
use crate::problem::Document as ProblemDocument;
use crate::router::{Access, Route, routes};
use crate::wire::BrowserPaymentObject;

/// What is left of a key's limit.
pub(super) const RATE_LIMIT: [&str; 3] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

const ABOUT: &str = include_str!("about.md");

/// What was answered to the samples, by operation and sample.
const EXAMPLES: &str = include_str!("examples.json");

const TAGS: &[(&str, &str)] = &[
    ("Payments", "What a merchant asks for, from the first try to the last refund."),
    ("Refunds", "Money that goes back."),
    ("Customers", "Who pays, by our id or by your own reference."),
    ("Payment methods", "Cards and UPI addresses that are stored, to be charged again."),
    ("Providers", "Who carries payments out."),
    ("API keys", "Keys of this merchant and mode: made, followed by others, ended."),
    ("Test clock", "Expiry, delayed capture and delays of the bank, tried in seconds."),
    ("Provider notices", "What providers send us."),
    ("Signed events", "What other systems send, signed with a shared secret. It never moves money."),
    ("Monitoring", "For load balancers and dashboards."),
];

/// Every described operation with its route.
pub(super) fn described(routes: &[Route]) -> Vec<(&'static Operation, &Route)> {
    let find = |operation: &'static Operation| {
        let path = operation.full_path();
        let route = routes.iter().find(|route| route.method == operation.method && route.path == path);
        route.map(|route| (operation, route))
    };
    area::operations().filter_map(find).collect()
}

/// The OpenAPI document of all routes.
pub(super) fn document() -> Value {
    let routes = routes();
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut components = Components { generator: settings.into_generator(), bodies: Map::new() };
    components.generator.subschema_for::<ProblemDocument<'static>>();
    // Named in descriptions: an answer has one schema, the one that servers see.
    components.generator.subschema_for::<BrowserPaymentObject<'static>>();
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (operation, route) in described(&routes) {
        let item = describe(operation, route, &mut components, &examples);
        paths.entry(&route.path).or_default().insert(operation.method.to_ascii_lowercase(), item);
    }
    let mut schemas = components.generator.take_definitions(true);
    schemas.append(&mut components.bodies);
    let tags: Vec<Value> =
        TAGS.iter().map(|(name, about)| json!({"name": name, "description": about})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Florin",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation."}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters(),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
    })
}

fn describe(operation: &Operation, route: &Route, components: &mut Components, examples: &Value) -> Value {
    let mut item = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": about(operation, route.access),
        "tags": [operation.tag],
        "responses": responses(operation, route, components, examples),
        "security": match route.access {
            Access::Public => json!([]),
            Access::Secret(_) => json!([{"secret_key": []}]),
            Access::Monitoring => json!([{"monitoring_key": []}]),
            Access::Publishable(_) | Access::ClientSecret(_) => {
                json!([{"secret_key": []}, {"publishable_key": []}])
            }
        },
    });
    let Some(object) = item.as_object_mut() else { return item };
    let parameters = operation_parameters(operation, route, components);
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(body) = request_body(operation, components) {
        object.insert("requestBody".to_owned(), body);
    }
    if let Some(samples) = code::samples(operation, route) {
        object.insert("x-codeSamples".to_owned(), samples);
    }
    item
}

/// The description, and what a key needs for it.
fn about(operation: &Operation, access: Access) -> String {
    let needs = match access {
        Access::Public => return operation.about.to_owned(),
        Access::Monitoring => "The monitoring key, in `X-API-Key`.".to_owned(),
        Access::Secret(scope) => format!("A secret key with the scope `{scope}`."),
        Access::Publishable(scope) => format!("A secret key with the scope `{scope}`, or a publishable key."),
        Access::ClientSecret(scope) => format!(
            "A secret key with the scope `{scope}`; or a publishable key with the payment's `client_secret`, \
             which is shown a `BrowserPayment`."
        ),
    };
    format!("{}\n\n**Key:** {needs}", operation.about)
}

fn operation_parameters(operation: &Operation, route: &Route, components: &mut Components) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "description": match name {
                    "id" => "The object's id.",
                    "provider" => "The provider's id.",
                    "tx_id" => "The id that its system gave the event.",
                    _ => "The provider account's id.",
                },
                "schema": {"type": "string", "minLength": 1, "maxLength": 128,
                    "pattern": "^[0-9A-Za-z_.-]+$"},
            })
        })
        .collect();
    for parameter in operation.query.parameters {
        parameters.push(json!({
            "name": parameter.name, "in": "query", "required": parameter.is_required,
            "description": with_aliases(parameter.about, parameter.aliases),
            "schema": parameter.form.schema(components),
        }));
    }
    if route.is_idempotent {
        parameters.push(json!({"$ref": "#/components/parameters/Idempotency-Key"}));
        parameters.push(json!({"$ref": "#/components/parameters/Sandbox-Scenario"}));
    }
    parameters
}

fn request_body(operation: &Operation, components: &mut Components) -> Option<Value> {
    let first = operation.bodies.first()?;
    for body in operation.bodies {
        body.add_to(components);
    }
    let schema = if operation.bodies.len() == 1 {
        reference(first.name)
    } else {
        json!({"oneOf": operation.bodies.iter().map(|body| reference(body.name)).collect::<Vec<_>>()})
    };
    let mut examples = Map::new();
    for sample in operation.samples {
        if let Some(value) = code::body(sample) {
            examples.insert(sample.name.to_owned(), json!({"summary": sample.summary, "value": value}));
        }
    }
    let mut content = json!({"schema": schema});
    if let (false, Some(object)) = (examples.is_empty(), content.as_object_mut()) {
        object.insert("examples".to_owned(), Value::Object(examples));
    }
    Some(json!({"required": operation.needs_body, "content": {"application/json": content}}))
}

fn responses(operation: &Operation, route: &Route, components: &mut Components, examples: &Value) -> Value {
    let mut responses = BTreeMap::new();
    for (status, entries) in problems::of(operation, route) {
        let mut response = problems::response(status, &entries);
        let recorded = recorded(operation, status, examples);
        if !recorded.is_empty()
            && let Some(content) =
                response.pointer_mut("/content/application~1problem+json").and_then(Value::as_object_mut)
        {
            content.remove("example");
            content.insert("examples".to_owned(), Value::Object(recorded));
        }
        responses.insert(status.to_string(), response);
    }
    for answer in operation.answers {
        let response = success(answer, route, components, recorded(operation, answer.status, examples));
        responses.insert(answer.status.to_string(), response);
    }
    json!(responses)
}

fn success(
    answer: &Answer,
    route: &Route,
    components: &mut Components,
    examples: Map<String, Value>,
) -> Value {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let mut named = vec!["X-Request-Id"];
    if route.access != Access::Public {
        named.extend(RATE_LIMIT);
    }
    named.extend(route.is_idempotent.then_some("Idempotent-Replayed"));
    named.extend((answer.status == 201).then_some("Location"));
    let headers: Map<String, Value> = named.into_iter().map(|name| (name.to_owned(), header(name))).collect();
    let mut response = Map::new();
    let mut put = |name: &str, value: Value| response.insert(name.to_owned(), value);
    put("description", json!(answer.about));
    put("headers", Value::Object(headers));
    match answer.content {
        Content::Json(schema) => {
            let mut content = Map::new();
            content.insert("schema".to_owned(), schema(&mut components.generator).to_value());
            if !examples.is_empty() {
                content.insert("examples".to_owned(), Value::Object(examples));
            }
            put("content", json!({"application/json": content}));
        }
        Content::Text(media_type) => {
            put("content", json!({media_type: {"schema": {"type": "string"}}}));
        }
        Content::Nothing => {}
    }
    if !answer.links.is_empty() {
        let links: Map<String, Value> =
            answer.links.iter().map(|each| (each.operation.to_owned(), link(each))).collect();
        put("links", Value::Object(links));
    }
    Value::Object(response)
}

fn link(link: &Link) -> Value {
    let members = |pairs: &[(&str, &str)]| -> Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    };
    let mut object = members(&[("operationId", link.operation)]);
    for (name, pairs) in [("parameters", link.parameters), ("requestBody", link.body)] {
        if !pairs.is_empty() {
            object.insert(name.to_owned(), Value::Object(members(pairs)));
        }
    }
    Value::Object(object)
}

/// What was answered with this status, by sample.
fn recorded(operation: &Operation, status: u16, examples: &Value) -> Map<String, Value> {
    let of_operation = |sample: &Sample| {
        let recorded = examples.get(operation.id)?.get(sample.name)?;
        (recorded.get("status")? == status).then(|| {
            let example = json!({"summary": sample.summary, "value": recorded.get("body")});
            (sample.name.to_owned(), example)
        })
    };
    operation.samples.iter().filter_map(of_operation).collect()
}

fn parameters() -> Value {
    let scenarios: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
    json!({
        "Idempotency-Key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "1 to 255 visible ASCII characters that stand for this one request, such as a \
             UUID. \
                            The same key with the same request gets the first answer again, for 30 days.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        },
        "Sandbox-Scenario": {
            "name": SCENARIO, "in": "header", "required": false,
            "description": "What the sandbox is to play with this request; test keys only.",
            "schema": {"type": "string", "enum": scenarios},
        },
    })
}

fn headers() -> Value {
    let header = |about: &str, required: bool, schema: Value| {
        let members = [("description", json!(about)), ("required", json!(required)), ("schema", schema)];
        Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    };
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    json!({
        "X-Request-Id": header("Names the request in the log: yours if you sent one, else ours.", true,
            text.clone()),
        "Idempotent-Replayed": header(
            "`true` if this answer was given before under the same idempotency key.",
            false,
            json!({"type": "string", "enum": ["true"]}),
        ),
        "Location": header("The path of what was made.", false, text.clone()),
        "Retry-After": header("Seconds to wait before the same request.", false, number.clone()),
        "RateLimit-Limit": header("Requests in the window, where the key has a limit.", false,
            number.clone()),
        "RateLimit-Remaining": header("Requests left in the window.", false, number.clone()),
        "RateLimit-Reset": header("Seconds until the window ends.", false, number.clone()),
        "WWW-Authenticate": header("How to show a key.", true, text),
    })
}

fn security_schemes() -> Value {
    json!({
        "secret_key": {
            "type": "http", "scheme": "bearer",
            "description": "A secret key, `sk_test_…` or `sk_live_…`. It opens one merchant's test or \
                            live world and belongs on a server, never in a browser.",
        },
        "publishable_key": {
            "type": "http", "scheme": "bearer",
            "description": "A publishable key, `pk_test_…` or `pk_live_…`, for browsers: it only does what \
                            operations say that it may.",
        },
        "monitoring_key": {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "The key of monitoring systems, which the operator configures.",
        },
    })
}
