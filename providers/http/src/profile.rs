//! What an adapter can do at most: what one does is a setting of its account.

use std::time::Duration;

use provider_kit::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat, Verb};

/// The name of the secret that requests are signed with.
pub(crate) const SIGNING_SECRET: &str = "signing_secret";
/// The name of the secret that notices are signed with; several with commas between.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

/// For how long an adapter must answer a key as it did first.
const KEYED: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(24) };

pub(crate) static PROFILE: Profile = Profile {
    id: "http",
    name: "HTTP adapter",
    methods: &[MethodKind::Card, MethodKind::Upi],
    currencies: Currencies::All,
    limits: AmountLimits { usual: AmountLimit { minimum: 1, maximum: 999_999_999_999 }, by_currency: &[] },
    amount_steps: &[],
    capabilities: &[
        Capability::ManualCapture,
        Capability::PartialCapture,
        Capability::MultipleCaptures,
        Capability::Void,
        Capability::Refund,
        Capability::PartialRefund,
        Capability::ThreeDSecure,
        Capability::Verification,
        Capability::Disputes,
        Capability::Cancel,
        Capability::Increment,
    ],
    repeats: &[
        (Verb::Charge, KEYED),
        (Verb::Capture, KEYED),
        (Verb::Void, KEYED),
        (Verb::Refund, KEYED),
        (Verb::Cancel, KEYED),
        (Verb::Increment, KEYED),
    ],
    visibility: Duration::from_mins(1),
    authorization_valid_for: Duration::from_hours(7 * 24),
    secrets: &[SIGNING_SECRET, WEBHOOK_SECRET],
    tokenizes_cards: true,
    plays_scenarios: false,
};
