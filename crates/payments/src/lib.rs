//! Payments: charge, capture, void, refund; never twice.
//!
//! Pure model files decide ([`Payment`], [`Operation`], [`Refund`]); the service loads, asks the
//! model, commits, calls out through a provider, and applies what came back. Every operation is
//! committed before it is sent (reserve), sent by whoever holds the right to, and written down again
//! (settle); what may have been sent and is not known is found out by the resolver.
//!
//! Here is no HTTP, no SQL and no provider by name. The rules are `docs/reliability.md`'s.

mod apply;
mod charge;
mod climb;
pub mod command;
mod customer;
mod decide;
mod dispute;
mod draft;
mod moves;
mod operation;
mod order_guard;
mod payment;
mod posting;
mod provider_reference;
mod refund;
mod rejection;
mod settings;
mod surplus;

pub use command::*;
pub use customer::{Customer, CustomerKind};
pub use operation::{Operation, OperationId, OperationKind, OperationStatus};
pub use payment::{
    AnswerForm, Attempt, CardSummary, ChargeSummary, LastError, MethodSummary, Payment, PaymentKind,
    PaymentStatus, Purpose, WaitingFor,
};
pub use refund::{Refund, RefundKind, RefundStatus};
pub use rejection::{PaymentsError, Rejection};
