//! The first merchant's accounts at real providers, from the configuration.

use std::collections::BTreeMap;

use kernel::{Id, Merchant, Mode, Scope, Secret};
use payments::{NewAccount, PaymentsError};
use provider_kit::ProviderAccount;

use crate::Node;
use crate::config::{
    Config, HttpConfig, PaypalApp, PaypalConfig, ProvidersConfig, RazorpayConfig, RazorpayKey, StripeConfig,
    StripeKeys,
};

/// An account as it is configured: of which world, and what its key is recognised by.
struct Configured {
    mode: Mode,
    /// Who we are there, if the operator said so.
    identity: Option<String>,
    /// The secret whose change is a change of who we are, where nobody said so.
    key: Secret<String>,
    account: NewAccount,
}

impl Node {
    /// Makes the first merchant's accounts as they are configured, or changes the ones that are there to
    /// that. What is not configured any more stays as it was: what is open there must be finished.
    pub async fn open_configured(
        &self,
        merchant: Id<Merchant>,
    ) -> Result<Vec<(Mode, ProviderAccount)>, PaymentsError> {
        let mut opened = Vec::new();
        for Configured { mode, identity, key, mut account } in configured(&self.config.providers) {
            let keys = self.vault.keys(mode).map_err(|error| PaymentsError::Internal(error.to_string()))?;
            account.identity = identity.unwrap_or_else(|| format!("key_{}", keys.fingerprint(key.expose())));
            let scope = Scope { merchant, mode };
            opened.push((mode, self.payments.configure_account(scope, account).await?));
        }
        Ok(opened)
    }
}

/// The names that rules may use: the sandbox's, those of its further accounts, and those of the
/// configured providers.
pub fn account_names(config: &Config) -> Vec<String> {
    let mut names = vec![crate::bank::PROVIDER.to_owned()];
    names.extend(config.sandbox.accounts.iter().cloned());
    for Configured { account, .. } in configured(&config.providers) {
        let name = account.settings.get("name").cloned().unwrap_or(account.provider);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn configured(providers: &ProvidersConfig) -> Vec<Configured> {
    let at_stripe =
        providers.stripe.accounts().filter_map(|(mode, keys)| stripe(&providers.stripe, mode, keys));
    let at_paypal =
        providers.paypal.accounts().filter_map(|(mode, app)| paypal(&providers.paypal, mode, app));
    let keys = providers.razorpay.accounts().into_iter();
    let at_razorpay = keys.filter_map(|(mode, key)| razorpay(&providers.razorpay, mode, key));
    at_stripe.chain(at_paypal).chain(at_razorpay).chain(http(&providers.http)).collect()
}

/// A setting that is there only where it is on.
fn truth(is: bool) -> Option<String> {
    is.then(|| "true".to_owned())
}

fn settings<const N: usize>(named: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// An app's id says whose it is: a rolled secret changes nothing.
fn paypal(config: &PaypalConfig, mode: Mode, app: &PaypalApp) -> Option<Configured> {
    let (id, secret) = (app.client_id.clone()?, app.client_secret.clone()?);
    let environment = if mode == Mode::Test { "sandbox" } else { "live" };
    let settings = settings([
        ("base_url", config.base_url.clone()),
        ("environment", Some(environment.to_owned())),
        ("brand_name", config.brand_name.clone()),
        ("webhook_roots", config.webhook_roots.as_ref().map(|roots| roots.expose().clone())),
        ("disabled", truth(!config.enabled)),
    ]);
    let mut secrets = vec![("client_id".to_owned(), id.clone()), ("client_secret".to_owned(), secret)];
    secrets.extend(app.webhook_id.clone().map(|id| ("webhook_id".to_owned(), id)));
    let account = NewAccount { provider: "paypal".to_owned(), identity: String::new(), settings, secrets };
    Some(Configured { mode, identity: None, key: id, account })
}

/// A key's id says whose it is. It is a user's name, and stands in payers' forms: a setting, and beside the
/// secrets as what they belong to.
fn razorpay(config: &RazorpayConfig, mode: Mode, key: RazorpayKey) -> Option<Configured> {
    let (id, secret) = (key.key_id?, key.key_secret?);
    let settings = settings([
        ("key_id", Some(id.clone())),
        ("base_url", config.base_url.clone()),
        ("business_name", config.business_name.clone()),
        ("payer_email", config.payer_email.clone()),
        ("payer_contact", config.payer_contact.clone()),
        ("payer_ip", config.payer_ip.clone()),
        ("refund_speed", Some(config.refund_speed.as_str().to_owned())),
        ("disabled", truth(!config.enabled)),
    ]);
    let id = Secret::new(id);
    let mut secrets = vec![("key_id".to_owned(), id.clone()), ("key_secret".to_owned(), secret)];
    secrets.extend(key.webhook_secret.map(|secret| ("webhook_secret".to_owned(), secret)));
    let account = NewAccount { provider: "razorpay".to_owned(), identity: String::new(), settings, secrets };
    Some(Configured { mode, identity: None, key: id, account })
}

fn stripe(config: &StripeConfig, mode: Mode, keys: &StripeKeys) -> Option<Configured> {
    let key = keys.secret_key.clone()?;
    let settings = settings([
        ("base_url", config.base_url.clone()),
        ("connected_account", config.connected_account.clone()),
        ("account_id", keys.account_id.clone()),
        ("publishable_key", keys.publishable_key.clone()),
        ("multicapture", truth(config.multicapture)),
        ("incremental_authorization", truth(config.incremental_authorization)),
        ("disabled", truth(!config.enabled)),
    ]);
    let mut secrets = vec![("secret_key".to_owned(), key.clone())];
    secrets.extend(keys.webhook_secret.clone().map(|secret| ("webhook_secret".to_owned(), secret)));
    Some(Configured {
        mode,
        identity: config.connected_account.clone().or_else(|| keys.account_id.clone()),
        key,
        account: NewAccount { provider: "stripe".to_owned(), identity: String::new(), settings, secrets },
    })
}

/// Who we are behind an adapter is the adapter itself: its address.
fn http(config: &HttpConfig) -> Option<Configured> {
    let (base_url, key) = (config.base_url.clone()?, config.signing_secret.clone()?);
    let settings = settings([
        ("base_url", Some(base_url.clone())),
        ("capabilities", config.capabilities.clone()),
        ("disabled", truth(!config.enabled)),
    ]);
    let mut secrets = vec![("signing_secret".to_owned(), key.clone())];
    secrets.extend(config.webhook_secret.clone().map(|secret| ("webhook_secret".to_owned(), secret)));
    let account = NewAccount { provider: "http".to_owned(), identity: String::new(), settings, secrets };
    Some(Configured { mode: config.mode(), identity: Some(base_url), key, account })
}
