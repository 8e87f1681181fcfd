//! A tenant.

use kernel::{Cell, Id, Mode, Record, Scope, Table, Timestamp, contains_card_number};
use serde::{Deserialize, Serialize};

use crate::{IdentityError, MERCHANT};

const NAME_LIMIT: usize = 200;

/// A merchant: whoever takes money through this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// Its id.
    pub id: Id<kernel::Merchant>,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Merchant {
    /// A new one. White space around the name is dropped.
    pub fn new(id: Id<kernel::Merchant>, name: &str, now: Timestamp) -> Result<Self, IdentityError> {
        let name = name.trim();
        let fits = !name.is_empty() && name.chars().count() <= NAME_LIMIT;
        if !fits || name.chars().any(char::is_control) || contains_card_number(name) {
            return Err(IdentityError::Name);
        }
        Ok(Self { id, name: name.to_owned(), created_at: now })
    }

    /// One of its worlds.
    pub const fn scope(&self, mode: Mode) -> Scope {
        Scope { merchant: self.id, mode }
    }
}

/// Where a merchant's own rows are: its test scope.
pub(crate) const fn home(merchant: Id<kernel::Merchant>) -> Scope {
    Scope { merchant, mode: Mode::Test }
}

impl Record for Merchant {
    const TABLE: &'static Table = &MERCHANT;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}
