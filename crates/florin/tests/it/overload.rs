//! Too much at once: what cannot be done is shed early, and nobody takes the place of others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::bank::Bank;
use crate::cards::{APPROVED, card, pay};
use crate::on_both_stores;
use crate::server::{Place, Server, wait};
use crate::witness::{EVERYTHING, Load, SOON, check};

on_both_stores!(what_is_too_much_is_shed_and_the_rest_is_right);

fn what_is_too_much_is_shed_and_the_rest_is_right(place: &Place) {
    let bank = Bank::serve(place);
    let mut settings = SOON.to_vec();
    settings.extend([("FLORIN_SANDBOX__BANK", bank.url.as_str()), ("FLORIN_SERVER__REQUESTS_AT_ONCE", "4")]);
    let server = place.serve(&settings, None);
    let load = Load::start(place, &[&server], EVERYTHING, 64);
    load.wait_for_code("overloaded", 50);
    load.wait_for_good(100);
    // Refused even where it is let in: it must not pay beside the load, which alone has a journal.
    let shed = wait(|| {
        let answer = server.post("/api/v1/payments", &json!({}));
        Some(answer).filter(|answer| answer.status == 503)
    });
    let shed = shed.expect("nothing is shed");
    assert_eq!((&shed.json()["code"], shed.header("retry-after")), (&"overloaded".into(), Some("1")));
    // Who looks after the server is never shed.
    assert_eq!(server.ask("GET", "/health", &[], "").status, 200);
    let journal = load.stop();
    check(place, &server, &bank, &journal);
}

/// A scenario of the sandbox that answers only after a while.
const SLOW: &str = "4000009900008007";

#[test]
fn a_slow_provider_account_does_not_take_the_place_of_others() {
    let place = Place::sqlite("slow_provider");
    let settings = [("FLORIN_OPERATION__CALLS_AT_ONCE", "3"), ("FLORIN_SERVER__ANSWER_WITHIN", "20s")];
    let server = Arc::new(place.serve(&settings, None));
    let made = place.run(&["merchant", "create", "Other", "--json"]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let other = format!("Bearer {}", made["key"].as_str().unwrap_or_else(|| panic!("{made}")));

    let slow: Vec<_> = (0..12)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || server.post("/api/v1/payments", &card(1000, SLOW)))
        })
        .collect();
    let shed = wait(|| {
        let answer = server.post("/api/v1/payments", &card(1000, APPROVED));
        Some(answer).filter(|answer| answer.status == 503)
    });
    let shed = shed.expect("a full account takes no more");
    assert_eq!((&shed.json()["code"], shed.header("retry-after").is_some()), (&"overloaded".into(), true));
    // The other merchant's account at the same provider is its own.
    let body = card(1000, APPROVED).to_string();
    let headers = [("authorization", other.as_str()), ("content-type", "application/json")];
    let paid =
        crate::http::send("POST", &format!("{}/api/v1/payments", server.url), &headers, &body).unwrap();
    assert_eq!(paid.status, 201, "{paid:?}");
    let statuses: Vec<u16> = slow.into_iter().map(|thread| thread.join().unwrap().status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 201 | 202 | 503)), "{statuses:?}");
    // Which of them were shed depends on when they came: on a busy machine perhaps none.
    assert!(statuses.iter().any(|status| *status != 503), "{statuses:?}");
    // And it takes work again as soon as it has answered.
    let again = wait(|| {
        let answer = server.post("/api/v1/payments", &card(1000, APPROVED));
        Some(answer).filter(|answer| answer.status == 201)
    });
    assert!(again.is_some(), "{}", server.logs());
}

/// So many connections that say nothing, or nothing more after a while.
fn sayers_of_nothing(server: &Server, count: usize) -> Vec<TcpStream> {
    let address = server.url.trim_start_matches("http://");
    let key = &server.key;
    let body = format!(
        "POST /api/v1/payments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-length: 500\r\n\r\n{{"
    );
    let starts = ["", "GET /api/v1/payments HTTP/1.1\r\nhost: x\r\nauthoriz", &body];
    (0..count)
        .map(|number| {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(starts[number % starts.len()].as_bytes());
            stream
        })
        .collect()
}

#[test]
fn slow_clients_hold_nobody_up_and_are_ended() {
    let place = Place::sqlite("slow_clients");
    let bank = Bank::serve(&place);
    let settings = [
        ("FLORIN_SANDBOX__BANK", bank.url.as_str()),
        ("FLORIN_SERVER__READ_TIMEOUT", "5s"),
        ("FLORIN_SERVER__WRITE_TIMEOUT", "1s"),
    ];
    // Far fewer files than connections that come: those of the database and the bank must not suffer.
    let server = place.serve_with_files(&settings, 160);
    let silent = sayers_of_nothing(&server, 600);
    for _ in 0..20 {
        let paid = pay(&server, &card(1000, APPROVED));
        assert_eq!(paid["status"], "paid");
    }
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut said = Vec::new();
        // Ended, with or without a word; a time-out would be another kind of error.
        let ended = stream.read_to_end(&mut said);
        assert!(!ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "it still waits");
    }

    // One who asks for much and takes nothing of it.
    let mut greedy = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let request = format!(
        "GET /api/v1/payments?limit=100 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        server.key
    );
    greedy.set_write_timeout(Some(Duration::from_mins(1))).unwrap();
    let cut = wait(|| greedy.write_all(request.repeat(50).as_bytes()).err());
    let cut = cut.expect("it may ask for ever");
    assert!(cut.kind() != std::io::ErrorKind::WouldBlock, "it is not cut off: {cut}");
    assert_eq!(server.post("/api/v1/payments", &json!({})).status, 422);
    server.stop();
}
