//! Code that sends an operation's first sample: `x-codeSamples`, which Redoc shows.
//!
//! It is made from the sample that a test runs, so that it cannot name a field that does not exist. Each
//! program is whole: it runs as it stands, once `API_KEY` is set and the address and ids are the
//! reader's own.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::operation::{Need, Operation, Sample};
use crate::router::{Access, Route};

/// The address in the code; the pages put their own server's in its place.
const SERVER: &str = "http://127.0.0.1:8000";

/// What one program sends.
struct Call {
    method: &'static str,
    url: String,
    with_key: bool,
    with_idempotency_key: bool,
    body: Option<Value>,
}

/// The same request in every language.
pub(super) fn samples(operation: &Operation, route: &Route) -> Option<Value> {
    let sample = operation.samples.first()?;
    let query = if sample.query.is_empty() { String::new() } else { format!("?{}", sample.query) };
    let call = Call {
        method: operation.method,
        url: with_id(&format!("{SERVER}{}{query}", operation.full_path()), sample),
        with_key: !matches!(route.access, Access::Public | Access::Monitoring),
        with_idempotency_key: route.is_idempotent,
        body: body(sample),
    };
    Some(json!([
        {"lang": "Shell", "label": "curl", "source": curl(&call)},
        {"lang": "Python", "label": "Python", "source": python(&call)},
        {"lang": "JavaScript", "label": "JavaScript", "source": javascript(&call)},
        {"lang": "Go", "label": "Go", "source": go(&call)},
    ]))
}

/// The sample's body as it stands in the document.
pub(super) fn body(sample: &Sample) -> Option<Value> {
    serde_json::from_str(&with_id(sample.body, sample)).ok()
}

/// The text with the id of an object of the recorded examples.
fn with_id(text: &str, sample: &Sample) -> String {
    let id = match sample.needs {
        Need::Nothing => return text.to_owned(),
        Need::OpenPayment | Need::HeldPayment | Need::PaidPayment | Need::RefundedPayment => {
            "pay_01k4c8wz3sexgtr0c9v9vd0000"
        }
        Need::Refund => "re_01k4c8wz3sexgtr0c9v9vd0000",
        Need::Customer | Need::CustomerWithMethod => "cus_01k4c8wz3sexgtr0c9v9vd0000",
        Need::ApiKey => "key_01k4c8wz3sexgtr0c9v9vd0000",
        Need::PaymentMethod => "pm_01k4c8wz3sexgtr0c9v9vd0000",
    };
    text.replace("{id}", id)
}

fn curl(call: &Call) -> String {
    let mut code = if call.method == "GET" {
        format!("curl '{}'", call.url)
    } else {
        format!("curl -X {} '{}'", call.method, call.url)
    };
    if call.with_key {
        code.push_str(" \\\n  -H \"Authorization: Bearer $API_KEY\"");
    }
    if call.with_idempotency_key {
        code.push_str(" \\\n  -H \"Idempotency-Key: $(openssl rand -hex 16)\"");
    }
    if let Some(body) = &call.body {
        // A single quote cannot stand between single quotes: it is closed, quoted and opened again.
        let body = indented(body, 2).replace('\'', "'\\''");
        let _ = write!(code, " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
    }
    code
}

fn python(call: &Call) -> String {
    let mut imports = String::new();
    let mut arguments = format!("    \"{}\",\n", call.url);
    let mut headers = Vec::new();
    if call.with_key {
        imports.push_str("import os\n");
        headers.push("\"Authorization\": \"Bearer \" + os.environ[\"API_KEY\"]");
    }
    if call.with_idempotency_key {
        imports.push_str("import uuid\n");
        headers.push("\"Idempotency-Key\": str(uuid.uuid4())");
    }
    if !headers.is_empty() {
        let _ = writeln!(arguments, "    headers={},", spread(&headers, 4, 4));
    }
    if let Some(body) = &call.body {
        let _ = writeln!(arguments, "    json={},", python_value(body, 4));
    }
    if !imports.is_empty() {
        imports.push('\n');
    }
    let verb = call.method.to_ascii_lowercase();
    format!(
        "{imports}import requests\n\nanswer = requests.{verb}(\n{arguments}    timeout=30,\n)\n\
         print(answer.status_code, answer.text)\n"
    )
}

fn javascript(call: &Call) -> String {
    let mut headers = Vec::new();
    if call.with_key {
        headers.push("Authorization: `Bearer ${process.env.API_KEY}`");
    }
    if call.with_idempotency_key {
        headers.push("\"Idempotency-Key\": crypto.randomUUID()");
    }
    if call.body.is_some() {
        headers.push("\"Content-Type\": \"application/json\"");
    }
    let mut options = String::new();
    if call.method != "GET" {
        let _ = writeln!(options, "  method: \"{}\",", call.method);
    }
    if !headers.is_empty() {
        let _ = writeln!(options, "  headers: {},", spread(&headers, 2, 2));
    }
    if let Some(body) = &call.body {
        let _ = writeln!(options, "  body: JSON.stringify({}),", indented(body, 2));
    }
    let options = if options.is_empty() { String::new() } else { format!(", {{\n{options}}}") };
    format!(
        "const answer = await fetch(\"{}\"{options});\nconsole.log(answer.status, await answer.text());\n",
        call.url
    )
}

fn go(call: &Call) -> String {
    let mut imports = vec!["fmt", "io", "net/http"];
    let mut lines = String::new();
    let body = match &call.body {
        Some(body) => {
            imports.push("strings");
            // JSON holds no back quote here, so that it can stand between two of them.
            let _ = writeln!(lines, "\tbody := strings.NewReader(`{}`)", indented(body, 0));
            "body"
        }
        None => "nil",
    };
    let _ = writeln!(
        lines,
        "\trequest, err := http.NewRequest(\"{}\", \"{}\", {body})\n{GO_CHECK}",
        call.method, call.url
    );
    if call.with_key {
        imports.push("os");
        lines.push_str("\trequest.Header.Set(\"Authorization\", \"Bearer \"+os.Getenv(\"API_KEY\"))\n");
    }
    if call.with_idempotency_key {
        imports.push("crypto/rand");
        lines.push_str("\trequest.Header.Set(\"Idempotency-Key\", rand.Text())\n");
    }
    if call.body.is_some() {
        lines.push_str("\trequest.Header.Set(\"Content-Type\", \"application/json\")\n");
    }
    let _ = writeln!(lines, "\tanswer, err := http.DefaultClient.Do(request)\n{GO_CHECK}");
    lines.push_str("\tdefer answer.Body.Close()\n");
    let _ = writeln!(lines, "\ttext, err := io.ReadAll(answer.Body)\n{GO_CHECK}");
    lines.push_str("\tfmt.Println(answer.StatusCode, string(text))\n");
    imports.sort_unstable();
    let imports: Vec<String> = imports.iter().map(|name| format!("\t\"{name}\"\n")).collect();
    format!("package main\n\nimport (\n{})\n\nfunc main() {{\n{lines}}}\n", imports.concat())
}

const GO_CHECK: &str = "\tif err != nil {\n\t\tpanic(err)\n\t}";

/// Members between braces, below each other, `step` further in than `indent`.
fn spread(members: &[&str], indent: usize, step: usize) -> String {
    let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + step));
    let lines: Vec<String> = members.iter().map(|member| format!("{inner}{member},\n")).collect();
    format!("{{\n{}{outer}}}", lines.concat())
}

/// JSON over several lines, those behind the first indented.
fn indented(value: &Value, indent: usize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.replace('\n', &format!("\n{}", " ".repeat(indent)))
}

/// The same as a Python literal, whose words for the three constants are its own.
fn python_value(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Object(members) if !members.is_empty() => {
            let member =
                |(name, value)| format!("{pad}    {}: {},\n", json!(name), python_value(value, indent + 4));
            let lines: Vec<String> = members.iter().map(member).collect();
            format!("{{\n{}{pad}}}", lines.concat())
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| python_value(item, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
