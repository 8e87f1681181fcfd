//! Every sample is run, and answered as the document says. `FLORIN_REGENERATE=1` writes the answers anew.

use std::collections::BTreeMap;

use axum::http::Method;
use gateway::openapi::{document, operations};
use serde_json::{Map, Value, json};

use super::need::prepared;
use crate::world::World;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi/examples.json");

/// Gives what differs from run to run the same words each time: ids by kind and order, instants,
/// references and what is derived from a secret.
#[derive(Default)]
struct Stand {
    ids: BTreeMap<String, String>,
}

impl Stand {
    /// `pay_01h455vb4pex5vsknk084sn02q` becomes `pay_` and a number in the same form.
    fn id(&mut self, text: &str) -> String {
        let known = self.ids.len();
        self.ids.entry(text.to_owned()).or_insert_with(|| format!("01k4c8wz3sexgtr0c9v9vd{known:04}")).clone()
    }

    /// Replaces every run of 26 characters of base 32 behind an underscore.
    fn text(&mut self, text: &str) -> String {
        let in_id = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('_') {
            let (before, after) = rest.split_at(at + 1);
            out.push_str(before);
            let end = after.find(|c| !in_id(c)).unwrap_or(after.len());
            let (word, behind) = after.split_at(end);
            match word.len() {
                26 => out.push_str(&self.id(word)),
                // A secret's or a bank's random part.
                length @ 16.. if word.bytes().any(|byte| byte.is_ascii_digit()) => {
                    out.extend("0123456789abcdef".chars().cycle().take(length));
                }
                _ => out.push_str(word),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    fn value(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let is_key = members.get("object") == Some(&json!("api_key"));
                let members = members.iter().map(|(name, value)| match name.as_str() {
                    "last4" if is_key => (name.clone(), json!("cdef")),
                    "key" if is_key => (name.clone(), json!("sk_test_0123456789abcdef")),
                    _ => (name.clone(), self.value(name, value)),
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Array(items) => items.iter().map(|item| self.value(name, item)).collect(),
            Value::String(_) if name.ends_with("_at") || matches!(name, "at" | "now" | "timestamp") => {
                json!("2026-11-21T10:00:00Z")
            }
            Value::String(_) if name == "fingerprint" => json!("fp_0123456789abcdef"),
            Value::String(_) if name == "network_transaction_id" => json!("ntx_0123456789abcdef"),
            Value::String(_) if name == "provider_reference" => json!("sbx_0123456789abcdef"),
            Value::String(_) if name == "trace_id" => json!("4bf92f3577b34da6a3ce929d0e0e4736"),
            Value::String(_) if name == "reference" => json!("0351UDNaBhj4FmmmFyY00ws01"),
            Value::String(_) if name == "charge_id" => json!("sbx_0123456789abcdef"),
            Value::String(_) if name == "approval_code" => json!("671663"),
            Value::String(_) if name == "rrn" => json!("632608157012"),
            Value::String(_) if name == "next_cursor" => json!("AQGUTI_P5c7qGuBhO0m7SaI"),
            Value::String(text) if text.starts_with("data:image/png;base64,") => {
                json!("data:image/png;base64,iVBORw0KGgo…")
            }
            Value::String(text) => match text.split_once("&tr=") {
                Some((before, _)) => json!(format!("{before}&tr=0351UDNaBhj4FmmmFyY00ws01")),
                None => json!(self.text(text)),
            },
            other => other.clone(),
        }
    }
}

#[tokio::test]
async fn samples_are_answered_as_documented() {
    // Payers by UPI are slow, so that the examples do not depend on who is faster.
    let world = World::start_with(node::host::ports(), |config| {
        config.sandbox.upi_delay = std::time::Duration::from_hours(1);
    });
    let world = world.await;
    let known: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for operation in operations() {
        let mut answers = BTreeMap::new();
        for sample in operation.samples {
            let id = prepared(&world, sample.needs).await;
            let query = if sample.query.is_empty() { String::new() } else { format!("?{}", sample.query) };
            let path = format!("{}{query}", operation.full_path()).replace("{id}", &id);
            let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
            let headers = [("content-type", "application/json")];
            let reply = world.call(method, &path, &headers, &sample.body.replace("{id}", &id)).await;
            let mut stand = Stand::default();
            let body = if reply.bytes.is_empty() { Value::Null } else { stand.value("", &reply.json()) };
            answers.insert(sample.name, json!({"status": reply.status.as_u16(), "body": body}));
        }
        if !answers.is_empty() {
            found.insert(operation.id, answers);
        }
    }
    let found = serde_json::to_value(found).unwrap();
    if std::env::var_os("FLORIN_REGENERATE").is_some() {
        std::fs::write(FILE, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
        return;
    }
    let hint = "run it once more with FLORIN_REGENERATE=1, and read the difference";
    for (operation, answers) in found.as_object().unwrap() {
        for (sample, answer) in answers.as_object().unwrap() {
            assert_eq!(answer, &known[operation][sample], "{operation}, {sample}: {hint}");
        }
    }
    assert_eq!(found, known, "{hint}");
}

#[test]
fn samples_stand_under_documented_statuses() {
    let known: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let document = document();
    for operation in operations().filter(|operation| !operation.samples.is_empty()) {
        let path = operation.full_path();
        let responses = &document["paths"][path][operation.method.to_lowercase()]["responses"];
        for sample in operation.samples {
            let status = known[operation.id][sample.name]["status"].to_string();
            let content = responses[&status]["content"].as_object();
            let content = content.unwrap_or_else(|| panic!("{} {}: {status}", operation.id, sample.name));
            let shown = &content.values().next().unwrap()["examples"][sample.name]["value"];
            assert_eq!(shown, &known[operation.id][sample.name]["body"], "{} {}", operation.id, sample.name);
        }
        let code = known[operation.id][operation.samples[0].name]["status"].as_u64().unwrap();
        assert!(code < 300, "the first sample of {} shows it carried out", operation.id);
    }
}
