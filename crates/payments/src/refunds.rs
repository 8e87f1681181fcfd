//! Pages of refunds, newest first by id.

use futures_util::future::try_join_all;
use kernel::{Filter, Id, Scope, Timestamp};
use uuid::Uuid;

use crate::filter::{RefundFilter, within};
use crate::list::{Dated, is_too_old, page};
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
        let mut below = self.start_below::<Refund>(scope, filter.created_to, after.map(Id::uuid)).await?;
        let (room, mut items) = (usize::try_from(limit).unwrap_or(usize::MAX), Vec::new());
        let least = if filter.is_residual() { AT_ONCE } else { 0 };
        let at_once = limit.saturating_add(1).max(least);
        loop {
            let found = self.refunds_below(scope, filter, below, at_once).await?;
            let is_last = found.len() < usize::try_from(at_once).unwrap_or(usize::MAX);
            let oldest = found.last().map(|refund| (refund.id.uuid(), refund.created_at));
            items.extend(found.into_iter().filter(|refund| filter.holds(refund)));
            let too_old = oldest.is_some_and(|(_, created_at)| is_too_old(created_at, filter.created_from));
            if items.len() > room || is_last || too_old {
                let has_more = items.len() > room;
                items.truncate(room);
                return Ok(Page { items, has_more });
            }
            below = oldest.map(|(id, _)| id);
        }
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
