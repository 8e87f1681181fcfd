//! Stripe: cards through payment intents, with 3-D Secure, captures in parts, refunds, set-up of stored
//! cards, charges with nobody there, disputes, and accounts connected to a platform.
//!
//! How an operation is known there: a charge is a payment intent (`pi_…`; a verification of nothing is a
//! set-up intent, `seti_…`) that carries our reference as `metadata[florin_reference]`; a refund carries
//! it too; a capture and an increment write `metadata[florin_<reference>]` into the intent by the same
//! call that does them, so that a look-up can tell them from each other. Every call that does something
//! has an `Idempotency-Key` of our reference and its step, which Stripe keeps for a day: the same bytes
//! under it repeat the first answer. An intent whose id we never learned is found by Stripe's search,
//! which may lag behind; that is the profile's visibility.
//!
//! Settings of an account: `base_url`, `connected_account`, `multicapture`, `incremental_authorization`,
//! `publishable_key`. Secrets: `secret_key` and `webhook_secret` (several, parted by commas, while one is
//! rolled).
//!
//! Sources: Stripe's API reference for the version in [`request`], and its pages on idempotent requests,
//! search, currencies, decline codes and webhook signatures.

mod amount;
mod decline;
#[cfg(test)]
mod fixtures;
mod form;
mod guide;
mod mapping;
mod probe;
mod profile;
mod refusal;
mod request;
mod sample;
mod step;
mod webhook;
mod wire;

use kernel::{Credentials, Distilled, Header, Reply, Timestamp};
use provider_kit::{
    Call, Capability, Context, Delivery, Guide, Incoming, NoticeSample, Probe, Profile, Provider,
    ProviderAccount, Step, WebhookError,
};

/// Stripe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stripe;

impl Provider for Stripe {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn offers(&self, account: &ProviderAccount, capability: Capability) -> bool {
        match capability {
            Capability::MultipleCaptures => account.setting("multicapture") == "true",
            Capability::Increment => account.setting("incremental_authorization") == "true",
            other => profile::PROFILE.can(other),
        }
    }

    fn step(&self, _: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
        step::next(account, call, replies)
    }

    fn distill(&self, step: &str, reply: &Reply) -> Distilled {
        wire::distill(step, reply)
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
        account: &ProviderAccount,
        credentials: &Credentials,
        delivery: &Delivery,
        replies: &[Distilled],
    ) -> Result<Incoming, WebhookError> {
        webhook::read(account, credentials, delivery, replies)
    }

    fn notice_events(&self) -> &'static [&'static str] {
        sample::EVENTS
    }

    fn sample_notice(&self, account: &ProviderAccount, sample: &NoticeSample) -> Option<Vec<u8>> {
        sample::event(account, sample)
    }

    fn sign_notice(
        &self,
        _: &ProviderAccount,
        credentials: &Credentials,
        at: Timestamp,
        body: &[u8],
    ) -> Option<Vec<Header>> {
        sample::sign(credentials, at, body)
    }
}
