//! Refunds: a record of its own beside the operation that carries it out.

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Money, Record, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::operation::OperationId;
use crate::payment::{AnswerForm, LastError, PaymentKind};

/// Marks ids of refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundKind {}

impl Kind for RefundKind {
    const PREFIX: &'static str = "re";
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Its amount is held; the provider has not answered, or decides later.
    Pending,
    /// The money was given back.
    Succeeded,
    /// It was not given back; its amount is refundable again.
    Failed,
}

impl RefundStatus {
    /// All statuses.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The word in answers and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: Id<RefundKind>,
    /// Of which payment.
    pub payment: Id<PaymentKind>,
    /// The operation that carries it out.
    pub operation: OperationId,
    /// How much.
    pub amount: Money,
    /// How far.
    pub status: RefundStatus,
    /// The merchant's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The merchant's own data.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<LastError>,
    /// Made at the provider's own dashboard.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub external: bool,
    /// The words of its answers: its payment's.
    pub form: AnswerForm,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the provider confirmed or refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

impl Refund {
    /// What the payment's summary keeps.
    pub const fn summary(&self) -> RefundSummary {
        RefundSummary {
            id: self.id,
            amount: self.amount.minor,
            status: self.status,
            created_at: self.created_at,
        }
    }
}

/// A refund in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundSummary {
    /// Its id.
    pub id: Id<RefundKind>,
    /// Minor units.
    pub amount: i64,
    /// How far.
    pub status: RefundStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Refunds by id; listed per payment by the index.
pub(crate) static REFUND: Table = Table {
    name: "refund",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::new("payment", ColumnType::Uuid)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "refund_payment",
        columns: &["scope", "payment", "id"],
        unique: false,
        where_present: None,
        where_absent: None,
    }],
    fillfactor: 70,
};

impl Record for Refund {
    const TABLE: &'static Table = &REFUND;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.payment.into()]
    }
}
