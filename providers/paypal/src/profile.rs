//! What PayPal can do, as far as this mapping goes.

use std::time::Duration;

use kernel::Currency;
use provider_kit::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat, Verb};

/// The name of the client's id.
pub(crate) const CLIENT_ID: &str = "client_id";
/// The name of the client's secret.
pub(crate) const CLIENT_SECRET: &str = "client_secret";
/// The name of the id of our endpoint for notices, which stands in what is signed.
pub(crate) const WEBHOOK_ID: &str = "webhook_id";

/// Of orders: six hours, if nothing else was agreed with PayPal.
const SIX_HOURS: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(6) };
/// Of what is done to payments.
const DAYS_45: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(45 * 24) };

/// Seven digits before the point.
const MOST: i64 = 999_999_999;

const fn whole(code: &'static str, minimum: i64) -> (Currency, AmountLimit) {
    (Currency::of(code), AmountLimit { minimum, maximum: MOST })
}

macro_rules! currencies {
    ($($code:ident)+) => { &[$(Currency::of(stringify!($code)),)+] };
}

/// Source: developer.paypal.com, "Currency codes". BRL and MYR in accounts of their own countries alone.
const CURRENCIES: &[Currency] = currencies! {
    AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
};

pub(crate) static PROFILE: Profile = Profile {
    id: "paypal",
    name: "PayPal",
    methods: &[MethodKind::Paypal, MethodKind::Card],
    currencies: Currencies::Only(CURRENCIES),
    limits: AmountLimits {
        usual: AmountLimit { minimum: 1, maximum: MOST },
        by_currency: &[whole("HUF", 100), whole("TWD", 100)],
    },
    amount_steps: crate::amount::STEPS,
    capabilities: &[
        Capability::ManualCapture,
        Capability::PartialCapture,
        Capability::MultipleCaptures,
        Capability::Void,
        Capability::Refund,
        Capability::PartialRefund,
        Capability::ThreeDSecure,
        Capability::Disputes,
        Capability::Cancel,
    ],
    repeats: &[
        (Verb::Charge, SIX_HOURS),
        (Verb::Capture, DAYS_45),
        // A second void is answered that the first was done.
        (Verb::Void, DAYS_45),
        (Verb::Refund, DAYS_45),
        // Nothing is sent that does anything.
        (Verb::Cancel, SIX_HOURS),
    ],
    // An order shows what was done to it at once; this is for what is under way at PayPal when it is asked.
    visibility: Duration::from_mins(5),
    // PayPal guarantees the money for three days, and lets it be captured for 29.
    authorization_valid_for: Duration::from_hours(29 * 24),
    secrets: &[CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID],
    tokenizes_cards: true,
    plays_scenarios: false,
};
