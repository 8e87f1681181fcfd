//! Disputes: the payer's bank takes money back until it is decided.

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Money, Record, Table, Timestamp};
use provider_kit::DisputePhase;
use serde::{Deserialize, Serialize};

use crate::payment::PaymentKind;

/// Marks ids of disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisputeKind {}

impl Kind for DisputeKind {
    const PREFIX: &'static str = "dp";
}

/// A dispute of one payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its id, derived from the provider's reference so that a second notice finds the same row.
    pub id: Id<DisputeKind>,
    /// Of which payment.
    pub payment: Id<PaymentKind>,
    /// How far.
    pub phase: DisputePhase,
    /// What is disputed.
    pub amount: Money,
    /// The provider's reference.
    pub reference: String,
    /// The provider's reason code.
    pub reason: String,
    /// How many postings it has made; numbers its transfers.
    pub postings: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
}

/// A dispute in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeSummary {
    /// Its id.
    pub id: Id<DisputeKind>,
    /// Minor units.
    pub amount: i64,
    /// How far.
    pub phase: DisputePhase,
    /// The provider's reason code.
    pub reason: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
}

/// Where a dispute stands, as a merchant reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStatus {
    /// It holds the money back.
    Open,
    /// The money is the merchant's again.
    Won,
    /// The money is gone.
    Lost,
}

impl DisputeStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl Dispute {
    pub(crate) fn summary(&self) -> DisputeSummary {
        DisputeSummary {
            id: self.id,
            amount: self.amount.minor,
            phase: self.phase,
            reason: self.reason.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl DisputeSummary {
    /// Where it stands: one that is open again is open.
    pub const fn status(&self) -> DisputeStatus {
        match self.phase {
            DisputePhase::Opened | DisputePhase::Reopened => DisputeStatus::Open,
            DisputePhase::Won => DisputeStatus::Won,
            DisputePhase::Lost => DisputeStatus::Lost,
        }
    }
}

/// How a dispute moves; `None` where a notice changes nothing. Notices may come twice or out of order:
/// a decision that comes before the opening opens and decides at once.
pub(crate) const fn next_phase(known: Option<DisputePhase>, told: DisputePhase) -> Option<DisputePhase> {
    use DisputePhase as P;
    match (known, told) {
        (None, P::Opened | P::Won | P::Lost | P::Reopened)
        | (Some(P::Opened | P::Reopened), P::Won | P::Lost)
        | (Some(P::Won | P::Lost), P::Reopened) => Some(told),
        (Some(P::Opened | P::Won | P::Lost | P::Reopened), P::Opened)
        | (Some(P::Opened | P::Reopened), P::Reopened)
        | (Some(P::Won | P::Lost), P::Won | P::Lost) => None,
    }
}

/// Disputes by id, listed per payment.
pub(crate) static DISPUTE: Table = Table {
    name: "dispute",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("payment", ColumnType::Uuid)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "dispute_payment",
        columns: &["scope", "payment", "id"],
        unique: false,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 90,
};

impl Record for Dispute {
    const TABLE: &'static Table = &DISPUTE;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.payment.into()]
    }
}
