//! `florin merchant settings`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use gateway::input;
use kernel::{Actor, Currency, Id, Merchant, Mode, Scope};
use node::Node;
use payments::{Caller, LateSuccess, MerchantSettings, Patch, SettingsPatch};
use serde_json::{Value, json};

use super::{merchant_of, operator};
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Shows what holds for a merchant: its own settings over the installation's
    Show(Show),
    /// Changes a merchant's own settings; in force on every node within five seconds
    Set(Box<Set>),
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
pub(crate) struct Show {
    #[command(flatten)]
    world: World,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    world: World,
    /// Where browsers return when a payment does not say
    #[arg(long, value_name = "URL", value_parser = web_address)]
    return_url: Option<String>,
    /// What the statement shows when a payment does not say
    #[arg(long, value_name = "TEXT", value_parser = descriptor)]
    statement_descriptor: Option<String>,
    /// What becomes of a success that comes after the merchant was told otherwise
    #[arg(long, value_enum)]
    late_success: Option<LateWord>,
    /// Which provider charges when a payment does not say
    #[arg(long, value_name = "NAME")]
    default_provider: Option<String>,
    /// Who is paid in UPI requests, such as shop@bank
    #[arg(long, value_name = "VPA", value_parser = vpa)]
    upi_payee_vpa: Option<String>,
    /// As whom the payer sees them
    #[arg(long, value_name = "NAME")]
    upi_payee_name: Option<String>,
    /// From this amount on, in minor units, cards are charged with 3-D Secure alone
    #[arg(long, value_name = "AMOUNT")]
    tds_threshold: Option<i64>,
    /// At most so much in one payment, such as USD=1000000; may be given several times
    #[arg(long, value_name = "CURRENCY=AMOUNT", value_parser = currency_and_amount)]
    max_transaction_amount: Vec<(Currency, i64)>,
    /// At most so much a day (UTC), in minor units of each currency
    #[arg(long, value_name = "AMOUNT")]
    daily_volume_limit: Option<i64>,
    /// At most so much a month (UTC), in minor units of each currency
    #[arg(long, value_name = "AMOUNT")]
    monthly_volume_limit: Option<i64>,
    /// Whether the cards of methods that are kept go to the vault
    #[arg(long, value_name = "BOOLEAN", action = clap::ArgAction::Set)]
    vault_cards: Option<bool>,
    /// The file of routing rules of its own
    #[arg(long, value_name = "FILE")]
    routing: Option<PathBuf>,
    /// Back to the installation's default; a name such as daily_volume_limit or
    /// max_transaction_amount.USD; may be given several times
    #[arg(long, value_name = "NAME")]
    clear: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LateWord {
    Reverse,
    Keep,
}

/// The rules are the API's: browsers are sent there.
fn web_address(text: &str) -> Result<String, String> {
    input::absolute_url(text, "return_url").map_err(|problem| problem.detail().to_owned())?;
    Ok(text.to_owned())
}

fn descriptor(text: &str) -> Result<String, String> {
    let rule = input::TextRule::DESCRIPTOR;
    input::check_text(text, &rule, "statement_descriptor").map_err(|problem| problem.detail().to_owned())?;
    Ok(text.to_owned())
}

fn vpa(text: &str) -> Result<String, String> {
    if input::is_vpa(text) { Ok(text.to_owned()) } else { Err("a UPI address is name@handle".to_owned()) }
}

fn currency_and_amount(text: &str) -> Result<(Currency, i64), String> {
    let (currency, amount) = text.split_once('=').ok_or("write it as USD=1000000")?;
    let currency = currency.parse().map_err(|_| format!("{currency} is no currency"))?;
    let amount = amount.parse().map_err(|_| "the amount is a whole number of minor units")?;
    Ok((currency, amount))
}

impl SettingsCommand {
    pub(crate) async fn run(self, node: &Node) -> Result<(), Failure> {
        match self {
            Self::Show(Show { world, json }) => {
                let settings = node.payments.settings(world.scope(node).await?).await?;
                print(&settings, json);
            }
            Self::Set(set) => {
                let (scope, json) = (set.world.scope(node).await?, set.json);
                let actor = Actor::Operator(operator());
                let caller = Caller { scope, actor, trace_id: None, scenario: None };
                let settings = node.payments.change_settings(&caller, set.patch()?).await?;
                print(&settings, json);
            }
        }
        Ok(())
    }
}

impl World {
    async fn scope(&self, node: &Node) -> Result<Scope, Failure> {
        let mode = if self.live { Mode::Live } else { Mode::Test };
        Ok(Scope { merchant: merchant_of(node, self.merchant).await?, mode })
    }
}

impl Set {
    fn patch(self) -> Result<SettingsPatch, Failure> {
        let late_success = self.late_success.map(|word| match word {
            LateWord::Reverse => LateSuccess::Reverse,
            LateWord::Keep => LateSuccess::Keep,
        });
        let maxima = self.max_transaction_amount.into_iter();
        let mut patch = SettingsPatch {
            return_url: given(self.return_url),
            statement_descriptor: given(self.statement_descriptor),
            late_success: given(late_success),
            default_provider: given(self.default_provider),
            upi_payee_vpa: given(self.upi_payee_vpa),
            upi_payee_name: given(self.upi_payee_name),
            tds_threshold: given(self.tds_threshold),
            max_transaction_amount: maxima.map(|(currency, amount)| (currency, Patch::Set(amount))).collect(),
            daily_volume: given(self.daily_volume_limit),
            monthly_volume: given(self.monthly_volume_limit),
            vault_cards: given(self.vault_cards),
            routing: given(self.routing.map(|path| read(&path)).transpose()?),
        };
        for name in &self.clear {
            clear(&mut patch, name)?;
        }
        Ok(patch)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn given<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Keep, Patch::Set)
}

fn clear(patch: &mut SettingsPatch, name: &str) -> Result<(), Failure> {
    let unknown = || Failure::Usage(format!("--clear {name}: there is no such setting of a merchant"));
    match name {
        "return_url" => patch.return_url = Patch::Clear,
        "statement_descriptor" => patch.statement_descriptor = Patch::Clear,
        "late_success" => patch.late_success = Patch::Clear,
        "default_provider" => patch.default_provider = Patch::Clear,
        "upi_payee_vpa" => patch.upi_payee_vpa = Patch::Clear,
        "upi_payee_name" => patch.upi_payee_name = Patch::Clear,
        "tds_threshold" => patch.tds_threshold = Patch::Clear,
        "daily_volume_limit" => patch.daily_volume = Patch::Clear,
        "monthly_volume_limit" => patch.monthly_volume = Patch::Clear,
        "vault_cards" => patch.vault_cards = Patch::Clear,
        "routing" => patch.routing = Patch::Clear,
        other => {
            let currency = other.strip_prefix("max_transaction_amount.").ok_or_else(unknown)?;
            let currency = currency.parse().map_err(|_| unknown())?;
            patch.max_transaction_amount.push((currency, Patch::Clear));
        }
    }
    Ok(())
}

fn print(settings: &MerchantSettings, as_json: bool) {
    let object = json!({
        "return_url": settings.return_url,
        "statement_descriptor": settings.statement_descriptor,
        "late_success": settings.late_success,
        "default_provider": settings.default_provider,
        "upi_payee_vpa": settings.upi_payee.vpa,
        "upi_payee_name": settings.upi_payee.name,
        "tds_threshold": settings.tds_threshold,
        "max_transaction_amount": settings.limits.max_transaction_amount,
        "daily_volume_limit": settings.limits.daily_volume,
        "monthly_volume_limit": settings.limits.monthly_volume,
        "vault_cards": settings.vault_cards,
        "routing": settings.routes.as_ref().map(|routes| {
            routes.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>()
        }),
    });
    if as_json {
        output::json(&object);
        return;
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        output::line(&format!("{name:<24}{value}"));
    }
}
