//! The accounts at PayPal.

use kernel::{Mode, Secret};

use super::ConfigError;

/// Which of PayPal's worlds an app is of: its id and secret do not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaypalEnvironment {
    /// Real money.
    #[default]
    Live,
    /// PayPal's own sandbox.
    Sandbox,
}

/// The accounts at PayPal.
#[derive(Clone, Debug, Default)]
pub struct PaypalConfig {
    /// Whether it is charged.
    pub enabled: bool,
    /// Of which world `own` is.
    pub environment: PaypalEnvironment,
    /// The account's app.
    pub own: PaypalApp,
    /// A second one, of the sandbox, for the test world.
    pub test: PaypalApp,
    /// What the payer reads on PayPal's page.
    pub brand_name: Option<String>,
    /// Whom notices may be signed under, in the place of the built-in roots.
    pub webhook_roots: Option<Secret<String>>,
    /// Another address of the API.
    pub base_url: Option<String>,
}

/// What opens one account at PayPal.
#[derive(Clone, Debug, Default)]
pub struct PaypalApp {
    /// The app's id.
    pub client_id: Option<Secret<String>>,
    /// The app's secret.
    pub client_secret: Option<Secret<String>>,
    /// The id of the webhook endpoint; several with commas between.
    pub webhook_id: Option<Secret<String>>,
}

impl PaypalConfig {
    /// The apps with id and secret, and their worlds.
    pub fn accounts(&self) -> impl Iterator<Item = (Mode, &PaypalApp)> {
        let own = match self.environment {
            PaypalEnvironment::Live => Mode::Live,
            PaypalEnvironment::Sandbox => Mode::Test,
        };
        let apps = [(own, &self.own), (Mode::Test, &self.test)];
        apps.into_iter().filter(|(_, app)| app.client_id.is_some() && app.client_secret.is_some())
    }

    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        let modes: Vec<Mode> = self.accounts().map(|(mode, _)| mode).collect();
        if modes == [Mode::Test, Mode::Test] {
            return refuse(
                "payment.paypal with environment = \"sandbox\" and payment.paypal.test are both for the test \
                 world: drop one of them",
            );
        }
        let is_plain = self.base_url.as_ref().is_some_and(|url| url.starts_with("http://"));
        if is_plain && modes.contains(&Mode::Live) {
            return refuse("payment.paypal.base_url must begin with https:// beside a live app");
        }
        Ok(())
    }

    /// What is allowed and still worth a line in the log.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (app, path) in [(&self.own, "payment.paypal"), (&self.test, "payment.paypal.test")] {
            let is_whole = app.client_id.is_some() && app.client_secret.is_some();
            let is_begun = app.client_id.is_some() || app.client_secret.is_some() || app.webhook_id.is_some();
            if is_begun && !is_whole {
                warnings.push(format!(
                    "{path} opens nothing: {path}.client_id and {path}.client_secret belong together"
                ));
            }
            if is_whole && app.webhook_id.is_none() && self.enabled {
                warnings.push(format!(
                    "without {path}.webhook_id PayPal's notices are refused: disputes and refunds of its \
                     pages are never heard of"
                ));
            }
        }
        warnings
    }
}
