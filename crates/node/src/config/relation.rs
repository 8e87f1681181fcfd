//! Settings that must go together, and those that may but should not.

use std::time::Duration;

use super::{BankPlace, Config, ConfigError, PaymentConfig};

/// What card networks show, in characters.
const DESCRIPTOR_LONGEST: usize = 22;

impl PaymentConfig {
    /// What the statement shows when a payment does not say: the descriptor and its suffix.
    pub fn descriptor(&self) -> Option<String> {
        match (&self.statement_descriptor, &self.statement_descriptor_suffix) {
            (Some(text), Some(suffix)) => Some(format!("{text}* {suffix}")),
            (text, suffix) => text.as_ref().or(suffix.as_ref()).cloned(),
        }
    }
}

impl Config {
    /// Refuses settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        let operation = &self.operation;
        for (name, length) in [
            ("server.answer_within", self.server.answer_within),
            ("server.read_timeout", self.server.read_timeout),
            ("server.write_timeout", self.server.write_timeout),
            ("payment.expires_in", self.payment.expires_in),
            ("payment.upi.expires_in", self.payment.upi.expires_in),
            ("payment.unattached_methods_expire_in", self.payment.unattached_methods_expire_in),
            ("operation.send_deadline", operation.send_deadline),
            ("operation.reply_timeout", operation.reply_timeout),
            ("operation.margin", operation.margin),
            ("operation.lookup_first", operation.lookup_first),
            ("operation.lookup_longest", operation.lookup_longest),
            ("operation.horizon", operation.horizon),
            ("webhooks.max_age", self.webhooks.max_age),
        ] {
            if length == Duration::ZERO {
                return Err(ConfigError::Relation(format!("{name} must be longer than nothing")));
            }
        }
        self.check_tls()?;
        self.check_payments()?;
        self.check_gateway()?;
        if self.payment.upi.expires_in > self.payment.expires_in {
            return refuse("payment.upi.expires_in is longer than payment.expires_in");
        }
        let descriptor = self.payment.descriptor().map_or(0, |text| text.chars().count());
        if descriptor > DESCRIPTOR_LONGEST {
            return refuse(
                "payment.statement_descriptor and its suffix are longer than the 22 characters that a \
                 statement shows",
            );
        }
        if self.vault.key_file.is_some() && self.vault.passphrase.is_some() {
            return refuse("vault.key_file and vault.passphrase both open the keystore: set one of them");
        }
        if operation.lookup_first > operation.lookup_longest {
            return refuse("operation.lookup_first is longer than operation.lookup_longest");
        }
        if operation.lookup_longest > operation.horizon {
            return refuse(
                "operation.lookup_longest is longer than operation.horizon: nothing would be looked up",
            );
        }
        if operation.repeat_charges_within > operation.horizon {
            return refuse("operation.repeat_charges_within is longer than operation.horizon");
        }
        self.providers.paypal.check()?;
        self.providers.razorpay.check()?;
        self.providers.stripe.check()?;
        self.providers.http.check()?;
        if let BankPlace::Address(_) = self.sandbox.bank
            && (self.sandbox.faults != sandbox_bank::Faults::default() || !self.sandbox.latency.is_zero())
        {
            return refuse(
                "sandbox.faults and sandbox.latency belong to the bank's own process when sandbox.bank is an \
                 address: set them where `florin sandbox serve` runs",
            );
        }
        Ok(())
    }

    /// A certificate is worth nothing without its key, and the other way round.
    fn check_tls(&self) -> Result<(), ConfigError> {
        let tls = &self.server.tls;
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        match (&tls.cert, &tls.key, &tls.client_ca) {
            (Some(_), None, _) => refuse("server.tls.cert needs server.tls.key: set both or neither"),
            (None, Some(_), _) => refuse("server.tls.key needs server.tls.cert: set both or neither"),
            (None, None, Some(_)) => refuse(
                "server.tls.client_ca asks for clients' certificates, which takes TLS: set server.tls.cert \
                 and server.tls.key",
            ),
            _ => Ok(()),
        }
    }

    /// What payments do by themselves, and how much they may be.
    fn check_payments(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::Relation(reason.to_owned()));
        if !self.payment.auto_capture && self.payment.capture_delay_seconds.is_some() {
            return refuse(
                "payment.auto_capture = false leaves the capture to somebody, and \
                 payment.capture_delay_seconds captures by itself: remove one of them",
            );
        }
        if let (Some(daily), Some(monthly)) = (self.limits.daily_volume, self.limits.monthly_volume)
            && monthly < daily
        {
            return refuse(
                "limits.monthly_volume_limit is less than limits.daily_volume_limit, so that no day could \
                 reach its own",
            );
        }
        let is_shared = self.metrics.enabled && self.metrics.port == Some(self.server.port);
        if is_shared && self.server.port != 0 {
            return refuse(
                "metrics.port is server.port: leave metrics.port out, and /metrics is a page of the API's \
                 port",
            );
        }
        Ok(())
    }

    /// The provider that charges by default is one of this build.
    fn check_gateway(&self) -> Result<(), ConfigError> {
        let registry = provider_registry::all();
        let Some(name) = &self.payment.default_gateway else { return Ok(()) };
        if registry.get(name).is_some() || self.sandbox.accounts.contains(name) {
            return Ok(());
        }
        let known: Vec<_> = registry.iter().map(|provider| provider.profile().id).collect();
        Err(ConfigError::Relation(format!(
            "payment.default_gateway is no provider of this build; there is: {}",
            known.join(", ")
        )))
    }

    /// What is allowed and still worth a line in the log.
    pub fn warnings(&self) -> Vec<String> {
        let is_shared = self.database.url.is_some();
        let mut warnings = self.origins.answers.clone();
        warnings.extend(self.providers.paypal.warnings());
        warnings.extend(self.providers.razorpay.warnings());
        warnings.extend(self.providers.stripe.warnings());
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if is_shared && self.sandbox.bank == BankPlace::Memory {
            warn(
                "sandbox.bank is `memory` on a shared database: only one node may run, and it forgets its \
                 charges when it stops",
            );
        }
        let unlocks = self.vault.key_file.is_some() || self.vault.passphrase.is_some();
        if is_shared && unlocks && self.vault.keystore.is_none() {
            warn("vault.key_file and vault.passphrase open nothing without vault.keystore");
        }
        if is_shared && self.encryption_key.is_none() {
            warn("no encryption_key on PostgreSQL: live keys and live payments are refused");
        }
        let one_call = self.operation.send_deadline.saturating_add(self.operation.reply_timeout);
        if self.server.answer_within > one_call.saturating_mul(2) {
            warn("server.answer_within is far longer than a call to a provider can take");
        }
        warnings
    }
}
