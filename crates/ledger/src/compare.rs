//! Holding stored balances against the sums of the transfers.

use std::collections::BTreeMap;

use kernel::{Currency, LedgerAccount, Scope};

use crate::finding::{Column, Finding};
use crate::fold::Sums;

/// An account of a world in a currency. Sorted so, the accounts of a sheet stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) scope: Scope,
    pub(crate) currency: Currency,
    pub(crate) name: LedgerAccount,
}

/// What is known of an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    /// What its transfers add up to.
    pub(crate) transfers: Sums,
    /// Its balance before the transfers were read.
    pub(crate) before: Sums,
    /// Its balance after they were read; `None` if it has no row.
    pub(crate) stored: Option<Sums>,
}

impl Books {
    /// Whether the balance changed while the transfers were read.
    pub(crate) fn moved(&self) -> bool {
        self.stored.unwrap_or_default() != self.before
    }

    /// What is wrong with the balance, per column: the stored and the right number.
    fn differences(&self) -> Vec<Difference> {
        let stored = self.stored.unwrap_or_default();
        let columns = [
            (
                Column::DebitsPosted,
                stored.debits_posted,
                self.before.debits_posted,
                self.transfers.debits_posted,
            ),
            (
                Column::CreditsPosted,
                stored.credits_posted,
                self.before.credits_posted,
                self.transfers.credits_posted,
            ),
            (
                Column::DebitsPending,
                stored.debits_pending,
                stored.debits_pending,
                self.transfers.debits_pending,
            ),
            (
                Column::CreditsPending,
                stored.credits_pending,
                stored.credits_pending,
                self.transfers.credits_pending,
            ),
        ];
        let moved = self.moved();
        let wrong = columns.into_iter().filter(|(column, stored, before, should_be)| {
            let held = matches!(column, Column::DebitsPending | Column::CreditsPending);
            // Held sums go up and down: of an account that moved nothing can be said of them.
            let known = !(moved && held);
            known && !(before.min(stored)..=before.max(stored)).contains(&should_be)
        });
        wrong.map(|(column, stored, _, should_be)| Difference { column, stored, should_be }).collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Difference {
    column: Column,
    stored: i128,
    should_be: i128,
}

/// The accounts of each world and currency.
pub(crate) fn groups(accounts: &BTreeMap<Account, Books>) -> Vec<Vec<(&Account, &Books)>> {
    let mut groups: Vec<Vec<(&Account, &Books)>> = Vec::new();
    for (account, books) in accounts {
        let same = |group: &&mut Vec<(&Account, &Books)>| {
            group
                .first()
                .is_some_and(|(first, _)| (first.scope, first.currency) == (account.scope, account.currency))
        };
        match groups.last_mut().filter(same) {
            Some(group) => group.push((account, books)),
            None => groups.push(vec![(account, books)]),
        }
    }
    groups
}

/// What is wrong with the balances of one world and currency.
pub(crate) fn compare(scope: Scope, currency: Currency, group: &[(&Account, &Books)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut debits, mut credits) = (0, 0);
    let mut short = Vec::new();
    for (account, books) in group {
        let stored = books.stored.unwrap_or_default();
        debits += stored.debits_posted + stored.debits_pending;
        credits += stored.credits_posted + stored.credits_pending;
        for difference in books.differences() {
            short.push((&account.name, difference));
            findings.push(Finding::Balance {
                scope,
                account: account.name.clone(),
                currency,
                column: difference.column,
                stored: books.stored.map(|_| difference.stored),
                should_be: difference.should_be,
            });
        }
    }
    let quiet = group.iter().all(|(_, books)| !books.moved());
    if quiet && debits != credits {
        findings.push(Finding::Unbalanced { scope, currency, debits, credits });
    }
    if let Some(finding) = one_transfer(scope, currency, &short) {
        // The balances follow from it, and it explains them.
        findings.insert(0, finding);
    }
    findings
}

/// Two accounts whose balances agree with each other and disagree with the transfers by one amount.
fn one_transfer(scope: Scope, currency: Currency, short: &[(&LedgerAccount, Difference)]) -> Option<Finding> {
    let [one, other] = short else { return None };
    let is_debit = |column| matches!(column, Column::DebitsPosted | Column::DebitsPending);
    let (debit, credit) = if is_debit(one.1.column) { (one, other) } else { (other, one) };
    let both = matches!(
        (debit.1.column, credit.1.column),
        (Column::DebitsPosted, Column::CreditsPosted) | (Column::DebitsPending, Column::CreditsPending)
    );
    let short_by = debit.1.stored - debit.1.should_be;
    (both && short_by == credit.1.stored - credit.1.should_be).then(|| Finding::Transfer {
        scope,
        debit: debit.0.clone(),
        credit: credit.0.clone(),
        currency,
        short_by,
    })
}
