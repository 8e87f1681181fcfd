//! Why a command is refused: data, in order of precedence; nothing was written and nothing sent.

use kernel::{Currency, MoneyError, RecordError, StoreError};
use thiserror::Error;

use crate::operation::OperationId;
use crate::payment::{LastError, PaymentStatus};
use crate::volume::Limit;

/// A refused command. The edge maps each to a status and a code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The object does not exist in this scope.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The named field cannot be as it is.
    #[error("{message}")]
    Invalid {
        /// The field, as a JSON pointer into the request: `/amount`.
        param: &'static str,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// Only a test world has it.
    #[error("only test worlds have a clock that moves")]
    TestModeOnly,
    /// The scope has no account at the asked provider, or none at all.
    #[error("{0}")]
    NoProviderAccount(String),
    /// The payment's status does not allow it.
    #[error("a payment that is {} cannot be {verb}", status.as_str())]
    State {
        /// What was asked: `captured`.
        verb: &'static str,
        /// What it is.
        status: PaymentStatus,
    },
    /// The field is settled since the payment was first charged.
    #[error("`{}` can be changed before the first charge alone", param.trim_start_matches('/'))]
    Settled {
        /// The field, as a JSON pointer into the request.
        param: &'static str,
    },
    /// An operation whose outcome is open excludes it.
    #[error("operation {0} is still open")]
    OperationOpen(OperationId),
    /// Another payment of this order is open or paid.
    #[error("the order has a charge that is open or paid")]
    OrderAlreadyCharged,
    /// The payment method cannot be charged or attached; the text says why.
    #[error("the payment method cannot be used: {0}")]
    MethodNotUsable(&'static str),
    /// What the payment method is does not allow it; the text says why.
    #[error("{0}")]
    MethodState(&'static str),
    /// The customer has as many payment methods as one can have.
    #[error("a customer has at most {most} payment methods")]
    TooManyMethods {
        /// How many.
        most: u32,
    },
    /// The provider would not keep the card, or was not reached.
    #[error("the provider did not keep the card: {}", .0.code)]
    NotTokenized(LastError),
    /// A customer has this reference.
    #[error("there is a customer of this reference")]
    CustomerExists,
    /// More than can be captured.
    #[error("only {available} can be captured")]
    BeyondCapturable {
        /// Minor units that can be captured.
        available: i64,
    },
    /// More than can be refunded.
    #[error("only {available} can be refunded")]
    BeyondRefundable {
        /// Minor units that can be refunded.
        available: i64,
    },
    /// The merchant's limit does not leave room for it.
    #[error("{}: {left} of {currency} are left", limit.as_str())]
    LimitExceeded {
        /// Which limit.
        limit: Limit,
        /// In which currency.
        currency: Currency,
        /// Minor units that it leaves.
        left: i64,
    },
    /// The payment has had 99 operations.
    #[error("a payment can have 99 operations, this one has had them")]
    TooManyOperations,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The request of this idempotency key is still running.
    #[error("the request of this idempotency key is still running")]
    KeyInUse,
}

/// What a service verb fails with. Only the edge knows HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PaymentsError {
    /// Refused; nothing was written.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Commands on this payment waited too long for one another; try again.
    #[error("the payment is busy")]
    Busy,
    /// Too much is queued; try again.
    #[error("overloaded")]
    Overloaded,
    /// It may have been written, and goes on then: the database did not say so in time.
    #[error("undecided: {0}")]
    Undecided(String),
    /// There is no room to write on the database's disk; certainly not written.
    #[error("the disk is full")]
    StorageFull,
    /// The database does not answer; certainly not written.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Ours to mend; the text is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

/// A sum or a posting that cannot be: a defect of ours or of a provider's answer, never a wrap.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ModelError {
    /// A sum out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A posting that no rule allows.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
}

impl From<ModelError> for PaymentsError {
    fn from(error: ModelError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<StoreError> for PaymentsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(reason) => Self::Unavailable(reason),
            StoreError::Record(record) => Self::Internal(record.to_string()),
        }
    }
}

impl From<RecordError> for PaymentsError {
    fn from(error: RecordError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<MoneyError> for PaymentsError {
    fn from(error: MoneyError) -> Self {
        Self::Internal(error.to_string())
    }
}
