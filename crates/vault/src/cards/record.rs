//! What the vault's own store keeps: the keyring, the cards, and who holds them.

use std::time::Duration;

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Migration, Record, Scope, Table, Timestamp};
use serde::{Deserialize, Serialize};

use super::encryption::KekId;
use crate::VaultError;
use crate::cipher::place_of;
use crate::secret::{from_hex, to_hex};

/// Marks the tokens of cards. They stand in the main store and are useless without this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VaultCard {}

impl Kind for VaultCard {
    const PREFIX: &'static str = "vc";
}

/// Marks ids of who holds a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardHolder {}

impl Kind for CardHolder {
    const PREFIX: &'static str = "vh";
}

/// Who holds a card: the same 128 bits as the id of what holds it in the main store.
pub type HolderId = Id<CardHolder>;

/// The token of a card.
pub type CardToken = Id<VaultCard>;

/// After this a holder that nobody confirmed is asked about: its owner's commit has long ended.
const CONFIRM_AFTER: Duration = Duration::from_hours(1);

/// Bytes as they stand in a record's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hex(String);

impl Hex {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(to_hex(bytes))
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, VaultError> {
        from_hex(&self.0).ok_or(VaultError::Damaged("a row of the vault"))
    }
}

/// The one row of keys, version-guarded: whoever changes which key is used wins or reads again.
pub(crate) static VAULT_KEYRING: Table = Table {
    name: "vault_keyring",
    key: &[Column::new("name", ColumnType::Text)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

/// Cards by token; at most one per number and scope. The second index finds what a key still wraps.
pub(crate) static VAULT_CARD: Table = Table {
    name: "vault_card",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::nullable("fingerprint", ColumnType::Text), Column::nullable("kek", ColumnType::Uuid)],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "vault_card_fingerprint",
            columns: &["scope", "fingerprint"],
            unique: true,
            where_present: Some("fingerprint"),
            where_absent: None,
        },
        Index {
            name: "vault_card_kek",
            columns: &["kek", "scope", "id"],
            unique: false,
            where_present: Some("kek"),
            where_absent: None,
        },
    ],
    fillfactor: 90,
};

/// Who holds a card; those that nobody confirmed yet by the time when they are asked about.
pub(crate) static VAULT_HOLDER: Table = Table {
    name: "vault_holder",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("card", ColumnType::Uuid), Column::nullable("check_at", ColumnType::Time)],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "vault_holder_card",
            columns: &["scope", "card", "id"],
            unique: false,
            where_present: None,
            where_absent: None,
        },
        Index {
            name: "vault_holder_check",
            columns: &["check_at", "scope", "id"],
            unique: false,
            where_present: Some("check_at"),
            where_absent: None,
        },
    ],
    fillfactor: 90,
};

/// The tables of the vault's store.
pub static TABLES: [&Table; 3] = [&VAULT_KEYRING, &VAULT_CARD, &VAULT_HOLDER];

/// Their migrations.
pub static MIGRATIONS: [Migration; 1] = [Migration {
    number: 170,
    name: "card_vault",
    sqlite: include_str!("../../migrations/sqlite/170_card_vault.sql"),
    postgres: include_str!("../../migrations/postgres/170_card_vault.sql"),
}];

/// A key that cards are, or may still be, wrapped under.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KnownKey {
    pub(crate) id: KekId,
    /// A random key wrapped under it: opens under no other.
    pub(crate) check: Hex,
}

/// A key that nothing is under any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredKey {
    /// The key.
    pub id: KekId,
    /// Since when.
    pub at: Timestamp,
}

/// Which keys the cards are under.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Keyring {
    /// What new cards are wrapped under; the last of `keys`.
    pub(crate) current: KekId,
    /// The current key and those before it that something may still be under.
    pub(crate) keys: Vec<KnownKey>,
    /// The keys before those, newest last.
    pub(crate) retired: Vec<RetiredKey>,
    /// The key of fingerprints, wrapped under the current key. It stays the same for ever: which card a
    /// number is does not change with what wraps it.
    pub(crate) fingerprint_key: Hex,
    /// When the current key became that, by the database's clock.
    pub(crate) changed_at: Timestamp,
}

impl Keyring {
    /// The key of the one row.
    pub(crate) const NAME: &'static str = "cards";

    /// The keys before the current one that something may still be under.
    pub(crate) fn retiring(&self) -> impl Iterator<Item = KekId> + '_ {
        self.keys.iter().map(|key| key.id).filter(|id| *id != self.current)
    }
}

impl Record for Keyring {
    const TABLE: &'static Table = &VAULT_KEYRING;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![Self::NAME.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

/// A card: its number under its data key, and that key under a key-encryption key. Without them it is
/// the proof that it was destroyed, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredCard {
    pub(crate) id: CardToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<Kept>,
    pub(crate) made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) destroyed_at: Option<Timestamp>,
}

/// What is kept of a card until it is destroyed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Which number it is: a MAC under the fingerprint key.
    pub(crate) fingerprint: String,
    /// What wraps the data key.
    pub(crate) kek: KekId,
    /// The wrapped data key.
    pub(crate) data_key: Hex,
    /// The sealed number.
    pub(crate) number: Hex,
}

impl StoredCard {
    /// Forgets everything but that it was there.
    pub(crate) fn destroy(&mut self, now: Timestamp) {
        self.kept = None;
        self.destroyed_at = Some(now);
    }
}

/// The stored form that a card's place names: another form is another place.
const PLACE_FORM: &[u8] = b"1";

/// Where a card's number is sealed for. The fingerprint is part of it, so that a row cannot be made to
/// answer for another number.
pub(crate) fn number_place(scope: Scope, card: CardToken, fingerprint: &str) -> Vec<u8> {
    let (scope, card) = (scope.to_bytes(), card.uuid());
    place_of(&[b"card number", PLACE_FORM, &scope, card.as_bytes(), fingerprint.as_bytes()])
}

/// Where a card's data key is wrapped for.
pub(crate) fn data_key_place(scope: Scope, card: CardToken, kek: KekId) -> Vec<u8> {
    let (card, kek) = (card.uuid(), kek.uuid());
    place_of(&[b"card data key", PLACE_FORM, &scope.to_bytes(), card.as_bytes(), kek.as_bytes()])
}

/// Where a key of the keyring itself is wrapped for.
pub(crate) fn keyring_place(what: &str, kek: KekId) -> Vec<u8> {
    place_of(&[b"keyring", what.as_bytes(), kek.uuid().as_bytes()])
}

impl Record for StoredCard {
    const TABLE: &'static Table = &VAULT_CARD;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        let kept = self.kept.as_ref();
        vec![kept.map(|kept| kept.fingerprint.clone()).into(), kept.map(|kept| kept.kek).into()]
    }
}

/// Who holds a card: a payment method of the main store, by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) id: HolderId,
    pub(crate) card: CardToken,
    /// The main store has it.
    pub(crate) confirmed: bool,
    pub(crate) made_at: Timestamp,
}

impl Record for Holder {
    const TABLE: &'static Table = &VAULT_HOLDER;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        let check_at = if self.confirmed { Cell::Null } else { Cell::After(CONFIRM_AFTER) };
        vec![self.card.into(), check_at]
    }
}
