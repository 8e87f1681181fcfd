//! Figures for operators: what became of payments and operations, counted once a commit stands.

use std::sync::LazyLock;
use std::time::Duration;

use kernel::{Comparison, Filter, Memo, Query};
use metrics::{Counter, Histogram};

use crate::draft::Draft;
use crate::operation::{OPERATION, Operation, OperationId, OperationStatus};
use crate::payment::Payment;
use crate::rejection::PaymentsError;
use crate::service::Payments;

/// How many open operations are counted at most: beyond it the figure says enough.
const COUNTED: u32 = 1000;

/// A word of a closed set.
type Word = &'static str;

/// What every payment is counted in, by the labels: to name a figure and its labels each time would be the
/// dearest part of counting.
static PAYMENTS: LazyLock<Memo<(Word, Word, Word), Counter>> = LazyLock::new(Memo::default);
static OPERATIONS: LazyLock<Memo<(Word, Word), Counter>> = LazyLock::new(Memo::default);
static SUCCESSES: LazyLock<Memo<String, Counter>> = LazyLock::new(Memo::default);
static PROCESSING: LazyLock<Memo<String, Memo<Word, Histogram>>> = LazyLock::new(Memo::default);

/// Counts what a commit did. Call it after the commit stands and before the draft forgets.
pub(crate) fn committed(draft: &Draft) {
    let payment = &draft.payment;
    let status = payment.status();
    if draft.is_new() || status != draft.status_before {
        let labels = (method_of(payment), status.as_str(), payment.amount.currency.code());
        let make = || {
            let (method, status, currency) = labels;
            let name = "payments_total";
            metrics::counter!(name, "method" => method, "status" => status, "currency" => currency)
        };
        PAYMENTS.with(&labels, make, |counter| counter.increment(1));
    }
    for (id, status) in &draft.raised {
        if let Some(operation) = draft.operation(*id) {
            raised(operation, *status);
        }
    }
    if !draft.alerts.is_empty() {
        metrics::counter!("alerts_total").increment(u64::try_from(draft.alerts.len()).unwrap_or(1));
    }
}

fn raised(operation: &Operation, status: OperationStatus) {
    let provider = || operation.provider.clone();
    match status {
        OperationStatus::Unknown => {
            metrics::counter!("operations_unknown_total", "provider" => provider()).increment(1);
        }
        OperationStatus::NeedsReview => {
            metrics::counter!("operations_needs_review_total", "provider" => provider()).increment(1);
        }
        OperationStatus::Reserved | OperationStatus::ActionRequired | OperationStatus::Pending => {}
        OperationStatus::Succeeded
        | OperationStatus::Declined
        | OperationStatus::NotDone
        | OperationStatus::Cancelled => {
            let (kind, outcome) = (operation.id.kind.as_str(), status.as_str());
            let make = || metrics::counter!("operations_total", "kind" => kind, "outcome" => outcome);
            OPERATIONS.with(&(kind, outcome), make, |counter| counter.increment(1));
            if operation.id.kind.is_charge() {
                charged(operation, status);
            }
        }
    }
}

fn charged(operation: &Operation, status: OperationStatus) {
    let gateway = || operation.provider.clone();
    if status == OperationStatus::Succeeded {
        let make = || metrics::counter!("payment_success_total", "gateway" => gateway());
        SUCCESSES.with(operation.provider.as_str(), make, |counter| counter.increment(1));
        return;
    }
    let reason = operation.decline.as_ref().map_or(status.as_str(), |decline| decline.code.as_str());
    metrics::counter!("payment_failure_total", "gateway" => gateway(), "reason" => reason).increment(1);
}

/// Times a charge that a caller waited for.
pub(crate) fn processed(draft: &Draft, id: OperationId, took: Duration) {
    if !id.kind.is_charge() {
        return;
    }
    let Some(operation) = draft.operation(id) else { return };
    let (method, provider) = (method_of(&draft.payment), operation.provider.as_str());
    let make = || {
        let name = "payment_processing_duration_seconds";
        metrics::histogram!(name, "method" => method, "provider" => provider.to_owned())
    };
    PROCESSING.with(provider, Memo::default, |methods| {
        methods.with(&method, make, |histogram| histogram.record(took));
    });
}

fn method_of(payment: &Payment) -> &'static str {
    payment.method.as_ref().map_or("none", |method| method.kind().as_str())
}

impl Payments {
    /// Counts the operations that are open, by status, and the age of the one that waits longest.
    pub async fn measure_open(&self) -> Result<(), PaymentsError> {
        let now = self.store.now().await?;
        let far = now.plus(Duration::from_hours(24 * 365));
        let query = Query::everywhere(&OPERATION, COUNTED)
            .with(Filter::compare("due_at", Comparison::AtMost, far))
            .order_by("due_at");
        let found = self.store.find_everywhere::<Operation>(query).await?;
        let oldest = found.first().and_then(|(_, operation)| operation.columns.first()?.as_time());
        let age = oldest.map_or(Duration::ZERO, |due_at| now.since(due_at));
        metrics::gauge!("operations_oldest_due_age_seconds").set(age);
        // What people must decide is due for nobody: it has rows of its own.
        let needs_review = self.count_in_review(COUNTED).await?;
        metrics::gauge!("operations_open", "status" => OperationStatus::NeedsReview.as_str())
            .set(needs_review);
        let due = |status: &OperationStatus| status.is_open() && *status != OperationStatus::NeedsReview;
        for status in OperationStatus::ALL.into_iter().filter(due) {
            let count = found.iter().filter(|(_, operation)| operation.record.status == status).count();
            metrics::gauge!("operations_open", "status" => status.as_str())
                .set(u32::try_from(count).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// How many calls to providers are under way on this node.
    pub fn calls_under_way(&self) -> usize {
        self.accounts.watch.under_way()
    }

    /// Each provider at which somebody has an account, and whether this node gets answers from it. `asks`
    /// the database which those are; without it, those that were known before.
    pub async fn provider_health(&self, asks: bool) -> Vec<(&'static str, bool)> {
        let names = self.accounts.used(asks).await;
        names.into_iter().map(|name| (name, !self.accounts.watch.is_unhealthy(name))).collect()
    }
}
