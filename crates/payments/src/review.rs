//! Operations that people must decide: a row for each, so that they are found and counted without looking
//! through all operations.

use kernel::{Cell, Column, ColumnType, Insert, Query, Remove, Scope, Table, Timestamp};

use crate::operation::{Operation, OperationId, OperationStatus, operation_key};
use crate::payment::PaymentKind;
use crate::rejection::PaymentsError;
use crate::service::Payments;

/// Key: that of the operation. Inserted by the commit that makes it `needs_review`, removed by the one that
/// makes it anything else; [`Operation::in_review`] says that there is one.
pub(crate) static OPERATION_REVIEW: Table = Table {
    name: "operation_review",
    key: &[Column::new("payment", ColumnType::Uuid), Column::new("local", ColumnType::Text)],
    columns: &[Column::new("since", ColumnType::Time)],
    versioned: false,
    has_state: false,
    indexes: &[],
    fillfactor: 90,
};

/// What a commit does about an operation's row.
pub(crate) enum Change {
    /// It waits for people from now on.
    Begins(Insert),
    /// It does not any more.
    Ends(Remove),
}

/// Brings the row of an operation that is being written up to date, if that is needed.
pub(crate) fn follow(scope: Scope, operation: &mut Operation) -> Option<Change> {
    let waits = operation.status == OperationStatus::NeedsReview;
    if waits == operation.in_review {
        return None;
    }
    operation.in_review = waits;
    let (table, key) = (&OPERATION_REVIEW, operation_key(operation.id));
    Some(if waits {
        let columns = vec![Cell::After(std::time::Duration::ZERO)];
        Change::Begins(Insert { table, scope, key, columns, state: Vec::new() })
    } else {
        Change::Ends(Remove { table, scope, key, expected: 0 })
    })
}

/// An operation that waits for people.
#[derive(Clone, Debug)]
pub struct InReview {
    /// Whose.
    pub scope: Scope,
    /// As it is stored.
    pub operation: Operation,
    /// Since when, by the database's clock.
    pub since: Timestamp,
}

impl Payments {
    /// The operations of all merchants that people must decide, at most so many. For operators.
    pub async fn in_review(&self, limit: u32) -> Result<Vec<InReview>, PaymentsError> {
        let rows = self.store.find(Query::everywhere(&OPERATION_REVIEW, limit)).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let [payment, local] = row.key.as_slice() else { continue };
            let id = payment.as_uuid().zip(local.as_text()).and_then(|(payment, local)| {
                OperationId::from_local(kernel::Id::<PaymentKind>::from_uuid(payment), local)
            });
            let since = row.columns.first().and_then(Cell::as_time);
            let Some((id, since)) = id.zip(since) else { continue };
            // Decided between the two reads, or by a person this moment.
            let read = self.store.of(row.scope).get::<Operation>(operation_key(id)).await?;
            if let Some(operation) = read.map(|versioned| versioned.record)
                && operation.status == OperationStatus::NeedsReview
            {
                found.push(InReview { scope: row.scope, operation, since });
            }
        }
        found.sort_by_key(|waiting| waiting.since);
        Ok(found)
    }

    /// How many operations people must decide; counts no further than `most`.
    pub(crate) async fn count_in_review(&self, most: u32) -> Result<u32, PaymentsError> {
        let rows = self.store.find(Query::everywhere(&OPERATION_REVIEW, most)).await?;
        Ok(u32::try_from(rows.len()).unwrap_or(most))
    }
}
