//! How often charges succeeded of late, by rule and account: what the strategy `best` learns from.

use std::collections::HashMap;

use kernel::Id;
use provider_kit::Account;

/// From so many outcomes on, all of them count half: what is long ago weighs less and less.
const HALVED_AT: u32 = 200;
/// So many pairs of rule and account are remembered; what comes beyond them is not.
const PAIRS_MAX: usize = 20_000;

/// Outcomes of one rule at one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    succeeded: u32,
    tried: u32,
}

/// Success rates, by rule and account: a rule is the segment of payments that they hold for.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    by_rule: HashMap<String, HashMap<Id<Account>, Tally>>,
    pairs: usize,
}

impl Rates {
    /// Notes what came of a charge that a rule sent to an account.
    pub fn note(&mut self, rule: &str, account: Id<Account>, succeeded: bool) {
        if !self.by_rule.contains_key(rule) {
            if self.pairs >= PAIRS_MAX {
                return;
            }
            self.by_rule.insert(rule.to_owned(), HashMap::new());
        }
        let Some(accounts) = self.by_rule.get_mut(rule) else { return };
        if !accounts.contains_key(&account) {
            if self.pairs >= PAIRS_MAX {
                return;
            }
            self.pairs += 1;
        }
        let tally = accounts.entry(account).or_default();
        tally.tried += 1;
        tally.succeeded += u32::from(succeeded);
        if tally.tried >= HALVED_AT {
            *tally = Tally { succeeded: tally.succeeded / 2, tried: tally.tried / 2 };
        }
    }

    /// Of a thousand charges, how many are expected to succeed, and how many outcomes say so. An account
    /// that was never tried is expected to succeed half the time (Laplace's rule of succession).
    pub fn expected(&self, rule: &str, account: Id<Account>) -> (u32, u32) {
        let tally = self.by_rule.get(rule).and_then(|accounts| accounts.get(&account));
        let tally = tally.copied().unwrap_or_default();
        ((tally.succeeded + 1) * 1_000 / (tally.tried + 2), tally.tried)
    }
}
