//! What operators see of the real binary, and how it stops.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::http;
use crate::server::{Place, wait};

fn card() -> serde_json::Value {
    json!({"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
        "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}})
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn metrics_have_a_port_of_their_own_and_a_prefix() {
    let place = Place::sqlite("metrics-port");
    let port = free_port().to_string();
    let server = place.serve(&[("METRICS_PORT", port.as_str()), ("FLORIN_METRICS__PREFIX", "shop_")], None);
    assert_eq!(server.post("/api/v1/payments", &card()).status, 201);
    assert_eq!(server.ask("GET", "/metrics", &[], "").status, 404);
    let own = http::send("GET", &format!("http://127.0.0.1:{port}/metrics"), &[], "").unwrap();
    assert_eq!(own.status, 200);
    assert!(own.body.contains("\nshop_payments_total{method=\"card\",status=\"paid\",currency=\"USD\"} 1"));
    assert!(own.body.contains("\nshop_process_resident_memory_bytes "), "{}", own.body);
    server.stop();
    assert!(http::send("GET", &format!("http://127.0.0.1:{port}/metrics"), &[], "").is_err());
}

#[test]
fn promtool_finds_no_fault() {
    let place = Place::sqlite("promtool");
    let server = place.serve(&[], None);
    assert_eq!(server.post("/api/v1/payments", &card()).status, 201);
    let figures = server.ask("GET", "/metrics", &[], "").body;
    server.stop();
    let file = place.folder.join("metrics.txt");
    std::fs::write(&file, figures).unwrap();
    // `scripts/test` installs it; without it there is nothing to ask.
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(std::fs::File::open(&file).unwrap());
    let Ok(checked) = promtool.output() else { return };
    let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn it_says_that_it_stops_before_it_stops() {
    let place = Place::sqlite("stopping");
    let settings = [("FLORIN_SERVER__STOP_DELAY", "2s"), ("FLORIN_SANDBOX__LATENCY", "300ms")];
    let server = place.serve(&settings, None);
    assert_eq!(server.ask("GET", "/ready", &[], "").status, 200);
    server.signal("TERM");
    let not_ready = wait(|| Some(server.ask("GET", "/ready", &[], "")).filter(|ready| ready.status == 503));
    assert_eq!(not_ready.unwrap().json()["error"], "the server is stopping");
    // What still comes is served, and what is being served when it closes is finished.
    assert_eq!(server.post("/api/v1/payments", &card()).status, 201);
    std::thread::scope(|scope| {
        let late = scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(1200));
            server.post("/api/v1/payments", &card()).status
        });
        assert_eq!(late.join().unwrap(), 201);
    });
    assert!(server.end().success());
}

#[test]
fn log_lines_are_json_and_name_their_request() {
    let place = Place::sqlite("log-lines");
    let server = place.serve(&[("FLORIN_LOG__LEVEL", "debug")], None);
    let paid =
        server.ask("POST", "/api/v1/payments", &[("x-request-id", "my-request-1")], &card().to_string());
    assert_eq!(paid.status, 201);
    let id = paid.json()["id"].as_str().unwrap().to_owned();
    server.get(&format!("/api/v1/payments/{id}"));
    server.ask("GET", "/health", &[], "");
    let logs = server.logs();
    server.stop();
    // The first line is the test's own.
    let parsed = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    let lines: Vec<serde_json::Value> = logs.lines().skip(1).map(parsed).collect();
    for line in &lines {
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && line["level"].is_string(), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
    let of = |route: &str| {
        let is_it =
            |line: &&serde_json::Value| line["message"] == "request answered" && line["route"] == route;
        lines.iter().find(is_it)
    };
    let line = of("/api/v1/payments").unwrap();
    assert_eq!((&line["request_id"], &line["status"]), (&json!("my-request-1"), &json!(201)), "{line}");
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{line}");
    assert!(line["processing_time_ms"].is_u64(), "{line}");
    let line = of("/api/v1/payments/{id}").unwrap();
    assert_eq!(line["tx_id"], format!("pay_****{}", &id[id.len() - 4..]), "{line}");
    assert!(of("/health").is_none(), "a health check leaves no line");
}
