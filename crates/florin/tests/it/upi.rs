//! UPI: the second source document's request, the payer's decision, refunds in its words.

use serde_json::{Value, json};

use crate::cards::check_books;
use crate::on_both_stores;
use crate::server::Place;

on_both_stores!(
    the_second_create_request_of_the_source_documents,
    the_payer_decides,
    a_request_that_nobody_approves_is_cancelled,
);

fn request(vpa: &str) -> Value {
    let mut body: Value = serde_json::from_str(
        r#"{
          "user_id": "123e4567-e89b-12d3-a456-426614174000",
          "merchant_id": "123e4567-e89b-12d3-a456-426614174001",
          "amount_paisa": 10000,
          "currency": "INR",
          "payment_method": "UPI",
          "payment_details": {
            "vpa": "user@paytm"
          },
          "description": "Payment for order #12345",
          "callback_url": "https://merchant.com/webhook",
          "metadata": {
            "order_id": "12345",
            "customer_email": "user@example.com"
          }
        }"#,
    )
    .unwrap();
    body["payment_details"]["vpa"] = json!(vpa);
    body
}

fn the_second_create_request_of_the_source_documents(place: &Place) {
    let server = place.serve(&[], None);
    let created = server.post("/api/v1/payments", &request("user@paytm"));
    assert_eq!(created.status, 201, "{created:?}");
    let created = created.json();
    assert_eq!((&created["amount_paisa"], &created["fees_paisa"]), (&json!(10000), &json!(0)), "{created}");
    let url = created["payment_url"].as_str().unwrap();
    for part in ["upi://pay?", "pa=merchant@bank", "am=100.00", "cu=INR", "tr="] {
        assert!(url.contains(part), "{part} in {url}");
    }
    assert!(created["qr_code"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"), "{created}");
    assert!(created["expires_at"].is_string(), "{created}");
    let id = created["payment_id"].as_str().unwrap();
    let paid = server.wait_for(id, "paid");
    assert!(paid["external_txn_id"].is_string() && paid["processed_at"].is_string(), "{paid}");
    assert!(paid["gateway_response"]["rrn"].is_string(), "{paid}");

    let refund = json!({"amount_paisa": 4000, "reason": "Customer requested refund",
        "metadata": {"refund_request_id": "REF123"}});
    let refund = server.post(&format!("/api/v1/payments/{id}/refund"), &refund);
    assert!(matches!(refund.status, 200 | 201), "{refund:?}");
    assert_eq!(refund.json()["amount_paisa"], 4000);
    check_books(place);
    server.stop();
}

fn the_payer_decides(place: &Place) {
    let server = place.serve(&[], None);
    for (vpa, status) in [("success@upi", "paid"), ("failure@upi", "failed")] {
        let created = server.post("/api/v1/payments", &request(vpa)).json();
        let ended = server.wait_for(created["payment_id"].as_str().unwrap(), status);
        assert_eq!(ended["amount_captured"], if status == "paid" { 10000 } else { 0 }, "{ended}");
    }
    check_books(place);
    server.stop();
}

fn a_request_that_nobody_approves_is_cancelled(place: &Place) {
    let server = place.serve(&[("FLORIN_PAYMENT__UPI__EXPIRES_IN", "2s")], None);
    let created = server.post("/api/v1/payments", &request("timeout@upi")).json();
    let ended = server.wait_for(created["payment_id"].as_str().unwrap(), "cancelled");
    assert_eq!(ended["amount_captured"], 0, "{ended}");
    server.stop();
}
