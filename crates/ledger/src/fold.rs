//! Sums of transfers per account.

use kernel::{Phase, Transfer};

/// The four sums of an account, wide enough never to overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) debits_posted: i128,
    pub(crate) credits_posted: i128,
    pub(crate) debits_pending: i128,
    pub(crate) credits_pending: i128,
}

impl Sums {
    /// What a transfer adds to the account that it debits; for the account that it credits, see
    /// [`Sums::of_credit`].
    pub(crate) fn of_debit(transfer: &Transfer) -> Self {
        let (debits_posted, debits_pending) = posted_and_pending(transfer);
        Self { debits_posted, debits_pending, ..Self::default() }
    }

    pub(crate) fn of_credit(transfer: &Transfer) -> Self {
        let (credits_posted, credits_pending) = posted_and_pending(transfer);
        Self { credits_posted, credits_pending, ..Self::default() }
    }

    pub(crate) const fn add(&mut self, other: Self) {
        self.debits_posted += other.debits_posted;
        self.credits_posted += other.credits_posted;
        self.debits_pending += other.debits_pending;
        self.credits_pending += other.credits_pending;
    }
}

fn posted_and_pending(transfer: &Transfer) -> (i128, i128) {
    let amount = i128::from(transfer.amount.minor);
    match transfer.phase {
        Phase::Posted => (amount, 0),
        Phase::Pending => (0, amount),
        Phase::PostsPending(_) => (amount, -amount),
        Phase::VoidsPending(_) => (0, -amount),
    }
}
