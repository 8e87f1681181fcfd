//! Deliveries that could not be verified or understood: kept for people for a while, sealed, in a fixed
//! number of slots for each source, so that a flood of forged ones fills no disk and hides nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Cell, Changes, Clock, Column, ColumnType, Lane, Monotonic, Outcome, Query, Record, Scope, Table,
    Timestamp, Versioned,
};
use parking_lot::Mutex;
use provider_kit::{Delivery, scrub};
use serde::{Deserialize, Serialize};
use vault::Purpose;

use crate::account::{hex, unhex};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::Payments;
use crate::signed_event::without_secrets;

/// How many rejected deliveries of one source are kept.
pub const SLOTS: u8 = u8::MAX;
/// In so many of the slots one delivery may lie: with one alone, two of fifty would meet.
const CHOICES: usize = 4;
/// A longer body is kept as its beginning alone, and cannot be replayed.
const SEALED_BYTES_MAX: usize = 64 * 1024;
/// What people see of a body.
const SHOWN_BYTES_MAX: usize = 2048;

/// So many rejected deliveries of one source are written down at once on one node, and then one a second:
/// the others leave nothing but a count.
const BURST: u32 = 20;
const REFILL: Duration = Duration::from_secs(1);

/// A rejected delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// At whose address it came in: an account's id, or `payments`.
    pub source: String,
    /// Its place among the rejected deliveries of the source.
    pub slot: i64,
    /// The provider, or `payments`.
    pub provider: String,
    /// Why it was rejected.
    pub reason: String,
    /// How often the same came.
    pub times: u32,
    /// When it first came.
    pub first_received_at: Timestamp,
    /// When it last came.
    pub received_at: Timestamp,
    /// Its body without secrets, card numbers and personal data; shortened.
    pub shown: serde_json::Value,
    /// Which delivery it is: a MAC of source and body, in hexadecimal.
    digest: String,
    /// Headers and body, sealed for this place; absent if the body is too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// By source and slot.
pub(crate) static QUARANTINE: Table = Table {
    name: "quarantine",
    key: &[Column::new("source", ColumnType::Text), Column::new("slot", ColumnType::Int)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 70,
};

impl Record for Quarantined {
    const TABLE: &'static Table = &QUARANTINE;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.source.as_str().into(), self.slot.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

impl Quarantined {
    /// The name by which people ask for it again.
    pub fn id(&self) -> String {
        format!("{}.{}", self.source, self.slot)
    }

    /// Whether headers and body are whole, so that it can be tried again.
    pub const fn can_be_replayed(&self) -> bool {
        self.sealed.is_some()
    }
}

/// How many more rejected deliveries of each source may be written down.
#[derive(Default)]
pub(crate) struct Gate(Mutex<HashMap<String, (Monotonic, u32)>>);

impl Gate {
    /// Whether one more of a source may. Sources are accounts that exist, so that this stays small.
    fn passes(&self, source: &str, clock: &Arc<dyn Clock>) -> bool {
        let now = clock.monotonic();
        let mut sources = self.0.lock();
        let (since, left) = sources.entry(source.to_owned()).or_insert((now, BURST));
        let refills = now.0.saturating_sub(since.0).as_secs() / REFILL.as_secs();
        if refills > 0 {
            *left = left.saturating_add(u32::try_from(refills).unwrap_or(u32::MAX)).min(BURST);
            *since = now;
        }
        let passes = *left > 0;
        *left = left.saturating_sub(1);
        passes
    }
}

/// What came, and why it is not believed.
pub(crate) struct Rejected<'a> {
    pub(crate) scope: Scope,
    pub(crate) source: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) delivery: &'a Delivery,
}

impl Payments {
    /// Writes a rejected delivery down, unless too many of its source were just now. What fails here is
    /// logged: the answer to the sender is the same.
    pub(crate) async fn quarantine(&self, rejected: &Rejected<'_>) {
        let Rejected { provider, reason, .. } = rejected;
        metrics::counter!("webhooks_rejected_total", "provider" => (*provider).to_owned()).increment(1);
        if !self.gate.passes(rejected.source, &self.clock) {
            return;
        }
        tracing::warn!(source = rejected.source, provider, reason, "a delivery was rejected");
        if let Err(error) = self.write_rejected(rejected).await {
            tracing::warn!(source = rejected.source, %error, "a rejected delivery was not kept");
        }
    }

    /// Writes a rejected delivery down, however many there were.
    pub(crate) async fn write_rejected(&self, rejected: &Rejected<'_>) -> Result<(), PaymentsError> {
        let Rejected { scope, source, provider, reason, delivery } = *rejected;
        let keys = self.vault.keys(scope.mode).map_err(|error| PaymentsError::Internal(error.to_string()))?;
        let mac = keys.mac(Purpose::Search, &[b"quarantine", source.as_bytes(), &delivery.body]);
        let digest = hex(&mac);
        let (slot, known) = self.slot_for(scope, source, &mac, &digest).await?;
        let again = known.as_ref().filter(|known| known.record.digest == digest);
        let record = Quarantined {
            source: source.to_owned(),
            slot,
            provider: provider.to_owned(),
            reason: reason.to_owned(),
            times: again.map_or(0, |known| known.record.times).saturating_add(1),
            first_received_at: again.map_or(delivery.received_at, |known| known.record.first_received_at),
            received_at: delivery.received_at,
            shown: scrub::redacted(&delivery.body, &[], SHOWN_BYTES_MAX),
            sealed: self.seal_delivery(scope, &place(source, slot), delivery, SEALED_BYTES_MAX)?,
            digest,
        };
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        match known {
            Some(known) => changes.update(scope, &record, known.version)?,
            None => changes.insert(scope, &record)?,
        }
        match self.store.commit(changes).await {
            // Another one took the slot at the same moment: one of the two is kept.
            Outcome::Committed { .. } | Outcome::Conflict | Outcome::Duplicate(_) => Ok(()),
            other => Err(crate::service::refused(other)),
        }
    }

    /// Where a delivery lies: where it lay before, else in a free one of its slots, else in that of the
    /// oldest.
    async fn slot_for(
        &self,
        scope: Scope,
        source: &str,
        mac: &[u8],
        digest: &str,
    ) -> Result<(i64, Option<Versioned<Quarantined>>), PaymentsError> {
        let mut oldest: Option<(i64, Option<Versioned<Quarantined>>)> = None;
        for byte in mac.iter().take(CHOICES) {
            let slot = i64::from(byte % SLOTS);
            let found = self.store.of(scope).get::<Quarantined>(vec![source.into(), Cell::Int(slot)]).await?;
            if found.as_ref().is_some_and(|found| found.record.digest == digest) {
                return Ok((slot, found));
            }
            let age =
                |found: &Option<Versioned<Quarantined>>| found.as_ref().map(|found| found.record.received_at);
            if oldest.as_ref().is_none_or(|(_, known)| age(&found) < age(known)) {
                oldest = Some((slot, found));
            }
        }
        Ok(oldest.unwrap_or((0, None)))
    }

    /// The rejected deliveries of a world, newest first.
    pub async fn quarantined(&self, scope: Scope) -> Result<Vec<Quarantined>, PaymentsError> {
        let found: Vec<Versioned<Quarantined>> =
            self.store.of(scope).find(Query::oldest(&QUARANTINE, scope, 10_000)).await?;
        let mut records: Vec<Quarantined> = found.into_iter().map(|found| found.record).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.received_at));
        Ok(records)
    }

    /// One rejected delivery by its name, with what came.
    pub async fn quarantined_delivery(
        &self,
        scope: Scope,
        id: &str,
    ) -> Result<(Quarantined, Delivery), PaymentsError> {
        let found = self.find_quarantined(scope, id).await?.record;
        let Some(sealed) = &found.sealed else {
            return Err(Rejection::MethodState("the delivery is too long to be kept whole").into());
        };
        let delivery = self.open_delivery(scope, &place(&found.source, found.slot), sealed)?;
        Ok((found, delivery))
    }

    /// Removes a rejected delivery that was taken after all.
    pub async fn release(&self, scope: Scope, id: &str) -> Result<(), PaymentsError> {
        let found = self.find_quarantined(scope, id).await?;
        let mut changes = Changes::new(self.ids.uuid(), Lane::Background);
        changes.remove::<Quarantined>(scope, found.record.key(), found.version);
        match self.store.commit(changes).await {
            // It was overwritten just now: what is there now is another one.
            Outcome::Committed { .. } | Outcome::Conflict => Ok(()),
            other => Err(crate::service::refused(other)),
        }
    }

    async fn find_quarantined(
        &self,
        scope: Scope,
        id: &str,
    ) -> Result<Versioned<Quarantined>, PaymentsError> {
        let nobody = || PaymentsError::from(Rejection::NotFound("rejected delivery"));
        let (source, slot) = id.rsplit_once('.').ok_or_else(nobody)?;
        let slot: i64 = slot.parse().map_err(|_| nobody())?;
        let found = self.store.of(scope).get::<Quarantined>(vec![source.into(), Cell::Int(slot)]).await?;
        found.ok_or_else(nobody)
    }

    /// Headers and body under the world's key, in hexadecimal; `None` if there is more than `bytes_max`.
    /// Notices carry a provider's own client secrets and personal data: they lie nowhere in the clear.
    pub(crate) fn seal_delivery(
        &self,
        scope: Scope,
        place: &str,
        delivery: &Delivery,
        bytes_max: usize,
    ) -> Result<Option<String>, PaymentsError> {
        if delivery.body.len() > bytes_max {
            return Ok(None);
        }
        let whole = Delivery { headers: without_secrets(&delivery.headers), ..delivery.clone() };
        let internal = |error: &dyn std::fmt::Display| PaymentsError::Internal(error.to_string());
        let keys = self.vault.keys(scope.mode).map_err(|error| internal(&error))?;
        let bytes = pack(&whole).map_err(|error| internal(&error))?;
        let sealed =
            keys.seal(self.random.as_ref(), scope, place, &bytes).map_err(|error| internal(&error))?;
        Ok(Some(hex(&sealed)))
    }

    /// What [`Payments::seal_delivery`] sealed.
    pub(crate) fn open_delivery(
        &self,
        scope: Scope,
        place: &str,
        sealed: &str,
    ) -> Result<Delivery, PaymentsError> {
        let internal = |error: &dyn std::fmt::Display| PaymentsError::Internal(error.to_string());
        let keys = self.vault.keys(scope.mode).map_err(|error| internal(&error))?;
        let bytes = unhex(sealed).ok_or_else(|| internal(&"a sealed delivery is damaged"))?;
        let bytes = keys.open(scope, place, &bytes).map_err(|error| internal(&error))?;
        unpack(&bytes).ok_or_else(|| internal(&"a sealed delivery cannot be read"))
    }
}

/// For which place a rejected delivery is sealed.
fn place(source: &str, slot: i64) -> String {
    format!("quarantine/{source}/{slot}")
}

/// Headers and time as JSON behind their length, then the body as it is.
fn pack(delivery: &Delivery) -> Result<Vec<u8>, serde_json::Error> {
    let head = serde_json::to_vec(&(&delivery.headers, delivery.received_at))?;
    let mut bytes = (head.len() as u64).to_be_bytes().to_vec();
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&delivery.body);
    Ok(bytes)
}

fn unpack(bytes: &[u8]) -> Option<Delivery> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (head, body) = rest.split_at_checked(length)?;
    let (headers, received_at) = serde_json::from_slice(head).ok()?;
    Some(Delivery { headers, body: body.to_vec(), received_at })
}
