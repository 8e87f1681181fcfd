//! What a charge costs at an account, as far as the operator knows.

use std::collections::BTreeMap;

use kernel::{Currency, Money};

use crate::facts::Facts;
use crate::rule::{Routes, When};

/// One line of the price list: what an account keeps of the payments that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The account's name.
    pub account: String,
    /// Of which payments; the first line of an account that fits a payment counts.
    pub when: When,
    /// Of the amount, in ten-thousandths.
    pub basis_points: u32,
    /// Of each payment, in minor units of its currency. Empty: nothing. Otherwise the price of a payment
    /// in a currency that is not named is unknown.
    pub fixed: BTreeMap<Currency, i64>,
    /// Where it stands in its file.
    pub line: usize,
}

impl Cost {
    /// Of an amount, in its minor units, rounded up; `None` if nobody knows.
    fn of(&self, amount: Money) -> Option<i64> {
        let fixed = match self.fixed.get(&amount.currency) {
            Some(fixed) => *fixed,
            None if self.fixed.is_empty() => 0,
            None => return None,
        };
        let share = i128::from(amount.minor) * i128::from(self.basis_points);
        // Rounded up: a provider never rounds in our favour.
        let share = share.saturating_add(9_999).div_euclid(10_000);
        i64::try_from(share.saturating_add(i128::from(fixed))).ok()
    }
}

impl Routes {
    /// What a payment costs at an account, in minor units of its currency; `None` if nobody knows.
    pub fn cost(&self, account: &str, facts: &Facts<'_>) -> Option<i64> {
        let mut lines = self.costs.iter().filter(|line| line.account == account);
        lines.find(|line| line.when.matches(facts))?.of(facts.amount)
    }
}
