//! Which postings each transition makes, by the rules of the ledger.

use kernel::{Id, Money, PostingKind};
use ledger::{LedgerError, Posting, rules};
use provider_kit::Account;

type Postings = Result<Vec<Posting>, LedgerError>;

/// The ordinal of a refund's hold among its operation's transfers.
const HOLD: i64 = 0;

/// Taken money, less what the provider keeps.
pub(crate) fn capture(account: Id<Account>, amount: Money, fee: Option<Money>) -> Postings {
    let part = account.to_string();
    let mut postings = rules::capture(&part, amount)?;
    if let Some(fee) = fee {
        postings.extend(rules::fee(&part, fee)?);
    }
    Ok(postings)
}

/// A capture that was undone.
pub(crate) fn capture_undone(account: Id<Account>, amount: Money) -> Postings {
    rules::correction(PostingKind::Capture, &account.to_string(), amount)
}

/// A reserved refund: its amount is held.
pub(crate) fn refund_held(account: Id<Account>, amount: Money) -> Postings {
    Ok(rules::refund(&account.to_string(), amount)?.into_iter().map(Posting::held).collect())
}

/// A reserved refund was done, with all or less of what was held.
pub(crate) fn refund_done(account: Id<Account>, held: Money, amount: Money) -> Postings {
    let part = account.to_string();
    if held == amount {
        return Ok(rules::refund(&part, amount)?.into_iter().map(|posting| posting.posts(HOLD)).collect());
    }
    let mut postings = refund_released(account, held)?;
    postings.extend(rules::refund(&part, amount)?);
    Ok(postings)
}

/// A reserved refund was not done.
pub(crate) fn refund_released(account: Id<Account>, held: Money) -> Postings {
    Ok(rules::refund(&account.to_string(), held)?.into_iter().map(|posting| posting.voids(HOLD)).collect())
}

/// A refund that nobody had reserved: made at the dashboard, reversing a surplus, or found late.
pub(crate) fn refund_made(account: Id<Account>, amount: Money) -> Postings {
    rules::refund(&account.to_string(), amount)
}

/// A refund that was done and then came back.
pub(crate) fn refund_failed_late(account: Id<Account>, amount: Money) -> Postings {
    rules::refund_failed(&account.to_string(), amount)
}

/// An external refund that turned out to be one of ours: booked there, and only once.
pub(crate) fn refund_undone(account: Id<Account>, amount: Money) -> Postings {
    rules::correction(PostingKind::Refund, &account.to_string(), amount)
}
