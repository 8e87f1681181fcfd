//! Answering an idempotency key in the commit that claims it.

use kernel::{Answer, Claim, Record, RecordError};
use serde_json::value::to_raw_value;

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
