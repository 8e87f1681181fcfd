//! Card vaults over every store, each over a keystore in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::{CardNumber, Cell, Changes, Id, Lane, Mode, Outcome, Row, Scope, Store, Update};
use serde_json::Value;
use store::{Memory, Options, Schema};
use testkit::{CountedIds, Database, ManualClock, RuntimeTasks, SeededRandom};
use uuid::Uuid;
use vault::VaultError;
use vault::cards::{
    CardToken, CardVault, HolderId, KeystorePorts, MIGRATIONS, SoftwareKeystore, TABLES, Unlock, VaultPorts,
};

use crate::world::Folder;

pub(crate) const VISA: &str = "4242424242424242";
pub(crate) const AMEX: &str = "378282246310005";
/// A number that only its place in this list tells apart: Visa test numbers with a right check digit.
pub(crate) fn numbered(count: u64) -> CardNumber {
    let body = format!("424242{count:09}");
    let number = (0..10).find_map(|digit| CardNumber::parse(&format!("{body}{digit}")).ok());
    number.unwrap()
}

pub(crate) fn number(text: &str) -> CardNumber {
    CardNumber::parse(text).unwrap()
}

pub(crate) fn scope(merchant: u128) -> Scope {
    Scope { merchant: Id::from_uuid(Uuid::from_u128(merchant)), mode: Mode::Test }
}

pub(crate) fn holder(number: u128) -> HolderId {
    Id::from_uuid(Uuid::from_u128(number))
}

pub(crate) struct CardWorld {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) memory: Option<Arc<Memory>>,
    pub(crate) clock: ManualClock,
    pub(crate) folder: Folder,
    ids: Arc<CountedIds>,
    random: Arc<SeededRandom>,
    _database: Option<Database>,
}

pub(crate) async fn worlds(name: &str) -> Vec<CardWorld> {
    let mut worlds = vec![CardWorld::memory(name), CardWorld::sqlite(name)];
    worlds.extend(CardWorld::postgres(name).await);
    worlds
}

fn schema() -> Schema {
    Schema::new(&TABLES, &[&MIGRATIONS]).unwrap()
}

impl CardWorld {
    pub(crate) fn memory(name: &str) -> Self {
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        let memory = store::open_memory_with(schema(), Arc::new(clock.clone()), None);
        let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
        Self { memory: Some(memory), ..Self::over("memory", name, store, clock, None) }
    }

    /// In memory, and with other random numbers than all others: its keys are nobody else's.
    pub(crate) fn seeded(name: &str, seed: u64) -> Self {
        Self { random: Arc::new(SeededRandom::new(seed)), ..Self::memory(name) }
    }

    pub(crate) fn sqlite(name: &str) -> Self {
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        let folder = Folder::new(&format!("{name}-sqlite-files"));
        let store = store::open_sqlite(&folder.file("vault.db"), schema(), options(&clock)).unwrap();
        Self { folder, ..Self::over("sqlite", name, store, clock, None) }
    }

    pub(crate) async fn postgres(name: &str) -> Option<Self> {
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        let database = Database::create().await?;
        let store = store::open_postgres(database.url(), schema(), options(&clock)).await.unwrap();
        Some(Self::over("postgres", name, store, clock, Some(database)))
    }

    fn over(
        kind: &'static str,
        name: &str,
        store: Arc<dyn Store>,
        clock: ManualClock,
        database: Option<Database>,
    ) -> Self {
        Self {
            name: kind,
            store,
            memory: None,
            clock,
            folder: Folder::new(&format!("{name}-{kind}")),
            ids: Arc::default(),
            random: Arc::new(SeededRandom::new(7)),
            _database: database,
        }
    }

    pub(crate) fn keystore_ports(&self) -> KeystorePorts {
        KeystorePorts {
            clock: Arc::new(self.clock.clone()),
            ids: Arc::<CountedIds>::clone(&self.ids),
            random: Arc::<SeededRandom>::clone(&self.random),
        }
    }

    pub(crate) fn keystore_path(&self) -> PathBuf {
        self.folder.file("vault.keystore")
    }

    pub(crate) fn unlock(&self) -> Unlock {
        Unlock::KeyFile(self.folder.file("vault.key"))
    }

    /// As a node starts: the keystore is opened from its file, and the vault over it.
    pub(crate) async fn start(&self) -> Result<Arc<CardVault>, VaultError> {
        let (path, unlock) = (self.keystore_path(), self.unlock());
        let keystore = SoftwareKeystore::open_or_create(&path, &unlock, self.keystore_ports())?;
        self.start_with(keystore).await
    }

    pub(crate) async fn start_with(&self, keystore: SoftwareKeystore) -> Result<Arc<CardVault>, VaultError> {
        let ports = VaultPorts {
            store: Arc::clone(&self.store),
            keys: Arc::new(keystore),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::<CountedIds>::clone(&self.ids),
            random: Arc::<SeededRandom>::clone(&self.random),
        };
        CardVault::open(ports).await
    }

    /// All rows of a table, by its place in the list.
    pub(crate) async fn rows(&self, table: usize) -> Vec<Row> {
        self.store.find(kernel::Query::everywhere(TABLES[table], 1000)).await.unwrap()
    }

    pub(crate) async fn cards(&self) -> Vec<Row> {
        self.rows(1).await
    }

    /// Changes a stored card past the vault.
    pub(crate) async fn tamper(
        &self,
        scope: Scope,
        token: CardToken,
        change: impl FnOnce(&mut Value, &mut Vec<Cell>),
    ) {
        let row = self.store.get(TABLES[1], scope, vec![token.into()]).await.unwrap().unwrap();
        let mut state: Value = serde_json::from_slice(&row.state[1..]).unwrap();
        let mut columns = row.columns.clone();
        change(&mut state, &mut columns);
        let mut changes = Changes::new(kernel::Ids::uuid(self.ids.as_ref()), Lane::Background);
        let bytes = format!("1{state}").into_bytes();
        let row_as = kernel::Insert { table: TABLES[1], scope, key: row.key, columns, state: bytes };
        changes.update.push(Update { row: row_as, expected: row.version });
        let outcome = self.store.commit(changes).await;
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    }
}

fn options(clock: &ManualClock) -> Options {
    let ids = Arc::new(CountedIds::default());
    Options::new(Uuid::from_u128(77), Arc::new(clock.clone()), ids, Arc::new(RuntimeTasks))
}

/// The state of a stored card.
pub(crate) fn state(row: &Row) -> Value {
    serde_json::from_slice(&row.state[1..]).unwrap()
}
