//! Migrations and the check of declarations against what they made.

use kernel::{Column, ColumnType, Index, Table};
use store::{OpenError, Options, Schema, check_postgres_schema, check_schema};
use testkit::Database;

use crate::bench::{Bench, MARK, MIGRATIONS, options, schema};
use crate::host::{TestClock, TestIds};

fn fresh() -> Options {
    options(&TestClock::new(), &TestIds::new())
}

/// `THING` with everything about it wrong.
static DOCTORED: Table = Table {
    name: "thing",
    key: &[Column::new("id", ColumnType::Bytes)],
    columns: &[
        Column::nullable("created_at", ColumnType::Time),
        Column::new("due_at", ColumnType::Text),
        Column::new("missing", ColumnType::Int),
    ],
    versioned: false,
    has_state: true,
    indexes: &[
        Index {
            name: "thing_due",
            columns: &["scope", "due_at"],
            unique: true,
            where_present: None,
            where_absent: Some("due_at"),
        },
        Index {
            name: "thing_missing",
            columns: &["due_at"],
            unique: false,
            where_present: None,
            where_absent: None,
        },
    ],
    fillfactor: 70,
};

#[test]
fn the_declarations_are_the_schema_of_sqlite() {
    assert_eq!(check_schema(&schema()).unwrap(), Vec::<String>::new());
}

#[test]
fn every_difference_is_named() {
    let doctored = Schema::new(&[&DOCTORED, &MARK], &[MIGRATIONS]).unwrap();
    let lines = check_schema(&doctored).unwrap().join("\n");
    for wanted in
        ["created_at", "due_at", "missing", "version", "label", "thing_due", "thing_missing", "thing_label"]
    {
        assert!(lines.contains(wanted), "{wanted} is not named in\n{lines}");
    }
}

#[tokio::test]
async fn the_declarations_are_the_schema_of_postgres() {
    let Some(bench) = Bench::postgres().await else { return };
    let url = bench.database.as_ref().unwrap().url();
    let same = check_postgres_schema(url, &schema(), &fresh()).await.unwrap();
    assert_eq!(same, Vec::<String>::new());
    let doctored = Schema::new(&[&DOCTORED, &MARK], &[MIGRATIONS]).unwrap();
    let lines = check_postgres_schema(url, &doctored, &fresh()).await.unwrap().join("\n");
    for wanted in ["id", "due_at", "missing", "version", "label", "thing_due", "thing_missing", "fillfactor"]
    {
        assert!(lines.contains(wanted), "{wanted} is not named in\n{lines}");
    }
}

#[tokio::test]
async fn an_older_sqlite_is_migrated_or_refused() {
    let bench = Bench::sqlite();
    let file = bench.file().unwrap().with_file_name("older.db");
    let older = || Schema::new(&[], &[]).unwrap();
    drop(store::open_sqlite(&file, older(), fresh()).unwrap());
    let refused = store::open_sqlite(&file, schema(), Options { migrate: false, ..fresh() });
    assert!(matches!(refused.err(), Some(OpenError::OlderSchema { found: 1, needed: 9000 })));
    drop(store::open_sqlite(&file, schema(), fresh()).unwrap());
    drop(store::open_sqlite(&file, schema(), Options { migrate: false, ..fresh() }).unwrap());
    let newer = store::open_sqlite(&file, older(), fresh());
    assert!(matches!(newer.err(), Some(OpenError::NewerSchema(9000))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_is_migrated_or_refused_and_nodes_wait_for_each_other() {
    let Some(database) = Database::create().await else { return };
    let older = || Schema::new(&[], &[]).unwrap();
    let refused = store::open_postgres(database.url(), older(), Options { migrate: false, ..fresh() }).await;
    assert!(matches!(refused.err(), Some(OpenError::OlderSchema { found: 0, needed: 1 })));
    let nodes = (0..4).map(|_| store::open_postgres(database.url(), older(), fresh()));
    for node in futures_util::future::join_all(nodes).await {
        node.unwrap().close().await;
    }
    let refused = store::open_postgres(database.url(), schema(), Options { migrate: false, ..fresh() }).await;
    assert!(matches!(refused.err(), Some(OpenError::OlderSchema { found: 1, needed: 9000 })));
    let second = || Options { schema: "florin_bank".to_owned(), ..fresh() };
    let nodes = [fresh(), fresh(), second(), second()];
    let nodes = nodes.map(|options| store::open_postgres(database.url(), schema(), options));
    for node in futures_util::future::join_all(nodes).await {
        node.unwrap().close().await;
    }
    let newer = store::open_postgres(database.url(), older(), fresh()).await;
    assert!(matches!(newer.err(), Some(OpenError::NewerSchema(9000))));
}

#[tokio::test]
async fn an_address_that_cannot_be_used_says_why() {
    let options = || Options { schema: "no; name".to_owned(), ..fresh() };
    for (url, options, wanted) in [
        ("postgres://h/d?sslmode=allow", fresh(), "sslmode must be disable, prefer, require"),
        ("postgres://h/d?sslmode=verify%2Dca", fresh(), "needs sslrootcert"),
        ("postgres://u:p?w@h/d?sslmode=verify-ca", fresh(), "needs sslrootcert"),
        ("postgres://h/d?sslmode=verify-ca&sslrootcert=system", fresh(), "needs sslrootcert"),
        ("postgres://h/d?sslmode=require&sslrootcert=system", fresh(), "needs sslmode=verify-full"),
        ("postgres://h/d?sslmode=verify-full&sslrootcert=/no/such", fresh(), "(/no/such) cannot be read"),
        ("postgres://h/d?sslmode=verify-full&sslrootcert=Cargo.toml", fresh(), "holds no certificate"),
        ("postgres://h:port/d", fresh(), "address"),
        ("postgres://h/d", options(), "schema"),
    ] {
        let error = store::open_postgres(url, schema(), options).await.err().unwrap().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let nowhere = store::open_postgres("postgres://127.0.0.1:1/d", schema(), fresh()).await;
    assert!(matches!(nowhere.err(), Some(OpenError::Database(_))));
}
