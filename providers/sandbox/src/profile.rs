//! What the sandbox can do: everything that this build knows.

use std::time::Duration;

use provider_kit::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat, Verb};

/// The name of the secret that is sent with each request.
pub(crate) const API_KEY: &str = "api_key";
/// The name of the secret that notices are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

const DAY: Duration = Duration::from_hours(24);
const KEYED: Repeat = Repeat::Keyed { valid_for: DAY };

pub(crate) static PROFILE: Profile = Profile {
    id: "sandbox",
    name: "Sandbox",
    methods: &[MethodKind::Card, MethodKind::Upi],
    currencies: Currencies::All,
    // Twelve digits, as card networks have them (ISO 8583, field 4).
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
    visibility: Duration::from_secs(5),
    authorization_valid_for: Duration::from_hours(7 * 24),
    secrets: &[API_KEY, WEBHOOK_SECRET],
    tokenizes_cards: true,
    plays_scenarios: true,
};
