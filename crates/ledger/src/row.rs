//! Reading rows of the store's own tables; what the store did not write so is a finding.

use std::str::FromStr;

use kernel::{Cell, Currency, Money, Row, Transfer};

use crate::compare::Account;
use crate::finding::TransferKey;
use crate::fold::Sums;

/// The key of a transfer's row, if it has the form of one.
pub(crate) fn transfer_key(row: &Row) -> Option<TransferKey> {
    let [subject, operation, ordinal] = row.key.as_slice() else { return None };
    Some(TransferKey {
        scope: row.scope,
        subject: subject.as_uuid()?,
        operation: operation.as_text()?.to_owned(),
        ordinal: ordinal.as_int()?,
    })
}

/// Reads a transfer; the error says what is wrong with the row.
pub(crate) fn read_transfer(row: &Row) -> Result<Transfer, String> {
    let key = transfer_key(row).ok_or("the key is of another form")?;
    let [debit, credit, currency, amount, kind, phase, ..] = row.columns.as_slice() else {
        return Err("columns are missing".to_owned());
    };
    let amount = Money::new(int(amount)?, read::<Currency>(currency)?);
    if amount.minor <= 0 {
        return Err(format!("the amount is {amount}, should be greater than zero"));
    }
    Ok(Transfer {
        scope: key.scope,
        subject: key.subject,
        operation: key.operation,
        ordinal: key.ordinal,
        debit: read(debit)?,
        credit: read(credit)?,
        amount,
        kind: read(kind)?,
        phase: read(phase)?,
    })
}

/// Reads one stripe of a balance.
pub(crate) fn read_balance(row: &Row) -> Result<(Account, Sums), String> {
    let [account, currency, _stripe] = row.key.as_slice() else {
        return Err("the key is of another form".to_owned());
    };
    let account = Account { scope: row.scope, currency: read(currency)?, name: read(account)? };
    let [debits_posted, credits_posted, debits_pending, credits_pending, ..] = row.columns.as_slice() else {
        return Err("columns are missing".to_owned());
    };
    let sums = Sums {
        debits_posted: int(debits_posted)?.into(),
        credits_posted: int(credits_posted)?.into(),
        debits_pending: int(debits_pending)?.into(),
        credits_pending: int(credits_pending)?.into(),
    };
    Ok((account, sums))
}

/// A row's key for people.
pub(crate) fn key_text(row: &Row) -> String {
    let mut parts = vec![row.scope.to_string()];
    parts.extend(row.key.iter().map(|cell| match cell {
        Cell::Uuid(uuid) => uuid.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    }));
    parts.join(", ")
}

fn int(cell: &Cell) -> Result<i64, String> {
    cell.as_int().ok_or_else(|| "a number is missing".to_owned())
}

fn read<T: FromStr>(cell: &Cell) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let text = cell.as_text().ok_or("a text is missing")?;
    text.parse().map_err(|error: T::Err| {
        // Not every parser names what it refused.
        let reason = error.to_string();
        if reason.contains(text) { reason } else { format!("`{text}` is {reason}") }
    })
}
