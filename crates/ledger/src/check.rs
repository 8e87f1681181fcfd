//! Whether the stored books add up: fed row by row, in memory that grows with the accounts alone.
//!
//! Each transfer must follow the rule of its kind, each operation's transfers must be there without a
//! gap, each hold must be closed at most once and by its own amount, and each stored balance must be
//! the sum of its transfers, so that debits equal credits in every currency. What cannot be seen
//! from here, because it takes the payment: a transfer's kind exchanged for another between the same
//! accounts, and a whole operation removed together with its share of the balances.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use kernel::{BALANCE, LedgerAccount, Money, Phase, Row, TRANSFER, Transfer};

use crate::compare::{Account, Books, compare, groups};
use crate::finding::{Finding, TransferKey};
use crate::fold::Sums;
use crate::row::{key_text, read_balance, read_transfer, transfer_key};
use crate::rules::permits;
use crate::{LedgerError, Sheet};

/// Beyond so many findings more of them help nobody; the report still counts them.
const FINDINGS_LIMIT: usize = 1_000;

/// A transfer that holds money, until it is closed.
#[derive(Debug)]
struct Hold {
    ordinal: i64,
    debit: LedgerAccount,
    credit: LedgerAccount,
    amount: Money,
    closed_by: Option<i64>,
}

/// The operation whose transfers are being read.
#[derive(Debug)]
struct Operation {
    last: TransferKey,
    holds: Vec<Hold>,
}

/// A check under way.
///
/// Feed all rows of [`kernel::TRANSFER`] in the order of their keys, scope by scope, and all rows of
/// [`kernel::BALANCE`] in any order. Beside a running server ([`Check::beside_a_server`]) feed the
/// balances twice: to [`Check::balance_before`] before the first transfer is read, to
/// [`Check::balance`] after the last. Posted sums only grow, so an account that moved meanwhile is
/// held to the range between.
#[derive(Debug, Default)]
pub struct Check {
    accounts: BTreeMap<Account, Books>,
    operation: Option<Operation>,
    beside_a_server: bool,
    transfers: u64,
    findings: Vec<Finding>,
    more_findings: u64,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many transfers were read.
    pub transfers: u64,
    /// How many accounts (per world and currency) there are.
    pub accounts: usize,
    /// How many accounts moved during the check and were held to a range only.
    pub moved: usize,
    /// What is wrong, the first thousand.
    pub findings: Vec<Finding>,
    /// How many more things are wrong.
    pub more_findings: u64,
    /// The books, by what the transfers add up to.
    pub sheets: Vec<Sheet>,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sheet in &self.sheets {
            writeln!(f, "{sheet}")?;
        }
        for finding in &self.findings {
            writeln!(f, "WRONG  {finding}")?;
        }
        if self.more_findings > 0 {
            writeln!(f, "WRONG  and {} more", self.more_findings)?;
        }
        let verdict = if self.is_clean() { "the books balance" } else { "the books do not balance" };
        write!(f, "{verdict}: {} transfers, {} accounts", self.transfers, self.accounts)?;
        if self.moved > 0 { writeln!(f, ", {} of them moving", self.moved) } else { writeln!(f) }
    }
}

impl Check {
    /// Nothing read yet; nobody posts meanwhile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing read yet; a server may post meanwhile.
    pub fn beside_a_server() -> Self {
        Self { beside_a_server: true, ..Self::default() }
    }

    /// Reads one row of [`kernel::TRANSFER`]. [`LedgerError::Order`] if it comes out of order.
    pub fn transfer(&mut self, row: &Row) -> Result<(), LedgerError> {
        self.transfers += 1;
        match read_transfer(row) {
            Ok(transfer) => self.read(&transfer),
            Err(reason) => {
                self.report(Finding::Unreadable { table: TRANSFER.name, key: key_text(row), reason });
                // Its number is there, so that it does not count as missing too.
                match transfer_key(row) {
                    Some(key) => self.follow(key),
                    None => Ok(()),
                }
            }
        }
    }

    /// Reads one row of [`kernel::BALANCE`] as it was before the transfers were read.
    pub fn balance_before(&mut self, row: &Row) {
        // What is unreadable is reported when it is read again afterwards.
        if let Ok((account, sums)) = read_balance(row) {
            self.accounts.entry(account).or_default().before.add(sums);
        }
    }

    /// Reads one row of [`kernel::BALANCE`]; the stripes of an account are summed.
    pub fn balance(&mut self, row: &Row) {
        match read_balance(row) {
            Ok((account, sums)) => {
                self.accounts.entry(account).or_default().stored.get_or_insert_default().add(sums);
            }
            Err(reason) => {
                self.report(Finding::Unreadable { table: BALANCE.name, key: key_text(row), reason });
            }
        }
    }

    /// Compares the balances with the transfers and says what was found.
    pub fn finish(mut self) -> Report {
        let mut accounts = std::mem::take(&mut self.accounts);
        if !self.beside_a_server {
            for books in accounts.values_mut() {
                books.before = books.stored.unwrap_or_default();
            }
        }
        let moved = accounts.values().filter(|books| books.moved()).count();
        let mut sheets = Vec::new();
        for group in groups(&accounts) {
            let Some((first, _)) = group.first() else { continue };
            for finding in compare(first.scope, first.currency, &group) {
                self.report(finding);
            }
            let lines = group.iter().map(|(account, books)| (&account.name, books.transfers));
            sheets.push(Sheet::new(first.scope, first.currency, lines));
        }
        Report {
            transfers: self.transfers,
            accounts: accounts.len(),
            moved,
            findings: self.findings,
            more_findings: self.more_findings,
            sheets,
        }
    }

    fn read(&mut self, transfer: &Transfer) -> Result<(), LedgerError> {
        let key = TransferKey {
            scope: transfer.scope,
            subject: transfer.subject,
            operation: transfer.operation.clone(),
            ordinal: transfer.ordinal,
        };
        self.follow(key.clone())?;
        if !permits(transfer.kind, transfer.debit.kind, transfer.credit.kind) {
            let (debit, credit) = (transfer.debit.clone(), transfer.credit.clone());
            self.report(Finding::Rule { transfer: key.clone(), kind: transfer.kind, debit, credit });
        }
        if let Err(reason) = self.hold(transfer) {
            self.report(Finding::Hold { transfer: key, reason });
        }
        self.book(&transfer.debit, transfer, Sums::of_debit(transfer));
        self.book(&transfer.credit, transfer, Sums::of_credit(transfer));
        Ok(())
    }

    /// Checks that the transfer is the next of its operation.
    fn follow(&mut self, key: TransferKey) -> Result<(), LedgerError> {
        let group = |key: &TransferKey| (key.scope.to_bytes(), key.subject, key.operation.clone());
        let mut expected = 0;
        if let Some(operation) = &mut self.operation {
            match group(&operation.last).cmp(&group(&key)) {
                Ordering::Less => operation.holds.clear(),
                Ordering::Equal if operation.last.ordinal < key.ordinal => {
                    expected = operation.last.ordinal + 1;
                }
                Ordering::Equal | Ordering::Greater => return Err(LedgerError::Order),
            }
            operation.last = key.clone();
        } else {
            self.operation = Some(Operation { last: key.clone(), holds: Vec::new() });
        }
        if key.ordinal < expected {
            let reason = "an operation's transfers are numbered from 0".to_owned();
            self.report(Finding::Hold { transfer: key, reason });
        } else if key.ordinal > expected {
            let count = key.ordinal.saturating_sub(expected);
            self.report(Finding::Missing { transfer: TransferKey { ordinal: expected, ..key }, count });
        }
        Ok(())
    }

    /// Opens or closes a hold of the operation; says what is wrong with it.
    fn hold(&mut self, transfer: &Transfer) -> Result<(), String> {
        let Some(operation) = &mut self.operation else { return Ok(()) };
        let closes = match transfer.phase {
            Phase::Posted => return Ok(()),
            Phase::Pending => {
                operation.holds.push(Hold {
                    ordinal: transfer.ordinal,
                    debit: transfer.debit.clone(),
                    credit: transfer.credit.clone(),
                    amount: transfer.amount,
                    closed_by: None,
                });
                return Ok(());
            }
            Phase::PostsPending(ordinal) | Phase::VoidsPending(ordinal) => ordinal,
        };
        let hold = operation.holds.iter_mut().find(|hold| hold.ordinal == closes);
        let hold = hold.ok_or_else(|| format!("closes {closes}, which holds nothing"))?;
        if let Some(other) = hold.closed_by {
            return Err(format!("closes {closes}, which {other} closed before"));
        }
        hold.closed_by = Some(transfer.ordinal);
        if hold.amount != transfer.amount {
            return Err(format!("closes {closes} with {}, should be {}", transfer.amount, hold.amount));
        }
        if (&hold.debit, &hold.credit) != (&transfer.debit, &transfer.credit) {
            return Err(format!("closes {closes}, should be from {} to {}", hold.debit, hold.credit));
        }
        Ok(())
    }

    fn book(&mut self, account: &LedgerAccount, transfer: &Transfer, sums: Sums) {
        let currency = transfer.amount.currency;
        let account = Account { scope: transfer.scope, currency, name: account.clone() };
        self.accounts.entry(account).or_default().transfers.add(sums);
    }

    fn report(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_LIMIT {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}

#[cfg(test)]
mod tests;
