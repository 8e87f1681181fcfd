//! The card vault as an operator has it: made, watched, rotated beside the server, lost and restored.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cards::{APPROVED, card, pay};
use crate::on_both_stores;
use crate::server::{Place, Server, wait};

on_both_stores!(
    a_rotation_runs_beside_the_server,
    a_lost_or_wrong_keystore_stops_the_start_until_it_is_restored,
    a_deleted_customers_card_is_destroyed,
    a_repeat_is_known_across_the_day_that_the_vault_came
);

/// Where the keystore of this place is, and the settings that say so on PostgreSQL.
fn keystore(place: &Place) -> (PathBuf, Vec<(&'static str, String)>) {
    if place.database.is_none() {
        return (place.folder.join("florin-data/vault.keystore"), Vec::new());
    }
    let path = place.folder.join("keys/vault.keystore");
    let settings = vec![("FLORIN_VAULT__KEYSTORE", path.display().to_string())];
    (path, settings)
}

fn run(place: &Place, arguments: &[&str]) -> std::process::Output {
    place.florin(arguments).envs(keystore(place).1).output().unwrap()
}

fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let output = run(place, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn try_serve(place: &Place, key: Option<&str>) -> Result<Server, String> {
    let settings = keystore(place).1;
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    place.try_serve(&settings, key)
}

/// The first start; on PostgreSQL after the keystore was made, without which it says so.
fn first(place: &Place) -> Server {
    if place.database.is_some() {
        let refused = try_serve(place, None).err().unwrap();
        assert!(refused.contains("florin vault init"), "{refused}");
        for _ in 0..2 {
            let made = run(place, &["vault", "init"]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
    }
    try_serve(place, None).unwrap()
}

fn save(server: &Server, customer: &str, number: &str) -> Value {
    let body = json!({"user_id": customer, "type": "CARD", "details": {
        "card_number": number, "expiry_month": "12", "expiry_year": "37", "cvv": "123"}});
    let made = server.post("/api/v1/payment-methods/tokenize", &body);
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

/// Cards that can be opened, and proofs of those that were destroyed.
fn rows(place: &Place) -> (i64, i64) {
    let text = "SELECT count(fingerprint), count(*) - count(fingerprint) FROM ";
    if let Some(database) = &place.database {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let client = database.connect().await.unwrap();
            let row = client.query_one(&format!("{text} florin_vault.vault_card"), &[]).await.unwrap();
            (row.get(0), row.get(1))
        });
    }
    let file = rusqlite::Connection::open(place.folder.join("florin-data/vault.db")).unwrap();
    file.query_row(&format!("{text} vault_card"), [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn a_rotation_runs_beside_the_server(place: &Place) {
    let server = first(place);
    let path = keystore(place).0;
    for file in [path.clone(), path.with_file_name("vault.key")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600, "{}", file.display());
    }
    for (customer, number) in [("anna", APPROVED), ("bert", APPROVED), ("carl", "5555555555554444")] {
        save(&server, customer, number);
    }
    pay(&server, &card(1000, APPROVED));
    assert_eq!(rows(place), (2, 0), "one number is there once, and what nobody keeps is not");
    let before = json_of(place, &["vault", "status", "--json"]);
    let old = before["current"].as_str().unwrap().to_owned();
    let rotated = json_of(place, &["vault", "rotate", "--json"]);
    assert_eq!(rotated["begun"], true, "{rotated}");
    let after = json_of(place, &["vault", "status", "--json"]);
    assert_eq!(after["current"], rotated["key"]);
    assert_eq!(after["retiring"], json!([{"key": old, "cards": 0}]), "{after}");
    // The running server takes the new key from the keystore by itself.
    save(&server, "dora", "4111111111111111");
    let again = json_of(place, &["vault", "rotate", "--json"]);
    assert_eq!((&again["begun"], &again["key"]), (&json!(false), &rotated["key"]));
    let kept = run(place, &["vault", "destroy", &old]);
    assert_eq!(kept.status.code(), Some(1), "it is not retired yet");
    let prepared = json_of(place, &["vault", "rotate", "--prepare", "--json"]);
    let unused = json_of(place, &["vault", "status", "--json"]);
    assert_eq!(unused["unused"], json!([prepared["prepared"]]), "{unused}");
    let report: Value = serde_json::from_slice(&run(place, &["doctor", "--json"]).stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == "keystore").unwrap();
    assert_eq!(found["verdict"], "ok", "{found}");
    let key = server.key.clone();
    server.stop();
    let server = try_serve(place, Some(&key)).unwrap();
    save(&server, "emil", APPROVED);
    assert_eq!(rows(place), (3, 0));
    server.stop();
}

fn a_lost_or_wrong_keystore_stops_the_start_until_it_is_restored(place: &Place) {
    let server = first(place);
    save(&server, "anna", APPROVED);
    let key = server.key.clone();
    server.stop();
    let keystore = keystore(place).0;
    let copies = place.folder.join("copies");
    fs::create_dir_all(&copies).unwrap();
    let files = [keystore.clone(), keystore.with_file_name("vault.key")];
    let copy = |file: &PathBuf| copies.join(file.file_name().unwrap());
    for file in &files {
        fs::copy(file, copy(file)).unwrap();
    }
    let refused = |word: &str| {
        let said = try_serve(place, Some(&key)).err().expect("it does not start");
        assert!(said.contains(word), "{word}: {said}");
    };
    for lost in &files {
        fs::remove_file(lost).unwrap();
        refused("restore it from its copy");
        assert!(!lost.exists(), "nothing new in its place");
        let report: Value = serde_json::from_slice(&run(place, &["doctor", "--json"]).stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["check"] == "keystore").unwrap();
        assert_eq!(found["verdict"], "fail", "{found}");
        fs::copy(copy(lost), lost).unwrap();
    }
    fs::write(&files[1], "7a".repeat(32)).unwrap();
    refused("it was made with another one");
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    if place.database.is_some() {
        // Somebody makes a new one over the old data.
        assert!(run(place, &["vault", "init"]).status.success());
        refused("restore the keystore that has it");
        let without = place.try_serve(&[], Some(&key)).err().expect("it does not start");
        assert!(without.contains("no keystore is configured"), "{without}");
    }
    for file in &files {
        fs::copy(copy(file), file).unwrap();
    }
    let server = try_serve(place, Some(&key)).unwrap();
    save(&server, "bert", APPROVED);
    assert_eq!(rows(place), (1, 0), "the card of before is known again");
    server.stop();
}

fn a_deleted_customers_card_is_destroyed(place: &Place) {
    let server = first(place);
    let made = server.post("/api/v1/customers", &json!({"reference": "anna"}));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    save(&server, "anna", APPROVED);
    assert_eq!(rows(place), (1, 0));
    let gone = server.ask("DELETE", &format!("/api/v1/customers/{id}"), &[], "");
    assert!((200..300).contains(&gone.status), "{gone:?}");
    assert!(wait(|| (rows(place) == (0, 1)).then_some(())).is_some(), "{:?}", rows(place));
    server.stop();
}

/// The MAC of a request takes a card by the vault's fingerprint, and took it by another before there was one.
fn a_repeat_is_known_across_the_day_that_the_vault_came(place: &Place) {
    if place.database.is_none() {
        // Beside an embedded store there is a vault from the first start.
        return;
    }
    let pay = |server: &Server, amount: i64| {
        server.post_with_key("/api/v1/payments", "order-7", &card(amount, APPROVED))
    };
    let server = place.serve(&[], None);
    let first = pay(&server, 1000);
    assert_eq!(first.status, 201, "{first:?}");
    let key = server.key.clone();
    server.stop();
    assert!(run(place, &["vault", "init"]).status.success());
    let server = try_serve(place, Some(&key)).unwrap();
    let again = pay(&server, 1000);
    assert_eq!((again.status, again.json()["id"].clone()), (201, first.json()["id"].clone()), "{again:?}");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(pay(&server, 1001).json()["code"], "idempotency_key_reused");
    server.stop();
}
