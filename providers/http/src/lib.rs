//! The operator's own adapter, behind a small protocol: JSON over HTTP, each request signed by an HTTP
//! Message Signature (RFC 9421), each notice by Standard Webhooks. `docs/providers/http.md` is the
//! protocol, so that a stranger can write an adapter.
//!
//! An adapter knows every operation by our reference, which is also the idempotency key: it answers a key
//! as it did first, and finds the operation by it. So all that moves money is
//! [`provider_kit::Repeat::Keyed`].
//!
//! Settings: `base_url`, and `capabilities`, what the adapter has of the profile's with commas between (all,
//! if it does not say). Secrets: `signing_secret` and `webhook_secret`.

#[cfg(test)]
mod fixtures;
mod guide;
mod mapping;
mod probe;
mod profile;
mod request;
mod webhook;
mod wire;

use kernel::{Credentials, Distilled, Header, Reply, Timestamp};
use provider_kit::{
    Call, Capability, Context, Delivery, Guide, Incoming, NoticeSample, Probe, Profile, Provider,
    ProviderAccount, Step, WebhookError,
};

/// An adapter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http;

impl Provider for Http {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn offers(&self, account: &ProviderAccount, capability: Capability) -> bool {
        let listed = account.setting("capabilities");
        let has = |word: &str| listed.split(',').any(|one| one.trim() == word);
        profile::PROFILE.can(capability) && (listed.is_empty() || has(capability.as_str()))
    }

    fn step(&self, _: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
        replies.last().map_or_else(
            || Step::Send(request::of(account, call)),
            |reply| Step::Done(mapping::outcome(call, reply)),
        )
    }

    fn distill(&self, step: &str, reply: &Reply) -> Distilled {
        mapping::distill(step, reply)
    }

    fn probe(
        &self,
        _: &Context,
        account: &ProviderAccount,
        credentials: &Credentials,
        replies: &[Distilled],
    ) -> Probe {
        probe::next(account, credentials, replies)
    }

    fn guide(&self) -> Option<&'static Guide> {
        Some(&guide::GUIDE)
    }

    fn webhook(
        &self,
        _: &Context,
        _: &ProviderAccount,
        credentials: &Credentials,
        delivery: &Delivery,
        _: &[Distilled],
    ) -> Result<Incoming, WebhookError> {
        webhook::read(credentials, delivery)
    }

    fn notice_events(&self) -> &'static [&'static str] {
        webhook::EVENTS
    }

    fn sample_notice(&self, _: &ProviderAccount, sample: &NoticeSample) -> Option<Vec<u8>> {
        webhook::sample(sample)
    }

    fn sign_notice(
        &self,
        _: &ProviderAccount,
        credentials: &Credentials,
        at: Timestamp,
        body: &[u8],
    ) -> Option<Vec<Header>> {
        webhook::sign(credentials, at, body)
    }
}
