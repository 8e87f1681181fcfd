//! Pages of refunds, newest first by id.

use futures_util::future::try_join_all;
use kernel::{Filter, Id, Scope, Timestamp};
use uuid::Uuid;

use crate::filter::{RefundFilter, within};
use crate::list::{Dated, Span, page};
use crate::payment::PaymentKind;
use crate::refund::{REFUND, Refund, RefundKind};
use crate::rejection::{PaymentsError, Rejection};
use crate::search::{REFUND_SEARCH, refund_of};
use crate::service::{Page, Payments};

/// Refunds that are read at a time, where what is read may not match.
const AT_ONCE: u32 = 256;

impl Dated for Refund {
    fn uuid(&self) -> Uuid {
        self.id.uuid()
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

impl RefundFilter {
    /// Whether refunds are read that do not match.
    const fn is_residual(&self) -> bool {
        (self.payment.is_some() && self.status.is_some())
            || self.created_from.is_some()
            || self.created_to.is_some()
    }

    fn holds(&self, refund: &Refund) -> bool {
        self.payment.is_none_or(|payment| refund.payment == payment)
            && self.status.is_none_or(|status| refund.status == status)
            && within(refund.created_at, self.created_from, self.created_to)
    }
}

impl Payments {
    /// One refund.
    pub async fn refund_get(&self, scope: Scope, id: Id<RefundKind>) -> Result<Refund, PaymentsError> {
        let found = self.store.of(scope).get::<Refund>(vec![id.into()]).await?;
        Ok(found.ok_or(Rejection::NotFound("refund"))?.record)
    }

    /// Refunds, of one payment or of all, newest first.
    pub async fn refund_list(
        &self,
        scope: Scope,
        payment: Option<Id<PaymentKind>>,
        after: Option<Id<RefundKind>>,
        limit: u32,
    ) -> Result<Page<Refund>, PaymentsError> {
        let filter = RefundFilter { payment, ..RefundFilter::default() };
        self.refund_list_by(scope, filter, after, limit).await
    }

    /// Refunds that answer a filter, newest first, after (below) an id. Exact at once unless a status is
    /// asked for without a payment: then a refund may be missing for a second after it changed.
    pub async fn refund_list_by(
        &self,
        scope: Scope,
        filter: RefundFilter,
        after: Option<Id<RefundKind>>,
        limit: u32,
    ) -> Result<Page<Refund>, PaymentsError> {
        let below = self.start_below::<Refund>(scope, filter.created_to, after.map(Id::uuid)).await?;
        let at_once = if filter.is_residual() { AT_ONCE } else { 0 };
        let span = Span { below, from: filter.created_from, limit, at_once };
        let read = |below, count| self.refunds_below(scope, filter, below, count);
        self.narrowed(span, read, |refund| filter.holds(refund)).await
    }

    async fn refunds_below(
        &self,
        scope: Scope,
        filter: RefundFilter,
        below: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Refund>, PaymentsError> {
        let by_status = filter.status.filter(|_| filter.payment.is_none());
        let Some(status) = by_status else {
            let of_payment = filter.payment.map(|payment| Filter::equal("payment", payment));
            let query = page(&REFUND, scope, of_payment.as_ref(), below, limit);
            let found = self.store.of(scope).find::<Refund>(query).await?;
            return Ok(found.into_iter().map(|versioned| versioned.record).collect());
        };
        let status = Filter::equal("status", status.as_str());
        let rows = self.search.find(page(&REFUND_SEARCH, scope, Some(&status), below, limit)).await?;
        let reads = rows
            .iter()
            .filter_map(refund_of)
            .map(|id| async move { self.store.of(scope).get::<Refund>(vec![id.into()]).await });
        let found = try_join_all(reads).await?;
        Ok(found.into_iter().flatten().map(|versioned| versioned.record).collect())
    }
}
