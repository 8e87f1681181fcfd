//! From a file to rules: every key known, every value of its kind, every account there.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Currency, Mode};
use provider_kit::MethodKind;

use crate::cost::Cost;
use crate::error::RoutesError;
use crate::fallback::{Ended, Fallback};
use crate::health::HealthRules;
use crate::reach;
use crate::rule::{BinRange, Routes, Rule, Strategy, When};
use crate::source::{ANY, Entry, Section, Source, quoted};
use crate::words::{BRANDS, nearest};

/// More rules are a mistake of a program that writes them.
const RULES_MAX: usize = 1_000;
/// Digits of a card number that are known.
const BIN_DIGITS: usize = 6;

const RULE_KEYS: &[&str] = &["name", "when", "order", "split", "best", "cheapest", "explore_percent"];
const WHEN_KEYS: &[&str] =
    &["mode", "method", "currency", "amount_from", "amount_to", "country", "brand", "bin", "metadata"];

impl Routes {
    /// Reads the rules of a file. `accounts` are the names that rules may use.
    pub fn read(file: &str, text: &str, accounts: &[String]) -> Result<Self, RoutesError> {
        Self::read_with(file, text, Some(accounts))
    }

    /// Reads rules that were checked when they were stored: accounts that went since are passed over.
    pub fn read_again(name: &str, text: &str) -> Result<Self, RoutesError> {
        Self::read_with(name, text, None)
    }

    fn read_with(file: &str, text: &str, accounts: Option<&[String]>) -> Result<Self, RoutesError> {
        let source = Source { name: file, text };
        let document = source.parse()?;
        let top = Section::top(&source, document.get_ref(), &["rule", "cost", "fallback", "health"])?;
        let reader = Reader { accounts };
        let costs = match top.get("cost") {
            Some(entry) => reader.costs(entry)?,
            None => Vec::new(),
        };
        let rules = match top.get("rule") {
            Some(entry) => reader.rules(entry, &costs)?,
            None => return Err(top.error("rule", "there is no [[rule]]: without one nothing is routed")),
        };
        let fallback = top.get("fallback").map_or_else(|| Ok(Fallback::default()), fallback)?;
        let health = top.get("health").map_or_else(|| Ok(HealthRules::default()), health)?;
        Ok(Self { rules, fallback, health, costs })
    }
}

struct Reader<'a> {
    /// `None`: any.
    accounts: Option<&'a [String]>,
}

impl Reader<'_> {
    fn rules(&self, entry: &Entry<'_>, costs: &[Cost]) -> Result<Vec<Rule>, RoutesError> {
        let sections = entry.tables(RULE_KEYS)?;
        if sections.is_empty() || sections.len() > RULES_MAX {
            return Err(entry.error(format!("there are from 1 to {RULES_MAX} rules")));
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(sections.len());
        for section in &sections {
            let rule = self.rule(section, costs)?;
            if let Some(same) = rules.iter().find(|known| known.name == rule.name) {
                let what = format!("the rule of line {} has this name already", same.line);
                return Err(section
                    .get("name")
                    .map_or_else(|| section.error("name", &what), |e| e.error(&what)));
            }
            if let Some(first) = rules.iter().find(|first| reach::covers(&first.when, &rule.when)) {
                let what = format!(
                    "the rule `{}` is never reached: every payment that fits it fits the rule `{}` of \
                     line {} before it; put it first, or drop it",
                    rule.name, first.name, first.line
                );
                return Err(section.error("", what));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self, section: &Section<'_>, costs: &[Cost]) -> Result<Rule, RoutesError> {
        let needed = "a rule has a name of letters, digits, blanks, `_` and `-`, up to 60 of them";
        let name = section.get("name").ok_or_else(|| section.error("name", needed))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-');
        let text = name.text()?;
        if text.trim().is_empty() || text.len() > 60 || !text.chars().all(fits) {
            return Err(name.error(needed));
        }
        let when = section.get("when").map_or_else(|| Ok(When::default()), when)?;
        let strategy = self.strategy(section, &when, costs)?;
        Ok(Rule { name: text, when, strategy, line: section.line })
    }

    fn strategy(&self, section: &Section<'_>, when: &When, costs: &[Cost]) -> Result<Strategy, RoutesError> {
        let words = ["order", "split", "best", "cheapest"];
        let given: Vec<&Entry<'_>> = words.iter().filter_map(|word| section.get(word)).collect();
        let only = match given.as_slice() {
            [] => return Err(section.error("order", format!("a rule says one of: {}", words.join(", ")))),
            [only] => *only,
            [first, second, ..] => {
                let what = format!("the rule says {} already: it chooses in one way", first.name);
                return Err(second.error(what));
            }
        };
        let explore = section.get("explore_percent");
        if let Some(explore) = explore.filter(|_| only.name != "best") {
            return Err(explore.error("it belongs to `best`"));
        }
        if only.name == "order" {
            return Ok(Strategy::Order(self.names(only, 1)?));
        }
        if only.name == "split" {
            return self.split(only);
        }
        let among = self.names(only, 2)?;
        if only.name == "best" {
            let percent = explore.map_or(Ok(10), |entry| entry.whole(0, 100))?;
            let explore_percent = u32::try_from(percent).unwrap_or(10);
            return Ok(Strategy::Best { among, explore_percent });
        }
        let priced = |name: &&String| {
            costs.iter().any(|cost| cost.account == **name && !reach::excludes(&cost.when, when))
        };
        match among.iter().find(|name| !priced(name)) {
            Some(name) => Err(only.error(format!(
                "nobody knows what payments cost at `{name}`: a [[cost]] with account = \"{name}\" says so"
            ))),
            None => Ok(Strategy::Cheapest(among)),
        }
    }

    fn split(&self, entry: &Entry<'_>) -> Result<Strategy, RoutesError> {
        let section = entry.table(ANY)?;
        if section.entries().len() < 2 {
            return Err(entry.error("a split is between two accounts or more: { east = 70, west = 30 }"));
        }
        let shares = section.entries().iter().map(|share| {
            self.check_name(share, &share.name)?;
            let weight = share.whole(1, 1_000_000)?;
            Ok((share.name.clone(), u32::try_from(weight).unwrap_or(1)))
        });
        Ok(Strategy::Split(shares.collect::<Result<_, RoutesError>>()?))
    }

    fn names(&self, entry: &Entry<'_>, least: usize) -> Result<Vec<String>, RoutesError> {
        let names = entry.texts()?;
        for name in &names {
            self.check_name(entry, name)?;
        }
        if names.len() < least {
            return Err(entry.error("there is nothing to choose between with one account: use `order`"));
        }
        Ok(names)
    }

    fn check_name(&self, entry: &Entry<'_>, name: &str) -> Result<(), RoutesError> {
        let Some(accounts) = self.accounts else { return Ok(()) };
        if accounts.iter().any(|known| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = accounts.iter().map(String::as_str).collect();
        let near = nearest(name, &known).map_or(String::new(), |near| format!("; did you mean {near}?"));
        let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(entry.error(format!("there is no account {}; there is: {there}{near}", quoted(name))))
    }

    fn costs(&self, entry: &Entry<'_>) -> Result<Vec<Cost>, RoutesError> {
        let mut costs: Vec<Cost> = Vec::new();
        for section in entry.tables(&["account", "when", "basis_points", "fixed"])? {
            let account = section.get("account");
            let account = account.ok_or_else(|| section.error("account", "whose price it is"))?;
            let name = account.text()?;
            self.check_name(account, &name)?;
            let when = section.get("when").map_or_else(|| Ok(When::default()), when)?;
            let earlier = costs.iter().find(|cost| cost.account == name && reach::covers(&cost.when, &when));
            if let Some(earlier) = earlier {
                let what = format!("it is never reached: the one of line {} fits all of it", earlier.line);
                return Err(section.error("", what));
            }
            let points = section.get("basis_points").map_or(Ok(0), |points| points.whole(0, 10_000))?;
            let mut fixed = BTreeMap::new();
            if let Some(entry) = section.get("fixed") {
                for price in entry.table(ANY)?.entries() {
                    fixed.insert(currency(price, &price.name)?, price.whole(0, 1_000_000_000)?);
                }
            }
            let basis_points = u32::try_from(points).unwrap_or(0);
            costs.push(Cost { account: name, when, basis_points, fixed, line: section.line });
        }
        Ok(costs)
    }
}

fn when(entry: &Entry<'_>) -> Result<When, RoutesError> {
    let section = entry.table(WHEN_KEYS)?;
    let list = |name: &str| section.get(name).map(|entry| Ok((entry, entry.texts()?))).transpose();
    let mut when = When::default();
    if let Some((entry, texts)) = list("mode")? {
        let modes = [("test", Mode::Test), ("live", Mode::Live)];
        when.modes = words(entry, &texts, &modes)?;
    }
    if let Some((entry, texts)) = list("method")? {
        when.methods = words(entry, &texts, &MethodKind::ALL.map(|method| (method.as_str(), method)))?;
    }
    if let Some((entry, texts)) = list("currency")? {
        when.currencies = texts.iter().map(|text| currency(entry, text)).collect::<Result<_, _>>()?;
    }
    if let Some((entry, texts)) = list("brand")? {
        when.brands = words(entry, &texts, &BRANDS)?;
    }
    if let Some((entry, texts)) = list("country")? {
        let is_code = |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !texts.iter().all(is_code) {
            return Err(entry.error("a country is two capital letters (ISO 3166-1): \"IN\", \"DE\""));
        }
        when.countries = texts;
    }
    if let Some((entry, texts)) = list("bin")? {
        when.bins = texts.iter().map(|text| bin(entry, text)).collect::<Result<_, _>>()?;
    }
    when.amount_from = section.get("amount_from").map(|from| from.whole(0, i64::MAX)).transpose()?;
    when.amount_to = section.get("amount_to").map(|to| to.whole(0, i64::MAX)).transpose()?;
    if let Some(entry) = section.get("metadata") {
        let asked = entry.table(ANY)?;
        let asked = asked.entries().iter().map(|entry| Ok((entry.name.clone(), entry.texts()?)));
        when.metadata = asked.collect::<Result<_, RoutesError>>()?;
    }
    check(&section, &when)?;
    Ok(when)
}

/// Parts of a condition that can never hold together, or that say nothing together.
fn check(section: &Section<'_>, when: &When) -> Result<(), RoutesError> {
    let about = |name: &str, what: &str| {
        Err(section.get(name).map_or_else(|| section.error(name, what), |entry| entry.error(what)))
    };
    if when.amount_from.zip(when.amount_to).is_some_and(|(from, to)| from > to) {
        return about("amount_to", "it is below amount_from: no payment can fit both");
    }
    if when.amount_from.or(when.amount_to).is_some() {
        let name = if when.amount_from.is_some() { "amount_from" } else { "amount_to" };
        let mut exponents = when.currencies.iter().map(|currency| currency.exponent());
        let first = exponents.next();
        if first.is_none() || exponents.any(|other| Some(other) != first) {
            return about(
                name,
                "an amount is in minor units of a currency: `currency` names it, or several with as many \
                 digits",
            );
        }
    }
    let of_cards = !when.brands.is_empty() || !when.bins.is_empty();
    if of_cards && !when.methods.is_empty() && !when.methods.contains(&MethodKind::Card) {
        return about("method", "`brand` and `bin` are of cards: no payment can fit both");
    }
    Ok(())
}

fn words<T: Copy>(entry: &Entry<'_>, texts: &[String], known: &[(&str, T)]) -> Result<Vec<T>, RoutesError> {
    let find = |text: &String| {
        let found = known.iter().find(|(word, _)| word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            entry.error(format!("{} is none of: {}", quoted(text), known.join(", ")))
        })
    };
    texts.iter().map(find).collect()
}

fn currency(entry: &Entry<'_>, text: &str) -> Result<Currency, RoutesError> {
    text.parse().map_err(|error| entry.error(format!("{}: {error}", quoted(text))))
}

/// `424242`, `42`, or `400000-499999`.
fn bin(entry: &Entry<'_>, text: &str) -> Result<BinRange, RoutesError> {
    let allowed = || {
        entry.error(format!(
            "{}: the beginning of card numbers is one to six digits (more are not known), or a range such as \
             \"400000-409999\"",
            quoted(text)
        ))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let digits =
        |part: &str| (1..=BIN_DIGITS).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) || first.len() != last.len() {
        return Err(allowed());
    }
    let fill = |part: &str, with: &str| format!("{part}{}", with.repeat(BIN_DIGITS - part.len())).parse();
    match (fill(first, "0"), fill(last, "9")) {
        (Ok(first), Ok(last)) if first <= last => Ok(BinRange { first, last }),
        _ => Err(allowed()),
    }
}

fn fallback(entry: &Entry<'_>) -> Result<Fallback, RoutesError> {
    let section = entry.table(&["attempts", "after"])?;
    let mut fallback = Fallback::default();
    if let Some(attempts) = section.get("attempts") {
        fallback.attempts = u8::try_from(attempts.whole(1, 5)?).unwrap_or(1);
    }
    if let Some(after) = section.get("after") {
        let known = [Ended::NotSent, Ended::Refused, Ended::Retryable];
        let known = known.map(|ended| (ended.word().unwrap_or_default(), ended));
        fallback.after = words(after, &after.texts()?, &known)?;
    }
    Ok(fallback)
}

fn health(entry: &Entry<'_>) -> Result<HealthRules, RoutesError> {
    let section = entry.table(&["calls_min", "failed_percent", "open_for_seconds"])?;
    let mut rules = HealthRules::default();
    if let Some(calls) = section.get("calls_min") {
        rules.calls_min = u32::try_from(calls.whole(1, 20)?).unwrap_or(1);
    }
    if let Some(percent) = section.get("failed_percent") {
        rules.failed_percent = u32::try_from(percent.whole(1, 100)?).unwrap_or(100);
    }
    if let Some(seconds) = section.get("open_for_seconds") {
        rules.open_for = Duration::from_secs(u64::try_from(seconds.whole(1, 3_600)?).unwrap_or(1));
    }
    Ok(rules)
}
