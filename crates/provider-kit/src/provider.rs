//! The trait of all providers, and how one is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Credentials, Currency, Distilled, Header, Money, Reply, Request, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::ProviderAccount;
use crate::call::{Call, Lookup, Verb};
use crate::guide::Guide;
use crate::outcome::Outcome;
use crate::profile::{Capability, Profile};
use crate::webhook::{Delivery, Incoming, NoticeSample, WebhookError};

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

/// One thing that a probe found out about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: `credentials`, `webhooks`.
    pub what: &'static str,
    /// Whether payments can be made as far as this goes.
    pub works: bool,
    /// What was found, for people; no secret and no personal data.
    pub says: String,
}

impl Check {
    /// Something that works.
    pub fn works(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, works: true, says: says.into() }
    }

    /// Something that does not.
    pub fn fails(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, works: false, says: says.into() }
    }
}

/// What comes next in a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Send this, which changes nothing, then ask again with the distilled reply.
    Send(Request),
    /// These are its findings.
    Done(Vec<Check>),
}

/// One provider. Pure: the same input always gives the same output.
pub trait Provider: Send + Sync + 'static {
    /// The capability table.
    fn profile(&self) -> &'static Profile;

    /// Whether an account can do what the profile claims: some providers offer it to some merchants.
    fn offers(&self, account: &ProviderAccount, capability: Capability) -> bool {
        let _ = account;
        self.profile().can(capability)
    }

    /// The next thing to do, from the call and all replies so far.
    fn step(&self, cx: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step;

    /// What is worth keeping of a reply to `step`. Never fails: what cannot be read is kept as such,
    /// and the next `step` makes [`Outcome::Unknown`] of it.
    fn distill(&self, step: &str, reply: &Reply) -> Distilled;

    /// Finds out whether an account can be used, by requests that change nothing. Without a call for
    /// that purpose: a look-up of an operation that never was.
    fn probe(
        &self,
        cx: &Context,
        account: &ProviderAccount,
        credentials: &Credentials,
        replies: &[Distilled],
    ) -> Probe {
        let _ = credentials;
        let call = Call::Lookup(Lookup {
            reference: "probe00000000000000000000".to_owned(),
            provider_reference: None,
            verb: Verb::Refund,
            capture: None,
            amount: Money::new(1, Currency::USD),
            charge: None,
            replies: Vec::new(),
        });
        let check = match self.step(cx, account, &call, replies) {
            Step::Send(request) => return Probe::Send(request),
            Step::Wait(_) => Check::fails("answers", "it asks to wait"),
            Step::Done(Outcome::Refused { code, message, .. }) => {
                Check::fails("credentials", format!("{code}: {message}"))
            }
            Step::Done(Outcome::Unknown { raw }) => Check::fails("answers", raw),
            Step::Done(_) => Check::works("credentials", "a look-up is answered"),
        };
        Probe::Done(vec![check])
    }

    /// What its page of the documentation says beside the capability table; `None`: it has no page.
    fn guide(&self) -> Option<&'static Guide> {
        None
    }

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

    /// Which notices can be simulated, in the provider's own words where it has them. None where the
    /// provider signs with a key that nobody else has.
    fn notice_events(&self) -> &'static [&'static str] {
        &[]
    }

    /// The body of a notice as the provider would send it; `None` for an event that is not one of
    /// [`Provider::notice_events`].
    fn sample_notice(&self, account: &ProviderAccount, sample: &NoticeSample) -> Option<Vec<u8>> {
        let _ = (account, sample);
        None
    }

    /// The headers that prove a body to be the provider's when it is sent at `at`: what a developer's own
    /// tests need. `None` where nobody but the provider can sign, or the account has no secret for it.
    fn sign_notice(
        &self,
        account: &ProviderAccount,
        credentials: &Credentials,
        at: Timestamp,
        body: &[u8],
    ) -> Option<Vec<Header>> {
        let _ = (account, credentials, at, body);
        None
    }
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
