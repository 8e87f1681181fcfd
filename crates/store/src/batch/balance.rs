//! What the postings of a batch do to balances: summed per account, checked in order of arrival.

use std::collections::BTreeMap;

use kernel::{Currency, Lane, LedgerAccount, Phase, Scope, Transfer};

/// An account in one currency of one scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Account {
    pub(crate) scope: [u8; 17],
    pub(crate) name: LedgerAccount,
    pub(crate) currency: &'static str,
}

/// What is added to the four sums of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) debits_posted: i64,
    pub(crate) credits_posted: i64,
    pub(crate) debits_pending: i64,
    pub(crate) credits_pending: i64,
}

/// How far a flagged account may be brought down by the reserves of a batch: the smallest sum of
/// changes, in order of arrival, at any reserve that takes from it.
pub(crate) type Floor = Option<i64>;

impl Change {
    /// What this does to what is available: credits less debits, held debits included. Held credits
    /// are not there yet.
    pub(crate) const fn available(self) -> Option<i64> {
        match self.credits_posted.checked_sub(self.debits_posted) {
            Some(posted) => posted.checked_sub(self.debits_pending),
            None => None,
        }
    }

    /// Both together; `None` beyond 64 bits.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            debits_posted: self.debits_posted.checked_add(other.debits_posted)?,
            credits_posted: self.credits_posted.checked_add(other.credits_posted)?,
            debits_pending: self.debits_pending.checked_add(other.debits_pending)?,
            credits_pending: self.credits_pending.checked_add(other.credits_pending)?,
        })
    }

    fn of(phase: Phase, amount: i64, debit: bool) -> Self {
        let (posted, pending) = match phase {
            Phase::Posted => (amount, 0),
            Phase::Pending => (0, amount),
            Phase::PostsPending(_) => (amount, -amount),
            Phase::VoidsPending(_) => (0, -amount),
        };
        if debit {
            Self { debits_posted: posted, debits_pending: pending, ..Self::default() }
        } else {
            Self { credits_posted: posted, credits_pending: pending, ..Self::default() }
        }
    }
}

/// The changes of one commit per account, in order of accounts. `None` if a sum leaves 64 bits.
pub(crate) fn changes(transfers: &[Transfer]) -> Option<Vec<(Account, Change)>> {
    let mut sums: BTreeMap<Account, Change> = BTreeMap::new();
    for transfer in transfers {
        for (account, debit) in [(&transfer.debit, true), (&transfer.credit, false)] {
            let key = account_of(transfer.scope, account, transfer.amount.currency);
            let change = Change::of(transfer.phase, transfer.amount.minor, debit);
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(change)?;
        }
    }
    Some(sums.into_iter().collect())
}

fn account_of(scope: Scope, account: &LedgerAccount, currency: Currency) -> Account {
    Account { scope: scope.to_bytes(), name: account.clone(), currency: currency.code() }
}

/// The balance changes of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balances {
    sums: BTreeMap<Account, (Change, Floor)>,
}

impl Balances {
    /// Whether this commit's changes still fit into 64 bits beside the batch's.
    pub(crate) fn add(&mut self, lane: Lane, changes: &[(Account, Change)]) -> bool {
        let fits = changes.iter().all(|(account, change)| {
            self.sums.get(account).is_none_or(|(sum, _)| sum.plus(*change).is_some())
        });
        if !fits {
            return false;
        }
        for (account, change) in changes {
            let (sum, floor) = self.sums.entry(account.clone()).or_insert((Change::default(), None));
            if let Some(together) = sum.plus(*change) {
                *sum = together;
            }
            let checked = lane == Lane::Reserve
                && account.name.is_flagged()
                && change.available().is_none_or(|available| available < 0);
            if checked {
                let available = sum.available().unwrap_or(i64::MIN);
                *floor = Some(floor.map_or(available, |floor| floor.min(available)));
            }
        }
        true
    }

    /// Changes per account, in key order, with the floor of flagged ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Account, Change, Floor)> {
        self.sums.iter().map(|(account, (change, floor))| (account, *change, *floor))
    }

    /// The sum for one account so far.
    pub(crate) fn get(&self, account: &Account) -> Change {
        self.sums.get(account).map_or_else(Change::default, |(change, _)| *change)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
    use super::*;
    use kernel::{AccountKind, Id, Mode, Money, PostingKind};
    use uuid::Uuid;

    fn transfer(debit: AccountKind, credit: AccountKind, minor: i64, phase: Phase) -> Transfer {
        Transfer {
            scope: Scope { merchant: Id::from_uuid(Uuid::nil()), mode: Mode::Test },
            subject: Uuid::nil(),
            operation: "c01".to_owned(),
            ordinal: 0,
            debit: LedgerAccount::of(debit),
            credit: LedgerAccount::of(credit),
            amount: Money::new(minor, Currency::EUR),
            kind: PostingKind::Volume,
            phase,
        }
    }

    fn volume(minor: i64) -> Vec<(Account, Change)> {
        let (debit, credit, minor) = if minor < 0 {
            (AccountKind::Volume, AccountKind::Merchant, -minor)
        } else {
            (AccountKind::Merchant, AccountKind::Volume, minor)
        };
        changes(&[transfer(debit, credit, minor, Phase::Posted)]).unwrap()
    }

    fn floor(balances: &Balances) -> Floor {
        balances.iter().find(|(account, ..)| account.name.is_flagged()).unwrap().2
    }

    #[test]
    fn sums_per_account_and_commit() {
        let two = [
            transfer(AccountKind::Provider, AccountKind::Merchant, 70, Phase::Posted),
            transfer(AccountKind::Merchant, AccountKind::Provider, 30, Phase::Pending),
        ];
        let sums = changes(&two).unwrap();
        let of = |kind| sums.iter().find(|(account, _)| account.name.kind == kind).unwrap().1;
        let merchant = of(AccountKind::Merchant);
        assert_eq!((merchant.credits_posted, merchant.debits_pending), (70, 30));
        assert_eq!(merchant.available(), Some(40));
        assert_eq!(of(AccountKind::Provider).credits_pending, 30);
    }

    #[test]
    fn a_decided_hold_moves_from_pending() {
        let posts = changes(&[transfer(AccountKind::Merchant, AccountKind::Bank, 5, Phase::PostsPending(0))]);
        let merchant = posts.unwrap()[0].1;
        assert_eq!((merchant.debits_posted, merchant.debits_pending), (5, -5));
        let voids = changes(&[transfer(AccountKind::Merchant, AccountKind::Bank, 5, Phase::VoidsPending(0))]);
        let merchant = voids.unwrap()[0].1;
        assert_eq!((merchant.debits_posted, merchant.debits_pending), (0, -5));
    }

    #[test]
    fn the_floor_is_the_smallest_prefix_at_a_reserve() {
        let mut balances = Balances::default();
        assert!(balances.add(Lane::Reserve, &volume(-60)));
        assert!(balances.add(Lane::Settle, &volume(50)));
        assert!(balances.add(Lane::Reserve, &volume(-20)));
        assert_eq!(floor(&balances), Some(-60));
        assert!(balances.add(Lane::Reserve, &volume(-40)));
        assert_eq!(floor(&balances), Some(-70));
    }

    #[test]
    fn only_reserves_that_take_are_checked() {
        let mut balances = Balances::default();
        assert!(balances.add(Lane::Settle, &volume(-60)));
        assert!(balances.add(Lane::Reserve, &volume(10)));
        assert_eq!(floor(&balances), None);
    }

    #[test]
    fn a_sum_beyond_64_bits_changes_nothing() {
        let mut balances = Balances::default();
        assert!(balances.add(Lane::Settle, &volume(i64::MAX)));
        let before = balances.clone();
        assert!(!balances.add(Lane::Settle, &volume(1)));
        assert_eq!(balances, before);
    }
}
