//! Answering an idempotency key in the commit that claims it, and again later.

use kernel::{Answer, CLAIM, Claim, Record, RecordError};
use serde_json::value::to_raw_value;

use crate::{ApiKey, Identity, IdentityError};

/// The claim with its answer: `outcome`, and the record as it became. A key's text is no part of it,
/// so a repeat shows the key without it: it is shown once.
pub(crate) fn answered<R: Record>(
    mut claim: Claim,
    outcome: &str,
    subject: String,
    version: i64,
    record: &R,
) -> Result<Claim, RecordError> {
    let encode = || -> Result<Vec<u8>, serde_json::Error> {
        let answer = Answer {
            route: claim.route.clone().into_owned(),
            outcome: to_raw_value(outcome)?,
            subject,
            version,
            snapshot: to_raw_value(record)?,
        };
        serde_json::to_vec(&answer)
    };
    let answer =
        encode().map_err(|error| RecordError::Damaged { table: R::TABLE.name, reason: error.to_string() })?;
    claim.answer = Some(answer);
    Ok(claim)
}

impl Identity {
    /// The key that the first request with this claim made or changed, as it then became; `None` if
    /// the claim is new. A key's text is stored nowhere, so a repeat cannot show it.
    pub async fn replay(&self, claim: &Claim) -> Result<Option<ApiKey>, IdentityError> {
        let Some(row) = self.store.get(&CLAIM, claim.scope, vec![claim.key.as_str().into()]).await? else {
            return Ok(None);
        };
        let damaged = |reason: &str| RecordError::Damaged { table: CLAIM.name, reason: reason.to_owned() };
        let [route, mac, _, answer, _] = row.columns.as_slice() else {
            return Err(damaged("its columns").into());
        };
        if route.as_text() != Some(claim.route.as_ref()) || mac.as_bytes() != Some(claim.mac.as_slice()) {
            return Err(IdentityError::ClaimedForAnother);
        }
        let answer = answer.as_bytes().ok_or_else(|| damaged("no answer"))?;
        let answer: Answer = serde_json::from_slice(answer).map_err(|error| damaged(&error.to_string()))?;
        let key = serde_json::from_str(answer.snapshot.get()).map_err(|error| damaged(&error.to_string()))?;
        Ok(Some(key))
    }
}
