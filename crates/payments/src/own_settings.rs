//! What a merchant set for itself, over the installation's defaults, for each of its worlds.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Cell, Changes, Currency, Event, Id, Kind, Lane, Outcome, Record, RowKey, Scope, Table};
use provider_kit::Payee;
use routing::Routes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::Caller;
use crate::patch::Patch;
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Payments, refused};
use crate::settings::{LateSuccess, MerchantSettings, PAYMENT_SETTINGS};

/// How often a change is decided anew after another one.
const TRIES: u32 = 5;
/// The longest text of a merchant's own rules, in bytes.
const ROUTING_MAX: usize = 64 * 1024;
/// What card networks show, in characters.
const DESCRIPTOR_LONGEST: usize = 22;
/// The key of the one row.
const NAME: &str = "payments";

/// Marks the ids under which events of settings are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingsMark {}

impl Kind for SettingsMark {
    const PREFIX: &'static str = "set";
}

/// One row per world that has settings of its own; what is absent is the installation's default, also
/// when that changes later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `MerchantSettings`, explained there")]
pub struct OwnSettings {
    pub id: Id<SettingsMark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_descriptor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_success: Option<LateSuccess>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upi_payee_vpa: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upi_payee_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tds_threshold: Option<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub max_transaction_amount: BTreeMap<Currency, i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_volume: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly_volume: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_cards: Option<bool>,
    /// Rules of its own, as they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<String>,
}

impl Default for OwnSettings {
    fn default() -> Self {
        Self {
            id: Id::from_uuid(uuid::Uuid::nil()),
            return_url: None,
            statement_descriptor: None,
            late_success: None,
            default_provider: None,
            upi_payee_vpa: None,
            upi_payee_name: None,
            tds_threshold: None,
            max_transaction_amount: BTreeMap::new(),
            daily_volume: None,
            monthly_volume: None,
            vault_cards: None,
            routing: None,
        }
    }
}

impl Record for OwnSettings {
    const TABLE: &'static Table = &PAYMENT_SETTINGS;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![NAME.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

/// A change: what it does not name stays, what it clears is the installation's default again.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of `MerchantSettings`, explained there")]
pub struct SettingsPatch {
    pub return_url: Patch<String>,
    pub statement_descriptor: Patch<String>,
    pub late_success: Patch<LateSuccess>,
    pub default_provider: Patch<String>,
    pub upi_payee_vpa: Patch<String>,
    pub upi_payee_name: Patch<String>,
    pub tds_threshold: Patch<i64>,
    /// Each currency by itself.
    pub max_transaction_amount: Vec<(Currency, Patch<i64>)>,
    pub daily_volume: Patch<i64>,
    pub monthly_volume: Patch<i64>,
    pub vault_cards: Patch<bool>,
    /// Rules of its own: the text of a file.
    pub routing: Patch<String>,
}

impl OwnSettings {
    /// These over the installation's defaults. `version` is the row's.
    pub(crate) fn over(self, defaults: &MerchantSettings, version: i64) -> MerchantSettings {
        let mut settings = MerchantSettings { version, ..defaults.clone() };
        if let Some(text) = &self.routing {
            settings.routes = routes(text);
        } else if self.default_provider.is_some() {
            // What it says itself goes before what the installation says for everybody.
            settings.routes = None;
        }
        settings.return_url = self.return_url.or(settings.return_url);
        settings.statement_descriptor = self.statement_descriptor.or(settings.statement_descriptor);
        settings.late_success = self.late_success.unwrap_or(settings.late_success);
        settings.default_provider = self.default_provider.or(settings.default_provider);
        let Payee { vpa, name } = settings.upi_payee;
        settings.upi_payee =
            Payee { vpa: self.upi_payee_vpa.unwrap_or(vpa), name: self.upi_payee_name.unwrap_or(name) };
        settings.tds_threshold = self.tds_threshold.or(settings.tds_threshold);
        settings.limits.max_transaction_amount.extend(self.max_transaction_amount);
        settings.limits.daily_volume = self.daily_volume.or(settings.limits.daily_volume);
        settings.limits.monthly_volume = self.monthly_volume.or(settings.limits.monthly_volume);
        settings.vault_cards = self.vault_cards.unwrap_or(settings.vault_cards);
        settings
    }

    fn apply(&mut self, patch: SettingsPatch) -> Result<(), Rejection> {
        patch.return_url.apply(&mut self.return_url);
        patch.statement_descriptor.apply(&mut self.statement_descriptor);
        patch.late_success.apply(&mut self.late_success);
        patch.default_provider.apply(&mut self.default_provider);
        patch.upi_payee_vpa.apply(&mut self.upi_payee_vpa);
        patch.upi_payee_name.apply(&mut self.upi_payee_name);
        patch.tds_threshold.apply(&mut self.tds_threshold);
        patch.daily_volume.apply(&mut self.daily_volume);
        patch.monthly_volume.apply(&mut self.monthly_volume);
        patch.vault_cards.apply(&mut self.vault_cards);
        patch.routing.apply(&mut self.routing);
        for (currency, most) in patch.max_transaction_amount {
            match most {
                Patch::Keep => {}
                Patch::Clear => drop(self.max_transaction_amount.remove(&currency)),
                Patch::Set(most) => drop(self.max_transaction_amount.insert(currency, most)),
            }
        }
        let amounts = [self.tds_threshold, self.daily_volume, self.monthly_volume];
        let mut amounts = amounts.into_iter().flatten().chain(self.max_transaction_amount.values().copied());
        if amounts.any(|amount| amount <= 0) {
            let message = "limits and thresholds are whole minor units, 1 or more".to_owned();
            return Err(Rejection::Invalid { param: "/limits", message });
        }
        Ok(())
    }
}

/// Stored rules; where this build cannot read them, nobody is routed, and the log says so.
fn routes(text: &str) -> Option<Arc<Routes>> {
    match Routes::read_again("routing", text) {
        Ok(routes) => Some(Arc::new(routes)),
        Err(error) => {
            tracing::error!(%error, alert = "a merchant's rules cannot be read", "alert");
            None
        }
    }
}

/// Refuses settings that contradict each other, whoever said which: the merchant's own stand beside the
/// installation's.
fn check_together(settings: &MerchantSettings) -> Result<(), Rejection> {
    let invalid = |param, message: &str| Err(Rejection::Invalid { param, message: message.to_owned() });
    if let (Some(daily), Some(monthly)) = (settings.limits.daily_volume, settings.limits.monthly_volume)
        && monthly < daily
    {
        return invalid(
            "/monthly_volume_limit",
            "the monthly limit is less than the daily one, so that no day could reach its own; the one that \
             the merchant has not set is the installation's",
        );
    }
    let descriptor = settings.statement_descriptor.as_deref().unwrap_or_default();
    if descriptor.chars().count() > DESCRIPTOR_LONGEST {
        return invalid(
            "/statement_descriptor",
            "it is longer than the 22 characters that a statement shows",
        );
    }
    Ok(())
}

impl Payments {
    /// A merchant's settings in one world, as they are stored now.
    pub async fn settings(&self, scope: Scope) -> Result<MerchantSettings, PaymentsError> {
        let stored = self.store.of(scope).get::<OwnSettings>(vec![NAME.into()]).await?;
        Ok(match stored {
            Some(stored) => stored.record.over(&self.settings.defaults, stored.version),
            None => self.settings.defaults.clone(),
        })
    }

    /// Changes them. They are in force on this node at once, on every node within five seconds.
    pub async fn change_settings(
        &self,
        caller: &Caller,
        patch: SettingsPatch,
    ) -> Result<MerchantSettings, PaymentsError> {
        let scope = caller.scope;
        self.check_provider(scope, &patch.default_provider).await?;
        self.check_routing(scope, &patch.routing).await?;
        for _ in 0..TRIES {
            let stored = self.store.of(scope).get::<OwnSettings>(vec![NAME.into()]).await?;
            let (mut own, version) = match stored {
                Some(stored) => (stored.record, stored.version),
                None => (OwnSettings { id: Id::from_uuid(self.ids.uuid()), ..OwnSettings::default() }, 0),
            };
            own.apply(patch.clone())?;
            check_together(&own.clone().over(&self.settings.defaults, version))?;
            let mut changes = Changes::new(self.ids.uuid(), Lane::Reserve);
            changes.subject = Some(RowKey { table: PAYMENT_SETTINGS.name, scope, key: own.key() });
            if version == 0 {
                changes.insert(scope, &own)?;
            } else {
                changes.update(scope, &own, version)?;
            }
            changes.emit.push(self.settings_event(caller, &own, version + 1));
            match self.store.commit(changes).await {
                Outcome::Committed { .. } => {
                    self.forget_merchant(scope);
                    return Ok(own.over(&self.settings.defaults, version + 1));
                }
                Outcome::Conflict | Outcome::Duplicate(_) => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    async fn check_provider(&self, scope: Scope, wanted: &Patch<String>) -> Result<(), PaymentsError> {
        let Patch::Set(provider) = wanted else { return Ok(()) };
        let accounts = self.accounts(scope).await?;
        if accounts.iter().any(|account| account.provider == *provider || account.name() == provider) {
            return Ok(());
        }
        Err(Rejection::NoProviderAccount(format!("there is no account at {provider} in this world")).into())
    }

    /// A merchant's rules may name the accounts of this world.
    async fn check_routing(&self, scope: Scope, wanted: &Patch<String>) -> Result<(), PaymentsError> {
        let Patch::Set(text) = wanted else { return Ok(()) };
        if text.len() > ROUTING_MAX {
            let message = format!("rules of a merchant are at most {ROUTING_MAX} bytes");
            return Err(Rejection::Invalid { param: "/routing", message }.into());
        }
        let names: Vec<String> =
            self.accounts(scope).await?.iter().map(|account| account.name().to_owned()).collect();
        match Routes::read("routing", text, &names) {
            Ok(_) => Ok(()),
            Err(error) => Err(Rejection::Invalid { param: "/routing", message: error.to_string() }.into()),
        }
    }

    /// What may be a person's name stays out: an event outlives its erasure.
    fn settings_event(&self, caller: &Caller, own: &OwnSettings, version: i64) -> Event {
        let mut salt = [0; 32];
        self.random.fill(&mut salt);
        Event {
            scope: caller.scope,
            subject: own.id.uuid(),
            sequence: version,
            kind: "settings.updated".into(),
            occurred_at: self.clock.now(),
            actor: caller.actor.clone(),
            body: json!({
                "late_success": own.late_success,
                "default_provider": own.default_provider,
                "tds_threshold": own.tds_threshold,
                "max_transaction_amount": own.max_transaction_amount,
                "daily_volume_limit": own.daily_volume,
                "monthly_volume_limit": own.monthly_volume,
                "vault_cards": own.vault_cards,
            }),
            salt,
            trace_id: caller.trace_id.clone(),
        }
    }
}
