//! Customers, by our id or by the merchant's own reference.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod set_default;
pub(crate) mod update;

use payments::CustomerRef;

use crate::call::Call;
use crate::input::customer_named;
use crate::problem::{Problem, not_found};

/// The word for what is not found.
pub(crate) const CUSTOMER: &str = "customer";

/// The customer that the path names.
pub(crate) fn named(call: &Call) -> Result<CustomerRef, Problem> {
    customer_named(call.name()).ok_or_else(|| not_found(CUSTOMER))
}
