//! PayPal: orders that a PayPal account or a card pays, held or taken at once, by approval on PayPal's page
//! or behind a token; captures in parts, voids, refunds in parts, disputes.
//!
//! How an operation is known there: a charge is an order, made without an effect on anybody's money; it
//! carries our reference as `custom_id` and `invoice_id`. Only its second request moves money: it captures or
//! authorizes that order, which PayPal does once for an order whatever is sent. The order's id is therefore
//! committed here before anything can move, and is the charge's reference; the authorization, the captures
//! and the refunds are read from the order. A capture carries our reference as `invoice_id`, a refund as
//! `custom_id`. Every request has a `PayPal-Request-Id` of our reference and its step, which PayPal keeps for
//! six hours (orders) or 45 days (payments).
//!
//! An order that its payer approved waits for us: a look-up and a notice say
//! [`provider_kit::Outcome::Consented`].
//!
//! Settings of an account: `environment` (`sandbox` or `live`), `base_url`, `webhook_roots`, `brand_name`.
//! Secrets: `client_id`, `client_secret`, and `webhook_id`, which is signed with every notice (several,
//! parted by commas, while an endpoint is moved).
//!
//! Sources: PayPal's OpenAPI files of orders v2, payments v2, payment tokens v3, disputes v1 and webhooks v1
//! (github.com/paypal/paypal-rest-api-specifications), and its pages on currency codes, idempotency and
//! webhooks.

mod amount;
mod decline;
#[cfg(test)]
mod fixtures;
mod guide;
mod mapping;
mod probe;
mod profile;
mod refusal;
mod request;
mod step;
mod webhook;
mod wire;

use kernel::{Credentials, Distilled, Reply};
use provider_kit::{
    Call, Context, Delivery, Guide, Incoming, Probe, Profile, Provider, ProviderAccount, Step, WebhookError,
};

/// PayPal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paypal;

impl Provider for Paypal {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
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
}
