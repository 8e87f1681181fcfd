//! The accounts at Razorpay.

use kernel::{Mode, Secret};

use super::ConfigError;

/// How fast refunds are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefundSpeed {
    /// Within days.
    #[default]
    Normal,
    /// At once where Razorpay can, for a fee.
    Optimum,
}

impl RefundSpeed {
    /// Razorpay's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Optimum => "optimum",
        }
    }
}

/// The accounts at Razorpay.
#[derive(Clone, Debug, Default)]
pub struct RazorpayConfig {
    /// Whether it is charged.
    pub enabled: bool,
    /// The account whose key says itself which world it is for.
    pub own: RazorpayKey,
    /// A second one, for the test world.
    pub test: RazorpayKey,
    /// Id and secret of `own` in one text, with a colon between.
    pub api_key: Option<Secret<String>>,
    /// What the payer reads on Razorpay's page.
    pub business_name: Option<String>,
    /// What Razorpay is told of a payer whose payment does not begin on its page.
    pub payer_email: Option<String>,
    /// Their phone number.
    pub payer_contact: Option<String>,
    /// Their address on the network.
    pub payer_ip: Option<String>,
    /// How fast refunds are.
    pub refund_speed: RefundSpeed,
    /// Another address of the API.
    pub base_url: Option<String>,
}

/// What opens one account at Razorpay.
#[derive(Clone, Debug, Default)]
pub struct RazorpayKey {
    /// The key's id.
    pub key_id: Option<String>,
    /// The key's secret.
    pub key_secret: Option<Secret<String>>,
    /// What notices are signed with; several with commas between.
    pub webhook_secret: Option<Secret<String>>,
}

impl RazorpayKey {
    /// The world that the key opens, if it is whole.
    fn mode(&self) -> Option<Mode> {
        let id = self.key_id.as_ref().filter(|_| self.key_secret.is_some())?;
        Some(if id.starts_with("rzp_test_") { Mode::Test } else { Mode::Live })
    }
}

impl RazorpayConfig {
    /// The account's key, whichever way it was given.
    fn own(&self) -> RazorpayKey {
        let Some((id, secret)) = self.api_key.as_ref().and_then(|key| key.expose().split_once(':')) else {
            return self.own.clone();
        };
        RazorpayKey {
            key_id: self.own.key_id.clone().or_else(|| Some(id.to_owned())),
            key_secret: self.own.key_secret.clone().or_else(|| Some(Secret::new(secret.to_owned()))),
            webhook_secret: self.own.webhook_secret.clone(),
        }
    }

    /// The whole keys, and their worlds.
    pub fn accounts(&self) -> Vec<(Mode, RazorpayKey)> {
        let keys = [self.own(), self.test.clone()];
        keys.into_iter().filter_map(|key| Some((key.mode()?, key))).collect()
    }

    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        let modes: Vec<Mode> = self.accounts().into_iter().map(|(mode, _)| mode).collect();
        if self.test.mode() == Some(Mode::Live) {
            return refuse("payment.razorpay.test.key_id is a live key");
        }
        if modes == [Mode::Test, Mode::Test] {
            return refuse(
                "payment.razorpay.key_id and payment.razorpay.test.key_id are both for the test world: drop \
                 one of them",
            );
        }
        let is_plain = self.base_url.as_ref().is_some_and(|url| url.starts_with("http://"));
        if is_plain && modes.contains(&Mode::Live) {
            return refuse("payment.razorpay.base_url must begin with https:// beside a live key");
        }
        if self.payer_email.is_some() != self.payer_contact.is_some() {
            return refuse("payment.razorpay.payer_email and payment.razorpay.payer_contact belong together");
        }
        Ok(())
    }

    /// What is allowed and still worth a line in the log.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (key, path) in [(&self.own(), "payment.razorpay"), (&self.test, "payment.razorpay.test")] {
            let is_whole = key.mode().is_some();
            let is_begun = key.key_id.is_some() || key.key_secret.is_some() || key.webhook_secret.is_some();
            if is_begun && !is_whole {
                warnings.push(format!(
                    "{path} opens nothing: {path}.key_id and {path}.key_secret belong together"
                ));
            }
            if is_whole && key.webhook_secret.is_none() && self.enabled {
                warnings.push(format!(
                    "without {path}.webhook_secret Razorpay's notices are refused: disputes and refunds of \
                     its dashboard are never heard of"
                ));
            }
        }
        warnings
    }
}
