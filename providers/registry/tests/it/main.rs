//! All providers, run through the conformance suite. One module is one fake.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is a failed test"
)]

mod clock;
mod http;
mod mutants;
mod pages;
mod paypal;
mod razorpay;
mod sandbox;
mod serve;
mod stripe;

use std::collections::BTreeSet;

use provider_kit::conformance::{Case, Fake, Subject};

/// Runs the suite over one provider and holds the set of cases, not only the members: a claim without
/// a case would pass unseen.
async fn conforms(id: &str, fake: &dyn Fake) {
    let registry = provider_registry::all();
    let provider = registry.get(id).expect("the provider is in the registry");
    let cases = provider_kit::conformance::run(provider.as_ref(), fake).await;
    let failed: Vec<&Case> = cases.iter().filter(|case| case.result.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    for subject in Subject::claimed(provider.profile()) {
        for condition in ["approved", "refused", "timeout before", "timeout after", "garbage"] {
            let name = format!("{} × {condition}", subject.name());
            assert!(names.contains(name.as_str()), "no case {name}");
        }
    }
    for name in ["sale × declined", "sale × unmapped state", "notices × bad signature", "scrub × requests"]
    {
        assert!(names.contains(name), "no case {name}");
    }
}

/// A provider without a fake here has never been run.
#[test]
fn every_provider_has_its_fake() {
    let known: Vec<&str> = provider_registry::all().iter().map(|provider| provider.profile().id).collect();
    assert_eq!(known, ["http", "paypal", "razorpay", "sandbox", "stripe"]);
}
