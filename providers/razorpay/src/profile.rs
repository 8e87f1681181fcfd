//! What Razorpay can do, as far as this mapping goes.

use std::time::Duration;

use kernel::Currency;
use provider_kit::{AmountLimit, AmountLimits, Capability, Currencies, MethodKind, Profile, Repeat, Verb};

/// The name of the key's id: a user's name, which the payer's form shows.
pub(crate) const KEY_ID: &str = "key_id";
/// The name of the key's secret.
pub(crate) const KEY_SECRET: &str = "key_secret";
/// The name of the secret that notices are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

/// For how long money that we asked to be held can be captured, in minutes: the longest that Razorpay allows.
pub(crate) const HELD_MINUTES: u32 = 7200;

/// For how long money that a payer gave, and that is to be taken at once, waits for us. After that it goes
/// back to them.
pub(crate) const CONSENT_MINUTES: u32 = 4320;

/// For how long Razorpay captures by itself what a stored card was charged: the shortest that it allows.
pub(crate) const CHARGED_MINUTES: u32 = 12;

/// Of a payment there is one capture, and a second one is refused for as long as the payment exists.
const CAPTURE: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(5 * 24) };

/// Razorpay does not say for how long it knows a refund's key: an hour is enough for what was lost on the
/// way, and the look-up is by our receipt.
const REFUND: Repeat = Repeat::Keyed { valid_for: Duration::from_hours(1) };

/// Razorpay names no limit of its own: those of an account are agreed with it. A JSON number is exact up to
/// here.
const MOST: i64 = 9_007_199_254_740_991;

macro_rules! currencies {
    ($($code:ident)+) => { &[$(Currency::of(stringify!($code)),)+] };
}

/// Source: razorpay.com/docs, "International payments". Others than INR in accounts that may take them.
const CURRENCIES: &[Currency] = currencies! {
    AED ALL AMD AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BZD CAD CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD GBP GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LKR LRD LSL MAD MDL MGA MKD MMK
    MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SCR SEK SGD SOS SVC SZL THB TND TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV XAF XCD
    XOF XPF YER ZAR ZMW
};

pub(crate) static PROFILE: Profile = Profile {
    id: "razorpay",
    name: "Razorpay",
    methods: &[
        MethodKind::Checkout,
        MethodKind::Card,
        MethodKind::Upi,
        MethodKind::NetBanking,
        MethodKind::Wallet,
        MethodKind::Emi,
    ],
    currencies: Currencies::Only(CURRENCIES),
    limits: AmountLimits {
        usual: AmountLimit { minimum: 1, maximum: MOST },
        by_currency: &[(Currency::INR, AmountLimit { minimum: 100, maximum: MOST })],
    },
    amount_steps: crate::amount::STEPS,
    capabilities: &[
        Capability::ManualCapture,
        Capability::Void,
        Capability::Refund,
        Capability::PartialRefund,
        Capability::Disputes,
        Capability::Cancel,
    ],
    repeats: &[
        // No key, and nothing that Razorpay would refuse a second time before it was captured.
        (Verb::Charge, Repeat::Never),
        (Verb::Capture, CAPTURE),
        (Verb::Void, REFUND),
        (Verb::Refund, REFUND),
        // Nothing is sent that does anything.
        (Verb::Cancel, CAPTURE),
    ],
    // An order shows its payments at once; this is for what is under way at Razorpay when it is asked.
    visibility: Duration::from_mins(5),
    authorization_valid_for: Duration::from_mins(HELD_MINUTES as u64),
    secrets: &[KEY_SECRET, WEBHOOK_SECRET],
    tokenizes_cards: false,
    plays_scenarios: false,
};
