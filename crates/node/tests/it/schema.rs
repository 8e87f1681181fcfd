//! What the features declare is what their migrations make, in both dialects.

use testkit::Database;

#[test]
fn sqlite_has_what_is_declared() {
    for schema in [node::schema().unwrap(), node::search_schema().unwrap(), node::bank_schema().unwrap()] {
        let differences = store::check_schema(&schema).unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_what_is_declared() {
    for schema in [node::schema().unwrap(), node::search_schema().unwrap(), node::bank_schema().unwrap()] {
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
