//! Brings a database up to date and creates the batch functions, one node at a time.

use tokio_postgres::{Client, Error, Transaction};

use super::connect::Connector;
use super::functions::{Functions, NOW};
use crate::{OpenError, Options, Schema};

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Database(super::text(&error))
    }
}

/// Runs what is missing. All of it is one transaction, under a lock that other nodes wait for.
pub(super) async fn migrate(
    client: &mut Client,
    schema: &Schema,
    functions: &Functions,
    connector: &Connector,
    options: &Options,
) -> Result<(), OpenError> {
    if options.migrate {
        // Two nodes that both find no table collide in the catalogue: the second look finds it.
        for _ in 0..3 {
            if prepare(client, connector.schema()).await.is_ok() {
                break;
            }
        }
        prepare(client, connector.schema()).await?;
    } else if !ledger_exists(client, connector.schema()).await? {
        return Err(OpenError::OlderSchema { found: 0, needed: schema.newest() });
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute("LOCK TABLE florin_migration IN EXCLUSIVE MODE").await?;
    let done = transaction.query("SELECT number FROM florin_migration ORDER BY number", &[]).await?;
    let done: Vec<u32> =
        done.iter().map(|row| row.get::<_, i64>(0)).filter_map(|n| n.try_into().ok()).collect();
    for migration in crate::schema::missing(schema, &done, options.migrate)? {
        let run = run(&transaction, migration).await;
        run.map_err(|error| OpenError::Migration {
            number: migration.number,
            name: migration.name,
            reason: super::text(&error),
        })?;
    }
    create(&transaction, functions).await?;
    transaction.commit().await?;
    Ok(())
}

async fn prepare(client: &Client, schema: &str) -> Result<(), Error> {
    client
        .batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {schema}.florin_migration \
             (number bigint PRIMARY KEY, name text NOT NULL, applied_at bigint NOT NULL);"
        ))
        .await
}

async fn ledger_exists(client: &Client, schema: &str) -> Result<bool, Error> {
    let name = format!("{schema}.florin_migration");
    let found = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
    found.try_get(0)
}

async fn run(transaction: &Transaction<'_>, migration: &kernel::Migration) -> Result<(), Error> {
    transaction.batch_execute(migration.postgres).await?;
    let (number, name) = (i64::from(migration.number), migration.name);
    let note = format!("INSERT INTO florin_migration (number, name, applied_at) VALUES ($1, $2, {NOW})");
    transaction.execute(&note, &[&number, &name]).await?;
    Ok(())
}

/// The functions carry a hash of what they do: those that exist need no second look.
async fn create(transaction: &Transaction<'_>, functions: &Functions) -> Result<(), Error> {
    let known = transaction
        .query_one(
            "SELECT count(*) FROM pg_catalog.pg_proc \
             WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, $1)",
            &[&functions.prefix()],
        )
        .await?;
    let known: i64 = known.get(0);
    if usize::try_from(known).unwrap_or(0) >= functions.count() {
        return Ok(());
    }
    for definition in functions.definitions() {
        transaction.batch_execute(definition).await?;
    }
    Ok(())
}
