//! Ledger words: accounts and immutable transfers of one currency.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Money, Scope};

/// What an account is for. The rules of posting between them are the ledger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// What a provider owes the merchant; one per provider account.
    Provider,
    /// What is owed to the merchant.
    Merchant,
    /// Fees that providers took.
    Fees,
    /// Money held back by open disputes.
    Dispute,
    /// Money nobody can explain yet.
    Suspense,
    /// Money in the merchant's bank account.
    Bank,
    /// A limit on volume; flagged: never overdrawn by a reserve.
    Volume,
}

impl AccountKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Provider, Self::Merchant, Self::Fees, Self::Dispute, Self::Suspense, Self::Bank, Self::Volume];

    /// The word in stored account names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Merchant => "merchant",
            Self::Fees => "fees",
            Self::Dispute => "dispute",
            Self::Suspense => "suspense",
            Self::Bank => "bank",
            Self::Volume => "volume",
        }
    }
}

/// An account within a scope: its kind and, where there are several of a kind, which.
///
/// Text form: `merchant`, `provider:pa_01k…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerAccount {
    /// What it is for.
    pub kind: AccountKind,
    /// Which of its kind; empty for the only one.
    pub part: String,
}

impl LedgerAccount {
    /// The part of the account from which limits on volume are granted, and to which what was used
    /// goes: it shows, below zero, what all counters have left.
    pub const POOL: &'static str = "pool";

    /// The only account of its kind.
    pub const fn of(kind: AccountKind) -> Self {
        Self { kind, part: String::new() }
    }

    /// One of several of a kind.
    pub fn part(kind: AccountKind, part: impl Into<String>) -> Self {
        Self { kind, part: part.into() }
    }

    /// Whether a reserve may never overdraw it. Such an account is one row and is not striped. Of the
    /// limits on volume that is each counter, and not the pool that they are granted from.
    pub fn is_flagged(&self) -> bool {
        matches!(self.kind, AccountKind::Volume) && self.part != Self::POOL
    }
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if self.part.is_empty() { Ok(()) } else { write!(f, ":{}", self.part) }
    }
}

impl FromStr for LedgerAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, part) = text.split_once(':').unwrap_or((text, ""));
        let kind = AccountKind::ALL.into_iter().find(|known| known.as_str() == kind);
        kind.map(|kind| Self::part(kind, part)).ok_or_else(|| format!("`{text}` names no account"))
    }
}

/// Why money moved: one word per rule of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingKind {
    /// Captured money.
    Capture,
    /// Refunded money.
    Refund,
    /// A refund that failed after it was booked, given back.
    RefundFailed,
    /// A provider's fee.
    Fee,
    /// A dispute took the money away for now.
    DisputeOpened,
    /// A provider's fee for a dispute.
    DisputeFee,
    /// The merchant lost it.
    DisputeLost,
    /// The provider gave the money back.
    DisputeWon,
    /// A decided dispute is open again.
    DisputeReopened,
    /// Compensates a posting that a later truth contradicted.
    Correction,
    /// Counts towards, or is released from, a limit on volume.
    Volume,
}

impl PostingKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Capture,
        Self::Refund,
        Self::RefundFailed,
        Self::Fee,
        Self::DisputeOpened,
        Self::DisputeFee,
        Self::DisputeLost,
        Self::DisputeWon,
        Self::DisputeReopened,
        Self::Correction,
        Self::Volume,
    ];

    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::RefundFailed => "refund_failed",
            Self::Fee => "fee",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeFee => "dispute_fee",
            Self::DisputeLost => "dispute_lost",
            Self::DisputeWon => "dispute_won",
            Self::DisputeReopened => "dispute_reopened",
            Self::Correction => "correction",
            Self::Volume => "volume",
        }
    }
}

impl FromStr for PostingKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = Self::ALL.into_iter().find(|known| known.as_str() == text);
        kind.ok_or_else(|| format!("`{text}` names no posting"))
    }
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The money moved.
    Posted,
    /// It is held; a later transfer of the same operation decides.
    Pending,
    /// Moves what the transfer with this ordinal, of the same operation, held.
    PostsPending(i64),
    /// Releases what the transfer with this ordinal, of the same operation, held.
    VoidsPending(i64),
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Posted => f.write_str("posted"),
            Self::Pending => f.write_str("pending"),
            Self::PostsPending(ordinal) => write!(f, "posts:{ordinal}"),
            Self::VoidsPending(ordinal) => write!(f, "voids:{ordinal}"),
        }
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` names no phase");
        match text.split_once(':') {
            None if text == "posted" => Ok(Self::Posted),
            None if text == "pending" => Ok(Self::Pending),
            Some(("posts", ordinal)) => ordinal.parse().map(Self::PostsPending).map_err(|_| unknown()),
            Some(("voids", ordinal)) => ordinal.parse().map(Self::VoidsPending).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// One immutable posting between two accounts of a scope: `amount` from `debit` to `credit`.
///
/// Identified by scope, subject, operation and ordinal; a second insert of the same is a
/// [`crate::Duplicate::Row`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whose books.
    pub scope: Scope,
    /// The payment (or other object) that caused it.
    pub subject: Uuid,
    /// The operation within it.
    pub operation: String,
    /// Number among the operation's transfers, from 0.
    pub ordinal: i64,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// Greater than zero.
    pub amount: Money,
    /// Why.
    pub kind: PostingKind,
    /// How far.
    pub phase: Phase,
}
