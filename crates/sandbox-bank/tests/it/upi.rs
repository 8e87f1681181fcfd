use serde_json::{Value, json};

use crate::shop::{Shop, code};

async fn ask(shop: &Shop, payer: Value, expires_in_seconds: Value) -> (u16, Value) {
    let body = json!({
        "reference": "u1",
        "amount": 10_000,
        "currency": "INR",
        "capture": true,
        "source": {
            "type": "upi", "payer_vpa": payer, "payee_vpa": "shop@florin", "payee_name": "Shop & Sons",
        },
        "return_url": "https://shop.example/return",
        "description": "Order 7",
        "expires_in_seconds": expires_in_seconds,
    });
    shop.post("/v1/charges", body).await
}

#[tokio::test]
async fn a_payer_is_asked_by_link_and_approves_by_himself() {
    for payer in [json!("success@upi"), json!("anyone.else@okbank"), Value::Null] {
        let shop = Shop::new();
        let (status, charge) = ask(&shop, payer, Value::Null).await;
        assert_eq!((status, &charge["status"]), (200, &json!("requires_action")));
        assert_eq!(
            charge["action"],
            json!({
                "type": "qr_code",
                "payload": "upi://pay?pa=shop@florin&pn=Shop%20%26%20Sons&am=100.00&cu=INR&tn=Order%207&tr=u1",
            })
        );
        assert_eq!(charge["rrn"], Value::Null);
        shop.wait(1).await;
        assert_eq!(shop.look_up("u1").await["status"], "requires_action");
        shop.wait(1).await;
        let paid = shop.look_up("u1").await;
        assert_eq!((&paid["status"], &paid["amount_captured"]), (&json!("captured"), &json!(10_000)));
        assert_eq!(paid["rrn"].as_str().unwrap().len(), 12);
        assert_eq!(paid["approval_code"].as_str().unwrap().len(), 6);
        let (kind, data, _) = shop.take_notices().await.pop().unwrap();
        assert_eq!((kind.as_str(), &data), ("charge.updated", &paid));
    }
}

#[tokio::test]
async fn a_payer_declines_or_never_answers() {
    let shop = Shop::new();
    ask(&shop, json!("failure@upi"), Value::Null).await;
    shop.wait(2).await;
    let charge = shop.look_up("u1").await;
    assert_eq!(charge["decline"], json!({"code": "payer_declined"}));
    assert_eq!(shop.take_notices().await.len(), 1);

    for (asked_for, lives) in [(Value::Null, 900), (json!(60), 60)] {
        let shop = Shop::new();
        ask(&shop, json!("timeout@upi"), asked_for).await;
        shop.wait(lives - 1).await;
        assert_eq!(shop.look_up("u1").await["status"], "requires_action");
        shop.wait(1).await;
        assert_eq!(shop.look_up("u1").await["status"], "expired");
        assert_eq!(shop.take_notices().await.len(), 1);
    }
}

#[tokio::test]
async fn a_cancel_before_the_payer_acts_stands() {
    let shop = Shop::new();
    ask(&shop, json!("success@upi"), Value::Null).await;
    assert_eq!(shop.post("/v1/charges/u1/cancels", json!({"reference": "x"})).await.0, 200);
    shop.wait(1000).await;
    assert_eq!(shop.look_up("u1").await["status"], "cancelled");
    assert!(shop.take_notices().await.is_empty());
}

#[tokio::test]
async fn what_upi_cannot_do_is_refused() {
    let shop = Shop::new();
    let with = |name: &str, value: Value| {
        let mut body = json!({
            "reference": "u1", "amount": 100, "currency": "INR", "capture": true,
            "source": {"type": "upi", "payee_vpa": "shop@florin", "payee_name": "Shop"},
            "return_url": "https://shop.example/return",
        });
        body[name] = value;
        body
    };
    let bad_vpa =
        json!({"type": "upi", "payer_vpa": "nobody", "payee_vpa": "shop@florin", "payee_name": "Shop"});
    for (body, refused) in [
        (with("currency", json!("USD")), (422, "currency_not_supported")),
        (with("capture", json!(false)), (422, "capture_not_supported")),
        (with("amount", json!(0)), (422, "amount_not_allowed")),
        (with("source", bad_vpa), (422, "invalid_vpa")),
    ] {
        assert_eq!(code(&shop.post("/v1/charges", body).await), refused);
    }
}
