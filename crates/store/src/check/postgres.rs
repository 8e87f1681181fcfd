//! The schema of PostgreSQL, from its catalogue.

use kernel::Table;
use tokio_postgres::Client;

use super::{Found, FoundColumn, FoundIndex, differences, expected, plain};
use crate::postgres::{connect_for_checks, type_name};
use crate::{OpenError, Options, Schema};

/// Answers with one line per difference between the declarations and a database that was migrated
/// before. Empty is good.
pub async fn check_postgres_schema(
    url: &str,
    schema: &Schema,
    options: &Options,
) -> Result<Vec<String>, OpenError> {
    let client = connect_for_checks(url, options).await?;
    let mut lines = Vec::new();
    for table in schema.tables() {
        let found = found(&client, table).await?;
        lines.extend(differences(table, &expected(table, type_name, true), &found));
        lines.extend(collations(&client, table).await?);
    }
    Ok(lines)
}

async fn collations(client: &Client, table: &Table) -> Result<Vec<String>, OpenError> {
    let rows = client
        .query(
            "SELECT a.attname::text FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation \
             WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
             AND c.collname <> 'C'",
            &[&table.name],
        )
        .await?;
    let names = rows.iter().map(|row| row.try_get::<_, String>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().map(|name| format!("`{}`: column `{name}` is not COLLATE \"C\"", table.name)).collect())
}

async fn found(client: &Client, table: &Table) -> Result<Found, OpenError> {
    let mut found = Found::default();
    let columns = "SELECT attname::text, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute \
                   WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    for row in client.query(columns, &[&table.name]).await? {
        found.columns.push(FoundColumn {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            nullable: row.try_get(2)?,
        });
    }
    let indexes = "SELECT i.relname::text, x.indisprimary, x.indisunique, \
                   coalesce(pg_get_expr(x.indpred, x.indrelid), ''), \
                   ARRAY(SELECT a.attname::text \
                   FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
                   JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number ORDER BY k.place) \
                   FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
                   JOIN pg_am m ON m.oid = i.relam WHERE x.indrelid = to_regclass($1) AND m.amname = 'btree'";
    for row in client.query(indexes, &[&table.name]).await? {
        let columns: Vec<String> = row.try_get(4)?;
        if row.try_get(1)? {
            found.key = columns;
            continue;
        }
        let condition: String = row.try_get(3)?;
        let index = FoundIndex { columns, unique: row.try_get(2)?, condition: plain(&condition) };
        found.indexes.insert(row.try_get(0)?, index);
    }
    let fillfactor = "SELECT coalesce((SELECT split_part(o, '=', 2)::bigint FROM unnest(reloptions) o \
                      WHERE o LIKE 'fillfactor=%'), 100) FROM pg_class WHERE oid = to_regclass($1)";
    if let Some(row) = client.query_opt(fillfactor, &[&table.name]).await? {
        found.fillfactor = u8::try_from(row.try_get::<_, i64>(0)?).ok();
    }
    Ok(found)
}
