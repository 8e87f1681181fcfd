//! The first minutes: a first start, the pasted curl, a second start, a refused one.

use std::process::Command;

use serde_json::json;

use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(the_pasted_curl_pays_and_a_second_start_finds_it, ends_cleanly_on_both_signals);

/// What the server printed, from `curl` to the end of the paragraph.
fn pasted(greeting: &str) -> String {
    let lines: Vec<&str> = greeting.lines().skip_while(|line| !line.starts_with("curl ")).collect();
    lines.into_iter().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn the_pasted_curl_pays_and_a_second_start_finds_it(place: &Place) {
    let server = place.serve(&[], None);
    let key = server.key.clone();
    let output = Command::new("sh").arg("-c").arg(pasted(&server.greeting)).output().unwrap();
    let payment: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&payment["status"], &payment["amount"]), (&json!("paid"), &json!(1000)), "{payment}");
    assert_eq!(payment["payment_method"]["card"]["last4"], "4242");
    server.stop();

    let server = place.serve(&[], Some(&key));
    assert!(!server.greeting.contains("sk_test_"), "the key is shown once: {}", server.greeting);
    let found = server.get(&format!("/api/v1/payments/{}", payment["id"].as_str().unwrap()));
    assert_eq!((&found["status"], &found["id"]), (&json!("paid"), &payment["id"]));
    server.stop();
}

fn ends_cleanly_on_both_signals(place: &Place) {
    let server = place.serve(&[], None);
    let key = server.key.clone();
    server.signal("INT");
    assert!(server.end().success());
    let server = place.serve(&[], Some(&key));
    server.signal("TERM");
    assert!(server.end().success());
}

#[test]
fn a_second_serve_on_the_folder_is_refused_and_the_first_named() {
    let place = Place::sqlite("second_serve");
    let server = place.serve(&[], None);
    let output = place.run(&["serve"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is served already") && said.contains(&server.url), "{said}");
    assert_eq!(server.get("/api/v1/payments")["data"], json!([]));
    server.stop();
}

/// An operator's command in the wrong folder says so, and leaves nothing there.
#[test]
fn a_command_in_an_empty_folder_makes_no_database() {
    let place = Place::sqlite("empty_folder");
    for arguments in [
        &["payment", "show", "pay_01h455vb4pex5vsknk084sn02q"][..],
        &["merchant", "list"],
        &["key", "list"],
        &["key", "create"],
        &["ledger", "check"],
        &["provider", "test", "sandbox"],
    ] {
        let output = place.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("there is no database in") && said.contains("florin serve"), "{said}");
        assert!(!place.folder.join("florin-data").exists(), "{arguments:?} made a folder");
    }
}

#[test]
fn a_wrong_setting_stops_the_start_with_its_place() {
    let place = Place::sqlite("wrong_setting");
    std::fs::write(place.folder.join("florin.toml"), "[server]\nprot = 1\n").unwrap();
    let output = place.run(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "florin.toml:2: `server.prot` is no setting; the nearest is `server.port`";
    assert!(said.contains(expected), "{said}");
    assert!(!place.folder.join("florin-data").exists(), "nothing was opened");
}

#[test]
fn another_secret_than_the_store_was_written_with_is_refused() {
    let place = Place::sqlite("other_secret");
    let server = place.serve(&[], None);
    server.stop();
    let output = place.florin(&["serve"]).env("ENCRYPTION_KEY", "0".repeat(64)).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("another server secret"), "{said}");
}

#[test]
fn logs_are_json_lines_and_never_show_the_key() {
    let place = Place::sqlite("json_logs");
    let server = place.serve(&[("FLORIN_LOG__LEVEL", "debug")], None);
    let key = server.key.clone();
    let body = json!({"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
        "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}});
    assert_eq!(server.post("/api/v1/payments", &body).status, 201);
    let folder = place.folder.clone();
    server.stop();
    let logs = std::fs::read_dir(folder).unwrap().flatten();
    let logs: String = logs
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"))
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect();
    assert!(!logs.is_empty());
    for line in logs.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(!logs.contains(&key) && !logs.contains("4242424242424242"));
}

#[test]
fn a_database_that_does_not_answer_is_said_and_ends_the_start() {
    let place = Place::sqlite("no_database");
    let unreachable = "postgres://me:hidden@127.0.0.1:1/florin";
    let output = place.florin(&["serve"]).env("DATABASE_URL", unreachable).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the database cannot be opened") && !said.contains("hidden"), "{said}");
}
