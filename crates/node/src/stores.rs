//! Opening the stores: all features' tables in the main one; beside it the search's, which follow from
//! those, and the sandbox bank's.

use std::path::Path;
use std::sync::Arc;

use kernel::{Migration, Store, Table};
use store::{OpenError, Options, Schema, Synchronous};
use uuid::Uuid;

use crate::config::{BankPlace, Config};
use crate::{Metrics, Ports, StartError};

pub(crate) const MAIN_FILE: &str = "florin.db";
pub(crate) const VAULT_FILE: &str = "vault.db";
/// The schema of the card vault's tables on PostgreSQL: to be granted to nobody else.
pub(crate) const VAULT_SCHEMA: &str = "florin_vault";
const BANK_FILE: &str = "bank.db";
const SEARCH_FILE: &str = "search.db";
/// The schema of the search's tables on PostgreSQL.
const SEARCH_SCHEMA: &str = "florin_search";
/// The schema of the bank's tables on PostgreSQL: beside the main ones, and none of their business.
const BANK_SCHEMA: &str = "florin_bank";

/// The opened stores.
#[derive(Clone)]
pub struct Stores {
    /// Everything of ours.
    pub main: Arc<dyn Store>,
    /// What lists filter by and search finds: filled from the main store's journal, and filled again
    /// if it is lost.
    pub search: Arc<dyn Store>,
    /// The sandbox bank's, if it keeps its records in one.
    pub bank: Option<Arc<dyn Store>>,
    /// The card vault's, unless no card is taken.
    pub vault: Option<Arc<dyn Store>>,
}

impl Stores {
    /// Writes what is queued and closes them.
    pub async fn close(&self) {
        self.main.close().await;
        self.search.close().await;
        for beside in [&self.bank, &self.vault].into_iter().flatten() {
            beside.close().await;
        }
    }
}

/// All tables of all features, in the order in which a batch writes them.
pub fn tables() -> Vec<&'static Table> {
    let lists: [&[&'static Table]; 3] = [&vault::TABLES, &identity::TABLES, payments::TABLES];
    lists.into_iter().flatten().copied().collect()
}

/// All migrations of all features; the store adds its own.
pub fn migrations() -> [&'static [Migration]; 3] {
    [&vault::MIGRATIONS, &identity::MIGRATIONS, payments::MIGRATIONS]
}

/// The declarations of the main store.
pub fn schema() -> Result<Schema, OpenError> {
    Schema::new(&tables(), &migrations())
}

/// The declarations of the search's store.
pub fn search_schema() -> Result<Schema, OpenError> {
    Schema::new(payments::SEARCH_TABLES, &[payments::SEARCH_MIGRATIONS])
}

/// The declarations of the card vault's store.
pub fn vault_schema() -> Result<Schema, OpenError> {
    Schema::new(&vault::cards::TABLES, &[&vault::cards::MIGRATIONS])
}

/// The declarations of the sandbox bank's store.
pub fn bank_schema() -> Result<Schema, OpenError> {
    Schema::new(&sandbox_bank::TABLES, &[&sandbox_bank::MIGRATIONS])
}

/// Whether the embedded store is there already. Makes nothing.
pub fn has_store(config: &Config) -> bool {
    config.database.folder.join(MAIN_FILE).exists()
}

/// Opens the configured stores; with `migrate`, brings an older database up to date, otherwise it is
/// refused. Blocks while another process migrates the same database.
pub async fn open(config: &Config, ports: &Ports, node: Uuid, migrate: bool) -> Result<Stores, StartError> {
    // Stores find the counters that they count with when they are opened.
    let _ = Metrics::install(&config.metrics);
    let mut options =
        Options::new(node, Arc::clone(&ports.clock), Arc::clone(&ports.ids), Arc::clone(&ports.tasks));
    options.migrate = migrate;
    if let Some(most) = config.database.max_connections {
        options.committers = options.committers.min(most.saturating_sub(1)).max(1);
        options.readers = most.saturating_sub(options.committers).max(1);
    }
    let main = one(config, MAIN_FILE, schema()?, options.clone()).await?;
    // The search's and the bank's migrate always: nothing in them is worth an operator's attention.
    let beside = |name, synchronous, schema: &str| Options {
        name,
        synchronous,
        migrate: true,
        schema: schema.to_owned(),
        committers: 1,
        readers: 2,
        ..options.clone()
    };
    // A writer of its own, so that no payment waits for the search's rows.
    let options = beside("search", Synchronous::Normal, SEARCH_SCHEMA);
    let search = one(config, SEARCH_FILE, search_schema()?, options).await?;
    let vault = if config.vault.enabled {
        // What is in it is worth a migration's attention, and a flush.
        let options = Options { migrate, readers: 1, ..beside("vault", Synchronous::Full, VAULT_SCHEMA) };
        Some(one(config, VAULT_FILE, vault_schema()?, options).await?)
    } else {
        None
    };
    let bank = if config.sandbox.bank == BankPlace::Store {
        // Like a remote bank it outlives a killed process, and costs a payment no flush.
        let options = beside("bank", Synchronous::Off, BANK_SCHEMA);
        Some(one(config, BANK_FILE, bank_schema()?, options).await?)
    } else {
        None
    };
    Ok(Stores { main, search, bank, vault })
}

async fn one(
    config: &Config,
    file: &str,
    schema: Schema,
    options: Options,
) -> Result<Arc<dyn Store>, StartError> {
    if let Some(url) = &config.database.url {
        return Ok(store::open_postgres(url.expose(), schema, options).await?);
    }
    let folder = &config.database.folder;
    std::fs::create_dir_all(folder).map_err(|error| StartError::Folder {
        folder: folder.display().to_string(),
        reason: error.to_string(),
    })?;
    Ok(open_file(&folder.join(file), schema, options)?)
}

/// Opens the sandbox bank's store in a file: for a bank that runs alone.
pub(crate) fn open_bank_file(path: &Path, ports: &Ports) -> Result<Arc<dyn Store>, StartError> {
    let options = Options {
        synchronous: Synchronous::Off,
        ..Options::new(
            ports.ids.uuid(),
            Arc::clone(&ports.clock),
            Arc::clone(&ports.ids),
            Arc::clone(&ports.tasks),
        )
    };
    Ok(open_file(path, bank_schema()?, options)?)
}

fn open_file(path: &Path, schema: Schema, options: Options) -> Result<Arc<dyn Store>, OpenError> {
    store::open_sqlite(path, schema, options)
}
