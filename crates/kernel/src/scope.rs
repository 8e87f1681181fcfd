//! Whose world a row belongs to: a merchant's test or live one.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{Id, Kind};

/// Marks ids of merchants (tenants).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Merchant {}

impl Kind for Merchant {
    const PREFIX: &'static str = "mer";
}

/// Test and live are separate worlds; nothing crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Simulated money at sandboxes.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// `test` or `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

/// A merchant's test or live world. Every stored row carries one, and every read takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The tenant.
    pub merchant: Id<Merchant>,
    /// Which of its two worlds.
    pub mode: Mode,
}

impl Scope {
    /// The scope as stored: the merchant's 16 bytes, then `t` or `l`.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(self.merchant.uuid().as_bytes());
        bytes[16] = match self.mode {
            Mode::Test => b't',
            Mode::Live => b'l',
        };
        bytes
    }

    /// Reads the stored form back; `None` if it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mode, merchant) = bytes.split_last()?;
        let mode = match mode {
            b't' => Mode::Test,
            b'l' => Mode::Live,
            _ => return None,
        };
        Some(Self { merchant: Id::from_uuid(Uuid::from_slice(merchant).ok()?), mode })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.merchant, self.mode.as_str())
    }
}
