//! The bank as a process of its own: reached and telling over HTTP.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::json;

use crate::cards::{APPROVED, card, check_books, pay};
use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(a_bank_of_its_own_charges_and_tells);

/// Ends with the test.
struct Bank {
    url: String,
    child: Child,
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bank(place: &Place) -> Bank {
    let command = ["sandbox", "serve", "--port", "0", "--file", "bank-alone.db"];
    let mut child = place.florin(&command).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("The sandbox bank listens on ").unwrap().to_owned();
    Bank { url, child }
}

fn a_bank_of_its_own_charges_and_tells(place: &Place) {
    let bank = bank(place);
    // Look-ups come late, so that only the notice can tell in time.
    let settings = [
        ("FLORIN_SANDBOX__BANK", bank.url.as_str()),
        ("FLORIN_OPERATION__LOOKUP_FIRST", "1h"),
        ("FLORIN_OPERATION__LOOKUP_LONGEST", "1h"),
    ];
    let server = place.serve(&settings, None);
    let paid = pay(&server, &card(1000, APPROVED));
    assert_eq!(paid["status"], "paid", "{paid}");
    let upi = json!({"amount": 10000, "currency": "INR",
        "payment_method": {"type": "upi", "vpa": "success@upi"}});
    let upi = pay(&server, &upi);
    server.wait_for(upi["id"].as_str().unwrap(), "paid");
    // A time-out that is one: the bank hangs up without a byte, but did it.
    let unsure = server.post("/api/v1/payments", &card(1000, "4000009900003008"));
    assert!(matches!(unsure.status, 201 | 202), "{unsure:?}");
    check_books(place);
    server.stop();
}
