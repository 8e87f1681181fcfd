//! One charge per order: a row that exists while an order has a charge that is open or paid.

use kernel::{Cell, Column, ColumnType, Id, Insert, Remove, Scope, Table};

use crate::payment::PaymentKind;

/// Key: the merchant's order. Inserted by the reserve of a charge, removed by the settle that ends it
/// without money and by the refund that returns all of it.
pub(crate) static ORDER_GUARD: Table = Table {
    name: "order_guard",
    key: &[Column::new("order_id", ColumnType::Text)],
    columns: &[Column::new("payment", ColumnType::Uuid)],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 90,
};

pub(crate) fn take(scope: Scope, order_id: &str, payment: Id<PaymentKind>) -> Insert {
    Insert {
        table: &ORDER_GUARD,
        scope,
        key: vec![order_id.into()],
        columns: vec![payment.into()],
        state: Vec::new(),
    }
}

pub(crate) fn release(scope: Scope, order_id: &str) -> Remove {
    Remove { table: &ORDER_GUARD, scope, key: vec![Cell::from(order_id)], expected: 0 }
}
