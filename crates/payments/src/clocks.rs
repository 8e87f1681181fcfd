//! The time that people see: each scope's own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Mode, Monotonic, Scope, Store, TestClock, Timestamp};
use parking_lot::RwLock;

use crate::rejection::PaymentsError;
use crate::service::Payments;

/// How long a clock that another node may have moved is believed.
const LIFE: Duration = Duration::from_secs(5);
/// Beyond so many scopes what is not believed any more is dropped.
const ROOM: usize = 10_000;

/// How far test merchants' clocks are ahead, read at most every five seconds. A node that moves a clock
/// knows it at once; the others follow within those seconds. A clock never goes back.
pub(crate) struct Clocks {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    known: RwLock<HashMap<Scope, (Monotonic, Duration)>>,
}

impl Clocks {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, known: RwLock::default() }
    }

    /// How far a scope's clock is ahead; nothing in a live one.
    pub(crate) async fn offset(&self, scope: Scope) -> Result<Duration, PaymentsError> {
        if scope.mode == Mode::Live {
            return Ok(Duration::ZERO);
        }
        let known = self.known.read().get(&scope).copied();
        match known {
            Some((read_at, offset)) if self.is_young(read_at) => Ok(offset),
            _ => Ok(self.read(scope).await?.offset),
        }
    }

    /// The clock as of the last commit of any node.
    pub(crate) async fn read(&self, scope: Scope) -> Result<TestClock, PaymentsError> {
        let clock = TestClock::read(self.store.as_ref(), scope).await?;
        self.learn(scope, clock.offset);
        Ok(clock)
    }

    /// Remembers an offset. What was read before a move and arrives after it does not undo it.
    pub(crate) fn learn(&self, scope: Scope, offset: Duration) {
        let now = self.clock.monotonic();
        let mut known = self.known.write();
        if known.len() >= ROOM {
            known.retain(|_, (read_at, _)| self.is_young(*read_at));
        }
        let entry = known.entry(scope).or_insert((now, offset));
        *entry = (now, entry.1.max(offset));
    }

    fn is_young(&self, read_at: Monotonic) -> bool {
        self.clock.monotonic().0.saturating_sub(read_at.0) < LIFE
    }
}

impl Payments {
    /// The time that people see in this scope: the wall clock's, and in a test world as far ahead of it
    /// as the merchant has moved its own clock. Due times, deadlines and look-ups are database time and
    /// no business of it.
    pub async fn now(&self, scope: Scope) -> Result<Timestamp, PaymentsError> {
        Ok(self.clock.now().plus(self.clocks.offset(scope).await?))
    }
}
