//! Connections: the address, what a session is set to, and the task that drives each.

use std::sync::Arc;
use std::time::Duration;

use kernel::Tasks;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{Client, Config, Connection, NoTls};

use super::tls::{self, Tls};
use crate::{OpenError, Options, Synchronous};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Writes batches: its plans are pinned to the keys' indexes.
    Commit,
    /// Reads, and the small writes of jobs and leases.
    Read,
}

/// Makes connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: Option<Tls>,
    schema: String,
    synchronous: Synchronous,
    tasks: Arc<dyn Tasks>,
}

impl Connector {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let asked = tls::asked(url)?;
        let mut config: Config =
            asked.address.parse().map_err(|error: tokio_postgres::Error| address(&error))?;
        config.ssl_mode(asked.mode);
        if !is_plain(&options.schema) {
            return Err(OpenError::Address(format!("`{}` is no name of a schema", options.schema)));
        }
        if config.get_application_name().is_none() {
            config.application_name("florin");
        }
        config.connect_timeout(Duration::from_secs(5));
        config.keepalives_idle(Duration::from_secs(10));
        config.tcp_user_timeout(Duration::from_secs(20));
        Ok(Self {
            config,
            tls: asked.tls,
            schema: options.schema.clone(),
            synchronous: options.synchronous,
            tasks: Arc::clone(&options.tasks),
        })
    }

    /// A fresh session, set up.
    pub(super) async fn connect(&self, purpose: Use) -> Result<Client, tokio_postgres::Error> {
        let client = if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await?;
            self.drive(connection);
            client
        } else {
            let (client, connection) = self.config.connect(NoTls).await?;
            self.drive(connection);
            client
        };
        client.batch_execute(&self.settings(purpose)).await?;
        Ok(client)
    }

    fn drive<S, T>(&self, connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.tasks.spawn(
            "store-connection",
            Box::pin(async move {
                // How it ended is what its users see as an error of their statement.
                drop(connection.await);
            }),
        );
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    fn settings(&self, purpose: Use) -> String {
        let synchronous = match self.synchronous {
            Synchronous::Full => "on",
            Synchronous::Normal | Synchronous::Off => "off",
        };
        let mut settings = format!(
            "SET search_path = {}, pg_catalog; SET synchronous_commit = {synchronous}; SET jit = off; \
             SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning; \
             SET idle_in_transaction_session_timeout = '20s';",
            self.schema
        );
        // Every statement that is prepared here finds its rows by a key or in the order of an index:
        // a plan made once stays right, and planning again for each execution costs more than most
        // executions.
        settings.push_str(" SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;");
        if purpose == Use::Commit {
            settings.push_str(
                " SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; \
                 SET enable_bitmapscan = off;",
            );
        }
        settings
    }
}

fn address(error: &tokio_postgres::Error) -> OpenError {
    // The parser's message names the parameter, never its value.
    OpenError::Address(error.to_string())
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 60
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}
