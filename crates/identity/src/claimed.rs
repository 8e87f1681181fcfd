//! Answering an idempotency key in the commit that claims it.

use std::sync::Arc;

use kernel::{Answer, CLAIM, Claim, Record, RecordError, Store, StoreError};
use serde_json::value::to_raw_value;

use crate::{ApiKey, IdentityError};

/// The key that the same request made or changed before; `None` if its idempotency key is new.
pub(crate) async fn earlier(
    store: &Arc<dyn Store>,
    claim: Option<&Claim>,
) -> Result<Option<ApiKey>, IdentityError> {
    let Some(claim) = claim else { return Ok(None) };
    let found = store.get(&CLAIM, claim.scope, vec![claim.key.as_str().into()]).await?;
    let Some(row) = found else { return Ok(None) };
    let [route, mac, _, answer, _] = row.columns.as_slice() else { return Err(damaged("its columns")) };
    let known = route.as_text().zip(mac.as_bytes());
    if !known.is_some_and(|(route, mac)| claim.is_of(route, mac)) {
        return Err(IdentityError::KeyReused);
    }
    // A claim of a key is written with its answer.
    let answer = answer.as_bytes().map(serde_json::from_slice::<Answer>);
    let answer = answer.and_then(Result::ok).ok_or_else(|| damaged("its answer"))?;
    serde_json::from_str(answer.snapshot.get()).map(Some).map_err(|_| damaged("its key"))
}

fn damaged(what: &str) -> IdentityError {
    let reason = format!("{what} cannot be read");
    IdentityError::Store(StoreError::Record(RecordError::Damaged { table: CLAIM.name, reason }))
}

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
