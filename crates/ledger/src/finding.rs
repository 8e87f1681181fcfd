//! What the check found wrong: each finding names its rows and what they should be.

use std::fmt;

use kernel::{Currency, LedgerAccount, PostingKind, Scope};
use uuid::Uuid;

use crate::rules::rule_of;

/// Names one transfer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferKey {
    /// Whose books.
    pub scope: Scope,
    /// The payment (or other object).
    pub subject: Uuid,
    /// The operation within it.
    pub operation: String,
    /// Number among the operation's transfers.
    pub ordinal: i64,
}

impl fmt::Display for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transfer ({}, {}, {}, {})", self.scope, self.subject, self.operation, self.ordinal)
    }
}

/// A sum of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Debits that moved money.
    DebitsPosted,
    /// Credits that moved money.
    CreditsPosted,
    /// Debits that are held.
    DebitsPending,
    /// Credits that are held.
    CreditsPending,
}

impl Column {
    /// The column's name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DebitsPosted => "debits_posted",
            Self::CreditsPosted => "credits_posted",
            Self::DebitsPending => "debits_pending",
            Self::CreditsPending => "credits_pending",
        }
    }
}

/// One thing that is wrong with the books. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A row is not of the form that the store writes; it counts for nothing in the sums.
    Unreadable {
        /// `transfer` or `balance`.
        table: &'static str,
        /// Its key, as text.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A transfer moves between accounts that its kind does not move between.
    Rule {
        /// The transfer.
        transfer: TransferKey,
        /// Its kind.
        kind: PostingKind,
        /// The account that it debits.
        debit: LedgerAccount,
        /// The account that it credits.
        credit: LedgerAccount,
    },
    /// An operation's transfers are numbered from 0 without gaps, and these numbers are missing.
    Missing {
        /// The first that is missing.
        transfer: TransferKey,
        /// How many.
        count: i64,
    },
    /// A transfer closes a hold that it cannot close.
    Hold {
        /// The transfer.
        transfer: TransferKey,
        /// What it should be.
        reason: String,
    },
    /// A stored balance, summed over its stripes, is not the sum of its transfers.
    Balance {
        /// Whose books.
        scope: Scope,
        /// The account.
        account: LedgerAccount,
        /// The currency.
        currency: Currency,
        /// Which of its sums.
        column: Column,
        /// What the balance rows say; `None` if there are none.
        stored: Option<i128>,
        /// What the transfers sum up to.
        should_be: i128,
    },
    /// Exactly these two accounts disagree with their balances, and by the same amount: not they but a
    /// transfer between them was altered, added or removed.
    Transfer {
        /// Whose books.
        scope: Scope,
        /// The account that it debits.
        debit: LedgerAccount,
        /// The account that it credits.
        credit: LedgerAccount,
        /// The currency.
        currency: Currency,
        /// By how much the stored transfers are short of the balances.
        short_by: i128,
    },
    /// The stored balances of a world and currency do not balance.
    Unbalanced {
        /// Whose books.
        scope: Scope,
        /// The currency.
        currency: Currency,
        /// All debits, held ones included.
        debits: i128,
        /// All credits, held ones included.
        credits: i128,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { table, key, reason } => write!(f, "{table} ({key}): {reason}"),
            Self::Rule { transfer, kind, debit, credit } => {
                write!(f, "{transfer}: a {} from {debit} to {credit}", kind.as_str())?;
                match rule_of(*kind) {
                    Some(rule) => {
                        write!(f, "; it should be from {} to {}", rule.debit.as_str(), rule.credit.as_str())
                    }
                    None => f.write_str("; no rule moves money so"),
                }
            }
            Self::Missing { transfer, count: 1 } => write!(f, "{transfer}: is missing"),
            Self::Missing { transfer, count } => {
                write!(f, "{transfer}: is missing, and {} after it", count - 1)
            }
            Self::Hold { transfer, reason } => write!(f, "{transfer}: {reason}"),
            Self::Balance { scope, account, currency, column, stored, should_be } => {
                write!(f, "balance ({scope}, {account}, {currency}): {} ", column.as_str())?;
                match stored {
                    Some(stored) => write!(f, "is {stored}, should be {should_be}"),
                    None => write!(f, "is missing, should be {should_be}"),
                }
            }
            Self::Transfer { scope, debit, credit, currency, short_by } => {
                write!(f, "transfer ({scope}) from {debit} to {credit} in {currency}: ")?;
                if *short_by > 0 {
                    write!(f, "one is missing or too small by {short_by}")
                } else {
                    write!(f, "one does not belong here or is too large by {}", short_by.unsigned_abs())
                }
            }
            Self::Unbalanced { scope, currency, debits, credits } => {
                write!(f, "balances ({scope}, {currency}): debits are {debits}, credits are {credits}")
            }
        }
    }
}
