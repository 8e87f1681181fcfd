//! One call that moves or holds money, committed before anything is sent.

use std::fmt;
use std::str::FromStr;

use kernel::{Cell, Column, ColumnType, Distilled, Id, Index, Money, Record, Table, Timestamp};
use provider_kit::{
    Account, Action, Call, Cancel, Capture, Charge, Context, Decline, Increment, Refund as RefundCall, Verb,
    Void,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::payment::PaymentKind;
use crate::refund::RefundKind;

/// What an operation does; its letter is part of its id and of the reference sent upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// Holds money (`a`); with an amount of zero it verifies the method.
    Authorize,
    /// Takes money at once (`s`).
    Sale,
    /// Takes held money (`c`).
    Capture,
    /// Releases held money (`v`).
    Void,
    /// Gives money back (`f`).
    Refund,
    /// Gives up a charge that waits for the customer (`x`).
    Cancel,
    /// Reverses a surplus charge (`r`); has that charge's ordinal, so that only one can exist.
    Reversal,
    /// A refund that was made at the provider's own dashboard (`e`); never sent.
    External,
    /// Holds more on an authorisation (`i`).
    Increment,
}

impl OperationKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Authorize,
        Self::Sale,
        Self::Capture,
        Self::Void,
        Self::Refund,
        Self::Cancel,
        Self::Reversal,
        Self::External,
        Self::Increment,
    ];

    /// The letter in ids and references.
    pub const fn letter(self) -> char {
        match self {
            Self::Authorize => 'a',
            Self::Sale => 's',
            Self::Capture => 'c',
            Self::Void => 'v',
            Self::Refund => 'f',
            Self::Cancel => 'x',
            Self::Reversal => 'r',
            Self::External => 'e',
            Self::Increment => 'i',
        }
    }

    /// The word in events and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Sale => "sale",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Cancel => "cancel",
            Self::Reversal => "reversal",
            Self::External => "external_refund",
            Self::Increment => "increment",
        }
    }

    /// Whether it charges the customer.
    pub const fn is_charge(self) -> bool {
        matches!(self, Self::Authorize | Self::Sale)
    }
}

/// An operation's id: its payment, the letter of its kind and an ordinal from 1 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId {
    /// The payment.
    pub payment: Id<PaymentKind>,
    /// The kind.
    pub kind: OperationKind,
    /// Number among the payment's operations.
    pub ordinal: u8,
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl OperationId {
    /// The part after the payment: `s01`. The second column of the key.
    pub fn local(&self) -> String {
        self.local_text().iter().collect()
    }

    /// The whole text; every record of a payment names its operations several times.
    fn text(&self) -> String {
        let mut text = String::with_capacity(40);
        text.push_str(&self.payment.text());
        text.push('-');
        text.extend(self.local_text());
        text
    }

    fn local_text(&self) -> [char; 3] {
        let digit = |value: u8| char::from(b'0' + value % 10);
        [self.kind.letter(), digit(self.ordinal / 10), digit(self.ordinal)]
    }

    /// Reads the part after the payment.
    pub fn from_local(payment: Id<PaymentKind>, local: &str) -> Option<Self> {
        let mut chars = local.chars();
        let letter = chars.next()?;
        let digits = chars.as_str();
        let kind = OperationKind::ALL.into_iter().find(|kind| kind.letter() == letter)?;
        if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { payment, kind, ordinal: digits.parse().ok()? })
    }

    /// The reference sent upstream: the payment's UUID in 22 base-62 characters, the letter, two
    /// digits: 25 alphanumeric characters, which every provider's field can hold.
    pub fn reference(&self) -> String {
        let mut rest = self.payment.uuid().as_u128();
        let mut text = [b'0'; 22];
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(rest % 62).unwrap_or(0);
            *place = BASE62.get(digit).copied().unwrap_or(b'0');
            rest /= 62;
        }
        let mut reference: String = text.iter().map(|byte| char::from(*byte)).collect();
        reference.push_str(&self.local());
        reference
    }

    /// Finds the operation that a reference names, without any index.
    pub fn from_reference(reference: &str) -> Option<Self> {
        let (uuid, local) = reference.split_at_checked(22)?;
        let mut value: u128 = 0;
        for byte in uuid.bytes() {
            let digit = BASE62.iter().position(|known| *known == byte)?;
            value = value.checked_mul(62)?.checked_add(u128::try_from(digit).ok()?)?;
        }
        Self::from_local(Id::from_uuid(Uuid::from_u128(value)), local)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for OperationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no operation id, such as pay_…-s01");
        let (payment, local) = text.split_once('-').ok_or_else(wrong)?;
        let payment = Id::parse(payment).map_err(|_| wrong())?;
        Self::from_local(payment, local).ok_or_else(wrong)
    }
}

impl Serialize for OperationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for OperationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// How far an operation is. Outcomes only climb; see [`crate::climb`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Committed; a live task may be sending it. Holds its amount.
    Reserved,
    /// It may have been sent, and nobody knows what came of it. Holds its amount.
    Unknown,
    /// The provider waits for the customer. Holds its amount.
    ActionRequired,
    /// The provider has taken it on and decides later. Holds its amount.
    Pending,
    /// Done.
    Succeeded,
    /// Decided against.
    Declined,
    /// Proven never to have been done: not sent, refused outright, or not found when it must be.
    NotDone,
    /// Given up upstream before it was done.
    Cancelled,
    /// People must decide; it still holds its amount.
    NeedsReview,
}

impl OperationStatus {
    /// All statuses.
    pub const ALL: [Self; 9] = [
        Self::Reserved,
        Self::Unknown,
        Self::ActionRequired,
        Self::Pending,
        Self::Succeeded,
        Self::Declined,
        Self::NotDone,
        Self::Cancelled,
        Self::NeedsReview,
    ];

    /// The word in answers and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Unknown => "unknown",
            Self::ActionRequired => "action_required",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::NotDone => "not_done",
            Self::Cancelled => "cancelled",
            Self::NeedsReview => "needs_review",
        }
    }

    /// Whether its outcome may still come: it holds its amount, and blocks what it excludes.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Reserved | Self::Unknown | Self::ActionRequired | Self::Pending | Self::NeedsReview => true,
            Self::Succeeded | Self::Declined | Self::NotDone | Self::Cancelled => false,
        }
    }

    /// Whether who asked for it has an answer that stays. Until then they hear 202.
    pub const fn is_told(self) -> bool {
        match self {
            Self::Reserved | Self::Unknown | Self::NeedsReview => false,
            Self::ActionRequired
            | Self::Pending
            | Self::Succeeded
            | Self::Declined
            | Self::NotDone
            | Self::Cancelled => true,
        }
    }
}

/// The call of an operation, as stored: never a card number, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum StoredCall {
    /// Hold or take money.
    Charge(Charge),
    /// Take held money.
    Capture(Capture),
    /// Release held money.
    Void(Void),
    /// Give money back.
    Refund(RefundCall),
    /// Give up a waiting charge.
    Cancel(Cancel),
    /// Hold more.
    Increment(Increment),
    /// Made at the provider's dashboard: there is nothing to send.
    External,
}

impl StoredCall {
    /// The call for the provider; `None` where there is nothing to send.
    pub fn to_call(&self) -> Option<Call> {
        match self {
            Self::Charge(call) => Some(Call::Charge(call.clone())),
            Self::Capture(call) => Some(Call::Capture(call.clone())),
            Self::Void(call) => Some(Call::Void(call.clone())),
            Self::Refund(call) => Some(Call::Refund(call.clone())),
            Self::Cancel(call) => Some(Call::Cancel(call.clone())),
            Self::Increment(call) => Some(Call::Increment(call.clone())),
            Self::External => None,
        }
    }

    /// The verb at the provider.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Charge(_) => Verb::Charge,
            Self::Capture(_) => Verb::Capture,
            Self::Void(_) => Verb::Void,
            Self::Refund(_) | Self::External => Verb::Refund,
            Self::Cancel(_) => Verb::Cancel,
            Self::Increment(_) => Verb::Increment,
        }
    }
}

/// The keyed MAC of the bytes that one effect step sent first: a repeat must match it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepMac {
    /// The step.
    pub step: String,
    /// Hexadecimal.
    pub mac: String,
}

/// The claim that waits for an operation's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingClaim {
    /// The idempotency key.
    pub key: String,
    /// The route that it was used on.
    pub route: String,
}

/// One operation: the unit of never twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each for itself")]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// How far it is.
    pub status: OperationStatus,
    /// What it is to move.
    pub amount: Money,
    /// Minor units that it holds while it is open: what it is to move, or all that is capturable.
    pub held: i64,
    /// What it moved, once it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<Money>,
    /// The provider account that it is pinned to.
    pub account: Id<Account>,
    /// That account's provider.
    pub provider: String,
    /// Who we were there when it was reserved; a repeat to anybody else is not sent.
    pub identity: String,
    /// What is asked of the provider.
    pub call: StoredCall,
    /// The clock and the nonce of the call, drawn once.
    pub context: Context,
    /// Who holds the right to send: a number drawn by each driver.
    pub driver: u64,
    /// Whether an effect may have left this process. Never unset.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub maybe_sent: bool,
    /// Reserved because time had come, and not because somebody asked.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub scheduled: bool,
    /// Distilled replies so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<Distilled>,
    /// What each effect step sent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<StepMac>,
    /// The node's real clock when it was reserved, where a test merchant's clock is ahead of it: what a
    /// recovery counts from if it has nothing better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Timestamp>,
    /// Database time of the reserve, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_at: Option<Timestamp>,
    /// Database time until which something may still have been sent, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_end_at: Option<Timestamp>,
    /// How often it was looked up or repeated since its outcome became unknown; sets the back-off.
    pub checks: u32,
    /// The provider's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Links stored credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_transaction_id: Option<String>,
    /// By what the payer can be charged again, where this charge made that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// What the customer must do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Why it was declined or not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// Small facts from the approval.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// The provider's fee, once told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// The claim that its outcome answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<WaitingClaim>,
    /// It succeeded beside another charge, or after the merchant was told that it had not: it posts to
    /// the books, stays out of the payment's sums, and is reversed.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub surplus: bool,
    /// It had succeeded, and the provider undid it. Should the provider tell again that it was done,
    /// nobody can know whether that is an old notice: people decide.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub undone: bool,
    /// Why people must decide it, or had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_reason: Option<String>,
    /// There is a row that finds it among what people must decide; see [`crate::review`].
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub(crate) in_review: bool,
    /// What it takes from limits on volume, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Counted>,
    /// The rule that chose its account, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Its transfers so far; numbers the next one.
    pub postings: i64,
    /// The refund that it carries out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<Id<RefundKind>>,
    /// The charge that it is about; `None` for a charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<OperationId>,
    /// When it was reserved, by the clock that people see.
    pub created_at: Timestamp,
    /// When it became final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// When it is to be looked at again, after the commit that writes it. Lives in the column
    /// `due_at` alone, as database time.
    #[serde(skip)]
    pub due: Due,
}

/// When an operation is due for the resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Due {
    /// Never: it is final, or people must decide.
    #[default]
    Never,
    /// So long after the commit.
    After(std::time::Duration),
    /// At this database time, as it was read.
    At(Timestamp),
}

impl Due {
    /// From the column.
    pub fn of(columns: &[Cell]) -> Self {
        columns.first().and_then(Cell::as_time).map_or(Self::Never, Self::At)
    }
}

impl Operation {
    /// The decline's normalised code, if it has one.
    pub fn decline_code(&self) -> Option<&'static str> {
        self.decline.as_ref().map(|decline| decline.code.as_str())
    }
}

/// Key: payment and local id, so that all operations of a payment are neighbours. The due index holds
/// only operations that something must still be done about.
pub(crate) static OPERATION: Table = Table {
    name: "operation",
    key: &[Column::new("payment", ColumnType::Uuid), Column::new("local", ColumnType::Text)],
    columns: &[Column::nullable("due_at", ColumnType::Time)],
    versioned: true,
    has_state: true,
    indexes: &[Index {
        name: "operation_due",
        columns: &["due_at"],
        unique: false,
        where_present: Some("due_at"),
        where_absent: None,
    }],
    fillfactor: 50,
};

/// What a charge takes from its merchant's limits on volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The counters, by the names of their periods: `2026-11`, `2026-11-21`.
    pub periods: Vec<String>,
    /// It ended without money, and they have it back.
    #[serde(default, skip_serializing_if = "crate::payment::is_false")]
    pub released: bool,
}

impl Record for Operation {
    const TABLE: &'static Table = &OPERATION;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        operation_key(self.id)
    }

    fn columns(&self) -> Vec<Cell> {
        vec![match self.due {
            Due::Never => Cell::Null,
            Due::After(delay) => Cell::After(delay),
            Due::At(instant) => Cell::Time(instant),
        }]
    }
}

/// The key of an operation's row.
pub(crate) fn operation_key(id: OperationId) -> Vec<Cell> {
    vec![id.payment.into(), id.local().into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_operation_in_25_characters() {
        let payment = Id::from_uuid(Uuid::max());
        for kind in OperationKind::ALL {
            let id = OperationId { payment, kind, ordinal: 7 };
            let reference = id.reference();
            assert_eq!(reference.len(), 25);
            assert!(reference.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(OperationId::from_reference(&reference), Some(id));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn what_names_no_operation_is_none() {
        for reference in ["", "short", "zzzzzzzzzzzzzzzzzzzzzzs01", "0000000000000000000000q01", "é"] {
            assert_eq!(OperationId::from_reference(reference), None, "{reference}");
        }
    }
}
