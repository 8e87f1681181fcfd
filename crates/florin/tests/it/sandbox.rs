//! The bank as a process of its own: reached and telling over HTTP.

use serde_json::json;

use crate::bank::Bank;
use crate::cards::{APPROVED, card, check_books, pay};
use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(a_bank_of_its_own_charges_and_tells);

fn a_bank_of_its_own_charges_and_tells(place: &Place) {
    let bank = Bank::serve(place);
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
