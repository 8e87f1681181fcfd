//! The two tables at the protocol's heart: what a report proves, and what it then does to an operation.
//!
//! They are written a second time here, by status, where the code has them by report. A test compares
//! every row with `payments::climb` and `payments::proves`, so that neither changes alone.

/// How far an operation is. What each status holds is said in `payments::OperationStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Committed; a live task may be sending it.
    Reserved,
    /// It may have been sent, and nobody knows what came of it.
    Unknown,
    /// The provider waits for the customer.
    ActionRequired,
    /// The provider decides later.
    Pending,
    /// People must decide.
    NeedsReview,
    /// Done.
    Succeeded,
    /// Decided against.
    Declined,
    /// Proven never to have been done.
    NotDone,
    /// Given up upstream.
    Cancelled,
}

impl Status {
    /// All statuses, as they climb.
    pub const ALL: [Self; 9] = [
        Self::Reserved,
        Self::Unknown,
        Self::ActionRequired,
        Self::Pending,
        Self::NeedsReview,
        Self::Succeeded,
        Self::Declined,
        Self::NotDone,
        Self::Cancelled,
    ];

    /// Open: its outcome may still come, so it holds its amount and blocks what it excludes.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Reserved | Self::Unknown | Self::ActionRequired | Self::Pending | Self::NeedsReview
        )
    }

    /// Told: whoever asked for the operation has an answer that stays. While it is not, they hear 202.
    pub const fn is_told(self) -> bool {
        !matches!(self, Self::Reserved | Self::Unknown | Self::NeedsReview)
    }
}

/// What comes back from a call, a look-up or a notice, before anybody judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heard {
    /// The provider's own word: done.
    Approved,
    /// The provider's own word: the customer must act.
    ActionRequired,
    /// The provider's own word: decided later.
    Pending,
    /// The provider's own word: decided against.
    Declined,
    /// The provider's own word: given up.
    Cancelled,
    /// It did not take the request on: bad credentials, too many requests, key used before.
    Refused,
    /// A look-up found nothing under our reference.
    NotFound,
    /// Not one byte left this process.
    NotSent,
    /// It may have left, and no answer came.
    MaybeSent,
    /// An answer that nobody can read, or that says nothing: 5xx, HTML, an unmapped state.
    Unreadable,
}

impl Heard {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Approved,
        Self::ActionRequired,
        Self::Pending,
        Self::Declined,
        Self::Cancelled,
        Self::Refused,
        Self::NotFound,
        Self::NotSent,
        Self::MaybeSent,
        Self::Unreadable,
    ];
}

/// What is proven by what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// It was done.
    Approved,
    /// The customer must act.
    ActionRequired,
    /// It is decided later.
    Pending,
    /// It was decided against.
    Declined,
    /// It was given up.
    Cancelled,
    /// It was never done.
    NotDone,
    /// Nothing.
    Nothing,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Approved,
        Self::ActionRequired,
        Self::Pending,
        Self::Declined,
        Self::Cancelled,
        Self::NotDone,
        Self::Nothing,
    ];
}

/// What a report does to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Climb {
    /// Nothing new.
    Stay,
    /// It becomes this.
    To(Status),
    /// It was final without effect, and was done after all: surplus.
    LateSuccess,
    /// It was done, and now it was not: a correction.
    Reversed,
}

/// What counts as proof. The provider's own word always does; that it was never done is proven by a
/// refusal or a failed connection only while no earlier send may have arrived, and by "not found" only
/// after the provider's visibility.
pub const fn proves(heard: Heard, maybe_sent: bool, absence_is_proof: bool) -> Said {
    match heard {
        Heard::Approved => Said::Approved,
        Heard::ActionRequired => Said::ActionRequired,
        Heard::Pending => Said::Pending,
        Heard::Declined => Said::Declined,
        Heard::Cancelled => Said::Cancelled,
        Heard::NotSent | Heard::Refused if !maybe_sent => Said::NotDone,
        Heard::NotFound if absence_is_proof => Said::NotDone,
        Heard::NotSent | Heard::Refused | Heard::NotFound | Heard::MaybeSent | Heard::Unreadable => {
            Said::Nothing
        }
    }
}

/// The transition table: outcomes only climb, and what is final is never rewritten.
pub const fn climb(status: Status, said: Said) -> Climb {
    match status {
        Status::Reserved => match said {
            Said::Nothing => Climb::To(Status::Unknown),
            other => from_unknown(other),
        },
        Status::Unknown => from_unknown(said),
        Status::ActionRequired => match said {
            Said::Pending => Climb::To(Status::Pending),
            other => from_known(other),
        },
        Status::Pending | Status::NeedsReview => from_known(said),
        Status::Succeeded => match said {
            Said::Declined | Said::Cancelled => Climb::Reversed,
            Said::Approved | Said::ActionRequired | Said::Pending | Said::NotDone | Said::Nothing => {
                Climb::Stay
            }
        },
        Status::Declined | Status::NotDone | Status::Cancelled => match said {
            Said::Approved => Climb::LateSuccess,
            Said::ActionRequired
            | Said::Pending
            | Said::Declined
            | Said::Cancelled
            | Said::NotDone
            | Said::Nothing => Climb::Stay,
        },
    }
}

/// Nobody knows whether the provider has it: anything that it says counts.
const fn from_unknown(said: Said) -> Climb {
    match said {
        Said::ActionRequired => Climb::To(Status::ActionRequired),
        Said::Pending => Climb::To(Status::Pending),
        Said::NotDone => Climb::To(Status::NotDone),
        decided => from_known(decided),
    }
}

/// The provider has shown that it knows the operation: only its decision counts.
const fn from_known(said: Said) -> Climb {
    match said {
        Said::Approved => Climb::To(Status::Succeeded),
        Said::Declined => Climb::To(Status::Declined),
        Said::Cancelled => Climb::To(Status::Cancelled),
        Said::ActionRequired | Said::Pending | Said::NotDone | Said::Nothing => Climb::Stay,
    }
}
