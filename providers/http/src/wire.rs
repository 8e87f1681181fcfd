//! The JSON of the protocol, as docs/providers/http.md has it.

use kernel::Currency;
use provider_kit::{Authentication, CardFacts};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct TokenBody<'a> {
    pub(crate) number: &'a str,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cvc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<&'a str>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the form is the protocol's")]
pub(crate) struct ChargeBody<'a> {
    pub(crate) reference: &'a str,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) capture: bool,
    pub(crate) source: SourceBody<'a>,
    pub(crate) return_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in_seconds: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) merchant_initiated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) stores_credential: bool,
    /// Authentication is asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) three_d_secure: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum SourceBody<'a> {
    Card {
        token: &'a str,
    },
    Upi {
        #[serde(skip_serializing_if = "Option::is_none")]
        payer_vpa: Option<&'a str>,
        payee_vpa: &'a str,
        payee_name: &'a str,
    },
}

#[derive(Serialize)]
pub(crate) struct EffectBody<'a> {
    pub(crate) reference: &'a str,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub(crate) is_final: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct CancelBody<'a> {
    pub(crate) reference: &'a str,
}

/// What is kept of an answer: these fields and no others. Serves token, charge, effect and dispute.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    #[serde(rename = "object")]
    pub(crate) kind: String,
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) charge_reference: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount_approved: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decline: Option<DeclineBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<ActionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rrn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) three_d_secure: Option<Box<Authentication>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<Box<CardFacts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fee: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DeclineBody {
    pub(crate) code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network_code: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ActionBody {
    ThreeDSecure {
        url: String,
    },
    QrCode {
        payload: String,
    },
    /// An action that this build does not know.
    #[serde(other)]
    Other,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Deserialize)]
pub(crate) struct ErrorAnswer {
    pub(crate) error: ErrorBody,
}

/// A reply as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// The adapter's object.
    Answered { status: u16, object: Box<Object> },
    /// The adapter's refusal.
    Refused { status: u16, error: ErrorBody },
    /// What the adapter says that it can do.
    Capabilities(Box<Discovery>),
    /// Anything else, shortened.
    Unreadable { status: u16, raw: String },
}

/// What the adapter says that it can do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Discovery {
    pub(crate) protocol: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    #[serde(default)]
    pub(crate) currencies: Vec<String>,
    #[serde(default)]
    pub(crate) capabilities: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct EventBody {
    pub(crate) r#type: String,
    pub(crate) data: Object,
}
