//! Every list over HTTP while others write: pages neither repeat nor skip, on both stores.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use testkit::Database;

use crate::openapi::need::prepared;
use crate::world::World;
use gateway::openapi::operation::Need;
use gateway::openapi::operations;

const STORED: &str = r#"{"card": {"card_number": "4242424242424242", "exp_month": 12, "exp_year": 2037}}"#;

/// One more entry of every list.
async fn write(world: &World, payment: &str, customer: &str) {
    world.pay(r#""customer_id": "regular", "#).await;
    let refund = r#"{"amount": 1, "reason": "one more"}"#;
    let replies = [
        world.post(&format!("/api/v1/payments/{payment}/refund"), refund).await,
        world.post("/api/v1/customers", "{}").await,
        world.post("/api/v1/api-keys", "{}").await,
        world.post(&format!("/api/v1/customers/{customer}/payment_methods"), STORED).await,
    ];
    for reply in replies {
        assert!(reply.status.is_success(), "{}", reply.text());
    }
}

/// All ids of a list, page by page.
async fn walk(world: &World, path: &str, limit: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    let separator = if path.contains('?') { '&' } else { '?' };
    loop {
        let reply = world.get(&format!("{path}{separator}limit={limit}{cursor}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
        let page = reply.json();
        let items = page["data"].as_array().unwrap();
        assert!(items.len() <= limit, "{path}: {} in a page of {limit}", items.len());
        // A moment of a timeline has no id of its own: what it says is what it is.
        all.extend(items.iter().map(|item| item["id"].as_str().map_or(item.to_string(), str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
        assert_eq!(page["has_more"], true, "{path}");
        tokio::task::yield_now().await;
    }
}

async fn pages_under_inserts(world: World) {
    let lists = [
        ("/payments", "list_payments"),
        ("/payments?customer_id=regular", "list_payments"),
        ("/refunds", "list_refunds"),
        ("/refunds?payment_id={payment}", "list_refunds"),
        ("/customers", "list_customers"),
        ("/customers/{customer}/payment_methods", "list_customer_payment_methods"),
        ("/users/{customer}/payment-methods", "list_user_payment_methods"),
        ("/payments/{payment}/timeline", "get_payment_timeline"),
        ("/payments/search?query=regular", "search_payments"),
        ("/api-keys", "list_api_keys"),
    ];
    let tried: BTreeSet<&str> = lists.iter().map(|(_, operation)| *operation).collect();
    let paged = |operation: &&gateway::openapi::Operation| {
        operation.query.parameters.iter().any(|parameter| parameter.name == "cursor")
    };
    let all: BTreeSet<&str> = operations().filter(paged).map(|operation| operation.id).collect();
    assert_eq!(tried, all, "every list that has pages is walked");

    for (path, operation) in lists {
        // Of its own: a payment can have 99 operations.
        let payment = prepared(&world, Need::PaidPayment).await;
        let customer = prepared(&world, Need::Customer).await;
        for _ in 0..12 {
            write(&world, &payment, &customer).await;
        }
        world.node.catch_up_search().await.unwrap();
        let path = format!("/api/v1{path}").replace("{payment}", &payment).replace("{customer}", &customer);
        let known: BTreeSet<String> = walk(&world, &path, 100).await.into_iter().collect();
        for limit in [1, 4] {
            let done = AtomicBool::new(false);
            let writing = async {
                let mut written = 0;
                while !done.load(Ordering::Relaxed) && written < 30 {
                    write(&world, &payment, &customer).await;
                    written += 1;
                }
                written
            };
            let walking = async {
                let walked = walk(&world, &path, limit).await;
                done.store(true, Ordering::Relaxed);
                walked
            };
            let (written, walked) = futures_util::future::join(writing, walking).await;
            assert!(written > 0, "somebody wrote meanwhile");
            let once: BTreeSet<String> = walked.iter().cloned().collect();
            assert_eq!(once.len(), walked.len(), "{operation} repeats in pages of {limit}");
            let missing: Vec<_> = known.difference(&once).collect();
            assert!(missing.is_empty(), "{operation} in pages of {limit} misses {missing:?}");
        }
    }
}

#[tokio::test]
async fn no_list_repeats_or_skips_under_inserts_on_sqlite() {
    pages_under_inserts(World::start().await).await;
}

#[tokio::test]
async fn no_list_repeats_or_skips_under_inserts_on_postgres() {
    let Some(database) = Database::create().await else { return };
    pages_under_inserts(World::start_on(Some(&database)).await).await;
}
