//! The sandbox bank's pages and API through the gateway, and the way back.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::world::{CARD, World};

const CHALLENGED: &str = "4000000000003220";

/// The path of a URL of this installation.
fn path_of(url: &str) -> &str {
    url.strip_prefix("http://florin.test").unwrap()
}

#[tokio::test]
async fn three_d_secure_from_challenge_to_shop() {
    let world = World::start().await;
    for (choice, status, shop_url, joint, fragment) in [
        ("complete", "paid", "https://shop.example/done?order=1#top", "&", "#top"),
        ("fail", "failed", "https://shop.example/done?", "", ""),
        ("complete", "paid", "https://shop.example", "?", ""),
    ] {
        let field = format!("{{\"return_url\": \"{shop_url}\", ");
        let body = CARD.replace("4242424242424242", CHALLENGED).replacen('{', &field, 1);
        let made = world.post("/api/payments", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let payment = made.json();
        assert_eq!(
            (&payment["status"], &payment["waiting_for"]),
            (&json!("authorizing"), &json!("customer"))
        );
        assert_eq!(payment["next_action"]["type"], "three_d_secure");
        let url = payment["next_action"]["url"].as_str().unwrap();

        let page = world.bare(Method::GET, path_of(url), &[], "").await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(page.text().contains("10.00 USD") && page.text().contains("<form method=\"post\">"));

        let form = [("content-type", "application/x-www-form-urlencoded")];
        let chosen = world.bare(Method::POST, path_of(url), &form, &format!("choice={choice}")).await;
        assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text());
        let back = path_of(chosen.header("location")).to_owned();
        assert!(back.starts_with(&format!("/return/{}", payment["id"].as_str().unwrap())), "{back}");

        let shop = world.bare(Method::GET, &back, &[], "").await;
        assert_eq!(shop.status, StatusCode::SEE_OTHER);
        let id = payment["id"].as_str().unwrap();
        let address = shop_url.split('#').next().unwrap();
        assert_eq!(shop.header("location"), format!("{address}{joint}payment_id={id}{fragment}"));
        let decided = world.get(&format!("/api/payments/{id}")).await.json();
        assert_eq!(decided["status"], status, "{decided}");
        // Coming back by POST leads to the same place.
        let again = world.bare(Method::POST, &back, &form, "PaRes=x").await;
        assert_eq!(
            (again.status, again.header("location")),
            (StatusCode::SEE_OTHER, shop.header("location"))
        );
    }
}

#[tokio::test]
async fn a_browser_without_a_shop_sees_a_page() {
    let world = World::start().await;
    let made = world.post("/api/payments", &CARD.replace("4242424242424242", CHALLENGED)).await.json();
    let account = made["provider_account_id"].as_str().unwrap();
    let back = format!("/return/{}?account={account}&PayerID=1", made["id"].as_str().unwrap());
    let page = world.bare(Method::GET, &back, &[], "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Payment not finished"), "{}", page.text());
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    for path in [
        "/return/x".to_owned(),
        format!("/return/{}", made["id"].as_str().unwrap()),
        format!("/return/pay_01h455vb4pex5vsknk084sn02q?account={account}"),
        back.replace(account, "pa_01h455vb4pex5vsknk084sn02q"),
    ] {
        let page = world.bare(Method::GET, &path, &[], "").await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn the_banks_api_wants_the_banks_key() {
    let world = World::start().await;
    let refused = world.bare(Method::POST, "/sandbox/v1/charges", &[], "{}").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text());
    assert!(refused.json()["error"]["code"].is_string());
    let nowhere = world.bare(Method::GET, "/sandbox/challenge/nothing", &[], "").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let form = world.bare(Method::POST, "/sandbox/challenge/nothing", &[], "choice=complete").await;
    assert_eq!(form.status, StatusCode::NOT_FOUND);
    let unclear = world.bare(Method::POST, "/sandbox/challenge/nothing", &[], "\u{1}").await;
    assert_eq!(unclear.status, StatusCode::BAD_REQUEST);
}
