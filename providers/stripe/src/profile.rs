//! What Stripe can do, as far as this mapping goes.

use std::time::Duration;

use kernel::Currency;
use provider_kit::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat, Verb};

/// The name of the secret that is sent with each request.
pub(crate) const SECRET_KEY: &str = "secret_key";
/// The name of the secret that notices are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

/// Stripe forgets a key after at least a day.
const KEYED: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(24) };

/// Eight digits of Stripe's unit, which is ours in most currencies.
const MOST: i64 = 99_999_999;
/// In currencies of small units Stripe allows more digits, by account and currency: there it judges.
const MOST_OF_SMALL_UNITS: i64 = 999_999_999_999;

const fn from(code: &'static str, minimum: i64) -> (Currency, AmountLimit) {
    (Currency::of(code), AmountLimit { minimum, maximum: MOST })
}

const fn large(code: &'static str, minimum: i64) -> (Currency, AmountLimit) {
    (Currency::of(code), AmountLimit { minimum, maximum: MOST_OF_SMALL_UNITS })
}

/// The least of one charge in the currencies that Stripe names one for; in others it depends on what the
/// amount is worth in the currency of the account. Source: docs.stripe.com/currencies, "Minimum and
/// maximum charge amounts".
const LIMITS: &[(Currency, AmountLimit)] = &[
    from("AED", 200),
    from("AUD", 50),
    from("BRL", 50),
    from("CAD", 50),
    from("CHF", 50),
    large("CLP", 1),
    large("COP", 1),
    from("CZK", 1500),
    from("DKK", 250),
    from("EUR", 50),
    from("GBP", 30),
    from("HKD", 400),
    large("HUF", 17_500),
    large("IDR", 1),
    large("INR", 50),
    large("JPY", 50),
    large("KRW", 1),
    large("LBP", 1),
    from("MXN", 1000),
    from("MYR", 200),
    from("NOK", 300),
    from("NZD", 50),
    from("PLN", 200),
    large("PYG", 1),
    from("RON", 200),
    from("SEK", 300),
    from("SGD", 50),
    from("THB", 1000),
    large("UGX", 1),
    from("USD", 50),
    large("VND", 1),
];

macro_rules! currencies {
    ($($code:ident)+) => { &[$(Currency::of(stringify!($code)),)+] };
}

/// Presentment currencies. Source: docs.stripe.com/currencies.
const CURRENCIES: &[Currency] = currencies! {
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
    MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SOS SRD STN SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
};

pub(crate) static PROFILE: Profile = Profile {
    id: "stripe",
    name: "Stripe",
    methods: &[MethodKind::Card],
    currencies: Currencies::Only(CURRENCIES),
    limits: AmountLimits { usual: AmountLimit { minimum: 1, maximum: MOST }, by_currency: LIMITS },
    amount_steps: crate::amount::STEPS,
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
    // The search is usually behind by less than a minute; Stripe says that it may be an hour while
    // something is wrong there.
    visibility: Duration::from_hours(1),
    // Of cards in most countries and networks. Some hold for less, and Stripe then cancels by itself.
    authorization_valid_for: Duration::from_hours(7 * 24),
    secrets: &[SECRET_KEY, WEBHOOK_SECRET],
    tokenizes_cards: true,
    plays_scenarios: false,
};
