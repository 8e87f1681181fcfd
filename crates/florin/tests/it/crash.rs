//! `kill -9` under load: what the server answered is so, what it did not answer is decided, the books
//! balance. Ten kills; a few hundred with FLORIN_TEST_LONG=1.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::cards::check_books;
use crate::on_both_stores;
use crate::server::{Place, Server, wait};

on_both_stores!(killed_again_and_again);

fn kills() -> u32 {
    if std::env::var("FLORIN_TEST_LONG").is_ok_and(|long| long == "1") { 300 } else { 10 }
}

/// The resolver asks soon after what a killed server left behind, so that clients get on.
const SOON: [(&str, &str); 3] = [
    ("FLORIN_OPERATION__SEND_DEADLINE", "300ms"),
    ("FLORIN_OPERATION__REPLY_TIMEOUT", "300ms"),
    ("FLORIN_OPERATION__MARGIN", "100ms"),
];

/// Waits until the journal has so many more lines.
fn wait_for_answers(journal: &Path, more: usize) {
    let count = || std::fs::read_to_string(journal).unwrap_or_default().lines().count();
    let before = count();
    assert!(wait(|| Some(()).filter(|()| count() >= before + more)).is_some(), "the load does not get on");
}

/// The load, as an operator would make it: keys and journal are the bench's own.
fn load(place: &Place, server: &Server, journal: &Path) -> Child {
    let arguments = [
        "bench",
        "--target",
        &server.url,
        "--concurrency",
        "16",
        "--duration",
        "1h",
        "--warm-up",
        "0s",
        "--mix",
        "create=8,refund=2",
        "--request-timeout",
        "5s",
        "--drain",
        "30s",
        "--journal",
        &journal.display().to_string(),
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = place.florin(&arguments);
    command.env("FLORIN_API_KEY", &server.key).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn killed_again_and_again(place: &Place) {
    let journal = place.folder.join("journal.jsonl");
    let mut server = place.serve(&SOON, None);
    let (key, url) = (server.key.clone(), server.url.clone());
    let port = url.rsplit(':').next().unwrap().to_owned();
    let mut load = load(place, &server, &journal);
    for kill in 0..kills() {
        wait_for_answers(&journal, 30);
        // Never at the same point of the load.
        thread::sleep(Duration::from_millis(u64::from(kill * 37 % 100)));
        server.kill();
        server = place.serve(&[SOON.as_slice(), &[("FLORIN_SERVER__PORT", &port)]].concat(), Some(&key));
    }
    wait_for_answers(&journal, 30);
    // The bench asks again what got no answer, under the same keys, and then ends.
    let stop = std::process::Command::new("kill").arg("-INT").arg(load.id().to_string()).status().unwrap();
    assert!(stop.success());
    load.wait().unwrap();
    settle(place, &server);
    agree(&server, &journal);
    check_books(place);
    server.stop();
}

/// Waits until the resolver has decided everything.
fn settle(place: &Place, server: &Server) {
    let decided = wait(|| {
        let open = all_payments(server).into_values().filter(|payment| payment["status"] == "pending");
        Some(()).filter(|()| open.count() == 0)
    });
    assert!(decided.is_some(), "something stays undecided in {}\n{}", place.folder.display(), server.logs());
}

fn all_payments(server: &Server) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut path = "/api/v1/payments?limit=100".to_owned();
    loop {
        let page = server.get(&path);
        for payment in page["data"].as_array().unwrap() {
            all.insert(payment["id"].as_str().unwrap().to_owned(), payment.clone());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/payments?limit=100&cursor={cursor}"),
            None => return all,
        }
    }
}

/// What clients were told, against what the server says now.
fn agree(server: &Server, journal: &Path) {
    let payments = all_payments(server);
    let text = std::fs::read_to_string(journal).unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut told_refunds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut by_key: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in &entries {
        let Some(id) = entry["payment_id"].as_str() else { continue };
        let payment = payments.get(id).unwrap_or_else(|| panic!("a payment was told and is gone: {entry}"));
        if entry["request"] == "create" {
            let key = entry["key"].as_str().unwrap();
            assert!(by_key.insert(key, id).is_none_or(|before| before == id), "two payments for {key}");
            if entry["payment_status"] == "paid" {
                assert_eq!(payment["amount_captured"], entry["amount"], "told paid: {payment}");
            }
        }
        if entry["request"] == "refund" && entry["refund_status"] == "succeeded" {
            *told_refunds.entry(id).or_default() += entry["amount"].as_u64().unwrap();
        }
    }
    for (id, told) in told_refunds {
        let refunded = payments[id]["amount_refunded"].as_u64().unwrap();
        assert!(refunded >= told, "{id}: told {told}, is {refunded}");
    }
    for payment in payments.values() {
        let captured = payment["amount_captured"].as_i64().unwrap();
        assert!(captured == 0 || captured == payment["amount"].as_i64().unwrap(), "{payment}");
    }
}
