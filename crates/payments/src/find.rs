//! Search: payments by any reference of ours, of the merchant's or of the provider's, as a whole.
//!
//! What the text may be is read off its form; each meaning is looked up where it has a key or an index
//! of its own. Nothing is searched by parts of words.

use std::collections::BTreeSet;

use kernel::{Filter, Id, Query, Scope};
use uuid::Uuid;

use crate::command::CustomerRef;
use crate::customer::CustomerKind;
use crate::dispute::{Dispute, DisputeKind};
use crate::list::page;
use crate::operation::OperationId;
use crate::payment::{PAYMENT, Payment, PaymentKind};
use crate::provider_reference::{self, PROVIDER_REFERENCE};
use crate::refund::{Refund, RefundKind};
use crate::rejection::PaymentsError;
use crate::search::{EMAIL, NETWORK_TRANSACTION, PAYMENT_SEARCH, PaymentRow, email_form, last4, search_mac};
use crate::service::{Page, Payments};

impl Payments {
    /// The payments that `text` names, newest first, after (below) an id: by the id of a payment, refund,
    /// dispute, attempt or operation, our reference upstream, the provider's reference, the network's
    /// transaction id, an order, a customer's id or reference, a card's last four digits, an e-mail
    /// address. Ids, orders, customers and the provider's references are exact at once; the others may be
    /// a second behind.
    pub async fn search(
        &self,
        scope: Scope,
        text: &str,
        after: Option<Id<PaymentKind>>,
        limit: u32,
    ) -> Result<Page<Payment>, PaymentsError> {
        let below = after.map(Id::uuid);
        let enough = limit.saturating_add(1);
        let mut found = self.named(scope, text).await?;
        found.retain(|id| below.is_none_or(|below| id.uuid() < below));
        found.extend(self.by_order_or_customer(scope, text, below, enough).await?);
        found.extend(self.by_rows(scope, text, below, enough).await?);
        let newest: Vec<_> =
            found.into_iter().rev().take(usize::try_from(enough).unwrap_or(usize::MAX)).collect();
        let items = self.payments_of(scope, &newest).await?;
        Ok(Page::cut(items, limit, |payment| payment.id.uuid()))
    }

    /// The payments that an id or a reference of an operation names.
    async fn named(&self, scope: Scope, text: &str) -> Result<BTreeSet<Id<PaymentKind>>, PaymentsError> {
        let mut found = BTreeSet::new();
        if let Ok(id) = text.parse::<Id<PaymentKind>>() {
            found.insert(id);
        }
        // An attempt's id is its charge's, in other words.
        let operation = text.strip_prefix("att_").map(|rest| format!("pay_{rest}"));
        let operation = operation.as_deref().unwrap_or(text).parse::<OperationId>().ok();
        for id in operation.into_iter().chain(OperationId::from_reference(text)) {
            if self.operation(scope, id).await?.is_some() {
                found.insert(id.payment);
            }
        }
        if let Ok(id) = text.parse::<Id<RefundKind>>() {
            let refund = self.store.of(scope).get::<Refund>(vec![id.into()]).await?;
            found.extend(refund.map(|refund| refund.record.payment));
        }
        if let Ok(id) = text.parse::<Id<DisputeKind>>() {
            let dispute = self.store.of(scope).get::<Dispute>(vec![id.into()]).await?;
            found.extend(dispute.map(|dispute| dispute.record.payment));
        }
        for account in self.accounts(scope).await? {
            let query = Query::oldest(&PROVIDER_REFERENCE, scope, 1)
                .with(Filter::equal("account", account.id))
                .with(Filter::equal("reference", text));
            let rows = self.store.find(query).await?;
            found.extend(rows.first().and_then(provider_reference::read).map(|operation| operation.payment));
        }
        Ok(found)
    }

    /// The newest payments of the order or the customer of this name.
    async fn by_order_or_customer(
        &self,
        scope: Scope,
        text: &str,
        below: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Id<PaymentKind>>, PaymentsError> {
        let named = match text.parse::<Id<CustomerKind>>() {
            Ok(id) => CustomerRef::Id(id),
            Err(_) => CustomerRef::Reference(text.to_owned()),
        };
        let customer = self.customer_id(scope, &named).await?;
        let customer = customer.map(|customer| Filter::equal("customer", customer));
        let mut found = Vec::new();
        for filter in customer.into_iter().chain([Filter::equal("order_id", text)]) {
            let rows = self.store.find(page(&PAYMENT, scope, Some(&filter), below, limit)).await?;
            found.extend(rows.iter().filter_map(|row| row.key.first()?.as_uuid().map(Id::from_uuid)));
        }
        Ok(found)
    }

    /// The newest payments whose rows have the text in another place. What was found by a MAC, or by a
    /// row that is behind, is held against the payment itself.
    async fn by_rows(
        &self,
        scope: Scope,
        text: &str,
        below: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Id<PaymentKind>>, PaymentsError> {
        let mut filters = Vec::new();
        if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            filters.push(Filter::equal("last4", text));
        }
        if let Ok(keys) = self.vault.keys(scope.mode) {
            let network = search_mac(keys, NETWORK_TRANSACTION, text);
            filters.push(Filter::equal("network_transaction", network));
            if text.contains('@') {
                filters.push(Filter::equal("email", search_mac(keys, EMAIL, &email_form(text))));
            }
        }
        let mut found = Vec::new();
        for filter in filters {
            let rows = self.search.find(page(&PAYMENT_SEARCH, scope, Some(&filter), below, limit)).await?;
            let ids: Vec<_> = rows.iter().filter_map(PaymentRow::read).map(|row| row.id).collect();
            let payments = self.payments_of(scope, &ids).await?;
            found.extend(payments.iter().filter(|payment| says(payment, text)).map(|payment| payment.id));
        }
        Ok(found)
    }
}

/// Whether the payment itself has the text as one of what is found by rows.
fn says(payment: &Payment, text: &str) -> bool {
    let network = payment.charge.as_ref().and_then(|charge| charge.network_transaction_id.as_deref());
    last4(payment) == Some(text)
        || network == Some(text)
        || payment.email().is_some_and(|email| email_form(email) == email_form(text))
}
