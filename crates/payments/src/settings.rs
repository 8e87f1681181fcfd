//! What decides how payments behave: the installation's durations and each merchant's own settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Column, ColumnType, Currency, Table};
use provider_kit::Payee;
use routing::Routes;
use serde::{Deserialize, Serialize};

use crate::exchanges::RecordExchanges;

/// Durations and addresses of the installation.
#[derive(Clone, Debug)]
pub struct PaymentsSettings {
    /// How long after a reserve is queued its driver may begin to send.
    pub send_deadline: Duration,
    /// How long a provider's answer is awaited.
    pub reply_timeout: Duration,
    /// Slack between clocks, added to due times.
    pub margin: Duration,
    /// How long a caller waits before 202.
    pub answer_within: Duration,
    /// When an unknown or waiting operation is first looked up; doubles each time.
    pub lookup_first: Duration,
    /// The longest pause between look-ups.
    pub lookup_longest: Duration,
    /// How long an unknown operation is looked up before people must decide.
    pub horizon: Duration,
    /// How long after its reserve a charge may be repeated at all.
    pub repeat_charges_within: Duration,
    /// How long a UPI request waits for the payer.
    pub upi_expires_in: Duration,
    /// How long any other unfinished payment waits.
    pub payment_expires_in: Duration,
    /// How long a payment method lives that belongs to no customer.
    pub unattached_methods_expire_in: Duration,
    /// How many calls of one provider account may be under way; new commands beyond are refused.
    pub calls_at_once: usize,
    /// Which conversations with providers are kept for the timeline.
    pub record_exchanges: RecordExchanges,
    /// How old the signature of another system's event may be.
    pub event_age_max: Duration,
    /// Where browsers reach this installation, without a trailing slash.
    pub public_url: String,
    /// Every merchant's defaults.
    pub defaults: MerchantSettings,
}

impl Default for PaymentsSettings {
    fn default() -> Self {
        Self {
            send_deadline: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(20),
            margin: Duration::from_secs(5),
            answer_within: Duration::from_secs(25),
            lookup_first: Duration::from_secs(5),
            lookup_longest: Duration::from_hours(1),
            horizon: Duration::from_hours(72),
            repeat_charges_within: Duration::from_mins(15),
            upi_expires_in: Duration::from_mins(15),
            payment_expires_in: Duration::from_hours(24),
            unattached_methods_expire_in: Duration::from_hours(7 * 24),
            calls_at_once: 2048,
            record_exchanges: RecordExchanges::default(),
            event_age_max: Duration::from_mins(5),
            public_url: "http://127.0.0.1:8000".to_owned(),
            defaults: MerchantSettings::default(),
        }
    }
}

/// What becomes of a success that comes after the merchant was told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateSuccess {
    /// It is given back.
    #[default]
    Reverse,
    /// It is kept, if no other charge of the payment or its order succeeded.
    Keep,
}

/// One merchant's settings for payments in one world: its own where it has any, else the installation's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MerchantSettings {
    /// Where browsers return when a payment does not say.
    pub return_url: Option<String>,
    /// What the statement shows when a payment does not say.
    pub statement_descriptor: Option<String>,
    /// What becomes of late successes.
    pub late_success: LateSuccess,
    /// Which provider charges when a payment does not say.
    pub default_provider: Option<String>,
    /// Who is paid in UPI requests.
    pub upi_payee: Payee,
    /// Whether a payment that does not say is captured at once.
    pub auto_capture: bool,
    /// After how many seconds a payment that does not say is captured by itself.
    pub capture_delay_seconds: Option<u32>,
    /// From this amount on, in minor units, cards are charged with 3-D Secure alone.
    pub tds_threshold: Option<i64>,
    /// How much it may take.
    pub limits: VolumeLimits,
    /// Whether the cards of methods that are kept go to the vault, where there is one.
    pub vault_cards: bool,
    /// The rules by which an account is chosen where a payment does not say; `None`: the default provider's.
    #[serde(skip)]
    pub routes: Option<Arc<Routes>>,
    /// The version of its own settings; 0 if it has none. Of two nodes that know different limits, the
    /// one with the higher version is right.
    pub version: i64,
}

/// How much a merchant may take, in minor units. What is absent is not limited, and costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeLimits {
    /// At most so much in one payment, by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub max_transaction_amount: BTreeMap<Currency, i64>,
    /// At most so much a day (UTC), in each currency for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_volume: Option<i64>,
    /// At most so much a month (UTC), in each currency for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_volume: Option<i64>,
}

impl VolumeLimits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.max_transaction_amount.is_empty() && self.daily_volume.is_none() && self.monthly_volume.is_none()
    }
}

impl Default for MerchantSettings {
    fn default() -> Self {
        Self {
            return_url: None,
            statement_descriptor: None,
            late_success: LateSuccess::Reverse,
            default_provider: None,
            upi_payee: Payee { vpa: "merchant@bank".to_owned(), name: "Merchant".to_owned() },
            auto_capture: true,
            capture_delay_seconds: None,
            tds_threshold: None,
            limits: VolumeLimits::default(),
            vault_cards: true,
            routes: None,
            version: 0,
        }
    }
}

/// One row per scope that has settings of its own.
pub(crate) static PAYMENT_SETTINGS: Table = Table {
    name: "payment_settings",
    key: &[Column::new("name", ColumnType::Text)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};
