//! Razorpay: orders that a payer pays on Razorpay's checkout page, by UPI, at a bank or with a wallet, and
//! stored cards that are charged with nobody there; captures, refunds in parts, disputes.
//!
//! How an operation is known there, and how nothing is done twice without an idempotency key: a charge is an
//! order, which moves nothing. It carries our reference as `receipt`, and in its notes how it is to be
//! captured and paid. All payers' tries are payments of that order, of which Razorpay captures at most one.
//! An order that a payer pays is captured by us alone: what a payer (or a late bank) authorized without us
//! goes back to them by itself, so that a charge that was given up cannot come true. A capture of a captured
//! payment is refused and moves nothing, and is read as done once the payment says so. A stored card is
//! charged by one request that is never sent twice: what became of it is read from its order. A refund has an
//! idempotency key, and our reference as `receipt`.
//!
//! The order's id is the charge's reference; a capture's is the payment's id, a refund's the refund's.
//!
//! Settings of an account: `key_id` (public: it stands in the payer's form), `business_name`, `refund_speed`
//! (`normal` or `optimum`), `payer_email`, `payer_contact` and `payer_ip` (for what is paid without
//! Razorpay's page), `base_url`. Secrets: `key_secret`, and `webhook_secret`, which notices are signed with
//! (several, parted by commas, while it is rolled); `key_id` stands beside them, for it is a user's name.
//!
//! Sources: razorpay.com/docs (orders, payments, capture settings, refunds, disputes, webhooks, errors,
//! hosted checkout, server-to-server integration, recurring payments), as in
//! github.com/razorpay/markdown-docs, and Razorpay's own libraries for Python and Node.

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
    Call, Context, Delivery, Guide, Incoming, NoticeSample, Probe, Profile, Provider, ProviderAccount, Step,
    WebhookError,
};

/// Razorpay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Razorpay;

impl Provider for Razorpay {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn step(&self, cx: &Context, account: &ProviderAccount, call: &Call, replies: &[Distilled]) -> Step {
        step::next(account, call, replies, cx.now)
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

    fn sample_notice(&self, _: &ProviderAccount, sample: &NoticeSample) -> Option<Vec<u8>> {
        sample::event(sample)
    }

    fn sign_notice(
        &self,
        _: &ProviderAccount,
        credentials: &Credentials,
        _: Timestamp,
        body: &[u8],
    ) -> Option<Vec<Header>> {
        sample::sign(credentials, body)
    }
}
