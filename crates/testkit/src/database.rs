//! A database per test on a PostgreSQL server.

use tokio_postgres::{Client, Config, Error, NoTls};

/// Where the server is: a URL whose user may create databases.
pub const URL_VARIABLE: &str = "FLORIN_TEST_DATABASE_URL";

/// An empty database of its own, dropped with this value.
#[derive(Debug)]
pub struct Database {
    server: String,
    url: String,
    name: String,
}

impl Database {
    /// Creates one. `None` if no server is named by [`URL_VARIABLE`]; panics if a named server does
    /// not answer, as a test without its database has failed.
    ///
    /// # Panics
    /// See above.
    pub async fn create() -> Option<Self> {
        let server = std::env::var(URL_VARIABLE).ok()?;
        let name = name();
        let created = administer(&server, &format!("CREATE DATABASE {name}")).await;
        assert!(created.is_ok(), "the test server does not create a database: {created:?}");
        let url = with_database(&server, &name);
        Some(Self { server, url, name })
    }

    /// The URL of this database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of the test's own.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn connect(&self) -> Result<Client, Error> {
        connect(&self.url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The test's own runtime may be ending: dropping takes a thread and a runtime of its own.
        let (server, text) =
            (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(administer(&server, &text)))
        });
        drop(dropping.join());
    }
}

async fn administer(url: &str, text: &str) -> Result<(), Error> {
    connect(url).await?.batch_execute(text).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the connection ends with its client, on the test's own runtime"
)]
async fn connect(url: &str) -> Result<Client, Error> {
    let config: Config = url.parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    drop(tokio::spawn(connection));
    Ok(client)
}

#[expect(clippy::disallowed_methods, reason = "a name that no other process takes, not a time")]
/// Unique among tests that run at the same time, in this process and others.
fn name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{SystemTime, UNIX_EPOCH};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("florin_test_{nanos:x}_{}_{count}", std::process::id())
}

/// The server's URL with another database in its path.
fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server
        .split_once('?')
        .map_or((server, String::new()), |(address, query)| (address, format!("?{query}")));
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let host = address.get(host_at..).unwrap_or_default();
    let path_at = host.find('/').map_or(address.len(), |at| host_at + at);
    format!("{}/{name}{query}", address.get(..path_at).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (server, expected) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/x"),
            ("postgres://h", "postgres://h/x"),
            ("postgres:///postgres?host=/tmp/a&port=1", "postgres:///x?host=/tmp/a&port=1"),
        ] {
            assert_eq!(with_database(server, "x"), expected);
        }
    }
}
