//! What a service refused or failed with, in the words of HTTP.

use payments::{PaymentsError, Rejection};

use super::Problem;
use super::catalogue as code;

/// How long a caller is asked to wait for work that is nearly done, in seconds.
const SOON_SECONDS: u32 = 1;
/// How long a caller is asked to wait for a server that has too much to do, in seconds.
const LATER_SECONDS: u32 = 2;
/// How long a caller is asked to wait for people to make room on a disk, in seconds.
const ROOM_SECONDS: u32 = 30;

/// The problem of a payments error.
pub fn from_payments(error: PaymentsError) -> Problem {
    match error {
        PaymentsError::Rejected(rejection) => from_rejection(rejection),
        PaymentsError::Busy => Problem::plain(&code::BUSY).retry_after(SOON_SECONDS),
        PaymentsError::StorageFull => Problem::plain(&code::STORAGE_FULL).retry_after(ROOM_SECONDS),
        PaymentsError::Overloaded => Problem::plain(&code::OVERLOADED).retry_after(LATER_SECONDS),
        PaymentsError::Undecided(reason) => {
            Problem::plain(&code::UNDECIDED).retry_after(LATER_SECONDS).log(reason)
        }
        PaymentsError::Unavailable(reason) => {
            Problem::plain(&code::UNAVAILABLE).retry_after(LATER_SECONDS).log(reason)
        }
        PaymentsError::Internal(reason) => Problem::internal(reason),
    }
}

/// What of a payment may be changed at any time.
const CHANGEABLE: &str = "`description`, `metadata`, `customer_id`, `statement_descriptor`, \
                          `customer_email`, `return_url`, `shipping_address`";

fn from_rejection(rejection: Rejection) -> Problem {
    match rejection {
        Rejection::NotFound(what) => not_found(what),
        Rejection::Invalid { param, message } => {
            let entry = match param {
                "/amount" | "/amount_paisa" => &code::INVALID_AMOUNT,
                "/currency" => &code::INVALID_CURRENCY,
                _ => &code::INVALID_VALUE,
            };
            Problem::new(entry, message).at(param)
        }
        Rejection::TestModeOnly => Problem::plain(&code::TEST_MODE_ONLY),
        Rejection::NoProviderAccount(message) => {
            Problem::new(&code::NO_PROVIDER_ACCOUNT, message).at("/provider")
        }
        Rejection::State { verb, status } => {
            let detail = format!("The payment is `{}`; it cannot be {verb}.", status.as_str());
            Problem::new(&code::INVALID_STATE, detail)
        }
        Rejection::Settled { param } => Problem::new(
            &code::INVALID_STATE,
            format!(
                "`{}` can be changed before the first charge alone. What can be changed now: {CHANGEABLE}.",
                param.trim_start_matches('/')
            ),
        )
        .at(param),
        Rejection::OperationOpen(operation) => Problem::new(
            &code::OPERATION_OPEN,
            format!("Operation {operation} of this payment is still open, and this one must wait for it."),
        )
        .about(operation.payment.to_string(), None)
        .retry_after(SOON_SECONDS),
        Rejection::MethodNotUsable(why) => {
            let detail = format!("The payment method cannot be used: {why}.");
            Problem::new(&code::PAYMENT_METHOD_NOT_USABLE, detail).at("/payment_method")
        }
        Rejection::MethodState(why) => {
            let mut letters = why.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            let detail = first.into_iter().chain(letters).chain(['.']).collect::<String>();
            Problem::new(&code::PAYMENT_METHOD_STATE, detail)
        }
        Rejection::TooManyMethods { .. } => Problem::plain(&code::TOO_MANY_PAYMENT_METHODS),
        Rejection::NotTokenized(error) => {
            let entry = code::find(&error.code).filter(|entry| entry.status == 402);
            Problem::plain(entry.unwrap_or(&code::PROVIDER_REFUSED)).declined(error)
        }
        Rejection::CustomerExists => Problem::plain(&code::CUSTOMER_EXISTS).at("/reference"),
        Rejection::OrderAlreadyCharged => Problem::plain(&code::ORDER_ALREADY_CHARGED).at("/order_id"),
        Rejection::BeyondCapturable { available } => {
            let detail = format!("{available} minor units can be captured, not more.");
            Problem::new(&code::BEYOND_CAPTURABLE, detail).at("/amount")
        }
        Rejection::BeyondRefundable { available } => {
            let detail = format!("{available} minor units can be refunded, not more.");
            Problem::new(&code::BEYOND_REFUNDABLE, detail).at("/amount")
        }
        Rejection::LimitExceeded { limit, currency, left } => {
            let limit = limit.as_str();
            let detail = format!("`{limit}` leaves {left} minor units of {currency}, not more.");
            Problem::new(&code::LIMIT_EXCEEDED, detail).at("/amount")
        }
        Rejection::TooManyOperations => Problem::plain(&code::TOO_MANY_OPERATIONS),
        Rejection::KeyReused => Problem::plain(&code::IDEMPOTENCY_KEY_REUSED).at("Idempotency-Key"),
        Rejection::KeyInUse => {
            Problem::plain(&code::IDEMPOTENCY_KEY_IN_USE).at("Idempotency-Key").retry_after(SOON_SECONDS)
        }
    }
}

/// A 404 that says what was looked for.
pub(crate) fn not_found(what: &str) -> Problem {
    Problem::new(&code::NOT_FOUND, format!("There is no {what} of this id for this key's merchant and mode."))
}
