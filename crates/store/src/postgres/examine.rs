//! What an operator should know of a database before Florin runs on it. Reads, and changes nothing.

use tokio_postgres::Client;

use super::connect_for_checks;
use crate::{OpenError, Options};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of the server's own, on or off")]
pub struct PostgresFacts {
    /// As the server writes it, such as `15.4`.
    pub version: String,
    /// The number of the major version.
    pub major: i32,
    /// Whether commits reach the disk at all; `off` loses them when the power fails.
    pub fsync: bool,
    /// Whether torn pages are mended after a power failure.
    pub full_page_writes: bool,
    /// How the database stores texts.
    pub encoding: String,
    /// Whether it only repeats what another server writes.
    pub is_standby: bool,
    /// Its clock, in microseconds since 1970.
    pub now_micros: i64,
    /// Whether one connection is one session: behind a pooler of transactions it is not.
    pub keeps_session: bool,
    /// The version of TLS of a connection like all others; `None`: it is in plain.
    pub encryption: Option<String>,
    /// Whether the server is on this machine, as far as the address tells.
    pub is_local: bool,
    /// Connections that the server takes, and those that are open.
    pub connections: (i64, i64),
    /// The numbers of the migrations that were run; `None`: none ever.
    pub migrations: Option<Vec<u32>>,
}

/// Looks at the database at `url`.
pub async fn examine_postgres(url: &str, options: &Options) -> Result<PostgresFacts, OpenError> {
    let client = connect_for_checks(url, options).await?;
    let keeps_session = keeps_session(&client).await?;
    let row = client
        .query_one(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, \
             current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on', \
             pg_encoding_to_char(encoding)::text, pg_is_in_recovery(), \
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
             current_setting('max_connections')::bigint, (SELECT count(*) FROM pg_stat_activity), \
             (SELECT s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl), \
             coalesce(inet_client_addr() = inet_server_addr(), true) \
             FROM pg_database WHERE datname = current_database()",
            &[],
        )
        .await?;
    Ok(PostgresFacts {
        version: row.try_get(0)?,
        major: row.try_get(1)?,
        fsync: row.try_get(2)?,
        full_page_writes: row.try_get(3)?,
        encoding: row.try_get(4)?,
        is_standby: row.try_get(5)?,
        now_micros: row.try_get(6)?,
        keeps_session,
        connections: (row.try_get(7)?, row.try_get(8)?),
        encryption: row.try_get(9)?,
        is_local: row.try_get(10)?,
        migrations: migrations(&client, &options.schema).await?,
    })
}

/// A setting of the session, asked for again in transactions of their own. A pooler that deals out
/// transactions has another session for one of them, or resets it in between.
async fn keeps_session(client: &Client) -> Result<bool, OpenError> {
    client.batch_execute("SET florin.doctor = 'here'").await?;
    let mut backends = Vec::new();
    for _ in 0..5 {
        let ask = "SELECT pg_backend_pid(), coalesce(current_setting('florin.doctor', true), '') = 'here'";
        let row = client.query_one(ask, &[]).await?;
        if !row.try_get::<_, bool>(1)? {
            return Ok(false);
        }
        backends.push(row.try_get::<_, i32>(0)?);
    }
    backends.dedup();
    Ok(backends.len() == 1)
}

async fn migrations(client: &Client, schema: &str) -> Result<Option<Vec<u32>>, OpenError> {
    let name = format!("{schema}.florin_migration");
    let found = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
    if !found.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let rows = client.query(&format!("SELECT number FROM {name} ORDER BY number"), &[]).await?;
    let numbers = rows.iter().map(|row| row.try_get::<_, i64>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(numbers.into_iter().filter_map(|number| number.try_into().ok()).collect()))
}
