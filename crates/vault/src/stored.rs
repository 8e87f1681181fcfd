//! What the store keeps of the secrets: a check value per world and, for test worlds on a shared
//! database without a configured secret, the secret itself.

use kernel::{Cell, Column, ColumnType, Id, Migration, Mode, Record, Scope, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::secret::to_hex;
use crate::{Keys, Purpose, ServerSecret, VaultError};

/// The scope of rows that belong to the whole installation and to no merchant.
pub const INSTALLATION: Scope = Scope { merchant: Id::from_uuid(Uuid::nil()), mode: Mode::Test };

/// One row per world that was ever opened. Never changed.
pub static SERVER_SECRET: Table = Table {
    name: "server_secret",
    key: &[Column::new("world", ColumnType::Text)],
    columns: &[],
    versioned: false,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

/// The tables of this crate.
pub static TABLES: [&Table; 1] = [&SERVER_SECRET];

/// Their migrations; this crate's numbers are 150 to 199.
pub static MIGRATIONS: [Migration; 1] = [Migration {
    number: 150,
    name: "server_secret",
    sqlite: include_str!("../migrations/sqlite/150_server_secret.sql"),
    postgres: include_str!("../migrations/postgres/150_server_secret.sql"),
}];

/// Which secret a world was written with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredSecret {
    pub(crate) world: Mode,
    /// MAC of a fixed text under the world's check key, in hexadecimal digits.
    check: String,
    /// The secret, if the database keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
}

/// A secret in its stored form; a type of its own so that it does not print.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Kept(String);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl StoredSecret {
    /// The row of a world that begins with this secret; with `keep` the database keeps it.
    pub(crate) fn new(world: Mode, secret: &ServerSecret, keep: bool) -> Result<Self, VaultError> {
        let kept = keep.then(|| Kept(secret.to_hex()));
        Ok(Self { world, check: check(world, secret)?, kept })
    }

    /// The secret that the database keeps for this world.
    pub(crate) fn kept(&self) -> Option<Result<ServerSecret, VaultError>> {
        self.kept.as_ref().map(|kept| ServerSecret::parse(&kept.0))
    }

    /// Refuses another secret than this world was written with.
    pub(crate) fn verify(&self, secret: &ServerSecret) -> Result<(), VaultError> {
        // The check value is no secret, and an operator is no guesser: plain equality is enough.
        if check(self.world, secret)? == self.check {
            Ok(())
        } else {
            Err(VaultError::OtherSecret(self.world))
        }
    }
}

fn check(world: Mode, secret: &ServerSecret) -> Result<String, VaultError> {
    let mac = Keys::derive(secret, world)?.mac(Purpose::Check, &[b"this store was written with this secret"]);
    Ok(to_hex(&mac))
}

impl Record for StoredSecret {
    const TABLE: &'static Table = &SERVER_SECRET;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.world.as_str().into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}
