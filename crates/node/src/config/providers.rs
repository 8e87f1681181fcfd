//! Accounts at real providers: credentials of the first merchant, which never serve another.

use kernel::{Mode, Secret};

use super::{ConfigError, PaypalConfig, RazorpayConfig};

/// Accounts at real providers.
#[derive(Clone, Debug, Default)]
pub struct ProvidersConfig {
    /// PayPal.
    pub paypal: PaypalConfig,
    /// Razorpay.
    pub razorpay: RazorpayConfig,
    /// Stripe.
    pub stripe: StripeConfig,
    /// The operator's own adapter.
    pub http: HttpConfig,
}

/// The operator's own adapter.
#[derive(Clone, Debug, Default)]
pub struct HttpConfig {
    /// Whether it is charged.
    pub enabled: bool,
    /// Where it is; `None`: there is none.
    pub base_url: Option<String>,
    /// What requests are signed with.
    pub signing_secret: Option<Secret<String>>,
    /// What its notices are signed with; several with commas between.
    pub webhook_secret: Option<Secret<String>>,
    /// What it has of the capabilities, with commas between; `None`: all.
    pub capabilities: Option<String>,
    /// In which world it charges; `None`: in the live one.
    pub environment: Option<Mode>,
}

impl HttpConfig {
    /// In which world it charges.
    pub fn mode(&self) -> Mode {
        self.environment.unwrap_or(Mode::Live)
    }

    /// Refuses settings that contradict each other, or say half.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        let Some(url) = &self.base_url else {
            if self.signing_secret.is_some() || self.webhook_secret.is_some() {
                return refuse("payment.http says nothing without payment.http.base_url");
            }
            return Ok(());
        };
        if self.signing_secret.is_none() {
            return refuse("payment.http.base_url needs payment.http.signing_secret beside it");
        }
        let is_near = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let is_plain = url.starts_with("http://") && !is_near.iter().any(|near| url.starts_with(near));
        if is_plain && self.mode() == Mode::Live {
            return refuse("payment.http.base_url must begin with https:// where real money is charged");
        }
        let profile = provider_registry::all();
        let profile = profile.get("http").map(|provider| provider.profile());
        let known: Vec<&str> = profile
            .map(|profile| profile.capabilities.iter().map(|capability| capability.as_str()).collect())
            .unwrap_or_default();
        let listed = self.capabilities.as_deref().unwrap_or_default().split(',').map(str::trim);
        if let Some(strange) = listed.filter(|word| !word.is_empty()).find(|word| !known.contains(word)) {
            let known = known.join(", ");
            return Err(ConfigError::Relation(format!(
                "payment.http.capabilities has no {strange}; there is: {known}"
            )));
        }
        Ok(())
    }
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
