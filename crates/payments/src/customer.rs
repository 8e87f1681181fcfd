//! Customers: who pays a merchant, by our id and by the merchant's own reference.
//!
//! Personal data stands in the row sealed, and nowhere else; an address is found by its keyed MAC. What
//! is deleted keeps its row, without them, so that the payments' links still mean something.

use std::fmt;

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Record, Table, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::method::PaymentMethodKind;
use crate::payer::Address;

/// The most methods that a customer has: all of them go in the commit that deletes the customer.
pub(crate) const METHODS_MAX: u32 = 200;

/// Marks ids of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CustomerKind {}

impl Kind for CustomerKind {
    const PREFIX: &'static str = "cus";
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Our id.
    pub id: Id<CustomerKind>,
    /// The merchant's own reference; unique in its scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The [`Profile`], sealed for this customer, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sealed: Option<String>,
    /// Keyed MAC of the e-mail address, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email_mac: Option<String>,
    /// Charged when a payment names the customer and no method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_method: Option<Id<PaymentMethodKind>>,
    /// How many methods are attached.
    #[serde(default)]
    pub(crate) methods: u32,
    /// How many events it has had, those of its methods included.
    pub events: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted: nobody reads it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Customer {
    /// A customer of whom no more is known than the reference.
    pub(crate) const fn new(id: Id<CustomerKind>, reference: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            reference,
            sealed: None,
            email_mac: None,
            default_method: None,
            methods: 0,
            events: 0,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Forgets everything but the id: the reference is free for another customer.
    pub(crate) fn delete(&mut self, now: Timestamp) {
        self.reference = None;
        self.sealed = None;
        self.email_mac = None;
        self.default_method = None;
        self.methods = 0;
        self.updated_at = now;
        self.deleted_at = Some(now);
    }
}

/// What is known of a person. Does not print.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where they live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The merchant's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The merchant's own data.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[profile]")
    }
}

/// Customers by id, by the merchant's reference, and by the MAC of their e-mail address. Lists leave out
/// what was deleted and may be narrowed by the time of making.
pub(crate) static CUSTOMER: Table = Table {
    name: "customer",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[
        Column::nullable("reference", ColumnType::Text),
        Column::nullable("email_mac", ColumnType::Text),
        Column::new("created_at", ColumnType::Time),
        Column::nullable("deleted_at", ColumnType::Time),
    ],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "customer_reference",
            columns: &["scope", "reference"],
            unique: true,
            where_present: Some("reference"),
            where_absent: None,
        },
        Index {
            name: "customer_email",
            columns: &["scope", "email_mac", "id"],
            unique: false,
            where_present: Some("email_mac"),
            where_absent: None,
        },
    ],
    fillfactor: 90,
};

impl Record for Customer {
    const TABLE: &'static Table = &CUSTOMER;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        vec![
            self.reference.clone().into(),
            self.email_mac.clone().into(),
            self.created_at.into(),
            self.deleted_at.into(),
        ]
    }
}
