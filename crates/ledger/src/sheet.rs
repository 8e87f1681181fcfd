//! Balance sheets: a world's accounts in one currency.

use std::fmt;

use kernel::{Currency, LedgerAccount, Scope};
use serde::Serialize;

use crate::fold::Sums;
use crate::{Side, normal_side};

/// One account of a sheet. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The account's name.
    pub account: String,
    /// The side on which it grows.
    pub normal_side: Side,
    /// Debits that moved money.
    pub debits_posted: i128,
    /// Credits that moved money.
    pub credits_posted: i128,
    /// Debits that are held.
    pub debits_pending: i128,
    /// Credits that are held.
    pub credits_pending: i128,
    /// Posted money on the normal side; negative if the account is overdrawn.
    pub balance: i128,
}

/// A merchant's accounts in one mode and currency, in the order of [`kernel::AccountKind::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// Whose.
    pub scope: Scope,
    /// In what.
    pub currency: Currency,
    /// The accounts.
    pub lines: Vec<Line>,
    /// Sum of posted debits.
    pub debits: i128,
    /// Sum of posted credits; the same number in books that balance.
    pub credits: i128,
}

impl Sheet {
    pub(crate) fn new<'a>(
        scope: Scope,
        currency: Currency,
        accounts: impl IntoIterator<Item = (&'a LedgerAccount, Sums)>,
    ) -> Self {
        let mut sheet = Self { scope, currency, lines: Vec::new(), debits: 0, credits: 0 };
        for (account, sums) in accounts {
            sheet.debits += sums.debits_posted;
            sheet.credits += sums.credits_posted;
            let side = normal_side(account.kind);
            let debit_balance = sums.debits_posted - sums.credits_posted;
            sheet.lines.push(Line {
                account: account.to_string(),
                normal_side: side,
                debits_posted: sums.debits_posted,
                credits_posted: sums.credits_posted,
                debits_pending: sums.debits_pending,
                credits_pending: sums.credits_pending,
                balance: if side == Side::Debit { debit_balance } else { -debit_balance },
            });
        }
        sheet
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let major = |minor| major(minor, self.currency);
        writeln!(f, "{} {}", self.scope, self.currency)?;
        writeln!(f, "  {:<40} {:>16} {:>16} {:>16}", "account", "debits", "credits", "balance")?;
        for line in &self.lines {
            let (debits, credits) = (major(line.debits_posted), major(line.credits_posted));
            write!(f, "  {:<40} {debits:>16} {credits:>16} {:>16}", line.account, major(line.balance))?;
            if line.debits_pending != 0 || line.credits_pending != 0 {
                let (debits, credits) = (major(line.debits_pending), major(line.credits_pending));
                write!(f, "  (held: {debits} debit, {credits} credit)")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "  {:<40} {:>16} {:>16}", "total", major(self.debits), major(self.credits))
    }
}

/// Major units with the currency's own digits, for sums that may leave 64 bits.
fn major(minor: i128, currency: Currency) -> String {
    let digits = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let magnitude = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = magnitude.split_at(magnitude.len() - digits);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
