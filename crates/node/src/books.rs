//! The books' check over a whole store, also beside a running server.

use std::collections::BTreeSet;
use std::fmt;

use kernel::{BALANCE, Mode, Query, Row, Scope, TRANSFER};
use payments::{CheckReport, Mismatch};

use crate::{Node, StartError};

/// Rows read at a time.
const PAGE: u32 = 1_000;

/// What was found.
#[derive(Clone, Debug)]
pub struct Books {
    /// The books within themselves.
    pub ledger: ledger::Report,
    /// Payments against their postings.
    pub payments: payments::CheckReport,
}

impl Books {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.ledger.is_clean() && self.payments.mismatches.is_empty()
    }

    /// Everything that is wrong, each with its row.
    pub fn wrong(&self) -> Vec<String> {
        let in_books = self.ledger.findings.iter().map(ToString::to_string);
        in_books.chain(self.payments.mismatches.iter().map(mismatch)).collect()
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ledger)?;
        for found in &self.payments.mismatches {
            writeln!(f, "WRONG  {}", mismatch(found))?;
        }
        let verdict = if self.payments.mismatches.is_empty() { "agree" } else { "do not agree" };
        writeln!(f, "payments and books {verdict}: {} payments", self.payments.payments)
    }
}

fn mismatch(found: &Mismatch) -> String {
    let Mismatch { scope, payment, what, payment_says, books_say } = found;
    format!("payment ({scope}, {payment}): {what} is {payment_says}, should be {books_say}")
}

impl Node {
    /// Proves the books: transfers against the rules, balances against transfers, payments against
    /// both. A server may run meanwhile.
    pub async fn check_books(&self) -> Result<Books, StartError> {
        let before = self.store.find(Query::everywhere(&BALANCE, u32::MAX)).await.map_err(unreadable)?;
        let mut scopes: BTreeSet<Scope> = before.iter().map(|row| row.scope).collect();
        for merchant in self.identity.merchants().await? {
            scopes.extend([Mode::Test, Mode::Live].map(|mode| merchant.scope(mode)));
        }
        let ledger = self.check_ledger(&scopes, &before).await?;
        let mut payments = CheckReport::default();
        for scope in scopes {
            let of_scope = payments::check(&self.store, scope).await?;
            payments.payments += of_scope.payments;
            payments.mismatches.extend(of_scope.mismatches);
        }
        Ok(Books { ledger, payments })
    }

    async fn check_ledger(
        &self,
        scopes: &BTreeSet<Scope>,
        before: &[Row],
    ) -> Result<ledger::Report, StartError> {
        let mut check = ledger::Check::beside_a_server();
        for row in before {
            check.balance_before(row);
        }
        for &scope in scopes {
            let mut after = None;
            loop {
                let query = Query::oldest(&TRANSFER, scope, PAGE).after(after);
                let page = self.store.find(query).await.map_err(unreadable)?;
                for row in &page {
                    check.transfer(row).map_err(unreadable)?;
                }
                let whole = page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
                let Some(last) = page.last().filter(|_| whole) else { break };
                after = Some(last.key.clone());
            }
        }
        let after = self.store.find(Query::everywhere(&BALANCE, u32::MAX)).await.map_err(unreadable)?;
        for row in &after {
            check.balance(row);
        }
        Ok(check.finish())
    }
}

fn unreadable(error: impl fmt::Display) -> StartError {
    StartError::Check(error.to_string())
}
