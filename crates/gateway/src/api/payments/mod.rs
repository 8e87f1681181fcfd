//! Payments.

pub(crate) mod cancel;
pub(crate) mod capture;
pub(crate) mod confirm;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod increment;
pub(crate) mod list;
pub(crate) mod refund;
pub(crate) mod timeline;
pub(crate) mod update;

use kernel::{Currency, Id, Scope};
use payments::{PaymentKind, Payments};

use crate::problem::{Problem, catalogue as code, from_payments};

/// The word for what is not found.
pub(crate) const PAYMENT: &str = "payment";

/// Amounts in paisa are for payments in rupees: the same number of another currency's minor units
/// would be another amount.
pub(crate) async fn check_in_rupees(
    service: &Payments,
    scope: Scope,
    id: Id<PaymentKind>,
) -> Result<(), Problem> {
    let payment = service.get(scope, id).await.map_err(from_payments)?;
    let currency = payment.amount.currency;
    if currency == Currency::INR {
        return Ok(());
    }
    let detail =
        format!("`amount_paisa` counts Indian rupees; this payment is in {currency}. Send `amount`.");
    Err(Problem::new(&code::INVALID_CURRENCY, detail).at("/amount_paisa"))
}
