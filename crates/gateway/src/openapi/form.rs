//! JSON Schemas of what the wire structs take from other crates: stand-ins that `#[schemars(with = …)]`
//! names, so that no model type has to know of schemas. A list of words is held against its enum by the
//! compiler: a variant that is missing here does not build.

use std::borrow::Cow;
use std::marker::PhantomData;

use identity::{KeyKind, KeyStatus};
use kernel::{Brand, Kind, Mode};
use payments::{DisputeStatus, OperationStatus, PaymentStatus, Purpose, RefundStatus, WaitingFor};
use provider_kit::{Advice, CaptureMode, MethodKind, ThreeDSecure};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use crate::input::tables::NETWORKS_MAX;
use crate::wire::At;

/// The text form of an id of this kind.
pub(crate) struct IdOf<T>(PhantomData<T>);

/// The pattern of the ids with this prefix (TypeID v0.3).
pub(crate) fn id_pattern(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

impl<T: Kind> JsonSchema for IdOf<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("Id_{}", T::PREFIX))
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": id_pattern(T::PREFIX)})
    }
}

impl JsonSchema for At {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("At")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// What a restricted key may do: the words of `identity::AccessScope`.
pub(crate) const SCOPES: &[&str] = &[
    "payments:read",
    "payments:write",
    "refunds:read",
    "refunds:write",
    "customers:read",
    "customers:write",
    "payment_methods:write",
    "accounts:read",
    "api_keys:read",
    "api_keys:write",
    "test:write",
];

/// Addresses and ranges of them.
pub(crate) fn networks(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "minItems": 1, "maxItems": NETWORKS_MAX,
        "items": {"type": "string", "examples": ["203.0.113.0/24"]},
    })
}

/// A currency's code.
pub(crate) struct Currency;

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Currency")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = kernel::Currency::all().map(kernel::Currency::code).collect();
        json_schema!({
            "type": "string",
            "enum": codes,
            "description": "An ISO 4217 code in upper case, or BTC, ETH, LTC, USDC, USDT. Amounts count its \
                            minor units: USD 10.00 is 1000, JPY 10 is 10.",
        })
    }
}

/// A decimal in major units, exactly as it was sent.
pub(crate) struct DecimalAmount;

impl JsonSchema for DecimalAmount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("DecimalAmount")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "pattern": "^[0-9]{1,16}([.][0-9]{1,18})?$",
        })
    }
}

/// The merchant's own data.
pub(crate) struct Metadata;

impl JsonSchema for Metadata {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Metadata")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "description": "Your own data, given back as it came: up to 50 entries, names of up to 40 \
                            characters, strings of up to 500.",
        })
    }
}

/// An object whose members depend on the provider.
pub(crate) struct Open;

impl JsonSchema for Open {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Open")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

/// The word that serde writes for a variant.
fn written(variant: impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident of $model:ident by $word:expr => [$($variant:ident)+];)+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name;

        impl $name {
            /// Every word, in the order of the model.
            pub(crate) fn words() -> Vec<String> {
                // Without a wildcard: a new variant must be named above.
                const fn is_named(variant: $model) -> $model {
                    match variant {
                        $($model::$variant)|+ => variant,
                    }
                }
                let variants = [$($model::$variant),+].into_iter().map(is_named);
                variants.map(|variant| $word(variant).into()).collect()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let about = concat!($($doc, "\n"),+).trim();
                json_schema!({"type": "string", "enum": Self::words(), "description": about})
            }
        }
    )+};
}

words! {
    /// Which of a merchant's two worlds.
    ModeWord of Mode by Mode::as_str => [Test Live];
    /// For what an API key is.
    KeyKindWord of KeyKind by KeyKind::as_str => [Secret Publishable];
    /// Whether an API key opens its world.
    KeyStatusWord of KeyStatus by KeyStatus::as_str => [Active Expired Revoked];
    /// Where a payment stands. Derived from its attempts and their amounts.
    PaymentStatusWord of PaymentStatus by PaymentStatus::as_str => [
        Pending Authorizing Authorized Paid PartiallyRefunded Refunded Disputed Failed Cancelled
    ];
    /// For whom a pending payment waits.
    WaitingForWord of WaitingFor by written => [Confirmation Customer Provider Unknown];
    /// A kind of payment method.
    MethodKindWord of MethodKind by MethodKind::as_str => [
        Card Upi Paypal Checkout NetBanking Wallet Emi
    ];
    /// Where a dispute stands.
    DisputeStatusWord of DisputeStatus by DisputeStatus::as_str => [Open Won Lost];
    /// Where a refund stands.
    RefundStatusWord of RefundStatus by RefundStatus::as_str => [Pending Succeeded Failed];
    /// `automatic`: taken with the approval. `manual`: held until you capture or cancel.
    CaptureMethodWord of CaptureMode by written => [Automatic Manual];
    /// `automatic`: provider and issuer decide. `required`: the payer is always authenticated.
    ThreeDSecureWord of ThreeDSecure by written => [Automatic Required];
    /// `payment` takes money; `verification` checks a method with an amount of 0.
    PurposeWord of Purpose by written => [Payment Verification];
    /// A card's scheme.
    BrandWord of Brand by written => [
        Visa Mastercard Amex Discover Diners Jcb Unionpay Rupay Maestro
    ];
    /// What to do after a decline.
    AdviceWord of Advice by written => [RetryNow RetryLater OtherMethod Never];
    /// Where an operation stands.
    OperationStatusWord of OperationStatus by OperationStatus::as_str => [
        Reserved Unknown ActionRequired Pending Succeeded Declined NotDone Cancelled NeedsReview
    ];
}

/// Where an attempt stands: a success says what it reached.
pub(crate) struct AttemptStatusWord;

impl JsonSchema for AttemptStatusWord {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("AttemptStatusWord")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let reached = ["authorized", "captured"].map(str::to_owned);
        let open = OperationStatusWord::words().into_iter().filter(|word| word != "succeeded");
        let words: Vec<String> = reached.into_iter().chain(open).collect();
        json_schema!({"type": "string", "enum": words, "description": "Where an attempt stands."})
    }
}
