//! What a merchant asks for: totals, open operations, and a status that is derived from them.

use kernel::{Cell, Column, ColumnType, Id, Index, Kind, Money, MoneyError, Record, Table, Timestamp};
use provider_kit::{Account, Action, Advice, CaptureMode, Instrument, ThreeDSecure};
use serde::{Deserialize, Serialize};

use crate::customer::CustomerKind;
use crate::dispute::DisputeSummary;
use crate::method::PaymentMethodKind;
pub use crate::method_summary::{CardSummary, MethodSummary};
use crate::next_charge::NextCharge;
use crate::operation::{OperationId, OperationKind, OperationStatus, WaitingClaim};
use crate::payer::Payer;
use crate::refund::RefundSummary;

/// Marks ids of payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentKind {}

impl Kind for PaymentKind {
    const PREFIX: &'static str = "pay";
}

/// What is false, zero, empty or absent is left out of the stored forms: most of a row would be that.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// How many attempts, refunds and disputes the summary keeps of each; older ones are in their own rows.
pub(crate) const SUMMARY_LENGTH: usize = 20;

/// Why the payment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To take money.
    Payment,
    /// To check a method with an amount of zero.
    Verification,
}

/// The words of the answer: ours, or those of an Indian integration that counts in paisa.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// The canonical object.
    Canonical,
    /// The canonical object plus `payment_id`, `amount_paisa`, `payment_url` and their kind.
    Paisa,
}

/// The payment's status. Derived; see [`Payment::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Not decided yet; [`Payment::waiting_for`] says for whom it waits.
    Pending,
    /// 3-D Secure or the bank is awaited.
    Authorizing,
    /// Money is held (or, for a verification, the method is good).
    Authorized,
    /// Money was taken.
    Paid,
    /// Some of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// The payer's bank took it back for now.
    Disputed,
    /// The last charge was declined or not done; another may be tried.
    Failed,
    /// Given up for good.
    Cancelled,
}

impl PaymentStatus {
    /// All statuses.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Authorizing,
        Self::Authorized,
        Self::Paid,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Disputed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word in answers and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorizing => "authorizing",
            Self::Authorized => "authorized",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// For whom a pending payment waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// The merchant must confirm it.
    Confirmation,
    /// The customer must act.
    Customer,
    /// The provider decides.
    Provider,
    /// The outcome of a call is not known; it is being found out.
    Unknown,
}

/// Sums over the payment's operations, in its currency's minor unit; surplus charges apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Held or taken by successful charges.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub authorized: i64,
    /// Released again: voids, expiries and the rest after a final capture.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released: i64,
    /// Taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub captured: i64,
    /// Given back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunded: i64,
    /// Asked for by open captures and voids.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub capture_held: i64,
    /// Asked for by open refunds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refund_held: i64,
    /// Taken back by disputes that are open.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disputed: i64,
    /// Lost in disputes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dispute_lost: i64,
}

impl Amounts {
    /// What can still be captured.
    pub const fn capturable(&self) -> i64 {
        self.authorized - self.released - self.captured - self.capture_held
    }

    /// What can still be refunded.
    pub const fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.refund_held - self.disputed - self.dispute_lost
    }
}

/// One try at one provider account, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its charge.
    pub operation: OperationId,
    /// How far the charge is.
    pub status: OperationStatus,
    /// How much was asked.
    pub amount: i64,
    /// At which provider.
    pub provider: String,
    /// At which account.
    pub account: Id<Account>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<LastError>,
    /// Whether it became surplus.
    #[serde(default, skip_serializing_if = "is_false")]
    pub surplus: bool,
    /// When it began.
    pub created_at: Timestamp,
}

/// The last decline or failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// `card_declined`, `not_sent`, `provider_refused`, `expired`, …
    pub code: String,
    /// Normalised decline code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    /// The network's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_code: Option<String>,
    /// What the merchant may do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// An operation that is open, in short: it holds its amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOperation {
    /// Its id.
    pub id: OperationId,
    /// How much it holds.
    pub amount: i64,
    /// How far it is.
    pub status: OperationStatus,
    /// It holds all that is capturable: no capture or void may run beside it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclusive: bool,
}

/// The charge that stands or is under way: the newest that is not surplus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeSummary {
    /// Its operation.
    pub operation: OperationId,
    /// How far it is.
    pub status: OperationStatus,
    /// Where.
    pub provider: String,
    /// Where.
    pub account: Id<Account>,
    /// Who we were there.
    pub identity: String,
    /// Taken at once or held.
    pub capture: CaptureMode,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Links stored credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_transaction_id: Option<String>,
    /// What the customer must do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What the customer had to do: kept after it was done, for the words of the paisa form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_url: Option<String>,
    /// Small facts from the approval.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// What the provider keeps, if told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<i64>,
    /// When what it holds is taken by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_at: Option<Timestamp>,
    /// When what it holds is held no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapses_at: Option<Timestamp>,
}

/// The customer as the merchant names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerLink {
    /// Our id.
    pub id: Id<CustomerKind>,
    /// The merchant's own reference, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A cancel that waits for an open charge's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// The claim that the settle which decides it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<WaitingClaim>,
    /// When it was asked for.
    pub requested_at: Timestamp,
}

/// An instrument and the account that can charge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedInstrument {
    /// The account.
    pub account: Id<Account>,
    /// The instrument: never a card number.
    pub instrument: Instrument,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Payment {
    /// Its id.
    pub id: Id<PaymentKind>,
    /// What is asked for.
    pub amount: Money,
    /// Why.
    pub purpose: Purpose,
    /// Taken at once or held first.
    pub capture_method: CaptureMode,
    /// It is held first, and taken by itself so many seconds after it was authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_delay_seconds: Option<u32>,
    /// The merchant charges it without the payer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub off_session: bool,
    /// Whether the payer must be authenticated.
    #[serde(default, skip_serializing_if = "ThreeDSecure::is_automatic")]
    pub three_d_secure: ThreeDSecure,
    /// What is known of the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Box<Payer>>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerLink>,
    /// The merchant's order; guards against a second charge of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Whether this payment holds its order's guard.
    #[serde(default, skip_serializing_if = "is_false")]
    pub holds_order: bool,
    /// Whether it may be charged beside another payment of the order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_duplicate_order: bool,
    /// The merchant's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the statement shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_descriptor: Option<String>,
    /// Where receipts go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_email: Option<String>,
    /// The merchant's own data.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// Where the browser returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where the merchant wants to be told of this payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The words of its answers.
    pub form: AnswerForm,
    /// With what it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodSummary>,
    /// The stored method that it was, or that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_id: Option<Id<PaymentMethodKind>>,
    /// Sums over its operations.
    pub amounts: Amounts,
    /// The charge that stands or is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeSummary>,
    /// Newest last, at most [`SUMMARY_LENGTH`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Newest last, at most [`SUMMARY_LENGTH`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundSummary>,
    /// Newest last, at most [`SUMMARY_LENGTH`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<DisputeSummary>,
    /// Operations whose outcome may still come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenOperation>,
    /// What it is to be charged with, where that was given before it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<Box<PinnedInstrument>>,
    /// A charge that waits for the open one to be given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Box<NextCharge>>,
    /// A cancel that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel: Option<CancelRequest>,
    /// Given up for good.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
    /// The last decline or failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// When what nobody finishes lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The moment that its newest job waits for; see [`crate::SCHEDULE_JOB`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wakes_at: Option<Timestamp>,
    /// How many operations it has had.
    pub operations: u8,
    /// How many events it has had.
    pub events: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was first paid, failed for good or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
}

impl Payment {
    /// The status: a pure function of the charge and the amounts. Precedence: disputed, refunded,
    /// partially refunded, paid, authorized, authorizing, pending, failed or cancelled.
    pub fn status(&self) -> PaymentStatus {
        let amounts = &self.amounts;
        if amounts.disputed > 0 {
            return PaymentStatus::Disputed;
        }
        if amounts.captured > 0 {
            return match amounts.refunded {
                0 => PaymentStatus::Paid,
                refunded if refunded < amounts.captured => PaymentStatus::PartiallyRefunded,
                _ => PaymentStatus::Refunded,
            };
        }
        let Some(charge) = &self.charge else {
            return if self.cancelled { PaymentStatus::Cancelled } else { PaymentStatus::Pending };
        };
        match charge.status {
            OperationStatus::Succeeded if self.cancelled => PaymentStatus::Cancelled,
            OperationStatus::Succeeded => PaymentStatus::Authorized,
            OperationStatus::ActionRequired => match &charge.action {
                Some(Action::ThreeDSecure { .. } | Action::Redirect { .. } | Action::Form { .. }) => {
                    PaymentStatus::Authorizing
                }
                Some(Action::QrCode { .. } | Action::AppLink { .. }) | None => PaymentStatus::Pending,
            },
            OperationStatus::Pending if self.pays_by_card() => PaymentStatus::Authorizing,
            OperationStatus::Pending
            | OperationStatus::Reserved
            | OperationStatus::Unknown
            | OperationStatus::NeedsReview => PaymentStatus::Pending,
            OperationStatus::Declined | OperationStatus::NotDone | OperationStatus::Cancelled => {
                if self.cancelled { PaymentStatus::Cancelled } else { PaymentStatus::Failed }
            }
        }
    }

    /// For whom it waits, while it is pending or authorizing.
    pub fn waiting_for(&self) -> Option<WaitingFor> {
        if !matches!(self.status(), PaymentStatus::Pending | PaymentStatus::Authorizing) {
            return None;
        }
        Some(match self.charge.as_ref().map(|charge| charge.status) {
            None => WaitingFor::Confirmation,
            Some(OperationStatus::ActionRequired) => WaitingFor::Customer,
            Some(OperationStatus::Unknown | OperationStatus::NeedsReview) => WaitingFor::Unknown,
            Some(_) => WaitingFor::Provider,
        })
    }

    /// An amount of minor units in the payment's currency.
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.amount.currency)
    }

    /// The open charge, if there is one.
    pub fn open_charge(&self) -> Option<&OpenOperation> {
        self.open.iter().find(|operation| operation.id.kind.is_charge())
    }

    /// The first open operation of one of these kinds.
    pub fn open_of(&self, kinds: &[OperationKind]) -> Option<&OpenOperation> {
        self.open.iter().find(|operation| kinds.contains(&operation.id.kind))
    }

    /// What the customer must do now.
    pub fn next_action(&self) -> Option<&Action> {
        let charge = self.charge.as_ref()?;
        if charge.status == OperationStatus::ActionRequired { charge.action.as_ref() } else { None }
    }

    /// The merchant's order: the field, else, for display, lists and search, the one that the metadata
    /// names.
    pub fn shown_order_id(&self) -> Option<&str> {
        self.order_id.as_deref().or_else(|| self.metadata.get("order_id").and_then(|value| value.as_str()))
    }

    /// Where receipts go, as the payment says it.
    pub fn email(&self) -> Option<&str> {
        let in_metadata = || self.metadata.get("customer_email").and_then(|value| value.as_str());
        self.customer_email.as_deref().or_else(in_metadata)
    }

    fn pays_by_card(&self) -> bool {
        matches!(self.method, Some(MethodSummary::Card(_)))
    }

    /// Whether every sum is in range: no total below zero, nothing taken or given back beyond what
    /// was there. Disputes and corrections may take what is refundable below zero.
    pub fn amounts_hold(&self) -> Result<(), MoneyError> {
        let a = &self.amounts;
        let sums =
            [a.authorized, a.released, a.captured, a.refunded, a.capture_held, a.refund_held, a.disputed];
        let within = sums.iter().all(|sum| *sum >= 0)
            && a.captured.checked_add(a.released).is_some_and(|used| used <= a.authorized)
            && a.refunded <= a.captured;
        if within { Ok(()) } else { Err(MoneyError::Overflow) }
    }
}

/// Indexes beyond the key: lists by customer and by order read the payments themselves. The order is
/// the one that people see, so that it is found also where only the metadata names it.
pub(crate) static PAYMENT: Table = Table {
    name: "payment",
    key: &[Column::new("id", ColumnType::Uuid)],
    columns: &[
        Column::nullable("customer", ColumnType::Uuid),
        Column::nullable("order_id", ColumnType::Text),
    ],
    versioned: true,
    has_state: true,
    indexes: &[
        Index {
            name: "payment_customer",
            columns: &["scope", "customer", "id"],
            unique: false,
            where_present: Some("customer"),
            where_absent: None,
        },
        Index {
            name: "payment_order",
            columns: &["scope", "order_id", "id"],
            unique: false,
            where_present: Some("order_id"),
            where_absent: None,
        },
    ],
    fillfactor: 50,
};

impl Record for Payment {
    const TABLE: &'static Table = &PAYMENT;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        // Metadata may hold what no text column can.
        let order_id = self.shown_order_id().filter(|order| !order.contains('\0')).map(str::to_owned);
        vec![self.customer.as_ref().map(|customer| customer.id).into(), order_id.into()]
    }
}
