//! Rules that choose between accounts, through the binary: the file, a payment that falls back, and the
//! commands that explain and replay.

use serde_json::{Value, json};

use crate::cards::check_books;
use crate::on_both_stores;
use crate::server::{Place, Server};

on_both_stores!(rules_choose_and_another_account_follows, what_reaches_nobody_is_told_so);

const RULES: &str = "[[rule]]\nname = 'euro'\nwhen.currency = 'EUR'\norder = ['east', 'sandbox']\n\
                     [[rule]]\nname = 'rest'\nsplit = { sandbox = 1, west = 1 }\n";
const CONFIG: &str = "[routing]\nfile = 'routes.toml'\n[sandbox]\naccounts = ['east', 'west']\n";

fn write(place: &Place, name: &str, text: &str) {
    std::fs::write(place.folder.join(name), text).unwrap();
}

fn payment(currency: &str) -> Value {
    json!({"amount": 5000, "currency": currency, "payment_method": {"type": "card",
        "card_number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}})
}

/// The bodies of a payment's events of one kind.
fn told(server: &Server, id: &str, kind: &str) -> Vec<Value> {
    let timeline = server.get(&format!("/api/v1/payments/{id}/timeline?limit=100"));
    let moments = timeline["data"].as_array().unwrap();
    moments.iter().filter(|moment| moment.to_string().contains(kind)).cloned().collect()
}

fn printed(place: &Place, arguments: &[&str]) -> Value {
    let output = place.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rules_choose_and_another_account_follows(place: &Place) {
    write(place, "florin.toml", CONFIG);
    write(place, "routes.toml", &RULES.replace("'east',", "'eats',"));
    let said = place.try_serve(&[], None).map(|_| ()).unwrap_err();
    assert!(said.contains("routes.toml: line 4: rule.order: there is no account `eats`"), "{said}");

    write(place, "routes.toml", RULES);
    let server = place.serve(&[], None);
    let paid = server.post("/api/v1/payments", &payment("EUR")).json();
    assert_eq!((&paid["status"], paid["attempts"].as_array().unwrap().len()), (&json!("paid"), 1), "{paid}");
    let routed = told(&server, paid["id"].as_str().unwrap(), "payment.routed");
    assert_eq!(routed.len(), 1, "{routed:?}");
    assert!(routed[0].to_string().contains("\"rule\":\"euro\""), "{routed:?}");

    // The scenario is played once: the account that follows approves.
    let scenario = [("x-florin-sandbox-scenario", "processing_error"), ("idempotency-key", "once")];
    let ask = || server.ask("POST", "/api/v1/payments", &scenario, &payment("EUR").to_string());
    let (first, again) = (ask(), ask());
    assert_eq!(
        (first.status, again.header("idempotent-replayed")),
        (201, Some("true")),
        "{first:?} {again:?}"
    );
    let rerouted = first.json();
    assert_eq!((&rerouted["status"], &again.json()["id"]), (&json!("paid"), &rerouted["id"]));
    assert_ne!(rerouted["provider_account_id"], paid["provider_account_id"]);
    let id = rerouted["id"].as_str().unwrap();
    assert_eq!(told(&server, id, "payment.rerouted").len(), 1);
    let refund = server.post(&format!("/api/v1/payments/{id}/refund"), &json!({}));
    assert!(matches!(refund.status, 200 | 201), "{refund:?}");
    for _ in 0..8 {
        server.post("/api/v1/payments", &payment("USD"));
    }

    let euro = ["route", "explain", "--amount", "5000", "--currency", "EUR", "--json"];
    let explained = printed(place, &euro);
    assert_eq!((&explained["rule"], &explained["order"][0]["account"]), (&json!("euro"), &json!("east")));
    write(place, "new.toml", "[[rule]]\nname = 'all'\norder = ['sandbox', 'east', 'west']\n");
    let replayed = printed(place, &["route", "replay", "--rules", "new.toml", "--json"]);
    let counted = replayed["payments"].as_i64().unwrap() + replayed["not_judged"].as_i64().unwrap();
    assert_eq!(counted, 10, "{replayed}");
    assert!(
        replayed["moved"].as_i64().unwrap() + replayed["not_judged"].as_i64().unwrap() >= 2,
        "{replayed}"
    );

    write(place, "mine.toml", "[[rule]]\nname = 'mine'\norder = 'west'\n");
    let shown = printed(place, &["merchant", "settings", "set", "--routing", "mine.toml", "--json"]);
    assert_eq!(shown["routing"], json!(["mine"]));
    let explained = printed(place, &euro);
    assert_eq!((&explained["rule"], &explained["order"][0]["account"]), (&json!("mine"), &json!("west")));
    check_books(place);
    server.stop();
}

/// No account can be connected to: the card is brought to each of the rule's, and no charge is made.
fn what_reaches_nobody_is_told_so(place: &Place) {
    // Whoever listened here does not any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    write(place, "florin.toml", &format!("{CONFIG}bank = 'http://{closed}'\n"));
    write(place, "routes.toml", RULES);
    let server = place.serve(&[], None);
    let refused = server.post("/api/v1/payments", &payment("EUR"));
    assert_eq!(refused.status, 402, "{refused:?}");
    let text = refused.json().to_string();
    assert!(text.contains("not_sent"), "{text}");
    let list = server.get("/api/v1/payments?limit=1");
    let routed = told(&server, list["data"][0]["id"].as_str().unwrap(), "payment.routed");
    assert!(routed[0].to_string().contains("not_reached"), "{routed:?}");
    check_books(place);
    server.stop();
}
