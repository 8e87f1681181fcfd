//! `florin seed`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(demo_data_in_every_status);

fn demo_data_in_every_status(place: &Place) {
    let made = place.run(&["seed", "--json"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let statuses: BTreeSet<&str> = made["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|payment| payment["status"].as_str().unwrap())
        .collect();
    for status in ["paid", "authorized", "cancelled", "partially_refunded", "refunded", "failed", "pending"] {
        assert!(statuses.contains(status), "{status}: {made}");
    }

    let again = place.run(&["seed"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(again.status.code(), Some(1), "{said}");
    assert!(said.contains("--force"), "{said}");

    let server = place.serve(&[], made["key"].as_str());
    let listed = server.get("/api/v1/payments?limit=100");
    assert_eq!(listed["data"].as_array().unwrap().len(), 14, "{listed}");
    assert!(listed["data"][0]["customer_id"].as_str().unwrap().starts_with("demo-"));
    assert!(place.run(&["seed", "--force"]).status.success(), "beside a running server");
    let books = place.run(&["ledger", "check"]);
    assert!(books.status.success(), "{}", String::from_utf8_lossy(&books.stdout));
    server.stop();
    let migrated: Value = serde_json::from_slice(&place.run(&["migrate", "--json"]).stdout).unwrap();
    assert_eq!(migrated["migrated"], true);
}
