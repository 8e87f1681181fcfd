//! One merchant's account at one provider.

use std::collections::BTreeMap;

use kernel::{Id, Kind};
use serde::{Deserialize, Serialize};

/// Marks ids of provider accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {}

impl Kind for Account {
    const PREFIX: &'static str = "pa";
}

/// What a provider's mapping may know of the account: no secret stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAccount {
    /// Our id of it.
    pub id: Id<Account>,
    /// The provider's id: `sandbox`, `stripe`.
    pub provider: String,
    /// Who we are at the provider: its own number or name of the account. An operation pins it, so
    /// that changed credentials never send a repeat to somebody else's account.
    pub identity: String,
    /// Settings without secrets: `base_url` and what else the provider's profile names.
    pub settings: BTreeMap<String, String>,
}

impl ProviderAccount {
    /// Its name in rules and requests: the setting `name`, else its provider's.
    pub fn name(&self) -> &str {
        let name = self.setting("name");
        if name.is_empty() { &self.provider } else { name }
    }

    /// A setting, or the empty text.
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }
}
