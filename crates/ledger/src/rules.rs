//! The rules of posting, as one table.
//!
//! A transfer debits one account and credits another. Each account has a normal side: the side that
//! makes it grow. What a provider owes us, fees we bore, money that disputes hold and money in the
//! bank grow by debits; what we owe the merchant, unexplained money and what is left of a volume
//! limit grow by credits.
//!
//! An authorisation posts nothing, for no money moved. A *surplus* charge (a success that nobody may
//! keep) posts like any capture, and its reversal like any refund: the books show what the bank did.

use kernel::{AccountKind, LedgerAccount, Money, Phase, PostingKind, Scope, Transfer};
use serde::Serialize;
use uuid::Uuid;

use crate::LedgerError;

/// Left or right of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

/// The side on which accounts of a kind grow.
pub const fn normal_side(kind: AccountKind) -> Side {
    match kind {
        AccountKind::Provider | AccountKind::Fees | AccountKind::Dispute | AccountKind::Bank => Side::Debit,
        AccountKind::Merchant | AccountKind::Suspense | AccountKind::Volume => Side::Credit,
    }
}

/// Which accounts an event moves money between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The event.
    pub kind: PostingKind,
    /// The account that is debited.
    pub debit: AccountKind,
    /// The account that is credited.
    pub credit: AccountKind,
}

const fn rule(kind: PostingKind, debit: AccountKind, credit: AccountKind) -> Rule {
    Rule { kind, debit, credit }
}

/// Every rule of one debit and one credit. [`PostingKind::Correction`] is any of them turned round;
/// [`PostingKind::Volume`] moves between volume counters alone, in either direction.
#[rustfmt::skip]
pub const RULES: [Rule; 9] = {
    use AccountKind::{Dispute, Fees, Merchant, Provider};
    use PostingKind as Kind;
    [
        //   event                  debit     credit       what is true afterwards
        rule(Kind::Capture,         Provider, Merchant), // the provider owes us, we owe the merchant
        rule(Kind::Refund,          Merchant, Provider), // both debts are smaller
        rule(Kind::RefundFailed,    Provider, Merchant), // the refund came back: as before it
        rule(Kind::Fee,             Fees,     Provider), // the provider kept a part of what it owes
        rule(Kind::DisputeOpened,   Dispute,  Provider), // the provider took the money back for now
        rule(Kind::DisputeFee,      Fees,     Provider), // and charged for it
        rule(Kind::DisputeLost,     Merchant, Dispute),  // the merchant bears it
        rule(Kind::DisputeWon,      Provider, Dispute),  // the provider owes it again
        rule(Kind::DisputeReopened, Dispute,  Provider), // a won one: the money is held once more
    ]
};

/// The rule of a kind; `None` for those without a single one.
pub fn rule_of(kind: PostingKind) -> Option<Rule> {
    RULES.iter().copied().find(|rule| rule.kind == kind)
}

/// Whether a transfer of this kind may debit and credit accounts of these kinds.
pub fn permits(kind: PostingKind, debit: AccountKind, credit: AccountKind) -> bool {
    match kind {
        PostingKind::Correction => RULES.iter().any(|rule| (rule.credit, rule.debit) == (debit, credit)),
        PostingKind::Volume => (debit, credit) == (AccountKind::Volume, AccountKind::Volume),
        _ => rule_of(kind).is_some_and(|rule| (rule.debit, rule.credit) == (debit, credit)),
    }
}

/// A transfer before it is known whose it is: what a rule answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Why.
    pub kind: PostingKind,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// Greater than zero.
    pub amount: Money,
    /// How far.
    pub phase: Phase,
}

impl Posting {
    /// The same money, held only: a later transfer of the operation posts or voids it.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.phase = Phase::Pending;
        self
    }

    /// The same money, moved out of the hold that the operation's transfer `ordinal` made.
    #[must_use]
    pub fn posts(mut self, ordinal: i64) -> Self {
        self.phase = Phase::PostsPending(ordinal);
        self
    }

    /// The same money, released from the hold that the operation's transfer `ordinal` made.
    #[must_use]
    pub fn voids(mut self, ordinal: i64) -> Self {
        self.phase = Phase::VoidsPending(ordinal);
        self
    }

    /// The posting that takes this one back.
    #[must_use]
    pub fn corrected(self) -> Self {
        Self { kind: PostingKind::Correction, debit: self.credit, credit: self.debit, ..self }
    }

    /// The transfer of this posting as the `ordinal`th of an operation (from 0).
    pub fn transfer(self, scope: Scope, subject: Uuid, operation: &str, ordinal: i64) -> Transfer {
        Transfer {
            scope,
            subject,
            operation: operation.to_owned(),
            ordinal,
            debit: self.debit,
            credit: self.credit,
            amount: self.amount,
            kind: self.kind,
            phase: self.phase,
        }
    }
}

/// Numbers an operation's postings from `first` on. The ordinals of an operation have no gaps: by
/// that the check sees a transfer that is missing.
pub fn transfers(
    scope: Scope,
    subject: Uuid,
    operation: &str,
    first: i64,
    postings: impl IntoIterator<Item = Posting>,
) -> Vec<Transfer> {
    let numbered = postings.into_iter().zip(first..);
    numbered.map(|(posting, ordinal)| posting.transfer(scope, subject, operation, ordinal)).collect()
}

/// Captured money, a surplus charge included. `provider` is the provider account's id here and below;
/// an amount of zero posts nothing, a negative one is refused.
pub fn capture(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::Capture, provider, amount)
}

/// Refunded money, the reversal of a surplus charge included.
pub fn refund(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::Refund, provider, amount)
}

/// A refund that was booked and then failed.
pub fn refund_failed(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::RefundFailed, provider, amount)
}

/// A provider's fee.
pub fn fee(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::Fee, provider, amount)
}

/// A dispute that took the money away for now.
pub fn dispute_opened(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::DisputeOpened, provider, amount)
}

/// A provider's fee for a dispute.
pub fn dispute_fee(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::DisputeFee, provider, amount)
}

/// A dispute that the merchant lost.
pub fn dispute_lost(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::DisputeLost, provider, amount)
}

/// A dispute that the merchant won.
pub fn dispute_won(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::DisputeWon, provider, amount)
}

/// A dispute that was won and is open again.
pub fn dispute_reopened(provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    by_rule(PostingKind::DisputeReopened, provider, amount)
}

/// Takes back what a posting of `kind` booked: a truth that contradicts an earlier one (a late
/// decline, a bank return, a lost dispute that was won after all).
pub fn correction(kind: PostingKind, provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    Ok(by_rule(kind, provider, amount)?.into_iter().map(Posting::corrected).collect())
}

fn by_rule(kind: PostingKind, provider: &str, amount: Money) -> Result<Vec<Posting>, LedgerError> {
    let rule = rule_of(kind).ok_or(LedgerError::NoRule(kind))?;
    if amount.minor < 0 {
        return Err(LedgerError::Negative(amount));
    }
    if amount.is_zero() {
        return Ok(Vec::new());
    }
    let account = |kind| match kind {
        AccountKind::Provider => LedgerAccount::part(kind, provider),
        _ => LedgerAccount::of(kind),
    };
    let (debit, credit) = (account(rule.debit), account(rule.credit));
    Ok(vec![Posting { kind, debit, credit, amount, phase: Phase::Posted }])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use kernel::Currency;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn every_kind_is_in_the_table_once_or_named_as_an_exception() {
        for kind in PostingKind::ALL {
            let rules = RULES.iter().filter(|rule| rule.kind == kind).count();
            let exception = matches!(kind, PostingKind::Correction | PostingKind::Volume);
            assert_eq!(rules, usize::from(!exception), "{kind:?}");
        }
    }

    #[test]
    fn every_function_follows_its_rule() {
        type Function = fn(&str, Money) -> Result<Vec<Posting>, LedgerError>;
        let functions: [(PostingKind, Function); 9] = [
            (PostingKind::Capture, capture),
            (PostingKind::Refund, refund),
            (PostingKind::RefundFailed, refund_failed),
            (PostingKind::Fee, fee),
            (PostingKind::DisputeOpened, dispute_opened),
            (PostingKind::DisputeFee, dispute_fee),
            (PostingKind::DisputeLost, dispute_lost),
            (PostingKind::DisputeWon, dispute_won),
            (PostingKind::DisputeReopened, dispute_reopened),
        ];
        for (kind, function) in functions {
            let postings = function("pa_1", usd(5)).unwrap();
            let [posting] = postings.as_slice() else { unreachable!("{kind:?} is one posting") };
            assert_eq!(posting.kind, kind);
            assert!(permits(kind, posting.debit.kind, posting.credit.kind), "{posting:?}");
            assert_eq!(function("pa_1", usd(0)), Ok(Vec::new()));
            assert_eq!(function("pa_1", usd(-1)), Err(LedgerError::Negative(usd(-1))));
            let provider = [&posting.debit, &posting.credit].into_iter().find(|a| !a.part.is_empty());
            if let Some(provider) = provider {
                assert_eq!(provider.to_string(), "provider:pa_1");
            }
            let taken_back = correction(kind, "pa_1", usd(5)).unwrap();
            assert_eq!(taken_back, [posting.clone().corrected()]);
            assert!(permits(PostingKind::Correction, posting.credit.kind, posting.debit.kind));
        }
        assert_eq!(
            correction(PostingKind::Volume, "pa_1", usd(1)),
            Err(LedgerError::NoRule(PostingKind::Volume))
        );
    }

    /// What an accountant would ask of a whole story.
    #[test]
    fn stories_end_where_they_should() {
        use PostingKind::{
            Capture, DisputeFee, DisputeLost, DisputeOpened, DisputeReopened, DisputeWon, Fee, Refund,
            RefundFailed,
        };
        let story = |events: &[(PostingKind, i64)], expected: &[(&str, i64)]| {
            let mut balances = std::collections::BTreeMap::<String, i64>::new();
            for (kind, minor) in events {
                let posting = by_rule(*kind, "p", usd(*minor)).unwrap().remove(0);
                for (account, side) in [(posting.debit, Side::Debit), (posting.credit, Side::Credit)] {
                    let grows = normal_side(account.kind) == side;
                    *balances.entry(account.to_string()).or_default() += if grows { *minor } else { -*minor };
                }
            }
            balances.retain(|_, balance| *balance != 0);
            let expected = expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect();
            assert_eq!(balances, expected, "{events:?}");
        };
        story(&[(Capture, 100)], &[("provider:p", 100), ("merchant", 100)]);
        story(&[(Capture, 100), (Refund, 40)], &[("provider:p", 60), ("merchant", 60)]);
        story(&[(Capture, 100), (Refund, 40), (RefundFailed, 40)], &[("provider:p", 100), ("merchant", 100)]);
        story(&[(Capture, 100), (Fee, 3)], &[("provider:p", 97), ("fees", 3), ("merchant", 100)]);
        let lost = [(Capture, 100), (DisputeOpened, 100), (DisputeFee, 15), (DisputeLost, 100)];
        story(&lost, &[("provider:p", -15), ("fees", 15)]);
        let won = [(Capture, 100), (DisputeOpened, 100), (DisputeWon, 100)];
        story(&won, &[("provider:p", 100), ("merchant", 100)]);
        let reopened = [(Capture, 100), (DisputeOpened, 100), (DisputeWon, 100), (DisputeReopened, 100)];
        story(&reopened, &[("dispute", 100), ("merchant", 100)]);
    }
}
