//! The transition table of an operation: outcomes only climb.
//!
//! reserved < unknown < action_required < pending < final. An equal or lower report changes nothing; a
//! report against a final status is a contradiction, which is answered by a correction and never by a
//! rewrite. One table, no wildcard arm: a new status or report does not compile until it is decided.

use crate::operation::OperationStatus;

/// What came back of an operation, before it is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// The provider's word: done.
    Approved,
    /// The provider's word: the customer must act.
    ActionRequired,
    /// The provider's word: decided later.
    Pending,
    /// The provider's word: decided against.
    Declined,
    /// The provider's word: given up.
    Cancelled,
    /// It did not take the request on.
    Refused,
    /// A look-up found nothing.
    NotFound,
    /// Not one byte left this process.
    NotSent,
    /// It may have left, and no answer came.
    MaybeSent,
    /// An answer that says nothing.
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

/// What is proven by what was heard. Once something may have been sent without an answer, only the
/// provider's own word on this operation proves anything; that a look-up found nothing proves it where
/// `absence_is_proof`: it was asked after the provider's visibility.
pub const fn proves(heard: Heard, maybe_sent: bool, absence_is_proof: bool) -> Said {
    match heard {
        Heard::Approved => Said::Approved,
        Heard::ActionRequired => Said::ActionRequired,
        Heard::Pending => Said::Pending,
        Heard::Declined => Said::Declined,
        Heard::Cancelled => Said::Cancelled,
        Heard::NotSent | Heard::Refused if maybe_sent => Said::Nothing,
        Heard::NotSent | Heard::Refused => Said::NotDone,
        Heard::NotFound if absence_is_proof => Said::NotDone,
        Heard::NotFound | Heard::MaybeSent | Heard::Unreadable => Said::Nothing,
    }
}

/// What a report says, reduced to what the table needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// It was done.
    Approved,
    /// The customer must act.
    ActionRequired,
    /// It is decided later.
    Pending,
    /// It was decided against.
    Declined,
    /// It was given up upstream.
    Cancelled,
    /// It was never done: proven by a send that never left, a refusal of the first send, or a look-up
    /// after the provider's visibility.
    NotDone,
    /// Nothing that proves anything.
    Nothing,
}

impl Said {
    /// All reports.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Climb {
    /// Nothing new.
    Stay,
    /// It becomes this.
    To(OperationStatus),
    /// It was final without effect, and now it was done after all.
    LateSuccess,
    /// It was done, and now it was not.
    Reversed,
}

/// The next status of an operation after a report.
#[expect(clippy::match_same_arms, reason = "the table is read by report, one at a time")]
pub const fn climb(status: OperationStatus, said: Said) -> Climb {
    use OperationStatus as S;
    match (status, said) {
        (S::Reserved | S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Approved) => {
            Climb::To(S::Succeeded)
        }
        (S::Reserved | S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Declined) => {
            Climb::To(S::Declined)
        }
        (S::Reserved | S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Cancelled) => {
            Climb::To(S::Cancelled)
        }
        // Once the provider has shown that it knows the operation, "not found" proves nothing.
        (S::Reserved | S::Unknown, Said::NotDone) => Climb::To(S::NotDone),
        (S::ActionRequired | S::Pending | S::NeedsReview, Said::NotDone) => Climb::Stay,
        (S::Reserved | S::Unknown, Said::ActionRequired) => Climb::To(S::ActionRequired),
        (S::ActionRequired | S::Pending | S::NeedsReview, Said::ActionRequired) => Climb::Stay,
        (S::Reserved | S::Unknown | S::ActionRequired, Said::Pending) => Climb::To(S::Pending),
        (S::Pending | S::NeedsReview, Said::Pending) => Climb::Stay,
        (S::Reserved, Said::Nothing) => Climb::To(S::Unknown),
        (S::Unknown | S::ActionRequired | S::Pending | S::NeedsReview, Said::Nothing) => Climb::Stay,
        (S::Succeeded, Said::Declined | Said::Cancelled) => Climb::Reversed,
        (
            S::Succeeded,
            Said::Approved | Said::ActionRequired | Said::Pending | Said::NotDone | Said::Nothing,
        ) => Climb::Stay,
        (S::Declined | S::NotDone | S::Cancelled, Said::Approved) => Climb::LateSuccess,
        (
            S::Declined | S::NotDone | S::Cancelled,
            Said::ActionRequired
            | Said::Pending
            | Said::Declined
            | Said::Cancelled
            | Said::NotDone
            | Said::Nothing,
        ) => Climb::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The height of a status; finals share one.
    fn height(status: OperationStatus) -> u8 {
        match status {
            OperationStatus::Reserved => 0,
            OperationStatus::Unknown => 1,
            OperationStatus::ActionRequired => 2,
            OperationStatus::Pending => 3,
            OperationStatus::NeedsReview => 4,
            OperationStatus::Succeeded
            | OperationStatus::Declined
            | OperationStatus::NotDone
            | OperationStatus::Cancelled => 5,
        }
    }

    #[test]
    fn no_report_ever_lowers_an_operation() {
        for status in OperationStatus::ALL {
            for said in Said::ALL {
                if let Climb::To(next) = climb(status, said) {
                    assert!(height(next) > height(status), "{status:?} fell to {next:?} on {said:?}");
                }
            }
        }
    }

    #[test]
    fn a_final_status_is_never_rewritten() {
        for status in OperationStatus::ALL.into_iter().filter(|status| !status.is_open()) {
            for said in Said::ALL {
                assert!(!matches!(climb(status, said), Climb::To(_)), "{status:?} was rewritten on {said:?}");
            }
        }
    }

    #[test]
    fn repeating_a_report_changes_nothing_more() {
        for status in OperationStatus::ALL {
            for said in Said::ALL {
                if let Climb::To(next) = climb(status, said) {
                    assert_eq!(climb(next, said), Climb::Stay, "{status:?}, {said:?} twice");
                }
            }
        }
    }
}
