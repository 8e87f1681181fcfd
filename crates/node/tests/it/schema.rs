//! What the features declare is what their migrations make, in both dialects.

use testkit::Database;

/// Of every store of a node.
fn schemas() -> [store::Schema; 4] {
    [node::schema(), node::search_schema(), node::vault_schema(), node::bank_schema()].map(Result::unwrap)
}

#[test]
fn sqlite_has_what_is_declared() {
    for schema in schemas() {
        let differences = store::check_schema(&schema).unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_what_is_declared() {
    for schema in schemas() {
        let Some(database) = Database::create().await else { return };
        let ports = node::host::ports();
        let options = store::Options::new(ports.ids.uuid(), ports.clock, ports.ids, ports.tasks);
        let store = store::open_postgres(database.url(), schema.clone(), options.clone()).await.unwrap();
        store.close().await;
        let differences = store::check_postgres_schema(database.url(), &schema, &options).await.unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

#[test]
fn migrations_are_numbered_once_and_within_their_crate() {
    // The store's own numbers are below 100, the bank's are 900 and up and live in another store.
    let mut numbers: Vec<u32> = node::migrations().into_iter().flatten().map(|step| step.number).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
    assert!(numbers.iter().all(|number| (100..900).contains(number)), "{numbers:?}");
}
