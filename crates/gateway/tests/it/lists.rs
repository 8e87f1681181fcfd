//! Lists with filters, and search.

use axum::http::StatusCode;
use identity::KeyKind;
use kernel::Mode;
use serde_json::Value;

use crate::world::World;

fn ids(list: &Value) -> Vec<String> {
    assert_eq!(list["object"], "list", "{list}");
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn listed(world: &World, query: &str) -> Vec<String> {
    let reply = world.get(&format!("/api/v1/payments{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.text());
    ids(&reply.json())
}

/// A payment with these fields instead of the usual ones.
async fn pay(world: &World, body: &str) -> (StatusCode, String) {
    let reply = world.post("/api/v1/payments", body).await;
    let id = ["id", "payment_id"].into_iter().find_map(|name| reply.json()[name].as_str().map(str::to_owned));
    (reply.status, id.unwrap_or_else(|| panic!("{}", reply.text())))
}

fn by_card(amount: i64, currency: &str, number: &str, more: &str) -> String {
    format!(
        r#"{{"amount": {amount}, "currency": "{currency}", {more} "payment_method": {{"type": "card",
        "card_number": "{number}", "exp_month": 12, "exp_year": 2037, "cvc": "123"}}}}"#
    )
}

struct Made {
    paid: String,
    declined: String,
    euros: String,
    ordered: String,
    unconfirmed: String,
}

async fn made(world: &World) -> Made {
    let visa = "4242424242424242";
    let (_, paid) = pay(world, &by_card(1000, "USD", visa, r#""customer_id": "alice","#)).await;
    let (status, declined) = pay(world, &by_card(2500, "USD", "4000000000000002", "")).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    let master = "5555555555554444";
    let (_, euros) =
        pay(world, &by_card(2500, "EUR", master, r#""customer_email": "Ann@Shop.example","#)).await;
    let metadata = r#""metadata": {"order_id": "A-77"}, "customer_id": "alice","#;
    let (_, ordered) = pay(world, &by_card(99_900, "USD", visa, metadata)).await;
    let (_, unconfirmed) = pay(world, r#"{"amount": 5, "currency": "JPY"}"#).await;
    Made { paid, declined, euros, ordered, unconfirmed }
}

#[tokio::test]
async fn each_filter_finds_what_it_says() {
    let world = World::start().await;
    let made = made(&world).await;
    let Made { paid, declined, euros, ordered, unconfirmed } = &made;
    // Exact at once, before anything is indexed.
    for (query, expected) in [
        ("", vec![unconfirmed, ordered, euros, declined, paid]),
        ("?customer_id=alice", vec![ordered, paid]),
        ("?user_id=alice&limit=1", vec![ordered]),
        ("?customer_id=nobody", vec![]),
        ("?order_id=A-77", vec![ordered]),
        ("?order_id=A-77&customer_id=nobody", vec![]),
        ("?created_from=2026-01-01T00:00:00Z", vec![unconfirmed, ordered, euros, declined, paid]),
        ("?created_to=2026-01-01T00:00:00Z", vec![]),
        ("?created_from=2999-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(listed(&world, query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    world.node.catch_up_search().await.unwrap();
    for (query, expected) in [
        ("?status=paid", vec![ordered, euros, paid]),
        ("?status=failed", vec![declined]),
        ("?status=refunded", vec![]),
        ("?amount=2500", vec![euros, declined]),
        ("?amount=2500&currency=EUR", vec![euros]),
        ("?amount_from=2500", vec![ordered, euros, declined]),
        ("?amount_to=1000", vec![unconfirmed, paid]),
        ("?amount_from=1000&amount_to=2500&status=paid", vec![euros, paid]),
        ("?currency=JPY", vec![unconfirmed]),
        ("?payment_method=card&currency=USD", vec![ordered, declined, paid]),
        ("?payment_method=upi", vec![]),
        ("?provider=sandbox", vec![ordered, euros, declined, paid]),
        ("?gateway=sandbox&last4=4444", vec![euros]),
        ("?last4=4242&customer_id=alice&status=paid", vec![ordered, paid]),
        ("?status=paid&created_to=2026-01-01T00:00:00Z", vec![]),
        ("?status=paid&order_id=A-77", vec![ordered]),
    ] {
        assert_eq!(listed(&world, query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn what_does_not_match_any_more_is_not_shown() {
    let world = World::start().await;
    let made = made(&world).await;
    world.node.catch_up_search().await.unwrap();
    let refunded = world.post(&format!("/api/v1/payments/{}/refund", made.paid), "").await;
    assert_eq!(refunded.status, StatusCode::CREATED, "{}", refunded.text());
    // The row still says `paid`.
    assert_eq!(listed(&world, "?status=paid").await, [made.ordered.clone(), made.euros.clone()]);
    assert_eq!(listed(&world, "?status=paid&limit=1").await, [made.ordered]);
    world.node.catch_up_search().await.unwrap();
    assert_eq!(listed(&world, "?status=refunded").await, std::slice::from_ref(&made.paid));

    let refund = refunded.json()["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", vec![refund.clone()]),
        ("?status=succeeded", vec![refund.clone()]),
        ("?status=failed", vec![]),
        (&format!("?payment_id={}&status=succeeded", made.paid), vec![refund.clone()]),
        (&format!("?payment_id={}", made.euros), vec![]),
        ("?created_to=2026-01-01T00:00:00Z", vec![]),
        ("?created_from=2026-01-01T00:00:00Z", vec![refund.clone()]),
    ] {
        let reply = world.get(&format!("/api/v1/refunds{query}")).await;
        assert_eq!(ids(&reply.json()), expected, "{query}");
    }
}

#[tokio::test]
async fn any_reference_finds_its_payment() {
    let world = World::start().await;
    let made = made(&world).await;
    let refunded = world.post(&format!("/api/v1/payments/{}/refund", made.euros), "").await.json();
    world.node.catch_up_search().await.unwrap();
    let euros = world.get(&format!("/api/v1/payments/{}", made.euros)).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attempt = text(&euros["attempts"][0]["id"]);
    let operation: payments::OperationId = attempt.replacen("att_", "pay_", 1).parse().unwrap();
    let customer = world.get(&format!("/api/v1/payments/{}", made.paid)).await;
    assert_eq!(customer.json()["customer_id"], "alice");
    for (query, expected) in [
        (made.euros.clone(), vec![&made.euros]),
        (text(&refunded["id"]), vec![&made.euros]),
        (attempt, vec![&made.euros]),
        (operation.to_string(), vec![&made.euros]),
        (operation.reference(), vec![&made.euros]),
        (text(&euros["provider_reference"]), vec![&made.euros]),
        (text(&refunded["provider_reference"]), vec![&made.euros]),
        (text(&euros["network_transaction_id"]), vec![&made.euros]),
        ("ann%40shop.EXAMPLE".to_owned(), vec![&made.euros]),
        ("4444".to_owned(), vec![&made.euros]),
        ("A-77".to_owned(), vec![&made.ordered]),
        ("alice".to_owned(), vec![&made.ordered, &made.paid]),
        ("%20alice%20".to_owned(), vec![&made.ordered, &made.paid]),
        ("alic".to_owned(), vec![]),
        ("pay_01h455vb4pex5vsknk084sn02q".to_owned(), vec![]),
        ("0000000000000000000000s01".to_owned(), vec![]),
    ] {
        let reply = world.get(&format!("/api/v1/payments/search?query={query}")).await;
        assert_eq!(ids(&reply.json()).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    // Another merchant, and the same merchant's live world, find nothing by any of them.
    let stranger = format!("Bearer {}", world.strangers_key().await);
    let live = format!("Bearer {}", world.another_key(Mode::Live, KeyKind::Secret).await);
    for key in [stranger, live] {
        for query in [made.euros.as_str(), "4444", "alice", "A-77", &operation.reference()] {
            let path = format!("/api/v1/payments/search?query={query}");
            let reply = world.bare(axum::http::Method::GET, &path, &[("authorization", &key)], "").await;
            assert_eq!(ids(&reply.json()), Vec::<String>::new(), "{query}");
        }
        for query in ["customer_id=alice", "status=paid", "order_id=A-77", "last4=4444"] {
            let path = format!("/api/v1/payments?{query}");
            let reply = world.bare(axum::http::Method::GET, &path, &[("authorization", &key)], "").await;
            assert_eq!(ids(&reply.json()), Vec::<String>::new(), "{query}");
        }
    }
}

#[tokio::test]
async fn bad_filters_are_refused_by_name_with_what_is_allowed() {
    let world = World::start().await;
    for (query, param, says) in [
        ("status=done", "status", "pending, authorizing, authorized, paid"),
        ("amount=-1", "amount", "0 to 999999999999999"),
        ("amount_from=1.5", "amount_from", "whole number"),
        ("amount_from=5&amount_to=4", "amount_from", "amount_to"),
        ("currency=usd", "currency", "ISO 4217"),
        ("payment_method=cash", "payment_method", "card, upi"),
        ("provider=nobody", "provider", "sandbox"),
        ("provider=sandbox&gateway=sandbox", "gateway", "another name"),
        ("last4=42", "last4", "last four"),
        ("customer_id=cus_1", "customer_id", "reference"),
        ("customer_id=a&user_id=a", "user_id", "another name"),
        ("order_id=", "order_id", "1 to 512"),
        ("order_id=%00", "order_id", "control"),
        ("created_from=yesterday", "created_from", "RFC 3339"),
        ("created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z", "created_from", "created_to"),
        ("limit=101", "limit", "1 to 100"),
        ("limt=1", "limt", "amount_from"),
    ] {
        let reply = world.get(&format!("/api/v1/payments?{query}")).await;
        assert_eq!(reply.problem().0, 422, "{query}");
        let document = reply.json();
        assert_eq!(document["param"], param, "{query}");
        assert!(document["detail"].as_str().unwrap().contains(says), "{query}: {document}");
    }
    for query in ["", "query=", "query=%20", "query=a%00", "q=1"] {
        let reply = world.get(&format!("/api/v1/payments/search?{query}")).await;
        assert_eq!(reply.problem().0, 422, "{query}");
    }
    assert_eq!(world.get("/api/v1/refunds?status=done").await.problem().0, 422);
    assert_eq!(world.get("/api/v1/refunds?payment_id=x").await.problem().0, 404);
}

#[tokio::test]
async fn a_cursor_is_of_its_filters_alone() {
    let world = World::start().await;
    let made = made(&world).await;
    world.node.catch_up_search().await.unwrap();
    let page = world.get("/api/v1/payments?status=paid&limit=2").await.json();
    assert_eq!(ids(&page), [made.ordered, made.euros]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = world.get(&format!("/api/v1/payments?limit=100&cursor={cursor}&status=paid")).await.json();
    assert_eq!((ids(&next), next["has_more"].clone()), (vec![made.paid], Value::Bool(false)));
    for query in ["", "status=failed", "status=paid&currency=USD"] {
        let reply = world.get(&format!("/api/v1/payments?{query}&cursor={cursor}")).await;
        assert_eq!(reply.problem(), (422, "invalid_parameter".to_owned()), "{query}");
        assert!(reply.text().contains("other filters"), "{}", reply.text());
    }
    let plain =
        world.get("/api/v1/payments?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned();
    for path in [
        format!("payments?status=paid&cursor={plain}"),
        format!("payments/search?query=alice&cursor={cursor}"),
        format!("payments/search?query=alice&cursor={plain}"),
        format!("refunds?cursor={plain}"),
    ] {
        assert_eq!(world.get(&format!("/api/v1/{path}")).await.problem().0, 422, "{path}");
    }
    let found = world.get("/api/v1/payments/search?query=alice&limit=1").await.json();
    let cursor = found["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/payments/search?query=alice&cursor={cursor}")).await.json();
    assert_eq!((ids(&rest).len(), rest["has_more"].clone()), (1, Value::Bool(false)));
}
