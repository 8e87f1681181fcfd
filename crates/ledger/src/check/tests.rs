//! Books made by the rules are clean; any single doctored row is found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::collections::BTreeMap;

use kernel::{Cell, Currency, Mode, Scope, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use super::*;
use crate::rules::{self, Posting};

/// Alters a row.
type Doctor = fn(&mut Tables);

/// A store's two tables, as the rules fill them.
#[derive(Clone, Debug)]
struct Tables {
    transfers: Vec<Row>,
    balances: Vec<Row>,
}

const STRIPES: i64 = 3;

impl Tables {
    fn of(transfers: &[Transfer]) -> Self {
        let mut rows: Vec<Row> = transfers.iter().map(transfer_row).collect();
        rows.sort_by_key(|row| (row.scope.to_bytes(), row.key.clone()));
        let mut balances: BTreeMap<([u8; 17], Vec<Cell>), [i64; 4]> = BTreeMap::new();
        for (transfer, stripe) in transfers.iter().zip((0..STRIPES).cycle()) {
            for (account, side) in [(&transfer.debit, 0), (&transfer.credit, 1)] {
                let currency = transfer.amount.currency.code();
                let key = vec![account.to_string().into(), currency.into(), Cell::Int(stripe)];
                let sums = balances.entry((transfer.scope.to_bytes(), key)).or_default();
                let minor = transfer.amount.minor;
                match transfer.phase {
                    Phase::Posted => sums[side] += minor,
                    Phase::Pending => sums[side + 2] += minor,
                    Phase::PostsPending(_) => {
                        sums[side] += minor;
                        sums[side + 2] -= minor;
                    }
                    Phase::VoidsPending(_) => sums[side + 2] -= minor,
                }
            }
        }
        let balances = balances.into_iter().map(|((scope, key), sums)| Row {
            scope: Scope::from_bytes(&scope).unwrap(),
            key,
            version: 0,
            columns: sums.map(Cell::Int).to_vec(),
            state: Vec::new(),
        });
        Self { transfers: rows, balances: balances.collect() }
    }

    fn check(&self) -> Report {
        let mut check = Check::new();
        for row in &self.transfers {
            check.transfer(row).unwrap();
        }
        self.balances.iter().for_each(|row| check.balance(row));
        check.finish()
    }

    fn findings(&self) -> Vec<String> {
        self.check().findings.iter().map(ToString::to_string).collect()
    }

    /// The findings, with short names for the merchant and the payment.
    fn story_of_findings(&self) -> String {
        let findings = self.findings().join("\n");
        findings.replace("mer_01h455vb4pex5vsknk084sn02q", "M").replace(&Uuid::from_u128(1).to_string(), "P")
    }
}

fn transfer_row(transfer: &Transfer) -> Row {
    Row {
        scope: transfer.scope,
        key: vec![transfer.subject.into(), transfer.operation.as_str().into(), transfer.ordinal.into()],
        version: 0,
        columns: vec![
            transfer.debit.to_string().into(),
            transfer.credit.to_string().into(),
            transfer.amount.currency.code().into(),
            transfer.amount.minor.into(),
            transfer.kind.as_str().into(),
            transfer.phase.to_string().into(),
            Timestamp::default().into(),
        ],
        state: Vec::new(),
    }
}

fn scope(mode: Mode) -> Scope {
    Scope { merchant: "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap(), mode }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn book(subject: u128, operation: &str, postings: Vec<Posting>) -> Vec<Transfer> {
    rules::transfers(scope(Mode::Test), Uuid::from_u128(subject), operation, 0, postings)
}

/// A capture of 100 with a fee of 3, then a refund of 40 that was held first.
fn story() -> Tables {
    let mut capture = rules::capture("pa_1", usd(100)).unwrap();
    capture.extend(rules::fee("pa_1", usd(3)).unwrap());
    let refund = rules::refund("pa_1", usd(40)).unwrap().remove(0);
    let refund = vec![refund.clone().held(), refund.posts(0)];
    Tables::of(&[book(1, "c01", capture), book(1, "r02", refund)].concat())
}

#[test]
fn a_report_shows_the_books_and_the_verdict() {
    let report = story().check();
    assert!(report.is_clean());
    insta::assert_snapshot!(report, @r#"
    mer_01h455vb4pex5vsknk084sn02q/test USD
      account                                            debits          credits          balance
      provider:pa_1                                        1.00             0.43             0.57
      merchant                                             0.40             1.00             0.60
      fees                                                 0.03             0.00             0.03
      total                                                1.43             1.43

    the books balance: 4 transfers, 3 accounts
    "#);
}

/// What is found, per way to doctor the rows of `story`: 0 capture, 1 fee, 2 hold of the refund, 3 refund.
fn findings_of(cases: &[(&str, Doctor)]) -> String {
    let found = cases.iter().map(|(name, change)| {
        let mut tables = story();
        change(&mut tables);
        format!("{name}:\n{}\n\n", tables.story_of_findings())
    });
    found.collect()
}

#[test]
fn doctored_balances_and_amounts_are_named_with_what_they_should_be() {
    let found = findings_of(&[
        ("a balance is raised", |tables| tables.balances[0].columns[0] = Cell::Int(7)),
        ("a balance is gone", |tables| tables.balances.retain(|row| row.columns[1] != Cell::Int(100))),
        ("an amount is lowered", |tables| tables.transfers[0].columns[3] = Cell::Int(90)),
        ("the last transfer is gone", |tables| drop(tables.transfers.remove(1))),
        ("the first transfer is gone", |tables| drop(tables.transfers.remove(0))),
        ("the debit goes elsewhere", |tables| tables.transfers[1].columns[0] = "merchant".into()),
    ]);
    insta::assert_snapshot!(found, @r#"
    a balance is raised:
    balance (M/test, fees, USD): debits_posted is 7, should be 3
    balances (M/test, USD): debits are 147, credits are 143

    a balance is gone:
    balance (M/test, merchant, USD): debits_posted is 0, should be 40
    balance (M/test, merchant, USD): credits_posted is 0, should be 100
    balance (M/test, merchant, USD): debits_pending is 40, should be 0
    balances (M/test, USD): debits are 143, credits are 43

    an amount is lowered:
    transfer (M/test) from provider:pa_1 to merchant in USD: one is missing or too small by 10
    balance (M/test, provider:pa_1, USD): debits_posted is 100, should be 90
    balance (M/test, merchant, USD): credits_posted is 100, should be 90

    the last transfer is gone:
    transfer (M/test) from fees to provider:pa_1 in USD: one is missing or too small by 3
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 40
    balance (M/test, fees, USD): debits_posted is 3, should be 0

    the first transfer is gone:
    transfer (M/test, P, c01, 0): is missing
    transfer (M/test) from provider:pa_1 to merchant in USD: one is missing or too small by 100
    balance (M/test, provider:pa_1, USD): debits_posted is 100, should be 0
    balance (M/test, merchant, USD): credits_posted is 100, should be 0

    the debit goes elsewhere:
    transfer (M/test, P, c01, 1): a fee from merchant to provider:pa_1; it should be from fees to provider
    balance (M/test, merchant, USD): debits_posted is 40, should be 43
    balance (M/test, fees, USD): debits_posted is 3, should be 0
    "#);
}

#[test]
fn doctored_words_and_holds_are_named_with_what_they_should_be() {
    let found = findings_of(&[
        ("an account is unknown", |tables| tables.transfers[1].columns[0] = "loot".into()),
        ("an amount is negative", |tables| tables.transfers[1].columns[3] = Cell::Int(-3)),
        ("a hold is closed by more", |tables| tables.transfers[3].columns[3] = Cell::Int(41)),
        ("a hold is never there", |tables| tables.transfers[3].columns[5] = "posts:7".into()),
        ("a hold was posted at once", |tables| tables.transfers[2].columns[5] = "posted".into()),
        ("a currency is another", |tables| tables.transfers[1].columns[2] = "EUR".into()),
    ]);
    insta::assert_snapshot!(found, @r#"
    an account is unknown:
    transfer (M/test, P, c01, 1): `loot` names no account
    transfer (M/test) from fees to provider:pa_1 in USD: one is missing or too small by 3
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 40
    balance (M/test, fees, USD): debits_posted is 3, should be 0

    an amount is negative:
    transfer (M/test, P, c01, 1): the amount is -0.03 USD, should be greater than zero
    transfer (M/test) from fees to provider:pa_1 in USD: one is missing or too small by 3
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 40
    balance (M/test, fees, USD): debits_posted is 3, should be 0

    a hold is closed by more:
    transfer (M/test, P, r02, 1): closes 0 with 0.41 USD, should be 0.40 USD
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 44
    balance (M/test, provider:pa_1, USD): credits_pending is 0, should be -1
    balance (M/test, merchant, USD): debits_posted is 40, should be 41
    balance (M/test, merchant, USD): debits_pending is 0, should be -1

    a hold is never there:
    transfer (M/test, P, r02, 1): closes 7, which holds nothing

    a hold was posted at once:
    transfer (M/test, P, r02, 1): closes 0, which holds nothing
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 83
    balance (M/test, provider:pa_1, USD): credits_pending is 0, should be -40
    balance (M/test, merchant, USD): debits_posted is 40, should be 80
    balance (M/test, merchant, USD): debits_pending is 0, should be -40

    a currency is another:
    transfer (M/test) from fees to provider:pa_1 in EUR: one does not belong here or is too large by 3
    balance (M/test, provider:pa_1, EUR): credits_posted is missing, should be 3
    balance (M/test, fees, EUR): debits_posted is missing, should be 3
    transfer (M/test) from fees to provider:pa_1 in USD: one is missing or too small by 3
    balance (M/test, provider:pa_1, USD): credits_posted is 43, should be 40
    balance (M/test, fees, USD): debits_posted is 3, should be 0
    "#);
}

#[test]
fn a_hold_is_closed_once() {
    let refund = rules::refund("pa_1", usd(40)).unwrap().remove(0);
    let twice = vec![refund.clone().held(), refund.clone().posts(0), refund.voids(0)];
    let findings = Tables::of(&book(1, "r02", twice)).findings();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].ends_with("closes 0, which 1 closed before"), "{findings:?}");
}

#[test]
fn rows_out_of_order_are_an_error_of_the_caller() {
    let tables = story();
    let mut check = Check::new();
    check.transfer(&tables.transfers[1]).unwrap();
    assert_eq!(check.transfer(&tables.transfers[0]), Err(LedgerError::Order));
    assert_eq!(check.transfer(&tables.transfers[1]), Err(LedgerError::Order));
}

#[test]
fn beside_a_server_what_moved_is_held_to_a_range() {
    let before = story();
    let more = book(2, "c01", rules::capture("pa_1", usd(50)).unwrap());
    let late: Vec<Row> = more.iter().map(transfer_row).collect();
    let mut after = before.clone();
    for row in &mut after.balances {
        let column = match row.key[0].as_text() {
            Some("merchant") => 1,
            Some("provider:pa_1") => 0,
            _ => continue,
        };
        if row.key[2] == Cell::Int(0) {
            row.columns[column] = Cell::Int(row.columns[column].as_int().unwrap() + 50);
        }
    }
    let run = |transfers: &[Row], after: &Tables| {
        let mut check = Check::beside_a_server();
        before.balances.iter().for_each(|row| check.balance_before(row));
        for row in transfers {
            check.transfer(row).unwrap();
        }
        after.balances.iter().for_each(|row| check.balance(row));
        check.finish()
    };
    // The new transfer is seen or not: both are fine.
    let unseen = run(&before.transfers, &after);
    assert!(unseen.is_clean() && unseen.moved == 2, "{unseen}");
    let seen = run(&[before.transfers.clone(), late].concat(), &after);
    assert!(seen.is_clean(), "{seen}");
    // A doctored row in an account that is quiet, or beyond the range, is still found.
    let mut doctored = before.transfers.clone();
    doctored[1].columns[3] = Cell::Int(4);
    assert!(!run(&doctored, &after).is_clean());
    doctored.clone_from(&before.transfers);
    doctored[0].columns[3] = Cell::Int(10);
    assert!(!run(&doctored, &after).is_clean());
}

/// One application of a rule: which, of how much, in which world, currency and operation; held first
/// and then posted or voided, or posted at once.
fn applications() -> impl Strategy<Value = Vec<Transfer>> {
    let kinds = prop::sample::select(rules::RULES.to_vec());
    let currencies = prop::sample::select(vec![Currency::USD, Currency::JPY]);
    let modes = prop::sample::select(vec![Mode::Test, Mode::Live]);
    let one = (kinds, 1_i64..1_000_000, currencies, modes, 0_u8..5, any::<bool>());
    prop::collection::vec(one, 1..40).prop_map(|applications| {
        let mut transfers = Vec::new();
        for ((rule, minor, currency, mode, shape, corrected), number) in
            applications.into_iter().zip(0_u128..)
        {
            let amount = Money::new(minor, currency);
            let posting = if corrected {
                rules::correction(rule.kind, "pa_1", amount).unwrap().remove(0)
            } else {
                rules::correction(rule.kind, "pa_1", amount).unwrap().remove(0).corrected()
            };
            let posting = if corrected { posting } else { Posting { kind: rule.kind, ..posting } };
            let postings = match shape {
                0 => vec![posting.clone().held()],
                1 => vec![posting.clone().held(), posting.posts(0)],
                2 => vec![posting.clone().held(), posting.voids(0)],
                3 => vec![posting.clone(), posting],
                _ => vec![posting],
            };
            let subject = Uuid::from_u128(number / 3);
            let operation = format!("o{:02}", number % 3);
            transfers.extend(rules::transfers(scope(mode), subject, &operation, 0, postings));
        }
        transfers
    })
}

proptest! {
    #[test]
    fn rules_always_balance(transfers in applications()) {
        let report = Tables::of(&transfers).check();
        prop_assert!(report.is_clean(), "{}", report);
        prop_assert_eq!(report.transfers, transfers.len() as u64);
        for sheet in report.sheets {
            prop_assert_eq!(sheet.debits, sheet.credits);
            let side = |side| sheet.lines.iter().filter(move |line| line.normal_side == side);
            let sum = |wanted| side(wanted).map(|line| line.balance).sum::<i128>();
            prop_assert_eq!(sum(crate::Side::Debit), sum(crate::Side::Credit));
        }
    }

    #[test]
    fn a_doctored_balance_is_named(
        transfers in applications(), row in any::<Index>(), column in 0_usize..4, by in 1_i64..1000,
        gone in any::<bool>(),
    ) {
        let mut tables = Tables::of(&transfers);
        let at = row.index(tables.balances.len());
        let original = tables.balances[at].clone();
        if gone && original.columns.iter().any(|cell| *cell != Cell::Int(0)) {
            tables.balances.remove(at);
        } else {
            let cell = &mut tables.balances[at].columns[column];
            *cell = Cell::Int(cell.as_int().unwrap() + by);
        }
        let named = format!("balance ({}, {}, ", original.scope, original.key[0].as_text().unwrap());
        let findings = tables.findings();
        prop_assert!(findings.iter().any(|finding| finding.starts_with(&named)), "{:?}", findings);
    }

    #[test]
    fn a_doctored_transfer_is_found(
        transfers in applications(), row in any::<Index>(), change in 0_u8..6, by in 1_i64..1000,
    ) {
        let mut tables = Tables::of(&transfers);
        let at = row.index(tables.transfers.len());
        let columns = &mut tables.transfers[at].columns;
        match change {
            0 => columns[3] = Cell::Int(columns[3].as_int().unwrap() + by),
            1 => columns[3] = Cell::Int(columns[3].as_int().unwrap() - by),
            2 => columns[0] = "suspense".into(),
            3 => columns[1] = "provider:pa_2".into(),
            4 => columns[2] = "KWD".into(),
            _ => drop(tables.transfers.remove(at)),
        }
        prop_assert!(!tables.findings().is_empty());
    }
}
