//! Search rows of payments that this node has just written: whoever fills the search tables here takes
//! them from memory and need not read and parse each payment again.
//!
//! It may forget anything at any time: what is not here is read from the store.

use std::time::Duration;

use kernel::{Monotonic, QuickMap, Scope};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::payment::Payment;
use crate::search::PaymentRow;
use vault::Keys;

/// Rows that are kept at most, some 300 bytes each: more than a busy second writes.
const KEPT_MAX: usize = 20_000;
/// How long after its last pass this node is taken for the one that fills the search.
const WANTED_FOR: Duration = Duration::from_secs(2);

/// The rows.
#[derive(Default)]
pub(crate) struct Fresh(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    rows: QuickMap<(Scope, Uuid), PaymentRow>,
    /// Until when somebody here asks for them.
    wanted_until: Option<Monotonic>,
}

impl Fresh {
    /// Says that a pass runs here, and that more will.
    pub(crate) fn want(&self, now: Monotonic) {
        self.0.lock().wanted_until = Some(Monotonic(now.0.saturating_add(WANTED_FOR)));
    }

    /// Keeps the row of a payment as it was just committed. One with refunds is left to the store:
    /// theirs have to be read anyway.
    pub(crate) fn keep(&self, scope: Scope, payment: &Payment, keys: Option<&Keys>, now: Monotonic) {
        let key = (scope, payment.id.uuid());
        {
            let mut kept = self.0.lock();
            if kept.wanted_until.is_none_or(|until| now > until) {
                kept.rows = QuickMap::default();
                return;
            }
        }
        let row = payment.refunds.is_empty().then(|| PaymentRow::of(payment, keys));
        let mut kept = self.0.lock();
        match row {
            // Two commits of a payment may come here in the wrong order: the later one counts.
            Some(row) if kept.rows.get(&key).is_some_and(|known| known.events > row.events) => {}
            Some(row) if kept.rows.len() < KEPT_MAX || kept.rows.contains_key(&key) => {
                kept.rows.insert(key, row);
            }
            _ => {
                kept.rows.remove(&key);
            }
        }
    }

    /// Takes a payment's row, if it knows at least so many of its events.
    pub(crate) fn take(&self, key: (Scope, Uuid), events: i64) -> Option<PaymentRow> {
        self.0.lock().rows.remove(&key).filter(|row| row.events >= events)
    }
}
