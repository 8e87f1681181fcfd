//! Payments held against their postings: what each payment says it took and gave back must be what the
//! books say.
//!
//! The ledger checks the books within themselves; this checks that they tell the payments' story.

use std::sync::Arc;

use kernel::{Filter, Id, Phase, PostingKind, Query, Row, Scope, Store, TRANSFER};

use crate::operation::{OPERATION, Operation, OperationKind, OperationStatus};
use crate::payment::{PAYMENT, Payment, PaymentKind};
use crate::rejection::PaymentsError;

/// Payments read at a time.
const PAGE: u32 = 500;

/// A payment whose sums are not those of its postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Whose.
    pub scope: Scope,
    /// Which.
    pub payment: Id<PaymentKind>,
    /// What differs: `captured`, `refunded`, …
    pub what: &'static str,
    /// What the payment says, in minor units.
    pub payment_says: i64,
    /// What the books say.
    pub books_say: i64,
}

/// What the check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many payments were read.
    pub payments: u64,
    /// Where payments and books differ.
    pub mismatches: Vec<Mismatch>,
}

/// Sums of a payment's transfers by what they did.
#[derive(Default)]
struct Books {
    captured: i64,
    refunded: i64,
    held: i64,
}

/// Holds all payments of a scope against their postings.
pub async fn check(store: &Arc<dyn Store>, scope: Scope) -> Result<CheckReport, PaymentsError> {
    let mut report = CheckReport::default();
    let mut after = None;
    loop {
        let query = Query::oldest(&PAYMENT, scope, PAGE).after(after.take());
        let page = store.of(scope).find::<Payment>(query).await?;
        let Some(last) = page.last() else { return Ok(report) };
        after = Some(vec![last.record.id.into()]);
        for payment in &page {
            check_one(store, scope, &payment.record, &mut report).await?;
        }
        report.payments += u64::try_from(page.len()).unwrap_or(0);
    }
}

async fn check_one(
    store: &Arc<dyn Store>,
    scope: Scope,
    payment: &Payment,
    report: &mut CheckReport,
) -> Result<(), PaymentsError> {
    let query = Query::oldest(&TRANSFER, scope, 10_000).with(Filter::equal("subject", payment.id));
    let books = fold(&store.find(query).await?);
    let query = Query::oldest(&OPERATION, scope, 200).with(Filter::equal("payment", payment.id));
    let operations = store.of(scope).find::<Operation>(query).await?;
    let (mut surplus_taken, mut surplus_returned) = (0, 0);
    for operation in operations.iter().map(|versioned| &versioned.record) {
        let moved = operation.approved.map_or(0, |approved| approved.minor);
        if operation.id.kind == OperationKind::Sale && operation.surplus {
            surplus_taken += moved;
        }
        let reversal = operation.id.kind == OperationKind::Reversal
            && operation.charge.is_some_and(|charge| charge.kind == OperationKind::Sale);
        if reversal && operation.status == OperationStatus::Succeeded {
            surplus_returned += moved;
        }
    }
    let amounts = &payment.amounts;
    for (what, payment_says, books_say) in [
        ("captured", amounts.captured + surplus_taken, books.captured),
        ("refunded", amounts.refunded + surplus_returned, books.refunded),
        ("held for refunds", amounts.refund_held, books.held),
    ] {
        if payment_says != books_say {
            let payment = payment.id;
            report.mismatches.push(Mismatch { scope, payment, what, payment_says, books_say });
        }
    }
    Ok(())
}

/// Folds a payment's transfers: holds count until they are posted or voided.
fn fold(rows: &[Row]) -> Books {
    let mut books = Books::default();
    for row in rows {
        let text = |place: usize| row.columns.get(place).and_then(kernel::Cell::as_text).unwrap_or_default();
        let (debit, kind, phase) = (text(0), text(4), text(5));
        let amount = row.columns.get(3).and_then(kernel::Cell::as_int).unwrap_or(0);
        let Ok(kind) = kind.parse::<PostingKind>() else { continue };
        let Ok(phase) = phase.parse::<Phase>() else { continue };
        let (posted, held) = match phase {
            Phase::Posted => (amount, 0),
            Phase::Pending => (0, amount),
            Phase::PostsPending(_) => (amount, -amount),
            Phase::VoidsPending(_) => (0, -amount),
        };
        books.held += held;
        match kind {
            PostingKind::Capture => books.captured += posted,
            PostingKind::Refund => books.refunded += posted,
            PostingKind::RefundFailed => books.refunded -= posted,
            // Turned round: a capture taken back debits the merchant, a refund taken back the provider.
            PostingKind::Correction if debit == "merchant" => books.captured -= posted,
            PostingKind::Correction if debit.starts_with("provider") => books.refunded -= posted,
            _ => {}
        }
    }
    books
}
