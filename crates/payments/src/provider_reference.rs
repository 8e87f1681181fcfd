//! Which operation a provider's reference stands for: insert-only, unique per account.
//!
//! Written in the commit that first knows the reference. A second operation that would claim the same
//! reference is refused by the key: that is how a settle meets the external operation that a notice
//! made before it.

use kernel::{Column, ColumnType, Id, Insert, Row, Scope, Table};
use provider_kit::Account;

use crate::operation::OperationId;

/// Key: account and the provider's reference.
pub(crate) static PROVIDER_REFERENCE: Table = Table {
    name: "provider_reference",
    key: &[Column::new("account", ColumnType::Uuid), Column::new("reference", ColumnType::Text)],
    columns: &[Column::new("payment", ColumnType::Uuid), Column::new("local", ColumnType::Text)],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 100,
};

pub(crate) fn insert(scope: Scope, account: Id<Account>, reference: &str, operation: OperationId) -> Insert {
    Insert {
        table: &PROVIDER_REFERENCE,
        scope,
        key: vec![account.into(), reference.into()],
        columns: vec![operation.payment.into(), operation.local().into()],
        state: Vec::new(),
    }
}

pub(crate) fn read(row: &Row) -> Option<OperationId> {
    let payment = Id::from_uuid(row.columns.first()?.as_uuid()?);
    OperationId::from_local(payment, row.columns.get(1)?.as_text()?)
}
