//! `florin route`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use kernel::{Brand, Currency, Id, Merchant, Mode, Money, Scope};
use node::{Config, Node};
use payments::Hypothetical;
use provider_kit::MethodKind;
use routing::{Report, Routes};
use serde_json::{Map, Value, json};

use super::{merchant_of, with_node};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Says which account would charge a payment, and why; charges nothing
    Explain(Box<Explain>),
    /// Says what other rules would have made of past payments, in success and cost
    Replay(Replay),
}

#[derive(Debug, Args)]
struct World {
    /// Whose; may be left out while there is one merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<Id<Merchant>>,
    /// Of the live world instead of the test world
    #[arg(long)]
    live: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    world: World,
    /// How much, in minor units
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(i64).range(1..))]
    amount: i64,
    /// In which currency
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Currency,
    /// With which method
    #[arg(long, value_name = "METHOD", default_value = "card", value_parser = method)]
    method: MethodKind,
    /// The card's scheme, such as visa
    #[arg(long, value_name = "BRAND", value_parser = brand)]
    brand: Option<Brand>,
    /// The first six digits of the card's number
    #[arg(long, value_name = "DIGITS", value_parser = bin)]
    bin: Option<String>,
    /// Where the bill goes, or the card was issued: two capital letters
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// What the merchant writes on it; may be given several times
    #[arg(long, value_name = "NAME=TEXT", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// The provider or account that the payment names
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// By the rules of this file instead of those that hold
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    world: World,
    /// The file of the new rules
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// Only payments of the last so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: Option<u64>,
    /// At most so many payments, the newest
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    limit: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|_| format!("{text} is no currency: write its ISO 4217 code, such as EUR"))
}

fn method(text: &str) -> Result<MethodKind, String> {
    let known: Vec<&str> = MethodKind::ALL.iter().map(|method| method.as_str()).collect();
    let found = MethodKind::ALL.into_iter().find(|method| method.as_str() == text);
    found.ok_or_else(|| format!("one of: {}", known.join(", ")))
}

fn brand(text: &str) -> Result<Brand, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "a scheme such as visa or mastercard".to_owned())
}

fn bin(text: &str) -> Result<String, String> {
    match routing::bin_number(text) {
        Some(_) if text.len() == 6 => Ok(text.to_owned()),
        _ => Err("the first six digits of the card's number".to_owned()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl RouteCommand {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        with_node(config, |node| async move {
            match self {
                Self::Explain(explain) => explain.run(&node).await,
                Self::Replay(replay) => replay.run(&node).await,
            }
        })
    }
}

impl World {
    async fn scope(&self, node: &Node) -> Result<Scope, Failure> {
        let mode = if self.live { Mode::Live } else { Mode::Test };
        Ok(Scope { merchant: merchant_of(node, self.merchant).await?, mode })
    }
}

/// Makes the accounts that the configuration names, as a start does, and answers what rules may name.
async fn names(node: &Node, scope: Scope) -> Result<Vec<String>, Failure> {
    if let Some(first) = node.identity.merchants().await?.first() {
        node.open_configured(first.id).await?;
    }
    if scope.mode == Mode::Test {
        node.open_sandbox(scope.merchant).await?;
    }
    let accounts = node.payments.accounts(scope).await?;
    let mut names: Vec<String> = accounts.iter().map(|account| account.name().to_owned()).collect();
    // Rules of all worlds stand in one file.
    for name in node::account_names(&node.config) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(path: &Path, names: &[String]) -> Result<Arc<Routes>, Failure> {
    Ok(node::read_routes(path, names)?)
}

impl Explain {
    async fn run(self, node: &Node) -> Result<(), Failure> {
        let scope = self.world.scope(node).await?;
        let names = names(node, scope).await?;
        let routes = self.rules.as_ref().map(|path| read(path, &names)).transpose()?;
        if let Some(country) = &self.country {
            let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
            if !is_code {
                return Err(Failure::Usage("--country is two capital letters (ISO 3166-1)".to_owned()));
            }
        }
        let metadata = self.metadata.into_iter().map(|(name, text)| (name, Value::from(text)));
        let payment = Hypothetical {
            amount: Money::new(self.amount, self.currency),
            method: self.method,
            brand: self.brand,
            bin: self.bin,
            country: self.country,
            metadata: metadata.collect::<Map<_, _>>(),
            provider: self.provider,
        };
        let told = node.payments.explain_route(scope, &payment, routes.as_deref()).await?;
        if self.json {
            output::json(&told);
        } else {
            print(&told);
        }
        Ok(())
    }
}

fn print(told: &Value) {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    match (text("rule"), text("strategy")) {
        (Some(rule), Some(strategy)) => output::line(&format!("rule \"{rule}\", {strategy}")),
        _ => output::line(&format!("decided by {}", text("decided_by").unwrap_or("default"))),
    }
    let list = |name: &str| told.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let field = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    for (place, entry) in (1..).zip(list("order")) {
        output::line(&format!("{place:>3}. {}: {}", field(&entry, "account"), field(&entry, "because")));
    }
    for entry in list("passed_over") {
        output::line(&format!("  -- {}: {}", field(&entry, "account"), field(&entry, "because")));
    }
    if let Some(attempts) = told.pointer("/fallback/attempts") {
        let after: Vec<String> = told
            .pointer("/fallback/after")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect();
        output::line(&format!(
            "at most {attempts} accounts a payment; another one after: {}",
            after.join(", ")
        ));
    }
}

impl Replay {
    async fn run(self, node: &Node) -> Result<(), Failure> {
        let scope = self.world.scope(node).await?;
        let routes = read(&self.rules, &names(node, scope).await?)?;
        let from = self.days.map(|days| node.clock.now().minus(Duration::from_hours(24 * days)));
        let mut shown = 0;
        let progress = |read: usize| {
            if output::is_watched() && read >= shown + 1_000 {
                shown = read;
                output::over(&format!("{read} payments read"));
            }
        };
        let report = node.payments.replay_routes(scope, &routes, from, self.limit, progress).await?;
        if shown > 0 {
            output::over("");
        }
        if self.json {
            output::json(&object(&report));
        } else {
            print_report(&report);
        }
        Ok(())
    }
}

/// Of a hundred thousand.
fn rate(succeeded: i64, payments: i64) -> Option<i64> {
    (payments > 0).then(|| succeeded * 100 / payments)
}

fn percent(rate: Option<i64>) -> String {
    rate.map_or("-".to_owned(), |rate| format!("{}.{:02} %", rate / 1_000, rate % 1_000 / 10))
}

fn object(report: &Report) -> Value {
    let accounts: Map<String, Value> = report
        .accounts
        .iter()
        .map(|(name, share)| (name.clone(), json!({"before": share.before, "after": share.after})))
        .collect();
    let costs: Map<String, Value> = report
        .costs
        .iter()
        .map(|(currency, sum)| {
            let sum =
                json!({"before": sum.before, "after": sum.after, "payments_without_price": sum.unknown});
            (currency.code().to_owned(), sum)
        })
        .collect();
    json!({
        "payments": report.payments, "moved": report.moved, "not_judged": report.unknown,
        "succeeded_before_per_100000": rate(report.succeeded_before, report.payments),
        "succeeded_after_per_100000": rate(report.succeeded_after, report.payments),
        "accounts": accounts, "costs": costs,
    })
}

fn print_report(report: &Report) {
    output::line(&format!("{} payments judged, {} of them charged elsewhere", report.payments, report.moved));
    if report.unknown > 0 {
        output::line(&format!(
            "{} not judged: they would be charged where nothing was charged yet",
            report.unknown
        ));
    }
    let before = percent(rate(report.succeeded_before, report.payments));
    let after = percent(rate(report.succeeded_after, report.payments));
    output::line(&format!("success at the first account: {before}, expected {after}"));
    for (name, share) in &report.accounts {
        output::line(&format!("  {name}: {} payments, expected {}", share.before, share.after));
    }
    for (currency, sum) in &report.costs {
        let unknown = match sum.unknown {
            0 => String::new(),
            count => format!("; {count} payments have no price and count in neither"),
        };
        output::line(&format!(
            "cost in minor units of {}: {}, expected {}{unknown}",
            currency.code(),
            sum.before,
            sum.after
        ));
    }
}
