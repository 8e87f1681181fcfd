//! Customers: made when a payment first names one by the merchant's own reference.

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Record, Table, Timestamp};
use serde::{Deserialize, Serialize};

/// Marks ids of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerKind {}

impl Kind for CustomerKind {
    const PREFIX: &'static str = "cus";
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Our id.
    pub id: Id<CustomerKind>,
    /// The merchant's own reference; unique in its scope.
    pub reference: Option<String>,
    /// How many events it has had.
    pub events: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Customers by id, and by the merchant's reference.
pub(crate) static CUSTOMER: Table = Table {
    name: "customer",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[Column::nullable("reference", ColumnType::Text)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "customer_reference",
        columns: &["scope", "reference"],
        unique: true,
        where_present: Some("reference"),
        where_absent: None,
    }],
    fillfactor: 90,
};

impl Record for Customer {
    const TABLE: &'static Table = &CUSTOMER;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![self.reference.clone().into()]
    }
}
