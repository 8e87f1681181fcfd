//! The decision: the accounts of the first rule that fits, in the order in which they are to be tried,
//! and the reason of each place.

use kernel::Id;
use provider_kit::Account;
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::health::Gate;
use crate::rates::Rates;
use crate::rule::{Routes, Rule, Strategy};

/// An account that could charge a payment, for all that is known before it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name in rules.
    pub name: &'a str,
    /// Its id.
    pub id: Id<Account>,
    /// Why it cannot charge this payment, if it cannot.
    pub barred: Option<&'a str>,
    /// What its breaker says.
    pub gate: Gate,
}

/// Why an account has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It is listed so.
    Listed,
    /// The dice fell on it, of so many shares in all.
    Drawn {
        /// Its own.
        share: u32,
        /// Of all that could be drawn.
        of: u32,
    },
    /// The dice fell on another, or it comes behind where they fall; it has so many shares.
    NotDrawn {
        /// Its own.
        share: u32,
    },
    /// There is no other whose calls are answered: nothing was drawn.
    Alone {
        /// Its shares.
        share: u32,
    },
    /// Of a thousand payments it is expected to make so many succeed, by so many outcomes.
    Rate {
        /// Of a thousand.
        permille: u32,
        /// Outcomes that say so.
        outcomes: u32,
    },
    /// It was picked by chance, to learn how it does.
    Explored,
    /// It costs so much, in minor units.
    Costs(i64),
    /// Nobody knows what it costs.
    CostUnknown,
    /// No rule fits, or the one that does has no account that can charge this payment.
    Default,
}

/// An account in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Which of the candidates.
    pub place: usize,
    /// Why.
    pub because: Because,
    /// What its breaker said.
    pub gate: Gate,
}

/// What was decided. Its first account is charged; the others are for fallback, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<'r> {
    /// The rule that fitted.
    pub rule: Option<&'r Rule>,
    /// Never empty where there was a candidate.
    pub ranked: Vec<Ranked>,
}

/// Decides. The candidates come in the order that holds without rules; `draw` is asked for a random
/// number at most once, and only where a rule leaves something to chance.
pub fn decide<'r>(
    routes: &'r Routes,
    facts: &Facts<'_>,
    candidates: &[Candidate<'_>],
    rates: &Rates,
    draw: impl FnOnce() -> u64,
) -> Decision<'r> {
    let rule = routes.rules.iter().find(|rule| rule.when.matches(facts));
    let mut ranked = Vec::new();
    if let Some(rule) = rule {
        let eligible = |wanted: &dyn Fn(Gate) -> bool| -> Vec<usize> {
            let named = rule.strategy.accounts();
            let places = named.filter_map(|name| candidates.iter().position(|one| one.name == name));
            places
                .filter(|place| {
                    candidates.get(*place).is_some_and(|one| one.barred.is_none() && wanted(one.gate))
                })
                .collect()
        };
        let (well, ill) = (eligible(&|gate| gate != Gate::Open), eligible(&|gate| gate == Gate::Open));
        let ranking = Ranking { routes, rule, facts, candidates, rates };
        // The dice fall once, among the first that could be charged: behind those nothing is left to chance.
        let mut draw = Some(draw);
        for group in [well, ill] {
            let draw = if group.is_empty() { None } else { draw.take() };
            ranked.extend(ranking.rank(group, draw));
        }
    }
    if ranked.is_empty() {
        // What is barred is still the account that says so to the caller, where there is no other.
        let able = candidates.iter().position(|one| one.barred.is_none());
        let place = able.or_else(|| (!candidates.is_empty()).then_some(0));
        ranked.extend(place.map(|place| Ranked {
            place,
            because: Because::Default,
            gate: candidates.get(place).map_or(Gate::Closed, |one| one.gate),
        }));
    }
    Decision { rule, ranked }
}

struct Ranking<'a> {
    routes: &'a Routes,
    rule: &'a Rule,
    facts: &'a Facts<'a>,
    candidates: &'a [Candidate<'a>],
    rates: &'a Rates,
}

impl Ranking<'_> {
    /// All of a group in the rule's order.
    fn rank(&self, group: Vec<usize>, draw: Option<impl FnOnce() -> u64>) -> Vec<Ranked> {
        match &self.rule.strategy {
            Strategy::Order(_) => {
                group.into_iter().map(|place| self.ranked(place, Because::Listed)).collect()
            }
            Strategy::Split(shares) => self.split(&group, shares, draw),
            Strategy::Best { explore_percent, .. } => self.best(group, *explore_percent, draw),
            Strategy::Cheapest(_) => self.cheapest(&group),
        }
    }

    fn ranked(&self, place: usize, because: Because) -> Ranked {
        let gate = self.candidates.get(place).map_or(Gate::Closed, |one| one.gate);
        Ranked { place, because, gate }
    }

    fn split(
        &self,
        group: &[usize],
        shares: &[(String, u32)],
        draw: Option<impl FnOnce() -> u64>,
    ) -> Vec<Ranked> {
        let share = |place: usize| {
            let name = self.candidates.get(place).map(|one| one.name);
            shares.iter().find(|(known, _)| Some(known.as_str()) == name).map_or(0, |(_, share)| *share)
        };
        let mut weighed: Vec<(usize, u32)> = group.iter().map(|place| (*place, share(*place))).collect();
        let of: u32 = weighed.iter().map(|(_, share)| share).sum();
        let first = match (weighed.as_slice(), draw) {
            ([], _) | (_, None) => None,
            ([(place, share)], Some(_)) => Some(self.ranked(*place, Because::Alone { share: *share })),
            (_, Some(draw)) => {
                let mut point = u32::try_from(draw() % u64::from(of.max(1))).unwrap_or(0);
                let drawn = weighed.iter().find(|(_, share)| {
                    let is_it = point < *share;
                    point = point.saturating_sub(*share);
                    is_it
                });
                drawn.map(|(place, share)| self.ranked(*place, Because::Drawn { share: *share, of }))
            }
        };
        weighed.retain(|(place, _)| first.is_none_or(|first| first.place != *place));
        // Behind the one that was drawn the greatest share comes first, equal ones as they are listed.
        weighed.sort_by_key(|(_, share)| std::cmp::Reverse(*share));
        let others =
            weighed.into_iter().map(|(place, share)| self.ranked(place, Because::NotDrawn { share }));
        first.into_iter().chain(others).collect()
    }

    fn best(
        &self,
        group: Vec<usize>,
        explore_percent: u32,
        draw: Option<impl FnOnce() -> u64>,
    ) -> Vec<Ranked> {
        let mut rated: Vec<Ranked> = group
            .into_iter()
            .filter_map(|place| {
                let account = self.candidates.get(place)?.id;
                let (permille, outcomes) = self.rates.expected(&self.rule.name, account);
                Some(self.ranked(place, Because::Rate { permille, outcomes }))
            })
            .collect();
        rated.sort_by_key(|one| match one.because {
            Because::Rate { permille, .. } => std::cmp::Reverse(permille),
            _ => std::cmp::Reverse(0),
        });
        if rated.len() > 1
            && explore_percent > 0
            && let Some(draw) = draw
        {
            let drawn = draw();
            if drawn % 100 < u64::from(explore_percent) {
                let count = u64::try_from(rated.len()).unwrap_or(1);
                let at = usize::try_from(drawn / 100 % count).unwrap_or(0);
                let picked = rated.remove(at);
                rated.insert(0, Ranked { because: Because::Explored, ..picked });
            }
        }
        rated
    }

    fn cheapest(&self, group: &[usize]) -> Vec<Ranked> {
        let mut priced: Vec<(Option<i64>, usize)> = group
            .iter()
            .filter_map(|place| {
                let name = self.candidates.get(*place)?.name;
                Some((self.routes.cost(name, self.facts), *place))
            })
            .collect();
        priced.sort_by_key(|(cost, _)| (cost.is_none(), *cost));
        priced
            .into_iter()
            .map(|(cost, place)| self.ranked(place, cost.map_or(Because::CostUnknown, Because::Costs)))
            .collect()
    }
}

impl Because {
    /// In words, for people.
    pub fn words(self) -> String {
        match self {
            Self::Listed => "listed in this place".to_owned(),
            Self::Drawn { share, of } => format!("drawn: {share} of {of} shares"),
            Self::NotDrawn { share } => format!("not drawn: {share} shares"),
            Self::Alone { share } => format!("nothing to draw among: {share} shares"),
            Self::Rate { permille, outcomes } => {
                format!("expected to succeed {permille} of 1000 times, by {outcomes} outcomes")
            }
            Self::Explored => "picked by chance, to learn how it does".to_owned(),
            Self::Costs(minor) => format!("costs {minor} minor units"),
            Self::CostUnknown => "nobody knows what it costs".to_owned(),
            Self::Default => "no rule decides: the default account".to_owned(),
        }
    }
}

impl Decision<'_> {
    /// The decision as it stands in events and answers: the rule, how it chooses, the accounts in their
    /// order with the reasons, and those that were passed over with theirs.
    pub fn to_json(&self, candidates: &[Candidate<'_>]) -> Value {
        let all_fail = self.ranked.iter().all(|ranked| ranked.gate == Gate::Open);
        let order: Vec<Value> = self
            .ranked
            .iter()
            .filter_map(|ranked| {
                let candidate = candidates.get(ranked.place)?;
                let mut because = ranked.because.words();
                match ranked.gate {
                    Gate::Closed => {}
                    Gate::Open if all_fail => {
                        because.push_str("; its calls failed of late, like those of all that can charge it");
                    }
                    Gate::Open => because.push_str("; last, because its calls failed of late"),
                    Gate::Ready => because.push_str("; its calls failed of late, and this one finds out"),
                }
                Some(json!({"account": candidate.name, "account_id": candidate.id, "because": because}))
            })
            .collect();
        let mut body = json!({"order": order});
        let Some((rule, object)) = self.rule.zip(body.as_object_mut()) else { return body };
        object.insert("rule".to_owned(), rule.name.as_str().into());
        object.insert("strategy".to_owned(), rule.strategy.word().into());
        let passed: Vec<Value> = rule
            .strategy
            .accounts()
            .filter_map(|name| match candidates.iter().find(|candidate| candidate.name == name) {
                None => Some(json!({"account": name, "because": "this world has no such account"})),
                Some(candidate) => candidate.barred.map(|why| json!({"account": name, "because": why})),
            })
            .collect();
        if !passed.is_empty() {
            object.insert("passed_over".to_owned(), passed.into());
        }
        body
    }
}
