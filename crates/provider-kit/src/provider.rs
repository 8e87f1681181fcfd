//! The trait of all providers, and how one is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Credentials, Distilled, Reply, Request, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::ProviderAccount;
use crate::call::Call;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::webhook::{Delivery, Incoming, WebhookError};

/// What a call draws once and keeps: a repeat after a crash sees the same values, so that it builds
/// the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The clock that people see, when the call was reserved.
    pub now: Timestamp,
    /// Random.
    pub nonce: [u8; 16],
}

/// What comes next in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, then ask again with the distilled reply.
    Send(Request),
    /// Ask again at this time.
    Wait(Timestamp),
    /// That was it.
    Done(Outcome),
}

/// One provider. Pure: the same input always gives the same output.
pub trait Provider: Send + Sync + 'static {
    /// The capability table.
    fn profile(&self) -> &'static Profile;

    /// The next thing to do, from the call and all replies so far.
    fn step(&self, cx: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step;

    /// What is worth keeping of a reply to `step`. Never fails: what cannot be read is kept as such,
    /// and the next `step` makes [`Outcome::Unknown`] of it.
    fn distill(&self, step: &str, reply: &Reply) -> Distilled;

    /// Verifies the raw bytes and headers of a delivery, then says what they mean. May first ask for
    /// something (a certificate).
    fn webhook(
        &self,
        cx: &Context,
        account: &ProviderAccount,
        credentials: &Credentials,
        delivery: &Delivery,
        replies: &[Distilled],
    ) -> Result<Incoming, WebhookError>;
}

/// The providers of this build, by id.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn Provider>>);

impl Registry {
    /// From a list; a later one of the same id replaces an earlier one.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self(providers.into_iter().map(|provider| (provider.profile().id, provider)).collect())
    }

    /// The provider of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(id)
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.values()
    }
}
