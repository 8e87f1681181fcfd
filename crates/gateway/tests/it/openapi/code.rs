//! The code samples: each operation has one in every language, and each language's own tool reads it.

use std::path::{Path, PathBuf};
use std::process::Command;

use gateway::openapi::{document, operations};
use serde_json::Value;

const LABELS: [&str; 4] = ["curl", "Python", "JavaScript", "Go"];

/// Every sample of a language, with the id of its operation.
fn sources(label: &str) -> Vec<(&'static str, String)> {
    let document = document();
    let of = |operation: &'static gateway::openapi::Operation| {
        let item = &document["paths"][operation.full_path()][operation.method.to_lowercase()];
        let samples = item["x-codeSamples"].as_array()?;
        let labels: Vec<&str> = samples.iter().map(|sample| sample["label"].as_str().unwrap()).collect();
        assert_eq!(labels, LABELS, "{}", operation.id);
        let found = samples.iter().find(|sample| sample["label"] == label).unwrap();
        Some((operation.id, found["source"].as_str().unwrap().to_owned()))
    };
    operations().filter_map(of).collect()
}

/// A new empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("florin-code-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Asks a language's own tool about every sample, each in a file of its own.
fn checked_by(label: &str, ending: &str, arguments: &[&str]) {
    let folder = folder(ending);
    let (program, options) = arguments.split_first().unwrap();
    for (operation, source) in sources(label) {
        let file = folder.join(format!("{operation}.{ending}"));
        std::fs::write(&file, &source).unwrap();
        let output = Command::new(program).args(options).arg(&file).output();
        let output = output.unwrap_or_else(|failure| panic!("{program} is needed: {failure}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{operation}: {said}\n{source}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_sample_operation_has_code_in_every_language() {
    let with_code: Vec<&str> = sources("curl").into_iter().map(|(operation, _)| operation).collect();
    let with_sample: Vec<&str> = operations()
        .filter(|operation| !operation.samples.is_empty())
        .map(|operation| operation.id)
        .collect();
    assert_eq!(with_code, with_sample);
}

#[test]
fn the_shell_reads_the_curl_samples() {
    checked_by("curl", "sh", &["bash", "-n"]);
}

#[test]
fn python_compiles_the_python_samples() {
    checked_by("Python", "py", &["python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"]);
}

#[test]
fn node_reads_the_javascript_samples() {
    checked_by("JavaScript", "mjs", &["node", "--check"]);
}

/// Only a machine with Go can read it whole; the form is checked everywhere: what is imported is what is
/// used, and every text ends.
#[test]
fn the_go_samples_import_what_they_use() {
    for (operation, source) in sources("Go") {
        let (head, rest) = source.split_once("\n)\n").unwrap();
        let imports: Vec<&str> = head.split('"').skip(1).step_by(2).collect();
        for (package, use_of_it) in [
            ("crypto/rand", "rand."),
            ("fmt", "fmt."),
            ("io", "io."),
            ("net/http", "http."),
            ("os", "os."),
            ("strings", "strings."),
        ] {
            assert_eq!(imports.contains(&package), rest.contains(use_of_it), "{operation}: {package}");
        }
        assert_eq!(rest.matches('`').count() % 2, 0, "{operation}");
        let body = rest.split('`').nth(1);
        let sends_body = rest.contains("Content-Type");
        assert_eq!(body.is_some(), sends_body, "{operation}");
        assert!(body.is_none_or(|body| serde_json::from_str::<Value>(body).is_ok()), "{operation}");
        assert_eq!(source.matches('{').count(), source.matches('}').count(), "{operation}");
    }
    let gofmt = Path::new("/usr/bin/gofmt");
    if gofmt.exists() {
        checked_by("Go", "go", &["gofmt", "-e"]);
    }
}

#[test]
fn code_names_objects_as_the_examples_do() {
    for label in LABELS {
        for (operation, source) in sources(label) {
            assert!(!source.contains("{id}"), "{operation} {label}: {source}");
        }
    }
    let refund = sources("curl").into_iter().find(|(operation, _)| *operation == "create_refund").unwrap().1;
    assert!(refund.contains("\"payment_id\": \"pay_01k4c8wz3sexgtr0c9v9vd0000\""), "{refund}");
    assert!(refund.contains("Idempotency-Key: $(openssl rand -hex 16)"), "{refund}");
}
