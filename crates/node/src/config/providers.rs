//! Accounts at real providers: credentials of the first merchant, which never serve another.

use kernel::{Mode, Secret};

use super::{ConfigError, PaypalConfig};

/// Accounts at real providers.
#[derive(Clone, Debug, Default)]
pub struct ProvidersConfig {
    /// PayPal.
    pub paypal: PaypalConfig,
    /// Stripe.
    pub stripe: StripeConfig,
}

/// The accounts at Stripe.
#[derive(Clone, Debug, Default)]
pub struct StripeConfig {
    /// Whether it is charged.
    pub enabled: bool,
    /// The account whose key says itself which world it is for.
    pub own: StripeKeys,
    /// A second account, for the test world.
    pub test: StripeKeys,
    /// In whose name everything is done, by Stripe Connect.
    pub connected_account: Option<String>,
    /// Whether an authorization may be captured several times.
    pub multicapture: bool,
    /// Whether more may be held on an authorization.
    pub incremental_authorization: bool,
    /// Another address of the API.
    pub base_url: Option<String>,
}

/// What opens one account at Stripe.
#[derive(Clone, Debug, Default)]
pub struct StripeKeys {
    /// The secret or a restricted key.
    pub secret_key: Option<Secret<String>>,
    /// What notices are signed with; several with commas between.
    pub webhook_secret: Option<Secret<String>>,
    /// For browsers.
    pub publishable_key: Option<String>,
    /// Whose key it is.
    pub account_id: Option<String>,
}

impl StripeKeys {
    /// The world that the key opens, if there is one.
    pub fn mode(&self) -> Option<Mode> {
        let key = self.secret_key.as_ref()?.expose();
        let is_test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
        Some(if is_test { Mode::Test } else { Mode::Live })
    }
}

impl StripeConfig {
    /// The accounts with a key.
    pub fn accounts(&self) -> impl Iterator<Item = (Mode, &StripeKeys)> {
        [&self.own, &self.test].into_iter().filter_map(|keys| Some((keys.mode()?, keys)))
    }

    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        if self.test.mode() == Some(Mode::Live) {
            return refuse("payment.stripe.test.secret_key is a live key");
        }
        if self.test.mode().is_some() && self.own.mode() == Some(Mode::Test) {
            return refuse(
                "payment.stripe.secret_key and payment.stripe.test.secret_key are both for the test world: \
                 drop one of them",
            );
        }
        let is_plain = self.base_url.as_ref().is_some_and(|url| url.starts_with("http://"));
        if is_plain && self.own.mode() == Some(Mode::Live) {
            return refuse("payment.stripe.base_url must begin with https:// beside a live key");
        }
        Ok(())
    }

    /// What is allowed and still worth a line in the log.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (keys, path) in [(&self.own, "payment.stripe"), (&self.test, "payment.stripe.test")] {
            if keys.secret_key.is_none() && (keys.webhook_secret.is_some() || keys.account_id.is_some()) {
                warnings.push(format!("{path} says nothing without {path}.secret_key"));
            }
            if keys.secret_key.is_some() && keys.webhook_secret.is_none() && self.enabled {
                warnings.push(format!(
                    "without {path}.webhook_secret Stripe's notices are refused: disputes and refunds of its \
                     dashboard are never heard of"
                ));
            }
        }
        warnings
    }
}
