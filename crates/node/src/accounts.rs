//! The first merchant's accounts at real providers, from the configuration.

use std::collections::BTreeMap;

use kernel::{Id, Merchant, Mode, Scope, Secret};
use payments::{NewAccount, PaymentsError};
use provider_kit::ProviderAccount;

use crate::Node;
use crate::config::{ProvidersConfig, StripeKeys};

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

fn configured(providers: &ProvidersConfig) -> Vec<Configured> {
    providers.stripe.accounts().filter_map(|(mode, keys)| stripe(providers, mode, keys)).collect()
}

fn stripe(providers: &ProvidersConfig, mode: Mode, keys: &StripeKeys) -> Option<Configured> {
    let config = &providers.stripe;
    let key = keys.secret_key.clone()?;
    let truth = |is: bool| is.then(|| "true".to_owned());
    let settings: BTreeMap<String, String> = [
        ("base_url", config.base_url.clone()),
        ("connected_account", config.connected_account.clone()),
        ("account_id", keys.account_id.clone()),
        ("publishable_key", keys.publishable_key.clone()),
        ("multicapture", truth(config.multicapture)),
        ("incremental_authorization", truth(config.incremental_authorization)),
        ("disabled", truth(!config.enabled)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    let mut secrets = vec![("secret_key".to_owned(), key.clone())];
    secrets.extend(keys.webhook_secret.clone().map(|secret| ("webhook_secret".to_owned(), secret)));
    Some(Configured {
        mode,
        identity: config.connected_account.clone().or_else(|| keys.account_id.clone()),
        key,
        account: NewAccount { provider: "stripe".to_owned(), identity: String::new(), settings, secrets },
    })
}
