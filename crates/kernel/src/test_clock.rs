//! A test merchant's clock: the real one and an offset that only grows, so that what takes days in the
//! world takes a call in a test.
//!
//! It moves what people see (`created_at`, `occurred_at`) and what the API promises in time
//! (`expires_at`, a delayed capture). It never moves leases, deadlines, visibility or back-off: those are
//! database time, and no comparison adds the offset. A promised due time is stored as database time and
//! rewritten in the commit that moves the clock; see [`Job::promised`](crate::Job).

use std::time::Duration;

use crate::record::Cell;
use crate::system::CLOCK;
use crate::{Mode, Scope, Store, StoreError, Timestamp};

/// The key of a scope's one clock.
pub const CLOCK_NAME: &str = "merchant";

/// How far a scope's clock is ahead of the real one. A live scope's never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TestClock {
    /// How far; never gets less.
    pub offset: Duration,
    /// The version that was read; `None` for a clock that was never moved.
    pub version: Option<i64>,
}

/// Moves a scope's clock forward in a commit, and the due times of its promised jobs with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Whose clock; refused for a live scope.
    pub scope: Scope,
    /// By how much; more than nothing.
    pub by: Duration,
    /// The clock as it was read; [`Outcome::Conflict`](crate::Outcome) if somebody moved it meanwhile, or
    /// [`Duplicate::Row`](crate::Duplicate) if it was moved for the first time.
    pub from: TestClock,
}

impl TestClock {
    /// Reads a scope's clock, as of the last commit.
    pub async fn read(store: &dyn Store, scope: Scope) -> Result<Self, StoreError> {
        if scope.mode == Mode::Live {
            return Ok(Self::default());
        }
        let row = store.get(&CLOCK, scope, vec![Cell::from(CLOCK_NAME)]).await?;
        Ok(row.map_or_else(Self::default, |row| {
            let micros = row.columns.first().and_then(Cell::as_int).unwrap_or(0);
            let offset = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
            Self { offset, version: Some(row.version) }
        }))
    }

    /// What this clock shows when the real one shows `real`.
    pub fn shown(&self, real: Timestamp) -> Timestamp {
        real.plus(self.offset)
    }
}
