//! A replay: what other rules would have made of payments that are over.
//!
//! Where they would have chosen the account that was charged, what came of it is known. Elsewhere the
//! rate at which that account did the same kind of payment is expected (method, currency and scheme; the
//! account's whole rate where it did none of these), and nothing where it never charged anything: such
//! payments are counted apart and left out of both sides.

use std::collections::BTreeMap;

use kernel::{Currency, Id};
use provider_kit::{Account, MethodKind};

use crate::decide::{Candidate, decide};
use crate::facts::Facts;
use crate::rates::Rates;
use crate::rule::Routes;

/// A first attempt of a payment that is over.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// What was known of the payment.
    pub facts: Facts<'a>,
    /// The account that was charged.
    pub account: Id<Account>,
    /// Whether that succeeded.
    pub succeeded: bool,
    /// What the provider kept, in minor units, if it said so.
    pub fee: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    tried: i64,
    succeeded: i64,
}

/// What is known of an account's fees in a currency.
#[derive(Clone, Copy, Debug, Default)]
struct Fees {
    amount: i128,
    fees: i128,
}

type Segment = (Id<Account>, Option<MethodKind>, Currency, Option<&'static str>);

/// A replay in the making: first every attempt is observed, then every one is judged.
#[derive(Debug)]
pub struct Replay<'r> {
    routes: &'r Routes,
    whole: BTreeMap<Id<Account>, Tally>,
    segments: BTreeMap<Segment, Tally>,
    fees: BTreeMap<(Id<Account>, Currency), Fees>,
    rates: Rates,
    report: Report,
}

/// Costs of one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostSum {
    /// What the payments that succeeded did cost.
    pub before: i64,
    /// What they are expected to cost.
    pub after: i64,
    /// Payments that count in neither, because nobody knows the price.
    pub unknown: i64,
}

/// How many payments an account had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountShare {
    /// As it was.
    pub before: i64,
    /// As it would have been.
    pub after: i64,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Payments that were judged.
    pub payments: i64,
    /// Of these, how many would have been charged elsewhere.
    pub moved: i64,
    /// Payments that were not: they would have been charged where nothing was ever charged.
    pub unknown: i64,
    /// How many of the judged succeeded at their first account, in thousandths of a payment.
    pub succeeded_before: i64,
    /// How many are expected to, in thousandths of a payment.
    pub succeeded_after: i64,
    /// By account name.
    pub accounts: BTreeMap<String, AccountShare>,
    /// By currency.
    pub costs: BTreeMap<Currency, CostSum>,
}

impl<'r> Replay<'r> {
    /// Of these rules.
    pub fn new(routes: &'r Routes) -> Self {
        Self {
            routes,
            whole: BTreeMap::new(),
            segments: BTreeMap::new(),
            fees: BTreeMap::new(),
            rates: Rates::default(),
            report: Report::default(),
        }
    }

    /// Learns how an account does from an attempt.
    pub fn observe(&mut self, past: &Past<'_>) {
        let Past { facts, account, succeeded, fee } = past;
        for tally in [
            self.whole.entry(*account).or_default(),
            self.segments.entry(segment(*account, facts)).or_default(),
        ] {
            tally.tried += 1;
            tally.succeeded += i64::from(*succeeded);
        }
        if let Some(fee) = fee.filter(|_| *succeeded) {
            let known = self.fees.entry((*account, facts.amount.currency)).or_default();
            known.amount += i128::from(facts.amount.minor);
            known.fees += i128::from(fee);
        }
    }

    /// Decides an attempt anew, among these accounts, and counts the difference. In the order of time.
    pub fn judge(&mut self, past: &Past<'_>, candidates: &[Candidate<'_>], draw: impl FnOnce() -> u64) {
        let decision = decide(self.routes, &past.facts, candidates, &self.rates, draw);
        let chosen = decision.ranked.first().and_then(|ranked| candidates.get(ranked.place));
        if let Some(rule) = decision.rule {
            self.rates.note(&rule.name, past.account, past.succeeded);
        }
        let Some(chosen) = chosen else { return };
        let was = i64::from(past.succeeded) * 1_000;
        let is_same = chosen.id == past.account;
        let Some(expected) = (if is_same { Some(was) } else { self.expected(chosen.id, &past.facts) }) else {
            self.report.unknown += 1;
            return;
        };
        let old = candidates.iter().find(|candidate| candidate.id == past.account);
        let name = old.map_or_else(|| past.account.to_string(), |candidate| candidate.name.to_owned());
        let costs = self.cost(past.account, old.map(|one| one.name), &past.facts, past.fee);
        let new_costs =
            if is_same { costs } else { self.cost(chosen.id, Some(chosen.name), &past.facts, None) };
        let report = &mut self.report;
        report.payments += 1;
        report.moved += i64::from(!is_same);
        report.succeeded_before += was;
        report.succeeded_after += expected;
        report.accounts.entry(name).or_default().before += 1;
        report.accounts.entry(chosen.name.to_owned()).or_default().after += 1;
        let sum = report.costs.entry(past.facts.amount.currency).or_default();
        match costs.zip(new_costs) {
            Some((before, after)) => {
                sum.before += before.saturating_mul(was);
                sum.after += after.saturating_mul(expected);
            }
            None => sum.unknown += 1,
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Report {
        // They were summed in thousandths, so that many small ones lose nothing.
        for sum in self.report.costs.values_mut() {
            (sum.before, sum.after) = (sum.before / 1_000, sum.after / 1_000);
        }
        self.report
    }

    /// Of a thousand, how many an account is expected to make succeed.
    fn expected(&self, account: Id<Account>, facts: &Facts<'_>) -> Option<i64> {
        let alike = self.segments.get(&segment(account, facts)).or_else(|| self.whole.get(&account))?;
        Some(alike.succeeded * 1_000 / alike.tried.max(1))
    }

    /// What was kept; else by the price list; else as much of the amount as the account kept of others.
    fn cost(
        &self,
        account: Id<Account>,
        name: Option<&str>,
        facts: &Facts<'_>,
        fee: Option<i64>,
    ) -> Option<i64> {
        let listed = || self.routes.cost(name?, facts);
        let usual = || {
            let known = self.fees.get(&(account, facts.amount.currency)).filter(|known| known.amount > 0)?;
            i64::try_from(i128::from(facts.amount.minor) * known.fees / known.amount).ok()
        };
        fee.or_else(listed).or_else(usual)
    }
}

fn segment(account: Id<Account>, facts: &Facts<'_>) -> Segment {
    let brand = facts.brand.and_then(|brand| {
        crate::words::BRANDS.iter().find(|(_, known)| *known == brand).map(|(word, _)| *word)
    });
    (account, facts.method, facts.amount.currency, brand)
}
