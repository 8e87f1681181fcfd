//! What is stored, what runs, what travels, and what the bank has done.
//!
//! Nothing here is larger than it must be. A version is only ever compared, so it is one bit of a task:
//! *has anybody committed since I read?* A clock is only ever compared with a deadline, so it is one of
//! three answers. A node is a set of tasks that die together; its tasks share nothing else, so every two
//! tasks of the model may as well run on different nodes.

use crate::table::{Heard, Status};

/// What a client may ask for, each under an idempotency key of its own: the position in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// Charge the payment.
    Charge,
    /// Take what an authorization holds.
    Capture,
    /// Release what an authorization holds.
    Void,
    /// Give this much back.
    Refund(u8),
    /// Give the payment up.
    Cancel,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Takes or holds the payment's money.
    Charge,
    /// Takes what is held.
    Capture,
    /// Releases what is held.
    Void,
    /// Gives a part back.
    Refund,
    /// Gives a whole charge back, because it is surplus or was to be cancelled.
    Undo {
        /// Which charge.
        charge: usize,
    },
}

/// Where now is, seen from the end of the newest right to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Now {
    /// Before the deadline.
    Before,
    /// After it.
    After,
    /// After it by the provider's visibility.
    Visible,
}

/// One operation, as stored. Its place in the store is its id, and the key that is sent upstream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each for itself")]
pub struct Operation {
    /// What it does.
    pub kind: Kind,
    /// How much it moves.
    pub amount: u8,
    /// How far it is.
    pub status: Status,
    /// Whether an effect may have left.
    pub maybe_sent: bool,
    /// Whether the newest right to send is over.
    pub now: Now,
    /// Whether the provider still remembers the key.
    pub in_window: bool,
    /// How often the resolver took it over while it was unknown.
    pub checks: u8,
    /// Which key waits for its outcome.
    pub claim: Option<usize>,
    /// It succeeded after another truth was told.
    pub surplus: bool,
    /// It was told to have succeeded, and the provider took that back: a correction event tells of it.
    pub corrected: bool,
}

/// What the owner of a key is told, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// The provider has it: it waits for the customer, or decides later.
    Waits,
    /// It was not done, and will not be.
    Failed,
}

/// An idempotency key that was used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Its operation; a cancel that waits has none.
    pub operation: Option<usize>,
    /// Its answer, once it is decided.
    pub answer: Option<Answer>,
}

/// What is committed: one payment with all that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Store {
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Its keys, by command.
    pub claims: Vec<Option<Claim>>,
    /// Which key waits for the payment to be given up.
    pub cancel: Option<usize>,
    /// It was given up.
    pub cancelled: bool,
    /// Refunds that were made elsewhere: the provider's reference and the amount.
    pub external: Vec<(Reference, u8)>,
}

/// The provider's own name for a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// Of an operation of ours.
    Ours(usize),
    /// Made at its dashboard.
    Dashboard,
}

/// What one task is about to do. A crash forgets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Commit the reserve that a command was granted.
    Reserve {
        /// The command's key.
        key: usize,
        /// Nobody has committed since it was granted.
        fresh: bool,
    },
    /// Commit the step before the effect that moves money, where a call has several.
    Step {
        /// Of what.
        operation: usize,
        /// Nobody has committed since this task did.
        fresh: bool,
    },
    /// Send.
    Send {
        /// What.
        operation: usize,
        /// This task's own deadline is still ahead.
        in_time: bool,
        /// It was sent before, perhaps.
        repeat: bool,
    },
    /// Wait for the answer.
    Await {
        /// Of what.
        operation: usize,
    },
    /// Look an operation up, having taken it over.
    Look {
        /// Which.
        operation: usize,
        /// It may be sent again if nothing is found.
        may_repeat: bool,
        /// This task's own deadline is still ahead.
        in_time: bool,
    },
    /// Write down what was heard.
    Settle {
        /// Of what.
        operation: usize,
        /// What.
        heard: Heard,
        /// It was asked after the provider's visibility.
        visible: bool,
        /// Nobody has committed since; only looked at where a settle gives up.
        fresh: bool,
    },
    /// Reserve what follows from an outcome, later (never, while `SuccessorInTheCommit` holds).
    Follow {
        /// The charge that is to be undone.
        charge: usize,
    },
}

impl Task {
    /// The operation that it has to do with.
    pub const fn operation(&self) -> Option<usize> {
        match self {
            Self::Step { operation, .. }
            | Self::Send { operation, .. }
            | Self::Await { operation }
            | Self::Look { operation, .. }
            | Self::Settle { operation, .. } => Some(*operation),
            Self::Reserve { .. } | Self::Follow { .. } => None,
        }
    }
}

/// A request on its way to the bank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Its key.
    pub operation: usize,
    /// The bytes are those that were sent first.
    pub same_bytes: bool,
}

/// How far the bank is with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It waits for the customer.
    Waits,
    /// It decides later.
    Pends,
    /// It moved the money.
    Moved,
    /// It did not, and will not.
    Declined,
}

/// A notice of the bank's to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notice {
    /// It is on its way.
    Sent,
    /// It came. It may come again.
    Came,
}

/// What the bank knows under one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Effect {
    /// The key.
    pub operation: usize,
    /// What was asked.
    pub kind: Kind,
    /// How much.
    pub amount: u8,
    /// How far it is.
    pub stage: Stage,
    /// It was not decided at once: notices that say so may be under way for ever.
    pub was_open: bool,
    /// How often money moved under this key.
    pub times: u8,
    /// What it says of it by itself.
    pub notice: Notice,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// What is committed.
    pub store: Store,
    /// What runs.
    pub tasks: Vec<Task>,
    /// What is on its way to the bank.
    pub wire: Vec<Request>,
    /// What the bank did, by key.
    pub bank: Vec<Effect>,
    /// The refund made at the bank's dashboard: on its way to us, or told.
    pub dashboard: Option<Notice>,
    /// How many more things may go wrong.
    pub faults: u8,
    /// The bank broke its own word: it hid what it had done, or undid it.
    pub contradicted: bool,
    /// Something was sent after its deadline.
    pub sent_late: bool,
}

impl Store {
    /// Whether money of the payment's charge may still come, or came.
    pub fn stands(&self, charge: &Operation) -> bool {
        charge.kind == Kind::Charge && charge.status == Status::Succeeded
    }

    /// What was taken, less what was given back or is on its way back.
    pub fn refundable(&self, held: impl Fn(&Operation) -> bool) -> u8 {
        let taken: u8 = self.operations.iter().filter(|o| self.stands(o)).map(|o| o.amount).sum();
        let back = self.operations.iter().filter(|o| match o.kind {
            Kind::Refund => o.status == Status::Succeeded || held(o),
            Kind::Charge | Kind::Capture | Kind::Void | Kind::Undo { .. } => false,
        });
        let external: u8 = self.external.iter().map(|(_, amount)| amount).sum();
        taken.saturating_sub(back.map(|o| o.amount).sum::<u8>()).saturating_sub(external)
    }
}

impl State {
    /// What the bank knows under a key.
    pub fn effect(&self, operation: usize) -> Option<&Effect> {
        self.bank.iter().find(|effect| effect.operation == operation)
    }

    /// How often the bank moved money under a key.
    pub fn moved(&self, operation: usize) -> u8 {
        self.effect(operation).map_or(0, |effect| effect.times)
    }
}
