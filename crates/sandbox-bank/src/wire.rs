//! What stands in the bank's requests. Unknown fields are refused, as a strict bank does: a caller
//! that drifts from the documented form learns of it at once.

use kernel::Currency;
use serde::Deserialize;

use crate::reply::Stop;

/// `POST /v1/tokens`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    pub(crate) number: String,
    pub(crate) exp_month: u8,
    pub(crate) exp_year: u16,
    /// Looked at and forgotten: a script decides about it.
    pub(crate) cvc: Option<String>,
    #[serde(rename = "holder")]
    pub(crate) _holder: Option<String>,
}

/// `POST /v1/charges`.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the form of a request")]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeRequest {
    pub(crate) reference: String,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    /// Taken at once.
    pub(crate) capture: bool,
    pub(crate) source: SourceRequest,
    pub(crate) return_url: String,
    pub(crate) description: Option<String>,
    pub(crate) expires_in_seconds: Option<u32>,
    pub(crate) notice_url: Option<String>,
    /// The payer is not there: nobody can answer a challenge.
    #[serde(default)]
    pub(crate) merchant_initiated: bool,
    /// Of the charge that stored the credential.
    pub(crate) network_transaction_id: Option<String>,
    /// The credential will be used again. The bank keeps no cards, so that it only hears it.
    #[serde(default, rename = "stores_credential")]
    pub(crate) _stores_credential: bool,
    /// The payer must be authenticated.
    #[serde(default)]
    pub(crate) three_d_secure: bool,
    /// What to play, whatever the card says.
    pub(crate) scenario: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SourceRequest {
    Card { token: String },
    Upi { payer_vpa: Option<String>, payee_vpa: String, payee_name: String },
}

/// `POST /v1/charges/{charge}/captures`, `voids`, `refunds`, `increments`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EffectRequest {
    pub(crate) reference: String,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    /// Of a capture: the rest is released.
    #[serde(default, rename = "final")]
    pub(crate) is_last: bool,
    /// Of a refund.
    #[serde(rename = "reason")]
    pub(crate) _reason: Option<String>,
    /// What to play, whatever the card says.
    pub(crate) scenario: Option<String>,
}

/// `POST /v1/charges/{charge}/cancels`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    pub(crate) reference: String,
    /// What to play, whatever the card says.
    pub(crate) scenario: Option<String>,
}

/// Reads a body. The message names the place and never the content.
/// How far ahead of the real clock the account's is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockRequest {
    pub(crate) offset_micros: u64,
}

pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Stop> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("the body is not of this form ({:?} error", error.classify());
        Stop::bad_request(format!("{place}, line {} column {})", error.line(), error.column()))
    })
}

/// References are what the bank's own documents say: 1 to 40 letters and digits.
pub(crate) fn check_reference(reference: &str, idempotency_key: Option<&str>) -> Result<(), Stop> {
    let well_formed = reference.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if reference.is_empty() || reference.len() > 40 || !well_formed {
        return Err(Stop::bad_request("`reference` is 1 to 40 letters and digits".to_owned()));
    }
    // Both names of the key must agree, or a caller's retry would not be recognised as one.
    match idempotency_key {
        Some(key) if key == reference => Ok(()),
        Some(_) => Err(Stop::bad_request("`idempotency-key` is not the body's `reference`".to_owned())),
        None => Err(Stop::bad_request("the header `idempotency-key` is missing".to_owned())),
    }
}
