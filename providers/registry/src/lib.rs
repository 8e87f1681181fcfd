//! The providers of this build. A new provider is one line here and one in `Cargo.toml`; the test of
//! this crate then runs the conformance suite over it.

use std::sync::Arc;

use provider_http::Http;
use provider_kit::Registry;
use provider_paypal::Paypal;
use provider_razorpay::Razorpay;
use provider_sandbox::Sandbox;
use provider_stripe::Stripe;

/// All providers.
pub fn all() -> Registry {
    Registry::new(vec![
        Arc::new(Http),
        Arc::new(Sandbox),
        Arc::new(Stripe),
        Arc::new(Paypal),
        Arc::new(Razorpay),
    ])
}
