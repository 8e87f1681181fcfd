//! The descriptions, by area: one file each, with its bodies and its operations.

mod api_keys;
mod customers;
mod method;
mod methods;
mod monitoring;
mod notices;
mod payer;
mod payment_changes;
mod payment_verbs;
mod payments;
mod providers;
mod refunds;
mod signed_events;
mod test_clock;

use super::operation::Operation;

/// Every operation, in the order of the document.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        payments::OPERATIONS,
        payment_changes::OPERATIONS,
        payment_verbs::OPERATIONS,
        refunds::OPERATIONS,
        customers::OPERATIONS,
        methods::OPERATIONS,
        providers::OPERATIONS,
        api_keys::OPERATIONS,
        test_clock::OPERATIONS,
        notices::OPERATIONS,
        signed_events::OPERATIONS,
        monitoring::OPERATIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
