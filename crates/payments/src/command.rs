//! What callers ask for: one struct per verb, already parsed; and what they are answered.

use std::time::Duration;

use kernel::{Actor, Currency, Id, Money, Scope, Timestamp};
use provider_kit::{CaptureMode, Card, MethodKind, ThreeDSecure};
use serde::{Deserialize, Serialize};

use crate::customer::CustomerKind;
use crate::method::PaymentMethodKind;
use crate::patch::{MetadataPatch, Patch};
use crate::payer::{Address, Payer};
use crate::payment::{AnswerForm, LastError, Payment, Purpose};
use crate::refund::Refund;

/// On whose behalf a verb runs.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The world it may touch.
    pub scope: Scope,
    /// Who it is, for the events.
    pub actor: Actor,
    /// The trace of the request.
    pub trace_id: Option<String>,
    /// What the sandbox is to play with the operation that this request makes; test worlds only.
    pub scenario: Option<String>,
}

/// A customer by our id or by the merchant's own reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRef {
    /// Ours; must exist.
    Id(Id<CustomerKind>),
    /// The merchant's; made if it is new.
    Reference(String),
}

/// With what is paid.
#[derive(Clone, Debug)]
pub enum MethodInput {
    /// A card as typed in.
    Card(Card),
    /// A token of the provider.
    Token(String),
    /// A stored method.
    Stored(Id<PaymentMethodKind>),
    /// UPI, by request to an address or by anyone who scans the code.
    Upi {
        /// The payer's address.
        vpa: Option<String>,
    },
    /// A PayPal account: its owner is asked, or agreed before.
    Paypal {
        /// PayPal's payment token, of an owner who agreed before.
        token: Option<String>,
    },
    /// The pages of the provider, or of a bank, wallet or lender that it sends the payer to.
    Hosted {
        /// Which method.
        method: MethodKind,
        /// Which bank, wallet or lender, by the provider's code.
        at: Option<String>,
    },
}

/// Makes a payment and, if `confirm`, charges it.
#[derive(Clone, Debug)]
pub struct CreatePayment {
    /// How much; zero only to verify.
    pub amount: Money,
    /// Why.
    pub purpose: Purpose,
    /// Taken at once or held first; the merchant's default if absent.
    pub capture_method: Option<CaptureMode>,
    /// Charge it now; needs a method.
    pub confirm: bool,
    /// With what.
    pub method: Option<MethodInput>,
    /// Who pays.
    pub customer: Option<CustomerRef>,
    /// The merchant's order.
    pub order_id: Option<String>,
    /// May be charged beside another payment of the order.
    pub allow_duplicate_order: bool,
    /// At this provider, not the default one.
    pub provider: Option<String>,
    /// The merchant's words.
    pub description: Option<String>,
    /// What the statement shows.
    pub statement_descriptor: Option<String>,
    /// Where receipts go.
    pub customer_email: Option<String>,
    /// The merchant's own data.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// Where the browser returns.
    pub return_url: Option<String>,
    /// Where the merchant wants to be told of this payment.
    pub callback_url: Option<String>,
    /// The words of the answer.
    pub form: AnswerForm,
    /// Hold the money, and take it by itself after so many seconds.
    pub capture_delay_seconds: Option<u32>,
    /// The payer is not there: the merchant charges a stored credential.
    pub off_session: Option<OffSession>,
    /// The credential is stored with this charge, for later ones.
    pub stores_credential: bool,
    /// Whether the payer must be authenticated.
    pub three_d_secure: ThreeDSecure,
    /// What is known of the payer.
    pub payer: Option<Box<Payer>>,
}

/// A charge that the merchant makes without the payer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffSession {
    /// The network's id of the charge that stored the credential, where the merchant knows it.
    pub network_transaction_id: Option<String>,
}

/// Charges a payment that was never charged, or whose last charge failed.
#[derive(Clone, Debug, Default)]
pub struct ConfirmPayment {
    /// With what.
    pub method: Option<MethodInput>,
    /// At this provider, not the default one.
    pub provider: Option<String>,
    /// Where the browser returns, if it changed.
    pub return_url: Option<String>,
    /// The payer is not there.
    pub off_session: Option<OffSession>,
    /// The credential is stored with this charge, for later ones.
    pub stores_credential: bool,
    /// Whether the payer must be authenticated, if that changed.
    pub three_d_secure: Option<ThreeDSecure>,
    /// What is known of the payer now; absent fields keep what they were.
    pub payer: Option<Box<Payer>>,
}

/// Takes held money.
#[derive(Clone, Copy, Debug, Default)]
pub struct CapturePayment {
    /// Minor units; all that is capturable if absent.
    pub amount: Option<i64>,
    /// Release the rest.
    pub is_final: bool,
}

/// Holds more on an authorisation.
#[derive(Clone, Copy, Debug)]
pub struct IncrementPayment {
    /// Minor units that are added.
    pub amount: i64,
}

/// Changes what a payment says of itself.
#[derive(Clone, Debug, Default)]
pub struct UpdatePayment {
    /// Minor units; before the first charge alone.
    pub amount: Option<i64>,
    /// Before the first charge alone.
    pub currency: Option<Currency>,
    /// The merchant's order; before the first charge alone.
    pub order_id: Patch<String>,
    /// Who pays.
    pub customer: Option<CustomerRef>,
    /// The merchant's words.
    pub description: Patch<String>,
    /// What the statement shows, from the next charge on.
    pub statement_descriptor: Patch<String>,
    /// Where receipts go.
    pub customer_email: Patch<String>,
    /// Where the browser returns.
    pub return_url: Patch<String>,
    /// Where the goods go.
    pub shipping_address: Patch<Address>,
    /// Merged into what is there.
    pub metadata: MetadataPatch,
}

/// Gives money back.
#[derive(Clone, Debug, Default)]
pub struct RefundPayment {
    /// Minor units; all that is refundable if absent.
    pub amount: Option<i64>,
    /// The merchant's words.
    pub reason: Option<String>,
    /// The merchant's own data.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// Moves a test world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveClock {
    /// Forward by this.
    By(Duration),
    /// Forward to this moment.
    To(Timestamp),
}

/// A test world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedClock {
    /// What it shows.
    pub now: Timestamp,
    /// How far it is ahead of the real one.
    pub offset: Duration,
    /// It was answered before.
    pub replayed: bool,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Done as asked, or waiting for the customer as the payment says.
    Done,
    /// Declined or not done; the payment (or refund) says so too.
    Declined(LastError),
    /// Not known or not decided yet; the work goes on. Never a stored answer.
    Accepted,
}

/// The answer to a command, first or replayed.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What came of it.
    pub verdict: Verdict,
    /// The payment as it was then. Boxed, as is the refund: an answer goes through many hands.
    pub payment: Box<Payment>,
    /// The refund, if it was one.
    pub refund: Option<Box<Refund>>,
    /// It was answered before.
    pub replayed: bool,
}
