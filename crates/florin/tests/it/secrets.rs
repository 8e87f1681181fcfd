//! A full run of everything, at the most talkative level, with figures and traces on; then every byte
//! that it left behind is searched for what must not be there.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::on_both_stores;
use crate::server::{Place, Server};

on_both_stores!(nothing_secret_is_left_anywhere);

/// Card numbers that the sandbox knows or does not, in every way that a test of ours uses one.
const CARDS: [&str; 8] = [
    "4242424242424242",
    "5555555555554444",
    "378282246310005",
    "4000000000000002",
    "4000000000009995",
    "4000000000003220",
    "6011111111111117",
    "30569309025904",
];
/// A card of one customer alone.
const ALONE: &str = "6200000000000005";
const CVC: &str = "739";
const EMAIL: &str = "jane.doe.seldom@example.com";
const NAME: &str = "Zebulon Quixotte";
const PHONE: &str = "+491701234567";
const STREET: &str = "Unlikely Avenue 77";
const VPA: &str = "zebulon.success@okbank";

/// Takes whatever comes and answers nothing: a collector's bytes are searched as they are.
fn listener() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
    let kept = Arc::clone(&taken);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65536];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                }
            });
        }
    });
    (address, taken)
}

fn card(number: &str) -> Value {
    json!({"type": "card", "card_number": number, "exp_month": 12, "exp_year": 2037, "cvc": CVC,
        "holder_name": NAME})
}

fn payment(method: &Value) -> Value {
    json!({"amount": 1000, "currency": "USD", "payment_method": method, "customer_email": EMAIL,
        "customer_id": "cust_secrets"})
}

fn nothing_secret_is_left_anywhere(place: &Place) {
    let (collector, traced) = listener();
    let keystore = place.folder.join("keys/vault.keystore").display().to_string();
    let made = place.florin(&["vault", "init"]).env("FLORIN_VAULT__KEYSTORE", &keystore).status();
    assert!(made.unwrap().success());
    let settings = [
        ("FLORIN_VAULT__KEYSTORE", keystore.as_str()),
        ("FLORIN_LOG__LEVEL", "trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("FLORIN_SANDBOX__FAULTS__TIMEOUT_AFTER", "150"),
        ("FLORIN_SANDBOX__FAULTS__GARBAGE", "150"),
        ("FLORIN_SANDBOX__FAULTS__SERVER_ERROR_AFTER", "150"),
    ];
    let server = place.serve(&settings, None);
    let key = server.key.clone();
    let shown = everything(&server);
    // Everything that is kept is wrapped anew, and some of it was destroyed before.
    let rotated = place.florin(&["vault", "rotate"]).env("FLORIN_VAULT__KEYSTORE", &keystore).status();
    assert!(rotated.unwrap().success());
    let figures = server.ask("GET", "/metrics", &[], "").body;
    // The files as they are while it runs, its log of writes included, and after it stopped.
    let mut haystacks = files(&place.folder);
    server.stop();
    haystacks.extend(files(&place.folder));
    haystacks.push(("metrics".to_owned(), figures.into_bytes()));
    haystacks.push(("traces".to_owned(), traced.lock().unwrap().clone()));
    if let Some(database) = &place.database {
        haystacks.push(("PostgreSQL".to_owned(), dump(database.url())));
    }
    let haystacks: Vec<(String, String)> = haystacks
        .into_iter()
        .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
        .collect();
    assert!(haystacks.iter().any(|(name, text)| name.ends_with(".log") && text.len() > 10_000));
    // Cards were kept, and their rows are among what is searched.
    assert!(haystacks.iter().any(|(_, text)| text.contains("\"data_key\"")), "no card is in the vault");
    assert!(haystacks.iter().any(|(_, text)| text.contains("\"destroyed_at\"")), "none was destroyed");

    for (what, needle) in &needles(&key) {
        for (name, bytes) in &haystacks {
            assert!(!contains(bytes, needle), "{what} is in {name}: {}", around(bytes, needle));
        }
        // The key comes back to nobody either.
        assert!(!shown.contains(needle.as_str()), "{what} was answered");
    }
    // What a merchant gave about a person is kept where it belongs, and never written anywhere else.
    for (what, needle) in [
        ("an e-mail address", EMAIL),
        ("a name", NAME),
        ("a telephone number", PHONE),
        ("a street", STREET),
        ("a payment address", VPA),
        ("a CVC", "\"cvc"),
        ("a CVC", "cvc=739"),
        ("an authorization header", "Bearer sk_"),
    ] {
        for (name, bytes) in &haystacks {
            if is_told(name) {
                assert!(!contains(bytes, needle), "{what} is in {name}: {}", around(bytes, needle));
            }
        }
    }
    // Three digits are everywhere: a CVC is looked for as a whole value.
    for (name, bytes) in &haystacks {
        for form in ["\"739\"", ":739,", ":739}", "=739 "] {
            assert!(!contains(bytes, form), "a CVC is in {name}: {}", around(bytes, form));
        }
    }
}

/// What stands nowhere at all.
fn needles(key: &str) -> Vec<(&'static str, String)> {
    let mut needles: Vec<(&str, String)> =
        CARDS.iter().map(|number| ("a card number", (*number).to_owned())).collect();
    needles.extend(CARDS.iter().map(|number| ("a grouped card number", grouped(number))));
    needles.push(("a card number", ALONE.to_owned()));
    needles.push(("the API key", key.to_owned()));
    needles.push(("the API key's secret part", key.trim_start_matches("sk_test_").to_owned()));
    needles
}

/// What is written for operators, and not the store.
fn is_told(name: &str) -> bool {
    name.ends_with(".log") || ["metrics", "traces"].contains(&name)
}

/// Every flow of the API, those that fail included; answers all that was answered.
fn everything(server: &Server) -> String {
    let mut shown = String::new();
    let mut ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        if let Ok(response) = server.try_ask(method, path, headers, body) {
            shown.push_str(&response.body);
            return response.body;
        }
        String::new()
    };
    let mut ids = Vec::new();
    for number in CARDS {
        let body = payment(&card(number)).to_string();
        let made: Value =
            serde_json::from_str(&ask("POST", "/api/v1/payments", &[], &body)).unwrap_or_default();
        ids.extend(made["id"].as_str().or(made["payment_id"].as_str()).map(str::to_owned));
        let spaced = payment(&card(&grouped(number))).to_string();
        ask(
            "POST",
            "/api/payments",
            &[("idempotency-key", &format!("key-{}", &number[number.len() - 4..]))],
            &spaced,
        );
        ask(
            "POST",
            "/api/payments",
            &[("idempotency-key", &format!("key-{}", &number[number.len() - 4..]))],
            &spaced,
        );
        // Where no number may stand: refused, and never repeated. A merchant's own ids are not searched.
        for field in ["description", "statement_descriptor"] {
            let mut wrong = payment(&card(number));
            wrong[field] = json!(format!("order of {number}"));
            ask("POST", "/api/v1/payments", &[], &wrong.to_string());
        }
        let mut metadata = payment(&card(number));
        metadata["metadata"] = json!({"note": number});
        ask("POST", "/api/v1/payments", &[], &metadata.to_string());
        ask("POST", "/api/v1/payments", &[], &body[..body.len() / 2]);
        ask("POST", "/api/v1/payments", &[("content-type", "text/plain")], &body);
        ask("GET", &format!("/api/v1/payments/{number}"), &[], "");
        ask("GET", &format!("/api/v1/payments?q={number}"), &[], "");
        ask("GET", "/api/v1/payments", &[("x-request-id", number)], "");
        ask("GET", "/api/v1/payments", &[("authorization", &format!("Bearer {number}"))], "");
        tokenize(number, &mut ask);
    }
    let upi = json!({"amount": 1000, "currency": "INR", "payment_method": {"type": "upi", "vpa": VPA}});
    ask("POST", "/api/v1/payments", &[], &upi.to_string());
    customers(&mut ask);
    kept(&mut ask);
    for id in &ids {
        for (method, verb, body) in [
            ("GET", "", ""),
            ("GET", "/timeline", ""),
            ("POST", "/capture", "{}"),
            ("POST", "/refund", r#"{"amount": 100, "reason": "Zebulon Quixotte asked"}"#),
            ("POST", "/cancel", "{}"),
        ] {
            ask(method, &format!("/api/v1/payments/{id}{verb}"), &[], body);
        }
        let confirm = json!({"payment_method": card(CARDS[0])}).to_string();
        ask("POST", &format!("/api/v1/payments/{id}/confirm"), &[], &confirm);
    }
    let half_key = &server.key[..server.key.len() - 3];
    ask("GET", "/api/v1/payments", &[("authorization", &format!("Bearer {half_key}"))], "");
    ask("POST", &format!("/webhooks/sandbox/{}", CARDS[0]), &[], CARDS[0]);
    // The unknown ones are looked up, and notices come, before the search begins.
    std::thread::sleep(std::time::Duration::from_secs(3));
    // A key of the caller's may stand in a header of its own choice; only that one is its own affair.
    shown.replace(half_key, "")
}

fn tokenize(number: &str, ask: &mut impl FnMut(&str, &str, &[(&str, &str)], &str) -> String) {
    let body = json!({"user_id": "cust_secrets", "type": "CARD", "display_name": "mine", "details": {
        "card_number": number, "expiry_month": "12", "expiry_year": "37", "cvv": CVC, "holder_name": NAME}});
    ask("POST", "/api/v1/payment-methods/tokenize", &[], &body.to_string());
}

fn customers(ask: &mut impl FnMut(&str, &str, &[(&str, &str)], &str) -> String) {
    let customer = json!({"reference": "cust_of_secrets", "name": NAME, "email": EMAIL, "phone": PHONE,
        "address": {"line1": STREET, "city": "Nowhere", "country": "DE"}});
    let made: Value = serde_json::from_str(&ask("POST", "/api/v1/customers", &[], &customer.to_string()))
        .unwrap_or_default();
    let id = made["id"].as_str().unwrap_or("cus_unknown").to_owned();
    ask("GET", &format!("/api/v1/customers/{id}"), &[], "");
    ask(
        "PATCH",
        &format!("/api/v1/customers/{id}"),
        &[],
        &json!({"email": "not an address", "name": NAME}).to_string(),
    );
    let method = card(CARDS[0]);
    ask("POST", &format!("/api/v1/customers/{id}/payment_methods"), &[], &method.to_string());
    ask("GET", "/api/v1/customers", &[], "");
    ask("DELETE", &format!("/api/v1/customers/{id}"), &[], "");
}

/// Cards that are kept: with a payment, with a confirm, of a customer who goes.
fn kept(ask: &mut impl FnMut(&str, &str, &[(&str, &str)], &str) -> String) {
    for number in CARDS {
        let mut saving = payment(&card(number));
        saving["save_payment_method"] = json!(true);
        ask("POST", "/api/v1/payments", &[], &saving.to_string());
    }
    // A number that nobody else holds is destroyed with its customer.
    let alone = json!({"reference": "cust_alone"}).to_string();
    let made: Value =
        serde_json::from_str(&ask("POST", "/api/v1/customers", &[], &alone)).unwrap_or_default();
    let id = made["id"].as_str().unwrap_or("cus_unknown").to_owned();
    let method = json!({"user_id": "cust_alone", "type": "CARD", "details": {
        "card_number": ALONE, "expiry_month": "12", "expiry_year": "37", "cvv": CVC, "holder_name": NAME}});
    // The bank fails often here.
    for _ in 0..12 {
        let kept = ask("POST", "/api/v1/payment-methods/tokenize", &[], &method.to_string());
        if kept.contains("pm_") {
            break;
        }
    }
    ask("DELETE", &format!("/api/v1/customers/{id}"), &[], "");
}

/// A number as people type it.
fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// All files below a folder, with their bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    }
    found
}

/// Every row of every table, as text; bytes as they are.
fn dump(url: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let driving = tokio::spawn(connection);
        let tables = client
            .query(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                 WHERE schemaname IN ('public', 'florin_bank', 'florin_vault')",
                &[],
            )
            .await
            .unwrap();
        let mut bytes = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            // Bytes come as hexadecimal digits in a row's text, so they are also read as what they are.
            let text = format!("SELECT convert_from(convert_to(t::text, 'UTF8'), 'UTF8') FROM {table} t");
            for row in client.query(&text, &[]).await.unwrap() {
                let text: String = row.get(0);
                bytes.extend(unescaped(&text));
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        driving.abort();
        bytes
    })
}

/// The bytes of all `\x…` in a row's text.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in text.split("\\x").skip(1) {
        let digits: Vec<u8> = part.bytes().take_while(u8::is_ascii_hexdigit).collect();
        for pair in digits.chunks_exact(2) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        }
        bytes.push(b'\n');
    }
    bytes
}

fn contains(text: &str, needle: &str) -> bool {
    text.contains(needle)
}

fn around(text: &str, needle: &str) -> String {
    let place = text.find(needle).unwrap_or(0);
    let before: String = text[..place].chars().rev().take(200).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[place..].chars().take(150).collect();
    before + &after
}
