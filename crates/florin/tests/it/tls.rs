//! The real program with TLS of its own, asked by somebody else's client, and its health check.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use testkit::{Authority, Issued};

use crate::server::{Place, Server};

const PAYMENT: &str = r#"{"amount": 1000, "currency": "USD", "payment_method": {"type": "card",
    "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037, "cvc": "123"}}"#;

struct Files {
    authority: std::path::PathBuf,
    server: Issued,
    clients: std::path::PathBuf,
    client: Issued,
}

fn files(place: &Place) -> Files {
    let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
    Files {
        authority: ours.write(&place.folder, "ours"),
        server: ours.issue(&place.folder, "server", &["localhost", "127.0.0.1"]),
        clients: clients.write(&place.folder, "clients"),
        client: clients.issue(&place.folder, "client", &["shop.example.com"]),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn settings(files: &Files) -> Vec<(&'static str, &str)> {
    vec![
        ("FLORIN_SERVER__TLS__CERT", text(&files.server.cert)),
        ("FLORIN_SERVER__TLS__KEY", text(&files.server.key)),
    ]
}

/// curl, which is nobody's of ours.
fn curl(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60"]).args(arguments);
    command.arg("--header").arg(format!("Authorization: Bearer {}", server.key));
    command.arg("--header").arg("Content-Type: application/json").args(["--data", PAYMENT]);
    command.arg(format!("{}/api/v1/payments", server.url)).output().unwrap()
}

/// `florin probe` of a running server.
fn probe(place: &Place, server: &Server, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let port = server.url.rsplit(':').next().unwrap();
    let mut command = place.florin(&["probe"]);
    command.args(arguments).envs(settings.iter().copied()).env("FLORIN_SERVER__PORT", port).output().unwrap()
}

#[test]
fn it_serves_over_tls_and_is_probed() {
    let place = Place::sqlite("tls");
    let files = files(&place);
    let settings = settings(&files);
    let server = place.serve(&settings, None);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let paid = curl(&server, &["--cacert", text(&files.authority)]);
    let payment: Value = serde_json::from_slice(&paid.stdout).unwrap_or_else(|_| panic!("{paid:?}"));
    assert_eq!(payment["status"], "paid", "{payment}");
    assert!(!curl(&server, &["--cacert", text(&files.clients)]).status.success(), "another authority");
    let ready = probe(&place, &server, &settings, &[]);
    assert!(ready.status.success(), "{ready:?}");
    assert!(!probe(&place, &server, &[], &[]).status.success(), "in plain");
    server.stop();
}

#[test]
fn clients_show_certificates_where_they_are_asked_to() {
    let place = Place::sqlite("tls_clients");
    let files = files(&place);
    let mut settings = settings(&files);
    settings.push(("FLORIN_SERVER__TLS__CLIENT_CA", text(&files.clients)));
    let server = place.serve(&settings, None);
    let trusting = ["--cacert", text(&files.authority)];
    assert!(!curl(&server, &trusting).status.success(), "without a certificate");
    let shown = ["--cert", text(&files.client.cert), "--key", text(&files.client.key)];
    let paid = curl(&server, &[trusting, [shown[0], shown[1]], [shown[2], shown[3]]].concat());
    assert!(String::from_utf8_lossy(&paid.stdout).contains("\"paid\""), "{paid:?}");
    assert!(!probe(&place, &server, &settings, &[]).status.success(), "a probe without a certificate");
    let shown = ["--client-cert", text(&files.client.cert), "--client-key", text(&files.client.key)];
    let ready = probe(&place, &server, &settings, &shown);
    assert!(ready.status.success(), "{ready:?}");
    server.stop();
}

#[test]
fn files_that_cannot_be_used_stop_the_start_before_anything_is_made() {
    let place = Place::sqlite("tls_files");
    let files = files(&place);
    let good = settings(&files);
    for (name, value, said) in [
        ("FLORIN_SERVER__TLS__CERT", "absent.crt", "server.tls.cert (absent.crt): it cannot be read"),
        ("FLORIN_SERVER__TLS__KEY", text(&files.server.cert), "holds no private key in PEM"),
        ("FLORIN_SERVER__TLS__KEY", text(&files.client.key), "cannot be used together"),
        ("FLORIN_SERVER__TLS__CLIENT_CA", text(&files.client.key), "holds no certificate in PEM"),
    ] {
        let mut command = place.florin(&["serve"]);
        let output = command.envs(good.iter().copied()).env(name, value).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
        assert!(!place.folder.join("florin-data").exists(), "{name}");
        let mut doctor = place.florin(&["doctor"]);
        let found = doctor.envs(good.iter().copied()).env(name, value).output().unwrap();
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        let line = found.lines().find(|line| line.starts_with("fail  TLS")).unwrap_or_default();
        assert!(line.contains(said), "{found}");
    }
}
