//! The sandbox bank as a provider: every method and capability of this build, with no money behind it.
//!
//! Each call is one request. The bank knows our reference of every operation, refuses a second use of
//! it for anything else, and repeats its answer for the same bytes; so all that moves money is
//! [`provider_kit::Repeat::Keyed`]. Settings: `base_url` (where the bank is; absent: in this process)
//! and `notice_url` (where it sends notices when it runs as a process of its own). Secrets: `api_key`
//! and `webhook_secret`.

#[cfg(test)]
mod fixtures;
mod mapping;
mod profile;
mod request;
mod webhook;
mod wire;

use kernel::{Credentials, Distilled, Header, Reply, Timestamp};
use provider_kit::{
    Call, Context, Delivery, Incoming, NoticeSample, Profile, Provider, ProviderAccount, Step, WebhookError,
};

/// The sandbox.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

impl Provider for Sandbox {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
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
