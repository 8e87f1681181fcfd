//! The commands beside `serve`.

use serde_json::{Value, json};

use crate::cards::{APPROVED, card, id, pay};
use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(
    merchants_and_keys,
    the_books_and_a_doctored_row,
    a_payment_is_shown_with_its_operations,
    an_operator_decides_what_needs_review,
    an_older_schema
);

fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let output = place.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn merchants_and_keys(place: &Place) {
    let mut server = place.serve(&[], None);
    let mine = pay(&server, &card(1000, APPROVED));
    let other = json_of(place, &["merchant", "create", "Second shop", "--json"]);
    let first_key = std::mem::replace(&mut server.key, other["key"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/payments/{}", id(&mine));
    assert_eq!(server.ask("GET", &path, &[], "").status, 404, "another merchant's payment");
    assert_eq!(pay(&server, &card(700, APPROVED))["amount"], 700, "its sandbox account is there");

    let merchant = other["id"].as_str().unwrap();
    let key = json_of(place, &["key", "create", "--merchant", merchant, "--json"]);
    key["key"].as_str().unwrap().clone_into(&mut server.key);
    assert_eq!(server.get("/api/v1/payments")["data"].as_array().unwrap().len(), 1);
    let revoked = place.run(&["key", "revoke", key["id"].as_str().unwrap(), "--merchant", merchant]);
    assert!(revoked.status.success());
    // The running server has the key in its cache, for at most five seconds.
    let refused = crate::server::wait(|| {
        Some(server.ask("GET", "/api/v1/payments", &[], "").status).filter(|status| *status == 401)
    });
    assert_eq!(refused, Some(401));
    server.key = first_key;
    assert_eq!(server.ask("GET", &path, &[], "").status, 200);

    let ambiguous = place.run(&["key", "create"]);
    assert_eq!(ambiguous.status.code(), Some(2), "two merchants: one must be named");
    server.stop();
}

fn the_books_and_a_doctored_row(place: &Place) {
    let server = place.serve(&[], None);
    for amount in [1000, 2500] {
        pay(&server, &card(amount, APPROVED));
    }
    server.stop();
    let books = json_of(place, &["ledger", "check", "--json"]);
    assert_eq!((&books["balanced"], &books["payments"]), (&json!(true), &json!(2)), "{books}");
    assert_eq!(books["sheets"][0]["currency"], "USD");

    doctor(place, "UPDATE transfer SET amount_minor = amount_minor + 1 WHERE amount_minor = 2500");
    let output = place.run(&["ledger", "check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("WRONG") && said.contains("too large by 1"), "{said}");
}

/// Changes the database behind the server's back.
fn doctor(place: &Place, statement: &str) {
    if let Some(database) = &place.database {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = database.connect().await.unwrap();
            assert_eq!(client.execute(statement, &[]).await.unwrap(), 1);
        });
    } else {
        let database = rusqlite::Connection::open(place.folder.join("florin-data/florin.db")).unwrap();
        assert_eq!(database.execute(statement, []).unwrap(), 1);
    }
}

fn a_payment_is_shown_with_its_operations(place: &Place) {
    let server = place.serve(&[], None);
    let paid = pay(&server, &card(1000, APPROVED));
    let shown = json_of(place, &["payment", "show", id(&paid)]);
    assert_eq!(shown["payment"]["id"], paid["id"]);
    assert_eq!(shown["operations"].as_array().unwrap().len(), 1, "{shown}");
    let unknown = place.run(&["payment", "show", "pay_01h455vb4pex5vsknk084sn02q"]);
    assert_eq!(unknown.status.code(), Some(1));
    let nothing = [
        "operation",
        "resolve",
        shown["operations"][0]["id"].as_str().unwrap(),
        "--not-done",
        "--reason",
        "no",
    ];
    let refused = place.run(&nothing);
    assert_eq!(refused.status.code(), Some(1), "it is settled: nothing to resolve");
    server.stop();
}

/// The bank approves more than was asked: nobody but a person may say what that means.
fn an_operator_decides_what_needs_review(place: &Place) {
    let server = place.serve(&[], None);
    let unsure = server.post("/api/v1/payments", &card(1000, "4000009900015002"));
    let payment = unsure.json()["id"].as_str().unwrap_or_else(|| panic!("{unsure:?}")).to_owned();
    let shown = json_of(place, &["payment", "show", &payment]);
    let operation = &shown["operations"][0];
    assert_eq!(operation["status"], "needs_review", "{shown}");
    let operation = operation["id"].as_str().unwrap();
    let waiting = json_of(place, &["operation", "list", "--json"]);
    let waiting = waiting["operations"].as_array().unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((&waiting[0]["operation_id"], &waiting[0]["amount"]), (&json!(operation), &json!(1000)));
    assert!(waiting[0]["reason"].as_str().unwrap().contains("more than was asked"), "{waiting:?}");
    let found = ["--succeeded", "sbx_by_hand", "--reason", "the bank's statement says so"];
    // What the bank took is booked whole: more than was asked, and the merchant can give all of it back.
    let whole = ["--amount", "1100"];
    let resolved = place.run(&[["operation", "resolve", operation].as_slice(), &found, &whole].concat());
    assert!(resolved.status.success(), "{}", String::from_utf8_lossy(&resolved.stderr));
    let paid = server.get(&format!("/api/v1/payments/{payment}"));
    assert_eq!((&paid["status"], &paid["amount_captured"]), (&json!("paid"), &json!(1100)), "{paid}");
    assert_eq!(paid["amount_refundable"], 1100, "{paid}");
    assert_eq!(json_of(place, &["operation", "list", "--json"])["operations"], json!([]));
    assert!(place.run(&["ledger", "check"]).status.success());
    server.stop();
}

fn an_older_schema(place: &Place) {
    let refused = place.run(&["serve", "--no-migrate"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("florin migrate"), "{said}");
    assert!(place.run(&["migrate"]).status.success());
    assert!(place.run(&["migrate"]).status.success(), "twice is once");
    let server = place.serve(&[], None);
    server.stop();
}

#[test]
fn a_bench_of_its_own_measures_and_leaves_nothing() {
    let place = Place::sqlite("bench");
    let mix = ["--mix", "create=6,get=2,refund=2", "--duration", "1s", "--warm-up", "200ms", "--json"];
    let report = json_of(&place, &[["bench", "--concurrency", "8"].as_slice(), &mix].concat());
    assert!(report["report"]["answers"].as_u64().unwrap() > 10, "{report}");
    assert_eq!(
        (&report["report"]["failed"], &report["report"]["unanswered"]),
        (&json!(0), &json!(0)),
        "{report}"
    );
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(std::fs::read_dir(&place.folder).unwrap().count(), 0, "it cleans up");
}
