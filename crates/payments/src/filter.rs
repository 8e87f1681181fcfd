//! What a list of payments may be narrowed by, and whether a payment answers it.

use kernel::{Currency, Timestamp};
use provider_kit::MethodKind;

use crate::command::CustomerRef;
use crate::customer::CustomerKind;
use crate::payment::{Payment, PaymentStatus};
use crate::refund::RefundStatus;
use crate::search::{PaymentRow, last4};

/// What a list of payments is narrowed by: all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// The status.
    pub status: Option<PaymentStatus>,
    /// Exactly this amount, in minor units.
    pub amount: Option<i64>,
    /// At least this amount, in minor units.
    pub amount_from: Option<i64>,
    /// At most this amount, in minor units.
    pub amount_to: Option<i64>,
    /// The currency.
    pub currency: Option<Currency>,
    /// The customer, by our id or the merchant's reference.
    pub customer: Option<CustomerRef>,
    /// The order, also where only the metadata names it.
    pub order_id: Option<String>,
    /// The method's type.
    pub method: Option<MethodKind>,
    /// The provider of the charge.
    pub provider: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
    /// Made then or later.
    pub created_from: Option<Timestamp>,
    /// Made then or earlier.
    pub created_to: Option<Timestamp>,
}

/// What a list of refunds is narrowed by: all that is given holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Of this payment.
    pub payment: Option<kernel::Id<crate::payment::PaymentKind>>,
    /// How far.
    pub status: Option<RefundStatus>,
    /// Asked for then or later.
    pub created_from: Option<Timestamp>,
    /// Asked for then or earlier.
    pub created_to: Option<Timestamp>,
}

/// A filter whose customer is known by our id.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: PaymentFilter,
    pub(crate) customer: Option<kernel::Id<CustomerKind>>,
}

fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

impl Wanted {
    /// Whether what the payments' own rows do not answer is asked for.
    pub(crate) const fn needs_search(&self) -> bool {
        let filter = &self.filter;
        filter.status.is_some()
            || filter.amount.is_some()
            || filter.amount_from.is_some()
            || filter.amount_to.is_some()
            || filter.currency.is_some()
            || filter.method.is_some()
            || filter.provider.is_some()
            || filter.last4.is_some()
    }

    /// Whether the payment itself answers all of it.
    pub(crate) fn holds(&self, payment: &Payment) -> bool {
        let row = PaymentRow::of(payment, None);
        let order = self.filter.order_id.as_deref();
        self.may_hold(&row)
            && order.is_none_or(|order| payment.shown_order_id() == Some(order))
            && self.filter.last4.as_deref().is_none_or(|wanted| last4(payment) == Some(wanted))
    }

    /// Whether the row answers what a row can answer.
    pub(crate) fn may_hold(&self, row: &PaymentRow) -> bool {
        let filter = &self.filter;
        let amount = row.amount_minor;
        filter.status.is_none_or(|status| row.status == status.as_str())
            && filter.amount.is_none_or(|wanted| amount == wanted)
            && filter.amount_from.is_none_or(|least| amount >= least)
            && filter.amount_to.is_none_or(|most| amount <= most)
            && filter.currency.is_none_or(|currency| row.currency == currency.code())
            && is(self.customer.as_ref(), row.customer.as_ref())
            && filter.method.is_none_or(|method| row.method.as_deref() == Some(method.as_str()))
            && is(filter.provider.as_ref(), row.provider.as_ref())
            && is(filter.last4.as_ref(), row.last4.as_ref())
            && within(row.created_at, filter.created_from, filter.created_to)
    }
}

/// Whether an instant lies between two others, both included.
pub(crate) fn within(at: Timestamp, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
}
