use sandbox_bank::{PAGE_POLICY, Submitted};
use serde_json::json;

use crate::shop::{Shop, charge_body, code};

/// A challenged charge and the name of its page.
async fn challenged(shop: &Shop, capture: bool) -> String {
    let mut body = charge_body("c", "tok_three_d_secure", capture);
    body["description"] = json!("<b>Shoes & more</b>");
    body["expires_in_seconds"] = json!(900);
    let (_, charge) = shop.post("/v1/charges", body).await;
    assert_eq!((&charge["status"], &charge["amount_approved"]), (&json!("requires_action"), &json!(0)));
    let url = charge["action"]["url"].as_str().unwrap().to_owned();
    url.strip_prefix("http://127.0.0.1:8000/sandbox/challenge/").unwrap().to_owned()
}

fn back() -> Submitted {
    Submitted::RedirectTo("https://shop.example/return".to_owned())
}

#[tokio::test]
async fn the_page_asks_in_plain_html() {
    let shop = Shop::new();
    let name = challenged(&shop, true).await;
    let page = shop.bank.challenge_page(&name, shop.now()).await;
    assert_eq!(page.status, 200);
    for part in [
        "10.00 USD",
        "ending in 3220",
        "&lt;b&gt;Shoes &amp; more&lt;/b&gt;",
        "lang=\"en\"",
        "viewport",
        "method=\"post\"",
        "Complete authentication",
        "Fail authentication",
        ">Cancel<",
    ] {
        assert!(page.html.contains(part), "no {part}");
    }
    for foreign in ["<script", "<b>", "http://", "https://"] {
        assert!(!page.html.contains(foreign), "{foreign}");
    }
    assert!(PAGE_POLICY.starts_with("default-src 'none'"));
}

#[tokio::test]
async fn a_customer_who_proves_who_they_are_may_still_be_declined() {
    let shop = Shop::new();
    for (token, code) in [
        ("tok_three_d_secure_insufficient_funds", "insufficient_funds"),
        ("tok_three_d_secure_declined", "generic_decline"),
    ] {
        let reference = code.replace('_', "");
        let (_, charge) = shop.post("/v1/charges", charge_body(&reference, token, true)).await;
        let url = charge["action"]["url"].as_str().unwrap().to_owned();
        let name = url.rsplit('/').next().unwrap();
        assert_eq!(shop.bank.challenge_submit(name, "complete", shop.now()).await, back());
        let charge = shop.look_up(&reference).await;
        assert_eq!((&charge["status"], &charge["decline"]["code"]), (&json!("declined"), &json!(code)));
    }
}

#[tokio::test]
async fn each_choice_decides_and_leads_back() {
    for (choice, capture, status) in [
        ("complete", true, "captured"),
        ("complete", false, "authorized"),
        ("fail", true, "declined"),
        ("cancel", true, "declined"),
    ] {
        let shop = Shop::new();
        let name = challenged(&shop, capture).await;
        shop.wait(5).await;
        assert_eq!(shop.bank.challenge_submit(&name, choice, shop.now()).await, back());
        let charge = shop.look_up("c").await;
        assert_eq!(charge["status"], status, "{choice}");
        let (kind, data, _) = shop.take_notices().await.pop().unwrap();
        assert_eq!((kind.as_str(), &data["status"]), ("charge.updated", &json!(status)));
        // A second choice changes nothing, and the expiry that was planned never comes.
        assert_eq!(shop.bank.challenge_submit(&name, "fail", shop.now()).await, back());
        shop.wait(1000).await;
        assert_eq!(shop.look_up("c").await, charge);
        assert!(shop.take_notices().await.is_empty());
        let page = shop.bank.challenge_page(&name, shop.now()).await;
        assert!(page.html.contains("Already answered") && page.html.contains("https://shop.example/return"));
    }
}

#[tokio::test]
async fn a_completed_challenge_proves_who_paid() {
    let shop = Shop::new();
    let name = challenged(&shop, true).await;
    shop.bank.challenge_submit(&name, "complete", shop.now()).await;
    assert_eq!(shop.look_up("c").await["three_d_secure"]["eci"], "05");
    // The same moment by the clock, and still the first answer is what it was.
    let mut body = charge_body("c", "tok_three_d_secure", true);
    body["description"] = json!("<b>Shoes & more</b>");
    body["expires_in_seconds"] = json!(900);
    assert_eq!(shop.post("/v1/charges", body).await.1["status"], "requires_action");
}

#[tokio::test]
async fn nobody_comes_and_it_expires() {
    let shop = Shop::new();
    let name = challenged(&shop, true).await;
    shop.wait(900).await;
    assert_eq!(shop.look_up("c").await["status"], "expired");
    shop.bank.challenge_submit(&name, "complete", shop.now()).await;
    assert_eq!(shop.look_up("c").await["amount_captured"], 0);
    assert_eq!(shop.take_notices().await.len(), 1);
}

#[tokio::test]
async fn a_cancel_closes_the_page() {
    let shop = Shop::new();
    let name = challenged(&shop, true).await;
    let (status, cancel) = shop.post("/v1/charges/c/cancels", json!({"reference": "x"})).await;
    assert_eq!((status, &cancel["status"]), (200, &json!("succeeded")));
    assert_eq!(shop.look_up("c").await["status"], "cancelled");
    shop.bank.challenge_submit(&name, "complete", shop.now()).await;
    assert_eq!(shop.look_up("c").await["amount_captured"], 0);
    // Another cancel finds what it wants; money that is there cannot be cancelled.
    assert_eq!(shop.post("/v1/charges/c/cancels", json!({"reference": "y"})).await.0, 200);
    shop.charge("d", "tok_visa", true).await;
    let answer = shop.post("/v1/charges/d/cancels", json!({"reference": "z"})).await;
    assert_eq!(code(&answer), (409, "charge_not_open"));
}

#[tokio::test]
async fn pages_that_are_none() {
    let shop = Shop::new();
    let name = challenged(&shop, true).await;
    for other in ["", "x", &name[1..], &"0".repeat(64)] {
        assert_eq!(shop.bank.challenge_page(other, shop.now()).await.status, 404, "{other}");
        let Submitted::Page(page) = shop.bank.challenge_submit(other, "complete", shop.now()).await else {
            panic!("{other} leads somewhere");
        };
        assert_eq!(page.status, 404);
    }
    let Submitted::Page(page) = shop.bank.challenge_submit(&name, "steal", shop.now()).await else {
        panic!("an unknown choice leads somewhere");
    };
    assert_eq!(page.status, 400);
    assert_eq!(shop.look_up("c").await["status"], "requires_action");
}
